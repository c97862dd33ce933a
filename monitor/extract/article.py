"""A fetched page, or the text in a feed's entry → an article, or the reason why there is none.

What decides, in this order: what kind of document came; whether it says that it is gone or asks for proof that a person reads;
whether it is an index, a video or a question about cookies; how much text was found; whether that is a paywall's teaser.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from htmldate import find_date
from lxml.html import HtmlElement

from monitor.domain import Article, Entry, Fetched, NoArticle, Paragraph, ReadOutcome, Unread
from monitor.extract import verdicts
from monitor.extract.blocks import Block, blocks, lines_of
from monitor.extract.body import Body, body_of, kept, link_texts
from monitor.extract.decoding import cleaned, decoded
from monitor.extract.language import code_of, language_of
from monitor.extract.page import Page, address_of, author_of, parsed, published_of, title_of
from monitor.extract.paragraphs import fingerprint, paragraphs_of, size_of
from monitor.extract.pdf import read_pdf
from monitor.extract.times import AHEAD, EARLIEST, parse_time, published, shown_time
from monitor.urls import canonical_url

# Words that make an article: a page with a headline, a byline and a caption has up to 20; 60 ideographs say as much as 25 words.
ENOUGH = 25
# Words of an entry's text up to which the page behind its link is read in its place: feeds carry teasers of up to 70.
TEASER = 80
VIDEO_TEXT = 120  # words up to which the text of a page that holds a video is its description
MAX_PAGE = 20_000_000  # bytes; the largest page of 4,648 had 3 million
_MARKUP = frozenset({"", "text/html", "application/xhtml+xml", "text/xml", "application/xml", "text/plain", "application/octet-stream"})
_BINARY = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"PK\3\4",
    b"\x1f\x8b",
    b"RIFF",
    b"\xd0\xcf\x11\xe0",
    b"\x7fELF",
    b"MZ\x90",
    b"OggS",
    b"ID3",
)
_CUT_OFF = ("...", "…", "[…]", "[...]", "read more", "continue reading", "weiterlesen", "lire la suite", "阅读全文", "続きを読む")


def read_page(fetched: Fetched, entry: Entry, *, source_language: str | None, first_seen_at: datetime) -> ReadOutcome:
    """The article on a page. Never raises: whatever goes wrong is a NoArticle with its reason."""
    try:
        return _read_page(fetched, entry, source_language, first_seen_at)
    except Exception as error:  # the parsers behind this raise anything on hostile pages
        return NoArticle(Unread.ERROR, f"the page cannot be read: {type(error).__name__}: {error}"[:300])


def read_entry(entry: Entry, *, source_language: str | None, first_seen_at: datetime) -> ReadOutcome:
    """The article in the text that the feed itself carries; TOO_SHORT where that is a teaser of a page. Never raises."""
    try:
        return _read_entry(entry, source_language, first_seen_at)
    except Exception as error:  # as above
        return NoArticle(Unread.ERROR, f"the entry's text cannot be read: {type(error).__name__}: {error}"[:300])


def _read_page(fetched: Fetched, entry: Entry, source_language: str | None, first_seen_at: datetime) -> ReadOutcome:
    body, kind = fetched.body, fetched.content_type
    if not body.strip():
        return NoArticle(Unread.ERROR, "the server sent an empty page", transient=True)
    if b"%PDF-" in body[:1024]:
        return _read_pdf(fetched, entry, source_language, first_seen_at)
    if kind not in _MARKUP or _is_binary(body):
        return NoArticle(Unread.NOT_AN_ARTICLE, f"the document is {kind or 'of an unknown kind'} and not read")
    if len(body) > MAX_PAGE:
        return NoArticle(Unread.ERROR, f"the page has more than {MAX_PAGE // 1_000_000} MB")
    text = cleaned(decoded(body, fetched.charset, source_language))
    start = text.lstrip()[:500].lower()
    if start.startswith("<?xml") and ("<rss" in start or "<feed" in start or "<rdf:rdf" in start or "<urlset" in start):
        return NoArticle(Unread.NOT_AN_ARTICLE, "the document is a feed")
    if kind == "text/plain" and not start.startswith(("<!doctype", "<html")):
        lines = tuple(text.splitlines())
        return _article(entry, Body(lines, "text"), entry.title, canonical_url(fetched.final_url), source_language, first_seen_at)
    page = parsed(text, fetched.final_url)
    if page is None:
        return NoArticle(Unread.ERROR, f"the document says it is {kind or 'nothing'}, but is no HTML")
    return _read_html(page, fetched, entry, source_language, first_seen_at)


def _is_binary(body: bytes) -> bool:
    """Whether the bytes are no text, whatever their header says: pictures, archives, programs."""
    return body.startswith(_BINARY) or (body[:1024].count(b"\0") > 64 and not body.startswith((b"\xff\xfe", b"\xfe\xff")))


def _read_html(page: Page, fetched: Fetched, entry: Entry, source_language: str | None, first_seen_at: datetime) -> ReadOutcome:
    title = title_of(page, entry.title)
    body, found = body_of(page, title)
    said = tuple(published_of(page))
    guessed = "" if entry.published_at or any(map(parse_time, said)) else shown_time(found, body.lines)
    if guessed is None:
        guessed = _guessed_day(page.tree, page.url, first_seen_at)
    size = body.size
    visible = " ".join(block.text for block in found)
    hindrance = verdicts.refused(page.headings, visible, size) or _led_home(entry, fetched) or _no_article(page, body, found, size)
    if hindrance is None:
        hindrance = verdicts.withheld(page.linked.free, size, _near(body, found))
    if hindrance is not None and not (hindrance.reason is Unread.NOT_AN_ARTICLE and size_of(entry.summary) >= TEASER):
        return hindrance
    if size < ENOUGH:
        body = _feed_text(entry, title, size) or body
    return _article(
        entry, body, title, address_of(page), code_of(page.language) or source_language, first_seen_at,
        said=said, guessed=guessed, author=author_of(page),
    )  # fmt: skip


def _read_entry(entry: Entry, source_language: str | None, first_seen_at: datetime) -> ReadOutcome:
    body = _content(entry)
    size = body.size
    if entry.url and (size < TEASER or body.lines[-1].rstrip(" →»>").lower().endswith(_CUT_OFF)):
        return NoArticle(Unread.TOO_SHORT, f"the feed carries a teaser of {size:.0f} words; the page is to be read")
    return _article(entry, body, entry.title, canonical_url(entry.url) if entry.url else None, source_language, first_seen_at)


def _article(
    entry: Entry,
    body: Body,
    title: str,
    url: str | None,
    language: str | None,
    first_seen_at: datetime,
    *,
    said: Sequence[str] = (),
    guessed: str | None = None,
    author: str | None = None,
) -> ReadOutcome:
    """The article with `body`, where that is long enough. `language`: a hint."""
    title = " ".join(cleaned(title).split())[:500]
    paragraphs = paragraphs_of(cleaned("\n".join(body.lines)))
    size = sum(size_of(paragraph.text) for paragraph in paragraphs)
    if size < ENOUGH:
        return NoArticle(Unread.TOO_SHORT, f"the page has {size:.0f} words of text")
    if title and not _begins_with(paragraphs, title):
        # A headline often names what the text then only calls «the technology».
        paragraphs = (Paragraph(fingerprint(title), title), *(p for p in paragraphs if p.fingerprint != fingerprint(title)))
    text = "\n\n".join(paragraph.text for paragraph in paragraphs)
    published_at, day = published(said, entry.published_at, guessed, first_seen_at)
    return Article(
        url=url or f"{entry.source_url}#{entry.key}",
        title=title,
        language=language_of(text, language),
        published_at=published_at,
        day=day,
        extractor=body.extractor,
        fingerprint=fingerprint(text),
        paragraphs=paragraphs,
        author=" ".join(cleaned(author or entry.author or "").split())[:300] or None,
    )


def _begins_with(paragraphs: Sequence[Paragraph], title: str) -> bool:
    return any(title.casefold() in paragraph.text.casefold() for paragraph in paragraphs[:3])


def _content(entry: Entry) -> Body:
    """The text in the entry itself."""
    page = parsed(f"<html><body><div>{cleaned(entry.content or entry.summary)}</div><hr></body></html>", entry.url or entry.source_url)
    if page is None:
        return Body((), "entry")
    found = blocks(page.tree)
    return kept(lines_of(found), "entry", link_texts(found), entry.title)


def _feed_text(entry: Entry, title: str, size: float) -> Body | None:
    """What the feed carries, where that is clearly more than the page shows."""
    texts = [_content(entry)] if entry.content else []
    if entry.summary:
        texts.append(kept(entry.summary.splitlines(), "entry", set(), title))
    best = max(texts, key=lambda body: body.size, default=None)
    return best if best is not None and best.size >= max(ENOUGH, 2 * size) else None


def _no_article(page: Page, body: Body, found: Sequence[Block], size: float) -> NoArticle | None:
    """NOT_AN_ARTICLE: an index of links, a video with its description, a question about cookies."""
    text = " ".join(body.lines)
    if size < VIDEO_TEXT and (page.kind.startswith(("video", "music")) or (page.linked.video and not page.linked.article)):
        return NoArticle(Unread.NOT_AN_ARTICLE, "the page holds a video or a recording")
    if size < verdicts.PAGE_NOTICE and not page.linked.article and verdicts.asks_consent(text, size):
        return NoArticle(Unread.NOT_AN_ARTICLE, "the page asks for consent to cookies")
    few = size < ENOUGH and not page.linked.article
    if few and sum(size_of(block.text) * block.links for block in found) > 4 * ENOUGH:
        return NoArticle(Unread.NOT_AN_ARTICLE, "the page holds links and hardly any text")
    return None


def _led_home(entry: Entry, fetched: Fetched) -> NoArticle | None:
    """GONE, where the address of an article led to a home page."""
    asked, found = urlsplit(entry.url or fetched.url), urlsplit(fetched.final_url)
    if asked.path.strip("/") and not found.path.strip("/") and not found.query:
        return NoArticle(Unread.GONE, "its address leads to the home page")
    return None


def _near(body: Body, found: Sequence[Block]) -> str:
    """The text found, and what the page shows right after it."""
    keys = {line.removeprefix("- ") for line in body.lines}
    last = max((at for at, block in enumerate(found) if block.text in keys), default=-1)
    after = [block.text for block in found[last + 1 : last + 12]] if last >= 0 else []
    return "\n".join((*body.lines, *after))


def _guessed_day(tree: HtmlElement, url: str, first_seen_at: datetime) -> str | None:
    """The day that htmldate finds in the page's text and address."""
    earliest, latest = EARLIEST.replace(tzinfo=None), (first_seen_at + AHEAD).replace(tzinfo=None)
    found: str | None = find_date(tree, original_date=True, url=url, min_date=earliest, max_date=latest)
    return found


def _read_pdf(fetched: Fetched, entry: Entry, source_language: str | None, first_seen_at: datetime) -> ReadOutcome:
    document = read_pdf(fetched.body)
    if isinstance(document, NoArticle):
        return document
    return _article(
        entry, Body(document.lines, "pdf"), entry.title or document.title, canonical_url(fetched.final_url), source_language,
        first_seen_at, said=(document.created,), author=document.author,
    )  # fmt: skip
