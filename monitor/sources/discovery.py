"""Home page → feeds: those it declares, and where feeds usually are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from lxml import etree

from monitor.sources.decoding import decoded
from monitor.urls import absolute_url

MAX_HTML = 5_000_000  # characters that are looked through

_TAG = re.compile(r"<(?:link|a|base)\s[^>]{1,3000}>", re.I)
_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "application/xml", "text/xml"}
)
_JSON = re.compile(r"application/(?:feed\+)?json", re.I)
_FEED_PATH = re.compile(r"(?:^|[/._-])(?:rss|atom|feeds?|rdf)(?:\.(?:xml|rss|rdf|atom|json|aspx?|php))?/?$|\.(?:rss|atom|rdf)$", re.I)
_FOR_COMMENTS = re.compile(r"comment|kommentar|comentario|commentaire|oembed|wp-json|xmlrpc|opensearch", re.I)
_USUAL = (
    "feed", "feed/", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "rss/", "feeds/posts/default", "index.rdf", "feed.json",
    "news/rss", "news/feed", "en/rss.xml", "sitemap_news.xml", "news-sitemap.xml", "sitemap-news.xml",
)  # fmt: skip


def discover_feeds(html: bytes, *, url: str) -> tuple[str, ...]:
    """The feeds that the page at `url` declares, best first: `<link rel="alternate">`, then plain links that look like feeds.

    Feeds of comments come last. Only the tags in question are parsed, so time grows with the length alone. Never raises.
    """
    text, _ = decoded(html[: 2 * MAX_HTML])
    base, declared, linked = url, [], []
    for name, attributes in _tags(text[:MAX_HTML]):
        href = (attributes.get("href") or "").strip()
        if name == "base" and href:
            base = absolute_url(href, url) or url
        elif name == "link" and _declares(attributes):
            declared.append((href, attributes.get("title") or ""))
        elif name == "a" and (_declares(attributes) or _looks_like_a_feed(href)):
            linked.append((href, ""))
    found = [(absolute_url(href, base), f"{href} {title}") for href, title in [*declared, *linked] if href]
    ordered = sorted(found, key=lambda pair: _FOR_COMMENTS.search(pair[1]) is not None)
    return tuple(dict.fromkeys(address for address, _ in ordered if address))


def guess_feeds(url: str) -> tuple[str, ...]:
    """Addresses worth a try where a page declares no feed: the usual names, below the page's folder and below its host."""
    home = absolute_url(url)
    if home is None:
        return ()
    folder = urljoin(home, ".") if urlsplit(home).path.rpartition("/")[2].count(".") else home.partition("?")[0].rstrip("/") + "/"
    root = urljoin(home, "/")
    return tuple(dict.fromkeys(urljoin(place, name) for place in dict.fromkeys((folder, root)) for name in _USUAL))


def _tags(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for match in _TAG.finditer(text):
        try:
            root = etree.fromstring(match[0], etree.HTMLParser())
        except (etree.XMLSyntaxError, ValueError):
            continue
        for element in root.iter("link", "a", "base") if root is not None else ():
            yield str(element.tag), {str(key): str(value) for key, value in element.attrib.items()}


def _declares(attributes: dict[str, str]) -> bool:
    relation = (attributes.get("rel") or "").lower().split()
    kind = (attributes.get("type") or "").lower().split(";")[0].strip()
    if "feed" in relation and kind in ("", "text/html"):
        return True
    if "alternate" not in relation or "stylesheet" in relation:
        return kind in ("application/rss+xml", "application/atom+xml")
    return kind in _TYPES or (_JSON.fullmatch(kind) is not None and "feed" in (attributes.get("href") or "").lower())


def _looks_like_a_feed(href: str) -> bool:
    try:
        return _FEED_PATH.search(urlsplit(href).path) is not None
    except ValueError:
        return False
