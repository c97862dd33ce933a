"""What response headers say. Pure: the clock is an argument."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from monitor.domain import Validators

MAX_VALIDATOR = 1_000  # characters; longer ones are not sent back
MAX_SECONDS = 366 * 86_400  # what is said beyond a year is taken for a year


def content_type(headers: Mapping[str, str]) -> tuple[str, str | None]:
    """The media type, lower-case and without parameters ("" if none), and the charset."""
    raw = headers.get("content-type", "")
    media = raw.partition(";")[0].strip().lower()
    charset = re.search(r"""charset\s*=\s*["']?\s*([A-Za-z0-9._:+-]{1,40})""", raw, re.I)
    return media[:100], charset[1] if charset else None


def validators(headers: Mapping[str, str]) -> Validators:
    """ETag and Last-Modified, verbatim."""
    etag, modified = headers.get("etag"), headers.get("last-modified")
    return Validators(etag=_usable(etag), last_modified=_usable(modified))


def _usable(value: str | None) -> str | None:
    return value if value and len(value) <= MAX_VALIDATOR and value.isprintable() and value.isascii() else None


def conditional(sent: Validators) -> dict[str, str]:
    """The request headers that ask «has it changed?»."""
    asked = {"if-none-match": _usable(sent.etag), "if-modified-since": _usable(sent.last_modified)}
    return {name: value for name, value in asked.items() if value}


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the server asks to be left alone, from either form of Retry-After."""
    raw = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,12}(\.\d{0,6})?", raw):
        return min(float(raw), MAX_SECONDS)
    until = _date(raw)
    return None if until is None else min(max((until - _now(headers, now)).total_seconds(), 0.0), MAX_SECONDS)


def max_age(headers: Mapping[str, str], now: datetime) -> int | None:
    """Seconds for which the answer is fresh, from Cache-Control or else Expires; 0 where it must not be stored."""
    control = headers.get("cache-control", "").lower()
    age = re.search(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,12})", control)
    if age:
        return min(int(age[1]), MAX_SECONDS)
    if re.search(r"(?:^|[\s,])no-(?:store|cache)(?![\w=-])", control):
        return 0
    expires = _date(headers.get("expires", ""))
    return None if expires is None else int(min(max((expires - _now(headers, now)).total_seconds(), 0.0), MAX_SECONDS))


def _now(headers: Mapping[str, str], now: datetime) -> datetime:
    """The server's own clock where it sends it, since its dates are by that clock."""
    return _date(headers.get("date", "")) or now


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text.strip()[:60])
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
