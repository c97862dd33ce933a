"""Text as it is compared: width, dashes, spaces, case, ё and traditional Chinese folded, with the way back to the original's places.

Aliases and texts are folded alike, so `６Ｇ` meets `6G` and `brain–computer` meets `brain computer`. A space beside a Chinese or
Japanese character says nothing and goes («6G 技术» is `6G技术`); left-over HTML tags and entities count as what they show.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

DASHES = "-‐‑‒–—―−﹘﹣－·・‧•_/"
SPACES = "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
CONTROLS = "".join(map(chr, [*range(9), *range(0x0E, 0x1C), 0x7F]))
INVISIBLE = "\u00ad\u061c\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
SURROGATES = range(0xD800, 0xE000)
# Kana, the ideographs, and the marks that stand among them.
CJK = r"[\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
IS_CJK = re.compile(CJK)
LOOSE = re.compile(rf"  |{CJK} | {CJK}")
# What HTML may have left behind; lengths are bounded, so that a text full of «<» or «&» takes no longer.
MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,300}>|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});")
LONGEST_CLUSTER = 8


@dataclass(frozen=True, slots=True)
class Folded:
    """`cased` keeps upper and lower case, `lower` does not; both of one length.

    `places[i]` is where character i began and ended in the original; None: it stood at i.
    """

    cased: str
    lower: str
    places: tuple[tuple[int, int], ...] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `[start:end]` of the folded text, which holds a character at least, stood in the original."""
        if self.places is None:
            return start, end
        return self.places[start][0], self.places[end - 1][1]


def fold(text: str) -> Folded:
    """Never raises; linear in the length of `text`."""
    if unicodedata.is_normalized("NFKC", text) and not MARKUP.search(text):
        folded = text.translate(_table())
        if len(folded) == len(text) and not LOOSE.search(folded):
            return Folded(folded, _lower(folded), None)
    characters: list[str] = []
    places: list[tuple[int, int]] = []
    for start, end, shown in _pieces(text):
        for character in unicodedata.normalize("NFKC", shown).translate(_table()):
            if character == " ":
                if characters and (characters[-1] == " " or IS_CJK.match(characters[-1])):
                    continue
            elif characters and characters[-1] == " " and IS_CJK.match(character):
                characters.pop()
                places.pop()
            characters.append(character)
            places.append((start, end))
    folded = "".join(characters)
    return Folded(folded, _lower(folded), tuple(places))


def _pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """Clusters and left-over markup, with their places."""
    at = 0
    for markup in MARKUP.finditer(text):
        yield from _clusters(text, at, markup.start())
        found = markup.group()
        yield markup.start(), markup.end(), " " if found.startswith("<") else html.unescape(found)
        at = markup.end()
    yield from _clusters(text, at, len(text))


def _clusters(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """A character with the marks (Hangul vowels and finals, half-width voicing) that follow it, up to a bound."""
    first = start
    for at in range(start + 1, end + 1):
        if at == end or at - first >= LONGEST_CLUSTER or not _joins(text[at]):
            yield first, at, text[first:at]
            first = at


def _joins(character: str) -> bool:
    return bool(unicodedata.combining(character)) or "\u1161" <= character <= "\u11ff" or character in "\uff9e\uff9f"


def _lower(text: str) -> str:
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


@cache
def _table() -> dict[int, str | None]:
    """Dashes, spaces and controls to a space, invisible marks to nothing, traditional to simplified Chinese a character."""
    table: dict[int, str | None] = dict.fromkeys(map(ord, DASHES + SPACES + CONTROLS), " ")
    table.update(dict.fromkeys(map(ord, INVISIBLE)))
    table.update(dict.fromkeys(SURROGATES, "\ufffd"))
    table.update({ord("’"): "'", ord("ё"): "е", ord("Ё"): "Е"})
    table.update(_simplified())
    return table


def _simplified() -> dict[int, str]:
    """Open Chinese Convert's table of single characters (the first choice where there are several)."""
    from importlib.resources import files

    lines = files("opencc").joinpath("dictionary", "TSCharacters.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if "\t" in line)
    return {ord(old): new.split(" ")[0] for old, new in pairs if len(old) == 1 and len(new.split(" ")[0]) == 1}
