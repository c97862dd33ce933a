"""Outlets → the bytes of every page and feed for one day. Pure: the same day, address and edition give the same bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from monitor.demo.outlets import (
    CONTENT,
    Chrome,
    DemoArticle,
    EntryDetail,
    FeedState,
    Outlet,
    load_content,
)
from monitor.domain import FeedFormat

Edition = Literal[1, 2]

FEED_PATHS = {
    FeedFormat.RSS: "rss.xml",
    FeedFormat.ATOM: "atom.xml",
    FeedFormat.RDF: "index.rdf",
    FeedFormat.JSON_FEED: "feed.json",
    FeedFormat.SITEMAP: "news-sitemap.xml",
}
FEED_TYPES = {
    FeedFormat.RSS: "application/rss+xml; charset=utf-8",
    FeedFormat.ATOM: "application/atom+xml; charset=utf-8",
    FeedFormat.RDF: "application/rdf+xml; charset=utf-8",
    FeedFormat.JSON_FEED: "application/feed+json",
    FeedFormat.SITEMAP: "application/xml; charset=utf-8",
}
RELATED_LINKS = 3

# What a crashed publishing system leaves behind: cut off in a tag before the first entry, an error message in the middle.
BROKEN_FEED = (
    b'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>Radio Plateau &bulletin</titel>\n'
    b"Warning: mysql_connect(): Too many connections in <b>/srv/www/feed.php</b> on line <b>41</b><br />\n"
    b"<description><![CDATA[Les nouvelles du plat"
)
ROBOTS = b"User-agent: *\nDisallow: /private/\n"


@dataclass(frozen=True, slots=True)
class Page:
    """What the server answers for a path."""

    body: bytes
    content_type: str
    modified_at: datetime
    status: int = 200


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One entry of a feed. `url` is absolute; `summary` plain text; `html` the whole text or "". Empty means left out."""

    id: str
    url: str
    title: str
    author: str
    summary: str
    html: str
    published_at: datetime
    updated_at: datetime


def feed_path(outlet: Outlet) -> str:
    """The path of an outlet's feed."""
    return f"/{outlet.id}/{FEED_PATHS[outlet.outlet.format]}"


def article_path(outlet: Outlet, article: DemoArticle) -> str:
    """The path of an article, or of the file in its place."""
    return f"/{outlet.id}/{article.slug}{Path(article.file).suffix if article.file else '.html'}"


def render(now: datetime, base_url: str, edition: Edition = 1) -> dict[str, Page]:
    """Every path of the newsroom at `base_url` (no slash at its end) with its page, as it stands on the UTC day of `now`."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    press = _Press(today, base_url, edition)
    outlets, chrome = load_content()
    pages = {
        "/robots.txt": Page(ROBOTS, "text/plain; charset=utf-8", today),
        "/": press.front_page(outlets),
        "/private/drafts.html": Page(b"<!DOCTYPE html><title>Drafts</title><p>Not for readers.</p>", "text/html", today),
    }
    for outlet in outlets:
        for article in outlet.articles:
            pages[article_path(outlet, article)] = press.article(outlet, article, chrome[outlet.outlet.language])
        if outlet.outlet.feed is not FeedState.MISSING:
            pages[feed_path(outlet)] = press.feed(outlet)
    return pages


def rfc822(moment: datetime) -> str:
    """The date as RSS writes it."""
    return format_datetime(moment)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["rfc822"] = rfc822
    return environment


_TEMPLATES = _environment()


@dataclass(frozen=True, slots=True)
class _Press:
    """What all pages of one printing share."""

    today: datetime
    base_url: str
    edition: Edition

    def published_at(self, outlet: Outlet, article: DemoArticle) -> datetime:
        return article.published_at(self.today.date(), outlet.outlet.clock)

    def updated_at(self, outlet: Outlet, article: DemoArticle) -> datetime:
        """Corrections are made at the first minute of the day: later than any entry, so that Last-Modified tells of them."""
        return self.today.astimezone(outlet.outlet.clock) if self.corrected(article) else self.published_at(outlet, article)

    def corrected(self, article: DemoArticle) -> bool:
        return self.edition == 2 and article.correction is not None

    def url(self, outlet: Outlet, article: DemoArticle) -> str:
        return self.base_url + article_path(outlet, article)

    def front_page(self, outlets: tuple[Outlet, ...]) -> Page:
        feeds = [(self.base_url + feed_path(outlet), outlet.outlet) for outlet in outlets]
        return Page(_TEMPLATES.get_template("front.html").render(feeds=feeds).encode(), "text/html; charset=utf-8", self.today)

    def article(self, outlet: Outlet, article: DemoArticle, chrome: Chrome) -> Page:
        updated_at = self.updated_at(outlet, article)
        if article.file:
            return Page((CONTENT / article.file).read_bytes(), "application/pdf", updated_at)
        if article.gone:
            text = _TEMPLATES.get_template("gone.html").render(outlet=outlet.outlet, chrome=chrome)
            return Page(text.encode(), "text/html; charset=utf-8", updated_at, status=410)
        text = _TEMPLATES.get_template("article.html").render(
            outlet=outlet.outlet,
            article=article,
            chrome=chrome,
            charset=article.encoding,
            url=self.url(outlet, article),
            feed_url=self.base_url + feed_path(outlet),
            feed_type=FEED_TYPES[outlet.outlet.format].partition(";")[0],
            published_at=self.published_at(outlet, article),
            updated_at=updated_at,
            corrected=self.corrected(article),
            related=self._related(outlet, article),
            linked=self._linked(outlet, article),
        )
        charset = f"; charset={article.encoding}" if article.charset_in_header else ""
        return Page(text.encode(article.encoding, "xmlcharrefreplace"), "text/html" + charset, updated_at)

    def _related(self, outlet: Outlet, article: DemoArticle) -> list[tuple[str, str]]:
        others = [other for other in outlet.newest_first() if other is not article and not other.gone]
        return [(self.url(outlet, other), other.title) for other in others[:RELATED_LINKS]]

    def _linked(self, outlet: Outlet, article: DemoArticle) -> dict[str, Any]:
        """The JSON-LD description of an article."""
        return {
            "@context": "https://schema.org",
            "@type": "VideoObject" if article.video else "NewsArticle",
            "headline": article.title,
            "inLanguage": outlet.outlet.language,
            "datePublished": self.published_at(outlet, article).isoformat(),
            "dateModified": self.updated_at(outlet, article).isoformat(),
            "author": {"@type": "Person", "name": article.author or outlet.outlet.name},
            "publisher": {"@type": "Organization", "name": outlet.outlet.name},
            "mainEntityOfPage": self.url(outlet, article),
            "isAccessibleForFree": not article.paywall,
        }

    def feed(self, outlet: Outlet) -> Page:
        """The feed as it stands. It is as new as its newest entry."""
        items = [item for article in outlet.newest_first() for item in self._items(outlet, article)]
        modified_at = max((item.updated_at for item in items), default=self.today)
        return Page(self._feed_body(outlet, items), FEED_TYPES[outlet.outlet.format], modified_at)

    def _feed_body(self, outlet: Outlet, items: list[FeedItem]) -> bytes:
        if outlet.outlet.feed is FeedState.BROKEN:
            return BROKEN_FEED
        feed_url = self.base_url + feed_path(outlet)
        if outlet.outlet.format is FeedFormat.JSON_FEED:
            return _json_feed(outlet, items, feed_url, self.base_url)
        template = _TEMPLATES.get_template(f"{outlet.outlet.format}.xml")
        home_url = f"{self.base_url}/{outlet.id}/"
        return template.render(outlet=outlet, items=items, feed_url=feed_url, home_url=home_url, today=self.today).encode()

    def _items(self, outlet: Outlet, article: DemoArticle) -> list[FeedItem]:
        detail = outlet.outlet.entries
        item_id = f"tag:newsroom.example,2026:{outlet.id}/{article.slug}"
        paragraphs = [*article.paragraphs, *([article.correction] if self.corrected(article) and article.correction else [])]
        item = FeedItem(
            id=item_id,
            url=self.url(outlet, article),
            title=article.title,
            author=article.author,
            summary=article.summary if detail is not EntryDetail.TITLE else "",
            html="\n".join(f"<p>{escape(text)}</p>" for text in paragraphs) if detail is EntryDetail.FULL else "",
            published_at=self.published_at(outlet, article),
            updated_at=self.updated_at(outlet, article),
        )
        if article.tracking is None:
            return [item]
        return [item, replace(item, id=f"{item_id}?{article.tracking}", url=f"{item.url}?{article.tracking}")]


def _json_feed(outlet: Outlet, items: list[FeedItem], feed_url: str, base_url: str) -> bytes:
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.outlet.name,
        "language": outlet.outlet.language,
        "home_page_url": f"{base_url}/{outlet.id}/",
        "feed_url": feed_url,
        "items": [_json_item(item) for item in items],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _json_item(item: FeedItem) -> dict[str, Any]:
    members: dict[str, Any] = {
        "id": item.id,
        "url": item.url,
        "title": item.title,
        "summary": item.summary,
        "content_html": item.html,
        "content_text": "" if item.html else item.summary,  # the format wants one of the two
        "date_published": item.published_at.isoformat(),
        "date_modified": item.updated_at.isoformat(),
        "authors": [{"name": item.author}] if item.author else [],
    }
    return {name: value for name, value in members.items() if value}
