"""A lexicon of a few aliases, for tests of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.match.lexical import Found, Lexicon
from tests.fakes import area, taxonomy

NOTHING = Found((), (), ())


def found(text: str, *strong: str, weak: Sequence[str] = (), negatives: Sequence[str] = ()) -> Found:
    """What a lexicon of one area finds in `text`."""
    return Lexicon(taxonomy(area("one", *strong, weak=weak, negatives=negatives))).find(text).get("one", NOTHING)


def quotes(text: str, what: Found) -> list[str]:
    """The strong mentions as they stand in the text."""
    return [text[m.start : m.end] for m in what.strong]


def words(rows: Mapping[str, Found], text: str) -> dict[str, list[str]]:
    """The strong mentions of each area as they stand in the text."""
    return {key: quotes(text, what) for key, what in rows.items() if what.strong}
