"""JSON Feed 1.0 and 1.1 → entries."""

from __future__ import annotations

import html
import json
import re
from datetime import datetime
from typing import Any

from monitor.domain import Entry, Feed, FeedFormat
from monitor.sources.dates import DateReader
from monitor.sources.keys import with_keys
from monitor.sources.plaintext import one_line, plain_text, shortened
from monitor.sources.pruning import MAX_ENTRIES
from monitor.sources.xmltree import Malformed
from monitor.urls import absolute_url


def read_json_feed(text: str, url: str, now: datetime) -> Feed:
    """The feed in `text`; `url` is what relative links are relative to. Raises Malformed where it is none."""
    try:
        document = json.loads(text.lstrip("\ufeff \t\r\n\u200b\xa0"))
    except (ValueError, RecursionError) as error:
        reason = "is nested too deep" if isinstance(error, RecursionError) else f"is broken JSON: {error}"
        raise Malformed(reason) from None
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise Malformed(f"is JSON without items, not a JSON feed{_found(document)}")
    items = [item for item in document["items"] if isinstance(item, dict)]
    if len(items) > MAX_ENTRIES:
        raise Malformed(f"has {len(items)} entries; up to {MAX_ENTRIES} are read")
    language = _string(document, "language").lower().replace("_", "-") or None
    dates = DateReader(now, language)
    authors = _authors(document)
    entries, warnings = with_keys(_entry(item, url, dates, authors) for item in items)
    lost = len(document["items"]) - len(items)
    return Feed(
        format=FeedFormat.JSON_FEED,
        title=one_line(_string(document, "title")),
        language=language if language and re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}", language) else None,
        entries=entries,
        warnings=(*warnings, *dates.warnings(), *((f"{lost} items are no objects",) if lost else ())),
    )


def _entry(item: dict[str, Any], base: str, dates: DateReader, authors: str | None) -> Entry:
    markup, text = _string(item, "content_html"), _string(item, "content_text")
    content = markup or "".join(f"<p>{html.escape(block)}</p>" for block in re.split(r"\n\s*\n", text) if block.strip()) or None
    summary = plain_text(_string(item, "summary")) or text.strip() or plain_text(markup)
    key = item.get("id")
    links = (
        _string(item, "url"),
        _string(item, "external_url"),
        str(key) if str(key).startswith(("http://", "https://")) else "",
    )
    return Entry(
        source_url=base,
        key=str(key).strip() if isinstance(key, str | int | float) and not isinstance(key, bool) else "",
        url=next((found for link in links if link and (found := absolute_url(link, base))), None),
        title=one_line(_string(item, "title")),
        published_at=dates.first((_date(item, name), None) for name in ("date_published", "date_modified")),
        summary=shortened(summary),
        content=content,
        author=_authors(item) or authors,
        updated_at=dates.first([(_date(item, "date_modified"), None)]),
    )


def _date(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _string(item, name)


def _authors(holder: dict[str, Any]) -> str | None:
    """Names from `authors` (1.1) or `author` (1.0)."""
    listed = holder.get("authors")
    people = listed if isinstance(listed, list) else [holder.get("author")]
    names = [one_line(_string(person, "name")) for person in people[:10] if isinstance(person, dict)]
    return ", ".join(name for name in names if name)[:200] or None


def _string(holder: dict[str, Any], name: str) -> str:
    """The text under `name`, without half surrogates, which no database takes."""
    value = holder.get(name)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _found(document: Any) -> str:
    names = [str(name)[:20] for name in list(document)[:4]] if isinstance(document, dict) else []
    return f": an object with {', '.join(names)}" if names else ""
