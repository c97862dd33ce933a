"""The text of a PDF: its lines put together to paragraphs, hyphens taken out, page numbers and running heads dropped."""

from __future__ import annotations

import io
import logging
import re
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from monitor.domain import NoArticle, Unread
from monitor.extract.paragraphs import size_of

logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of every small fault of every file

MAX_PAGES = 60  # pages that are read of a document; a long report says what it is about on the first ones
MAX_CHARACTERS = 400_000
MAX_SECONDS = 15.0  # what is read by then is the text; pypdf needs 0.05 s for a common page, minutes for a map
# Words a page under which a document is scanned pictures with a stamp or two.
SCANNED = 3
# Share of the pages on which a line stands at the top or bottom to be a running head.
RUNNING = 0.4

_PAGE_NUMBER = re.compile(
    r"(\W*(page|seite|p\.|стр\.?|第)?\W*\d{1,4}(\W{0,3}(/|of|von|de|из|共)?\W{0,3}\d{1,4})?\W*(页|頁|ページ)?\W*)", re.I
)
_LEADERS = re.compile(r"(\.\s?){6,}\s*\w{0,6}\Z")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_STOP = re.compile(r"[.!?…。！？:：；;][)\]»”’\"'」』]*\Z")
_BULLET = re.compile(r"\s*[•‣▪◦●○■□◆–—*·]\s+|\s*\(?\d{1,2}[.)]\s+")
_HYPHEN = re.compile(r"[^\W\d_][-\u2010\u00ad]\Z")
_EAST = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class PdfText:
    """`lines` are paragraphs and headings; `created` is an ISO time, or empty."""

    title: str
    author: str | None
    created: str
    lines: tuple[str, ...]


def read_pdf(body: bytes) -> PdfText | NoArticle:
    """The text of a PDF, or why it has none: encrypted, scanned, broken. Bounded in pages, characters and seconds."""
    try:
        reader = PdfReader(io.BytesIO(body), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return NoArticle(Unread.BLOCKED, "the PDF is encrypted")
        pages = _pages(reader)
        facts = reader.metadata
        created = facts.creation_date.isoformat() if facts and facts.creation_date else ""
        title, author = (str(facts.title or ""), str(facts.author or "") or None) if facts else ("", None)
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OSError) as error:
        return NoArticle(Unread.ERROR, f"the PDF is broken: {type(error).__name__}: {error}"[:300])
    if size_of(" ".join(line for page in pages for line in page)) < SCANNED * len(pages):
        return NoArticle(Unread.NOT_AN_ARTICLE, "the PDF holds no text, pictures of pages perhaps")
    return PdfText(title, author, created, tuple(_paragraphs(_without_running_heads(pages))))


def _pages(reader: PdfReader) -> list[list[str]]:
    """The lines of each page, an empty one where there is a gap."""
    pages: list[list[str]] = []
    until = time.monotonic() + MAX_SECONDS
    characters = 0
    for number in range(min(len(reader.pages), MAX_PAGES)):
        text = reader.pages[number].extract_text() or ""
        pages.append([" ".join(line.split()) for line in text.translate(_LIGATURES).split("\n")])
        characters += len(text)
        if characters > MAX_CHARACTERS or time.monotonic() > until:
            break
    return pages


def _without_running_heads(pages: list[list[str]]) -> list[list[str]]:
    """The pages without numbers and without the lines that stand at the top or bottom of many of them."""
    edges: Counter[str] = Counter()
    for page in pages:
        filled = [line for line in page if line]
        edges.update({_unnumbered(line) for line in (*filled[:2], *filled[-2:])})
    often = {line for line, count in edges.items() if line and count >= max(2, RUNNING * len(pages))}
    return [[line for line in page if not _dropped(line) and _unnumbered(line) not in often] for page in pages]


def _dropped(line: str) -> bool:
    """Whether a line is a page number or a line of a table of contents."""
    return len(line) < 300 and (_PAGE_NUMBER.fullmatch(line) is not None or _LEADERS.search(line) is not None)


def _unnumbered(line: str) -> str:
    return re.sub(r"\d+", "#", line)


def _paragraphs(pages: list[list[str]]) -> list[str]:
    """Lines joined to paragraphs: one ends at a gap, before a list item, and behind a short line that ends a sentence."""
    lines = [line for page in pages for line in page]
    full = _full_width(lines)
    found: list[str] = []
    open_ = False
    for before, line in pairwise(["", *lines]):
        if not line:
            # a gap between two pages, or between lines of one sentence, ends nothing
            open_ = open_ and not (_STOP.search(before) or len(before) < 0.6 * full)
            continue
        if open_ and not _BULLET.match(line):
            found[-1] = _joined(found[-1], line)
        else:
            found.append(line)
        open_ = not (_STOP.search(line) and len(line) < 0.85 * full) and len(line) >= 0.5 * full
    return [line for line in found if line]


def _full_width(lines: list[str]) -> int:
    """The length of a line that fills the column."""
    lengths = sorted(len(line) for line in lines if line)
    return lengths[len(lengths) * 8 // 10] if lengths else 0


def _joined(text: str, line: str) -> str:
    if _HYPHEN.search(text):
        return (text[:-1] if line[:1].islower() else text) + line
    gap = "" if _EAST.match(text[-1:]) or _EAST.match(line) else " "
    return f"{text}{gap}{line}"
