"""Bytes → Feed: the format is told from the bytes, never from what the server calls them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from xml.sax import SAXException

from lxml import etree

from monitor.domain import Feed
from monitor.errors import FeedError
from monitor.sources.decoding import TooLarge, decoded, unpacked
from monitor.sources.jsonfeed import read_json_feed
from monitor.sources.sitemaps import read_sitemap
from monitor.sources.syndication import read_syndication
from monitor.sources.xmltree import Malformed, local_name, parse_xml
from monitor.urls import shown

_PDF_AND_OTHERS = ((b"%PDF", "a PDF"), (b"\x89PNG", "an image"), (b"\xff\xd8\xff", "an image"), (b"PK\x03\x04", "a ZIP archive"))


def read_feed(body: bytes, *, url: str, content_type: str = "", charset: str | None = None, now: datetime) -> Feed:
    """The feed, sitemap or sitemap index in `body`, with a warning for each thing that is wrong with it.

    `url` is where it came from, after redirects: relative links are resolved against it, and it is the entries' `source_url`.
    `content_type` serves for messages only. `charset` is what the header said; it is believed last. `now` decides which dates are
    believable. Raises FeedError, which names the URL and what came instead of a feed; it raises nothing else.

    Bounds: 50 MB of document, 50,000 entries, 256 levels, no entities but short texts; all reading is linear in the bytes.
    """
    try:
        return _read(body, url=url, charset=charset, now=now)
    except (Malformed, TooLarge) as error:
        called = f" (sent as {content_type[:80]})" if content_type else ""
        raise FeedError(f"{shown(url)}: {error}{called}") from None


def _read(body: bytes, *, url: str, charset: str | None, now: datetime) -> Feed:
    body = unpacked(body)
    if not body.strip(b" \t\r\n\0"):
        raise Malformed("is empty")
    binary = next((name for magic, name in _PDF_AND_OTHERS if body.startswith(magic)), None)
    if binary:
        raise Malformed(f"is {binary}, not a feed")
    text, warnings = decoded(body, charset)
    start = text[:200].lstrip("\ufeff \t\r\n\u200b\xa0")
    if start.startswith(("{", "[")):
        feed = read_json_feed(text, url, now)
    else:
        root, repairs = _tree(text)
        warnings += repairs
        feed = _from_tree(root, url, now)
    if not feed.entries and not feed.children:
        warnings += ("has no entries",)
    return replace(feed, warnings=tuple(dict.fromkeys((*warnings, *feed.warnings))))


def _tree(text: str) -> tuple[etree._Element, tuple[str, ...]]:
    if "<" not in text:
        raise Malformed(f"is plain text, not a feed: {_excerpt(text)!r}")
    return parse_xml(text)


def _from_tree(root: etree._Element, url: str, now: datetime) -> Feed:
    name = local_name(root)
    if name == "opml":
        raise Malformed("is an OPML list of feeds, not a feed; import it as a list of sources")
    if name in ("urlset", "sitemapindex"):
        return read_sitemap(root, url, now)
    try:
        return read_syndication(root, url, now)
    except (AttributeError, LookupError, TypeError, ValueError, AssertionError, RecursionError, SAXException) as error:
        if isinstance(error, Malformed):
            raise
        # feedparser's handlers trust each other's order of calls; what trips them is no feed to us, but must not stop a run
        raise Malformed(f"could not be read: {type(error).__name__}: {_excerpt(str(error))}") from error


def _excerpt(text: str) -> str:
    return " ".join(text[:300].split())[:60]
