"""Text and addresses from outside, made harmless to show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.domain import Mention

# Characters a quote is cut to, around its first marked word: what is read at a glance.
QUOTE_CHARACTERS = 560
# Embeddings, overrides and isolates: a headline must not turn what stands beside it around.
_DIRECTION = {chr(c) for c in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_SPACES = {"\t", "\n", "\r", "\u2028", "\u2029"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a quote; `marked` ones are words that speak for the area, `weak` ones only with support."""

    text: str
    marked: bool = False
    weak: bool = False


# What makes a spreadsheet run a cell (OWASP, CSV injection), in the widths that those of Chinese and Japanese readers take, too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_OVERRIDES = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd")


def harmless(value: object) -> object:
    """A cell that no spreadsheet runs or shows turned around: an apostrophe goes in front of a formula, overrides are shown as �."""
    if not isinstance(value, str):
        return value
    text = value.translate(_OVERRIDES)
    return "'" + text if text.startswith(_FORMULA) else text


def clean(text: str) -> str:
    """`text` without control and direction characters, and those that no XML may hold; line breaks become spaces."""
    return "".join(" " if c in _SPACES else c for c in text if c in _SPACES or not _harmful(c))


def _harmful(c: str) -> bool:
    return c in _DIRECTION or unicodedata.category(c) in {"Cc", "Cs"} or ord(c) & 0xFFFE == 0xFFFE


def language_tag(code: str) -> str:
    """`code` as HTML and XML take it; empty, which is said to be unknown, where it is no tag."""
    return code if code != "und" and _TAG.fullmatch(code) else ""


def web_address(url: str | None) -> str | None:
    """`url` if it leads to a page by http or https, else None: nothing else is ever a link."""
    if not url or clean(url) != url:
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return url.strip() if parts.scheme.lower() in {"http", "https"} and parts.hostname else None


def pieces(text: str, mentions: Iterable[Mention], limit: int = QUOTE_CHARACTERS) -> tuple[Piece, ...]:
    """`text`, cut around its first mention, in runs that are marked or not. Mentions may overlap or lie outside."""
    spans = sorted((max(0, m.start), min(len(text), m.end), m.weak) for m in mentions if m.end > m.start and m.start < len(text))
    first, last = _window(text, spans[0][0] if spans else 0, limit)
    return tuple(piece for piece in _runs(text, spans, first, last) if piece.text)


def _window(text: str, wanted: int, limit: int) -> tuple[int, int]:
    if len(text) <= limit:
        return 0, len(text)
    first = max(0, min(wanted - limit // 3, len(text) - limit))
    if first and " " in text[first : first + 30]:
        first = text.index(" ", first) + 1
    return first, min(len(text), first + limit)


def _runs(text: str, spans: list[tuple[int, int, bool]], first: int, last: int) -> Iterator[Piece]:
    if first:
        yield Piece("… ")
    place = first
    for start, end, weak in spans:
        start, end = max(start, place), min(end, last)
        if start < end:
            yield Piece(clean(text[place:start]))
            yield Piece(clean(text[start:end]), True, weak)
            place = end
    yield Piece(clean(text[place:last]))
    if last < len(text):
        yield Piece(" …")
