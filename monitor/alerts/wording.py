"""Text from outside made fit for a message: cleaned, cut, quoted around its mentions, wrapped. Pure.

Widths are columns as a terminal counts them: a Chinese character takes two, a combining mark none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import wcwidth

from monitor.domain import Mention

COLUMNS = 78
# Of one paragraph in plain text, some 25 lines; wrapping an unbroken line costs the square of its length.
LONGEST = 2_000
ELLIPSIS = "…"
QUOTE_CHARACTERS = 280
# How far a cut may move to fall between words.
SNAP = 24
# Characters that reorder, hide or break a line; joiners stay, since emoji and Indic scripts need them.
_UNWANTED = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Marks above and below a letter; a pile of them is drawn over the lines around it. No script needs more than four.
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_PILE = re.compile(f"({_MARK}{{4}}){_MARK}+")
_SPACES = re.compile(r"\s+")
# Where a sentence ends; a word of less than three letters before the full stop is taken for an abbreviation.
_SENTENCE_END = re.compile('(?:(?<=\\w{3})[.!?…]["”’»)]*(?=\\s)|[。！？][」』”）]*)\\s*')
# Between a headline and the text that repeats it.
_AFTER_HEADLINE = " \t\r\n\u3000.:|·—–-"
# A column of combining marks has no width but costs bytes.
_MARKS = 4


def plain(text: str) -> str:
    """`text` without control characters and lone surrogates, each a space, direction marks and piles of marks. Length may change."""
    return _PILE.sub(r"\1", _UNWANTED.sub("", _CONTROLS.sub(" ", text)))


def clean(text: str, columns: int | None = None) -> str:
    """One line without debris; with `columns`, cut to that width at a whole character and marked with «…»."""
    limit = None if columns is None else columns * _MARKS
    line = _SPACES.sub(" ", plain(text if limit is None else text[: limit * 2])).strip()
    if columns is None or (wcwidth.width(line) <= columns and len(line) <= columns * _MARKS):
        return line
    return wcwidth.clip(line[: columns * _MARKS], 0, columns - 1).rstrip() + ELLIPSIS


def without_headline(text: str, mentions: Sequence[Mention], title: str) -> tuple[str, tuple[Mention, ...]]:
    """`text` without the headline it begins with, and the mentions in their new places; as it is when none would be left."""
    if not title or not text.startswith(title):
        return text, tuple(mentions)
    rest = text[len(title) :].lstrip(_AFTER_HEADLINE)
    cut = len(text) - len(rest)
    moved = tuple(Mention(m.alias, m.start - cut, m.end - cut, m.weak) for m in mentions if m.start >= cut)
    return (rest, moved) if rest and (moved or not mentions) else (text, tuple(mentions))


def quote(text: str, mentions: Sequence[Mention], characters: int = QUOTE_CHARACTERS) -> tuple[str, tuple[Mention, ...]]:
    """At most about `characters` of `text` around its first mention, in whole sentences where they fit, and the mentions' new places.

    Half as many where characters are twice as wide and say twice as much.
    """
    sample = text[:1000]
    characters = max(1, characters * len(sample) // max(1, len(sample), wcwidth.width(plain(sample))))
    inside = sorted((m for m in mentions if 0 <= m.start < m.end <= len(text)), key=lambda m: (m.start, m.end))
    if len(text) <= characters:
        return text, tuple(inside)
    first = inside[0] if inside else Mention("", 0, 0)
    ends = [found.end() for found in _SENTENCE_END.finditer(text, 0, min(len(text), first.start + 2 * characters))]
    start = max((end for end in (0, *ends) if end <= first.start), default=0)
    whole = first.start - start <= characters // 2
    if not whole:
        start = _snapped(text, min(max(0, first.start - characters // 3), len(text) - characters))
    end = max((e for e in ends if max(first.end, start + characters // 2) <= e <= start + characters), default=0)
    broken = not end
    end = end or _snapped(text, start + characters)
    while end > start and text[end - 1].isspace():
        end -= 1
    lead, tail = "" if whole or not start else ELLIPSIS, ELLIPSIS if broken and text[end:].strip() else ""
    shift = len(lead) - start
    moved = tuple(Mention(m.alias, m.start + shift, min(m.end, end) + shift, m.weak) for m in inside if start <= m.start < end)
    return lead + text[start:end] + tail, moved


def _snapped(text: str, at: int) -> int:
    """The nearest place after `at` where a word begins, if there is one near; else `at`, moved off combining marks."""
    if at <= 0 or at >= len(text):
        return max(0, min(at, len(text)))
    space = text.find(" ", at - 1, at + SNAP)
    if space >= 0:
        return space + 1
    while at < len(text) and unicodedata.combining(text[at]):
        at += 1
    return at


def segments(text: str, mentions: Iterable[Mention]) -> list[tuple[str, bool]]:
    """`text` in order, in pieces: (piece, whether it is a mention). Overlapping mentions are one piece; pieces are `plain`."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, end in _merged(mentions, len(text)):
        pieces += [(plain(text[at:start]), False), (plain(text[start:end]), True)]
        at = end
    pieces.append((plain(text[at:]), False))
    return [(piece, marked) for piece, marked in pieces if piece]


def _merged(mentions: Iterable[Mention], length: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for start, end in sorted((m.start, m.end) for m in mentions if 0 <= m.start < m.end <= length):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def starred(text: str, mentions: Iterable[Mention]) -> str:
    """`text` on one line with its *mentions* between asterisks, as plain-text mail writes emphasis."""
    return clean("".join(f"*{piece}*" if marked else piece for piece, marked in segments(text, mentions)))


def words_of(text: str, mentions: Iterable[Mention]) -> tuple[str, ...]:
    """The mentions as they stand in `text`, each once, in order."""
    found = (clean(text[m.start : m.end]) for m in sorted(mentions, key=lambda m: m.start))
    return tuple(dict.fromkeys(word for word in found if word))


def wrap(text: str, indent: int = 0, first: str = "", columns: int = COLUMNS) -> str:
    """`text` in lines of at most `columns`; the first begins with `first`, the others with `indent` spaces."""
    lead = first or " " * indent
    line = clean(text, LONGEST)
    if len(lead) + wcwidth.width(line) <= columns:
        return f"{lead}{line}".rstrip()
    lines = wcwidth.wrap(line, columns, initial_indent=lead, subsequent_indent=" " * indent, break_on_hyphens=False)
    return "\n".join(lines)


def aligned(text: str, columns: int, *, right: bool = False) -> str:
    """`text` cut and padded to exactly `columns`."""
    shown = clean(text, columns)
    return wcwidth.rjust(shown, columns) if right else wcwidth.ljust(shown, columns)
