"""RSS, Atom and RDF → entries, by feedparser.

feedparser is given a pruned document, and its HTML sanitising and link rewriting are off, as we only ever take text. 10,000 entries
of 1.7 KB took 24 s of processor time with feedparser's defaults and take 9 s here, with texts, dates and keys (a busy two-core machine).
"""

from __future__ import annotations

import html
import io
import re
from datetime import datetime
from typing import Any

import feedparser
from lxml import etree

from monitor.domain import Entry, Feed, FeedFormat
from monitor.sources.dates import DateReader
from monitor.sources.keys import with_keys
from monitor.sources.plaintext import one_line, plain_text, shortened
from monitor.sources.pruning import prune
from monitor.sources.xmltree import Malformed, local_name
from monitor.urls import absolute_url

FULL_TEXT = 1_000  # characters from which a description counts as the text itself; teasers have up to some 600
_TIMES = ("published", "updated", "created")
_PERIODS = {"hourly": 3_600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}


def read_syndication(root: etree._Element, url: str, now: datetime) -> Feed:
    """The feed in `root`. `url` is what its relative links are relative to. Raises Malformed where it is no feed."""
    format_ = _format(root)
    prune(root)
    document = etree.tostring(root, encoding="utf-8")
    root.clear()
    # feedparser joins addresses at every tag once it knows a base; only `xml:base` needs that, as links are resolved in `_link`
    base = {"content-location": url} if b"xml:base=" in document else {}
    parsed = feedparser.parse(
        io.BytesIO(document),
        response_headers={"content-type": "application/xml; charset=utf-8", **base},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    language = _language(parsed.feed)
    dates = DateReader(now, language)
    entries, warnings = with_keys(_entry(item, url, dates, format_) for item in parsed.entries)
    return Feed(
        format=format_,
        title=one_line(_text(parsed.feed, "title")),
        language=language,
        entries=entries,
        ttl=_ttl(parsed.feed),
        warnings=(*warnings, *dates.warnings()),
    )


def _format(root: etree._Element) -> FeedFormat:
    name = local_name(root)
    formats = {
        "rss": FeedFormat.RSS,
        "channel": FeedFormat.RSS,
        "feed": FeedFormat.ATOM,
        "entry": FeedFormat.ATOM,
        "rdf": FeedFormat.RDF,
    }
    if name in formats:
        return formats[name]
    inner = next((local_name(child) for child in root.iter() if local_name(child) in ("rss", "feed", "channel")), None)
    if inner is None:
        raise Malformed(f"is XML, but no feed: its first element is <{name[:40]}>")
    return formats[inner]


def _entry(item: Any, base: str, dates: DateReader, format_: FeedFormat) -> Entry:
    contents = [part for part in item.get("content", ()) if isinstance(part, dict) and isinstance(part.get("value"), str)]
    body = max((_as_html(part) for part in contents), key=len, default="").strip() or None
    markup = _text(item, "summary") or (body or "")
    literal = _is_literal(item, "summary", format_) and not contents
    summary = html.unescape(markup).strip() if literal else plain_text(markup)
    if body is None and len(summary) >= FULL_TEXT:
        body = f"<p>{html.escape(summary)}</p>" if literal else markup
    return Entry(
        source_url=base,
        key=_text(item, "id").strip(),
        url=_link(item, base),
        title=_title(item, format_),
        published_at=dates.first((dict.get(item, name), dict.get(item, f"{name}_parsed")) for name in ("published", "updated", "created")),
        summary=summary if body is None else shortened(summary),
        content=body,
        author=one_line(_text(item, "author")) or None,
        updated_at=dates.first([(dict.get(item, "updated"), dict.get(item, "updated_parsed"))]),
    )


def _title(item: Any, format_: FeedFormat) -> str:
    title = _text(item, "title")
    return " ".join(html.unescape(title).split()) if _is_literal(item, "title", format_) else one_line(title)


def _is_literal(item: Any, name: str, format_: FeedFormat) -> bool:
    """Whether a text of an Atom feed is plain and means its angle brackets; with end tags in it, it was meant as markup."""
    detail = item.get(f"{name}_detail")
    plain = format_ is FeedFormat.ATOM and isinstance(detail, dict) and detail.get("type") == "text/plain"
    return plain and re.search(r"</[A-Za-z]", _text(item, name)) is None


def _as_html(part: Any) -> str:
    if part.get("type") == "text/plain":
        return "".join(f"<p>{html.escape(block)}</p>" for block in re.split(r"\n\s*\n", part["value"].strip()) if block)
    return str(part["value"])


def _link(item: Any, base: str) -> str | None:
    """The page of the entry: what FeedBurner wrapped, the link, another that is no enclosure, or an id that is an address."""
    links = [link for link in item.get("links", ()) if isinstance(link, dict)]
    others = [link.get("href") for link in links if link.get("rel") in ("alternate", "related", "via", None)]
    for candidate in (item.get("feedburner_origlink"), item.get("link"), *others):
        if isinstance(candidate, str) and candidate.strip() and (found := absolute_url(candidate, base)):
            return found
    key = _text(item, "id")
    return absolute_url(key) if key.startswith(("http://", "https://")) else None


def _text(item: Any, name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _language(feed: Any) -> str | None:
    """The feed's language as it says it, lower-case: `en`, `en-us`, `zh-cn`."""
    language = _text(feed, "language").strip().replace("_", "-").lower()
    return language if re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}", language) else None


def _ttl(feed: Any) -> int | None:
    """Seconds that the feed asks to be left alone, by `ttl` (minutes) or the syndication module."""
    minutes = _text(feed, "ttl").strip()
    if re.fullmatch(r"\d{1,6}", minutes) and int(minutes):
        return int(minutes) * 60
    period = _PERIODS.get(_text(feed, "sy_updateperiod").strip().lower())
    frequency = _text(feed, "sy_updatefrequency").strip() or "1"
    if period is None or not re.fullmatch(r"\d{1,4}", frequency) or not int(frequency):
        return None
    return period // int(frequency)
