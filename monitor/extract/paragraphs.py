"""Text → paragraphs: what is embedded, matched and quoted.

Lines become paragraphs as the page has them, but: a heading goes with the text under it, short list items stand together in one
paragraph with the line that announces them (so that a list of areas is one), an overlong paragraph is cut at sentence ends.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import ceil

from monitor.domain import Paragraph

# Words under which a line is a heading or a list item that does not stand alone.
SHORT = 8
# Lines of that kind that may be the headings of the text under them; more are a list.
HEADINGS = 2
# Characters from which a paragraph is cut: about 250 words, what an embedding model reads whole.
LONG = 1_500
MAX_TEXT = 2_000_000  # characters of a text that are read; a book has fewer
REMEMBERED = 2_000  # characters of a text up to which what was found out about it is kept for a while
# An ideograph, kana or syllable as words: 60 of them say what 25 words do.
CHARACTER = 25 / 60
# Text broken into lines of one length, as in mails: so many of its lines end within a sentence, and are near the longest.
WRAPPED_SHARE = 0.6
WRAPPED_LINES = 6

_CHARACTER = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U000323af]")
_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(r"[^\W_]+(?:['’.,\-][^\W_]+)*")
_SPACES = re.compile(r"\s+")
_BULLET = re.compile(r"\s*(?:[-–—*+·]\s+|[•‣▪◦●○■□◆◇▶►※]\s*)")
_STOP = re.compile(r"[.!?…。！？｡；;:：।؟۔။][」』”\"'’»）)\]]*\Z")
_CLAUSE = re.compile(r"[,，、;；:：。.!?！？।؟]")
_SENTENCE = re.compile(r"(?<=[.!?…।؟۔])[\"'”’»)\]]*\s+|(?<=[。！？｡])[」』”’）)]*")
_PART = re.compile(r"(?<=[,;:،])\s+|(?<=[，、；：])")


def paragraphs_of(text: str) -> tuple[Paragraph, ...]:
    """The paragraphs of `text`, whose lines are blocks of a page; each once. Never raises; linear in the length of `text`."""
    found: dict[str, str] = {}
    for paragraph in _joined(_unwrapped(list(_lines(text[:MAX_TEXT])))):
        for piece in _cut(paragraph):
            found.setdefault(fingerprint(piece), piece)
    return tuple(Paragraph(key, piece) for key, piece in found.items())


def fingerprint(text: str) -> str:
    """128-bit hash of `text` as 32 hexadecimal digits, blind to white space, case and Unicode composition."""
    folded = " ".join(unicodedata.normalize("NFC", text).split()).casefold()
    return hashlib.blake2b(folded.encode("utf-8", "replace"), digest_size=16).hexdigest()


def size_of(text: str) -> float:
    """The length of a text in words, whatever its script."""
    return _cached_size(text) if len(text) <= REMEMBERED else _size(text)


def _size(text: str) -> float:
    characters = 0 if text.isascii() else len(_CHARACTER.findall(text))
    if not characters:
        return float(len(_WORD.findall(text)))
    return characters * CHARACTER + len(_WORD.findall(_CHARACTER.sub(" ", text)))


# A page asks for the size of its lines many times.
_cached_size = lru_cache(2_000)(_size)


def prose_size(text: str) -> float:
    """The length in words where `text` reads as a sentence, long enough and punctuated; else 0."""
    size = size_of(text)
    return size if size >= SHORT and _CLAUSE.search(text) else 0.0


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """The lines of a text, cleaned, with whether each is a list item; the cells of a table's row stand behind each other."""
    for line in text.splitlines():
        bullet = _BULLET.match(line)
        if bullet:
            line = line[bullet.end() :]
        if "|" in line:
            line = "; ".join(cell for part in line.split("|") if (cell := part.strip()))
        line = " ".join(line.split())
        if line:
            yield line, bullet is not None


def _unwrapped(lines: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Sentences put together again where the text is broken into lines of one length."""
    plain = [line for line, item in lines if not item]
    if len(plain) < WRAPPED_LINES:
        return lines
    longest = sorted(map(len, plain))[len(plain) * 9 // 10]
    broken = sum(1 for line in plain if len(line) > 0.7 * longest and not _STOP.search(line))
    if longest > 120 or broken < WRAPPED_SHARE * len(plain):
        return lines
    joined: list[tuple[str, bool]] = []
    for line, item in lines:
        if joined and not item and not _STOP.search(joined[-1][0]) and len(joined[-1][0]) > 0.7 * longest:
            before = joined[-1][0]
            gap = "" if _CHARACTER.match(before[-1]) and _CHARACTER.match(line) else " "
            joined[-1] = (f"{before}{gap}{line}", joined[-1][1])
        else:
            joined.append((line, item))
    return joined


def _joined(lines: Iterable[tuple[str, bool]]) -> Iterator[str]:
    """Lines put together: headings with what follows, short items with each other and with the line that announces them."""
    head = ""  # a long line that announces what follows
    short: list[tuple[str, bool]] = []
    for line, item in lines:
        if size_of(line) < SHORT:
            short.append((line, item))
            continue
        headings = _headings(short) if not item else []
        listed = [text for text, _ in short[: len(short) - len(headings)]]
        if head or listed:
            yield _together([head, *listed] if head else listed)
        head, short = "", []
        line = _together([*headings, line], heading=True)
        if line.endswith((":", "：")):
            head = line
        else:
            yield line
    if head or short:
        yield _together([head, *(text for text, _ in short)] if head else [text for text, _ in short])


def _headings(short: list[tuple[str, bool]]) -> list[str]:
    """The last of the short lines, where they are headings of what follows: no list items, and only a few."""
    count = 0
    while count < len(short) and not short[-1 - count][1]:
        count += 1
    return [text for text, _ in short[len(short) - count :]] if count <= HEADINGS else []


def _together(parts: list[str], *, heading: bool = False) -> str:
    """One paragraph of several lines, with a sign between them where they have none of their own."""
    east = any(_IDEOGRAPH.search(part) for part in parts)
    colon, semicolon, gap = ("：", "；", "") if east else (": ", "; ", " ")
    text = parts[0]
    for part in parts[1:]:
        text += (gap if _STOP.search(text) else colon if heading else semicolon) + part
    return text


def _cut(text: str) -> Iterator[str]:
    """`text` in pieces of at most LONG characters and about one length, cut at sentence ends where it has any."""
    ends = [match.end() for match in _SENTENCE.finditer(text)] if len(text) > LONG else []
    start = 0
    while len(text) - start > LONG:
        rest = len(text) - start
        wanted = start + rest / ceil(rest / LONG)
        at = bisect_left(ends, wanted)
        if at < len(ends) and ends[at] <= start + LONG:
            end = ends[at]
        elif at and ends[at - 1] > start + LONG / 3:
            end = ends[at - 1]
        else:
            end = start + _break(text[start : start + LONG])
        yield text[start:end].strip()
        start = end
    if text[start:].strip():
        yield text[start:].strip()


def _break(text: str) -> int:
    """Where a text without sentence ends is cut: behind a clause, else a word, else at its end."""
    for pattern in (_PART, _SPACES):
        ends = [match.end() for match in pattern.finditer(text)]
        if ends and ends[-1] > len(text) / 3:
            return ends[-1]
    return len(text)
