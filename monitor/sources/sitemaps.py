"""Sitemaps, news sitemaps and sitemap indexes → entries or children."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from lxml import etree

from monitor.domain import Entry, Feed, FeedFormat
from monitor.sources.dates import DateReader
from monitor.sources.keys import with_keys
from monitor.sources.plaintext import one_line
from monitor.sources.pruning import MAX_ENTRIES
from monitor.sources.xmltree import Malformed, local_name
from monitor.urls import absolute_url

_OLDEST = datetime(1, 1, 1, tzinfo=UTC)


def read_sitemap(root: etree._Element, url: str, now: datetime) -> Feed:
    """The sitemap in `root`: an entry for each address, or the children of an index, the newest first.

    A plain sitemap has no titles, and its dates are those of the last change; a news sitemap has titles and dates of publication.
    Raises Malformed where it is too large.
    """
    dates = DateReader(now)
    if len(root) > MAX_ENTRIES:
        raise Malformed(f"has {len(root)} addresses; a sitemap has at most {MAX_ENTRIES}")
    if local_name(root) == "sitemapindex":
        return Feed(FeedFormat.SITEMAP_INDEX, "", None, (), children=_children(root, url, dates))
    languages = [text for node in root.iter("{*}language") if (text := _tidy(node.text))]
    entries, warnings = with_keys(_entries(root, url, dates))
    language = max(set(languages), key=languages.count).lower() if languages else None
    title = next((text for node in root.iter("{*}publication") if (text := _below(node, "name"))), "")
    return Feed(FeedFormat.SITEMAP, title, language, entries, warnings=(*warnings, *dates.warnings()))


def _children(root: etree._Element, url: str, dates: DateReader) -> tuple[str, ...]:
    found: dict[str, datetime] = {}
    for node in root:
        address = absolute_url(_below(node, "loc"), url)
        if address:
            found.setdefault(address, dates.first([(_below(node, "lastmod"), None)]) or _OLDEST)
    return tuple(sorted(found, key=lambda address: found[address], reverse=True))


def _entries(root: etree._Element, url: str, dates: DateReader) -> Iterator[Entry]:
    for node in root:
        address = absolute_url(_below(node, "loc"), url)
        if address is None:
            continue
        news = next((child for child in node if local_name(child) == "news"), None)
        written = [(_below(news, "publication_date"), None)] if news is not None else []
        yield Entry(
            source_url=url,
            key=address,
            url=address,
            title=one_line(_below(news, "title")) if news is not None else "",
            published_at=dates.first([*written, (_below(node, "lastmod"), None)]),
            updated_at=dates.first([(_below(node, "lastmod"), None)]),
        )


def _below(node: etree._Element, name: str) -> str:
    """The text of the first child of that local name."""
    return next((_tidy("".join(child.itertext())) for child in node if local_name(child) == name), "")


def _tidy(text: str | None) -> str:
    return " ".join((text or "").split())
