"""Text as it is compared: width, dashes, spaces, case and traditional Chinese folded, with the way back to the original's places.

Aliases and texts are folded alike, so `６Ｇ` meets `6G` and `brain–computer` meets `brain computer`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

DASHES = "-‐‑‒–—―−﹘﹣－·・‧•_/"
SPACES = "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@dataclass(frozen=True, slots=True)
class Folded:
    """`cased` keeps upper and lower case, `lower` does not; both of one length. `places[i]` is where character i stood; None: at i."""

    cased: str
    lower: str
    places: tuple[int, ...] | None
    length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `[start:end]` of the folded text stood in the original."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1 if end - 1 < len(self.places) else self.length


def fold(text: str) -> Folded:
    """Never raises; linear in the length of `text`."""
    if unicodedata.is_normalized("NFKC", text):
        folded = text.translate(_table())
        if len(folded) == len(text) and "  " not in folded:
            return Folded(folded, _lower(folded), None, len(text))
    characters: list[str] = []
    places: list[int] = []
    for at, cluster in _clusters(text):
        for character in unicodedata.normalize("NFKC", cluster).translate(_table()):
            if character != " " or not characters or characters[-1] != " ":
                characters.append(character)
                places.append(at)
    folded = "".join(characters)
    return Folded(folded, _lower(folded), tuple(places), len(text))


def _clusters(text: str) -> list[tuple[int, str]]:
    """A character with the marks (and Hangul vowels and finals) that follow it; no cluster is longer than eight."""
    found: list[tuple[int, str]] = []
    for at, character in enumerate(text):
        joins = unicodedata.combining(character) or "\u1161" <= character <= "\u11ff"
        if joins and found and len(found[-1][1]) < 8:
            found[-1] = (found[-1][0], found[-1][1] + character)
        else:
            found.append((at, character))
    return found


def _lower(text: str) -> str:
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


@cache
def _table() -> dict[int, str | None]:
    """Dashes and spaces to a space, invisible marks to nothing, traditional to simplified Chinese a character."""
    table: dict[int, str | None] = dict.fromkeys(map(ord, DASHES + SPACES), " ")
    table.update(dict.fromkeys(map(ord, INVISIBLE)))
    table[ord("’")] = "'"
    table.update(_simplified())
    return table


def _simplified() -> dict[int, str]:
    """Open Chinese Convert's table of single characters (the first choice where there are several)."""
    from importlib.resources import files

    lines = files("opencc").joinpath("dictionary", "TSCharacters.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if "\t" in line)
    return {ord(old): new.split(" ")[0] for old, new in pairs if len(old) == 1 and len(new.split(" ")[0]) == 1}
