"""Text as it is compared: width, dashes, spaces, case, ё and traditional Chinese folded, with the way back to the original's places.

Aliases and texts are folded alike, so `６Ｇ` meets `6G` and `brain–computer` meets `brain computer`. A space beside a Chinese or
Japanese character says nothing and goes («6G 技术» is `6G技术`); left-over HTML tags and entities count as what they show.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
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

    `starts[i]` and `ends[i]` are where character i began and ended in the original; None: it stood at i.
    """

    cased: str
    lower: str
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `[start:end]` of the folded text, which holds a character at least, stood in the original."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def fold(text: str) -> Folded:
    """Never raises; linear in the length of `text`."""
    if unicodedata.is_normalized("NFKC", text) and not MARKUP.search(text):
        folded = text.translate(_table())
        if len(folded) == len(text) and not LOOSE.search(folded):
            return Folded(folded, _lower(folded))
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end, shown in _pieces(text):
        if shown.startswith(" "):
            if characters and (characters[-1] == " " or IS_CJK.match(characters[-1])):
                continue
        elif characters and characters[-1] == " " and IS_CJK.match(shown):
            del characters[-1], starts[-1], ends[-1]
        characters += shown
        if len(shown) == end - start:
            starts += range(start, end)
            ends += range(start + 1, end + 1)
        else:
            starts += [start] * len(shown)
            ends += [end] * len(shown)
    folded = "".join(characters)
    return Folded(folded, _lower(folded), starts, ends)


def _pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """The text folded piece by piece, with the places of each; a piece is one space, or has none at its ends."""
    at = 0
    for markup in MARKUP.finditer(text):
        yield from _clusters(text, at, markup.start())
        found = markup.group()
        for shown in _shown(" " if found.startswith("<") else html.unescape(found)):
            yield markup.start(), markup.end(), shown
        at = markup.end()
    yield from _clusters(text, at, len(text))


def _clusters(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    for cluster in _cluster().finditer(text, start, end):
        if cluster.lastindex:
            yield cluster.start(), cluster.end(), cluster.group()
        else:
            for shown in _shown(cluster.group()):
                yield cluster.start(), cluster.end(), shown


def _shown(cluster: str) -> str:
    return unicodedata.normalize("NFKC", cluster).translate(_table())


@cache
def _cluster() -> re.Pattern[str]:
    """A run that folding leaves as it is (group 1), or a character with the marks that follow it, up to a bound.

    Marks are combining ones, Hangul vowels and finals, and the voicing of half-width katakana.
    """
    basic = [chr(point) for point in range(0x10000) if point not in SURROGATES]
    marks = {c for c in basic if unicodedata.combining(c) or "\u1161" <= c <= "\u11ff" or c in "\uff9e\uff9f"}
    changed = {chr(point) for point in _table()} | {" ", *marks}
    same = [c for c in basic if c not in changed and unicodedata.is_normalized("NFKC", c)]
    alphabets, cjk = _any_of([c for c in same if not IS_CJK.match(c)]), _any_of([c for c in same if IS_CJK.match(c)])
    mark = _any_of(sorted(marks))
    return re.compile(rf"({alphabets}+(?: {alphabets}+)*|{cjk}+)(?!{mark})|.{mark}{{0,{LONGEST_CLUSTER - 1}}}", re.DOTALL)


def _any_of(characters: Sequence[str]) -> str:
    """A character class of these, which are in order."""
    ranges: list[list[int]] = []
    for point in map(ord, characters):
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "[" + "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in ranges) + "]"


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
