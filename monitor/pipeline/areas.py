"""Areas that somebody asks for: there, gone, or never there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from monitor.errors import TaxonomyError
from monitor.store.history import last_counted, last_version
from monitor.taxonomy import Area, Taxonomy

# An area that has so much of a former one's aliases is what became of it.
SAME_WORDS = 0.5


def known_area(taxonomy: Taxonomy, connection: Connection, area: str) -> Area:
    """The area of this id. Raises TaxonomyError for one that is not in the taxonomy, telling what is stored of it if it once was."""
    try:
        return taxonomy.area(area)
    except TaxonomyError as error:
        version, counted = last_version(connection, area), last_counted(connection, area)
        told = [f"the last version with it was taken into use on {version[0].date()}"] if version else []
        told += [f"its last article counts for {counted}"] if counted else []
        if heir := _heir(taxonomy, version[1]) if version else None:
            told.append(f"its aliases are those of {heir!r} now")
        if told:
            raise TaxonomyError(f"the area {area!r} is not in the taxonomy any more; {'; '.join(told)}. {error}") from None
        raise


def _heir(taxonomy: Taxonomy, former: Mapping[str, Any]) -> str | None:
    """The id of the area that has most of the aliases of a former one, as it was stored."""
    words = {word for phrases in former.get("aliases", {}).values() for word in phrases} | set(former.get("entities", ()))
    shared = {area.id: len(words.intersection(area.strong())) for area in taxonomy.areas}
    best = max(shared, key=lambda key: shared[key], default=None)
    return best if best and words and shared[best] >= SAME_WORDS * len(words) else None
