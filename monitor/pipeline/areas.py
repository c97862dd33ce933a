"""Areas that somebody asks for: there, gone, or never there."""

from __future__ import annotations

from sqlalchemy import Connection

from monitor.errors import TaxonomyError
from monitor.store.export import last_used
from monitor.taxonomy import Area, Taxonomy


def known_area(taxonomy: Taxonomy, connection: Connection, area: str) -> Area:
    """The area of this id. Raises TaxonomyError for one that is not in the taxonomy, telling whether it once was."""
    try:
        return taxonomy.area(area)
    except TaxonomyError as error:
        if used := last_used(connection, area):
            raise TaxonomyError(
                f"the area {area!r} is not in the taxonomy any more; the last version with it was taken into use on {used.date()}. {error}"
            ) from None
        raise
