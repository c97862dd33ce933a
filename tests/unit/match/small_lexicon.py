"""A lexicon of a few aliases, for tests of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from monitor.match.lexical import Found, Lexicon
from monitor.taxonomy import Area, Taxonomy

NOTHING = Found((), (), ())


def area(
    key: str, *strong: str, weak: Sequence[str] = (), negatives: Sequence[str] = (), exemplars: Sequence[str] = ("A model sentence.",)
) -> Area:
    """An area with these words; all else is as short as it may be."""
    return Area.model_validate(
        {
            "id": key,
            "names": {"en": key},
            "definition": "An area.",
            "scope": {"in": ["the area"]},
            "aliases": {"en": strong},
            "weak": {"en": weak},
            "negatives": {"en": negatives},
            "exemplars": {"en": exemplars},
        }
    )


def taxonomy(*areas: Area) -> Taxonomy:
    """The areas in the order of their ids, as loading gives them."""
    return Taxonomy(tuple(sorted(areas, key=lambda a: a.id)), (), "fingerprint", Path())


def found(text: str, *strong: str, weak: Sequence[str] = (), negatives: Sequence[str] = ()) -> Found:
    """What a lexicon of one area finds in `text`."""
    return Lexicon(taxonomy(area("one", *strong, weak=weak, negatives=negatives))).find(text).get("one", NOTHING)


def quotes(text: str, what: Found) -> list[str]:
    """The strong mentions as they stand in the text."""
    return [text[m.start : m.end] for m in what.strong]


def words(rows: Mapping[str, Found], text: str) -> dict[str, list[str]]:
    """The strong mentions of each area as they stand in the text."""
    return {key: quotes(text, what) for key, what in rows.items() if what.strong}
