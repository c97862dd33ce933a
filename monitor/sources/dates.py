"""What feeds write as a date → an aware time in UTC, where it is believable."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import struct_time
from typing import Any

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # feeds with older entries have their clock at zero (1970) or no year (0001)
MAX_AHEAD = timedelta(days=2)  # a time zone or a slow clock explains less than that
MAX_LENGTH = 80  # characters
MAX_GUESSES = 2_000  # dates in words that dateparser is asked about in one document, at 2 ms each
MAX_WRONG_GUESSES = 10  # of those that it cannot read, at 20 ms; the others will look alike

# zone names that RFC 822 does not know but feeds use, in hours; IST is India's, as most feeds that say it are Indian
_ZONES = {
    "cet": 1, "cest": 2, "mez": 1, "mesz": 2, "wet": 0, "west": 1, "eet": 2, "eest": 3, "msk": 3, "bst": 1, "trt": 3, "ist": 5.5,
    "pkt": 5, "ict": 7, "wib": 7, "sgt": 8, "hkt": 8, "cst+8": 8, "awst": 8, "jst": 9, "kst": 9, "aest": 10, "aedt": 11,
    "nzst": 12, "nzdt": 13, "brt": -3, "art": -3, "akst": -9, "akdt": -8, "hst": -10, "sast": 2, "gst": 4,
}  # fmt: skip
_NAMED_ZONE = re.compile(r"\s*\(?\b([A-Za-z]{2,5})\)?$")
_DAY_AND_MONTH = re.compile(r"^(?:([A-Za-z]{3,9}),?\s+)?(\d{1,2})[./-](\d{1,2})[./-](\d{4})\b(?:\s*-\s+)?(.*)$")
_ISO = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ,]+(\d.*))?$", re.I)
_CJK = re.compile(
    r"^(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일](?:\s*[(\uff08]?[^\d]{0,5})?(?:\s*(\d{1,2}[:時时시]\s*\d{1,2}.*))?$"
)


class DateReader:
    """Reads the dates of one document. `now` bounds what is believable; `language` helps with names of months."""

    def __init__(self, now: datetime, language: str | None = None) -> None:
        self._latest = now + MAX_AHEAD
        self._american = (language or "").lower() == "en-us"
        known = (language or "")[:2].lower()
        self._languages = [known, *(LANGUAGES - {known})] if known in LANGUAGES else sorted(LANGUAGES)
        self._guesses: dict[str, datetime | None] = {}
        self._wrong = 0
        self._unreadable = 0
        self._unbelievable = 0

    def first(self, candidates: Iterable[tuple[Any, Any]]) -> datetime | None:
        """The first believable time among pairs of what was written and what feedparser made of it (a struct_time in UTC)."""
        for written, parsed in candidates:
            text = " ".join(written.split()) if isinstance(written, str) else ""
            if not text and not isinstance(parsed, struct_time):
                continue
            moment = self._read(text[:MAX_LENGTH], parsed)
            if moment is None:
                self._unreadable += 1
            elif EARLIEST <= moment <= self._latest:
                return moment
            else:
                self._unbelievable += 1
        return None

    def warnings(self) -> tuple[str, ...]:
        """What was wrong with the dates read so far, in sentences."""
        unreadable = (f"{self._unreadable} dates could not be read",) if self._unreadable else ()
        late = f"{self._unbelievable} dates lie in the future or before 1990 and were dropped"
        return (*unreadable, *((late,) if self._unbelievable else ()))

    def _read(self, text: str, parsed: Any) -> datetime | None:
        return _iso(text) or _rfc822(text) or _cjk(text) or _from_struct(text, parsed) or self._guess(text)

    def _guess(self, text: str) -> datetime | None:
        if text in self._guesses:
            return self._guesses[text]
        if len(self._guesses) >= MAX_GUESSES or self._wrong >= MAX_WRONG_GUESSES:
            return None
        guess = self._guesses[text] = _in_numbers(text, self._american) or self._in_words(text)
        self._wrong += guess is None
        return guess

    def _in_words(self, text: str) -> datetime | None:
        """A date with the name of a month in one of `LANGUAGES`: that of the last one first, as a feed has but one."""
        if not _IN_WORDS.search(text):
            return None
        from dateparser.date import DateDataParser  # takes half a second, and few feeds need it

        try:
            read = DateDataParser(languages=self._languages, settings=_GUESSING, use_given_order=True).get_date_data(text)
        except (ValueError, OverflowError, TypeError, RecursionError, AttributeError, LookupError):
            return None
        if read.date_obj is None:
            return None
        self._languages = sorted(LANGUAGES, key=lambda name: name != read.locale)
        return _in_utc(read.date_obj)


def _in_utc(moment: datetime) -> datetime | None:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _iso(text: str) -> datetime | None:
    """ISO 8601 and its relatives: `2026-11-23`, `2026/11/23 08:00:00 +0900`, `2026-11-23T08:00:00.123Z`."""
    match = _ISO.match(text)
    if match is None:
        return _compact(text)
    day = f"{match[1]}-{match[2]:0>2}-{match[3]:0>2}"
    clock, zone = _clock_and_zone(match[4] or "")
    for spelling in (f"{day}T{clock}{zone}" if clock else day, day if not clock else ""):
        try:
            return _in_utc(datetime.fromisoformat(spelling))
        except ValueError:
            continue
    return None


def _compact(text: str) -> datetime | None:
    """`20261123T080000Z`, and seconds since 1970."""
    try:
        if re.fullmatch(r"\d{8}(T\d{4,6}\S{0,6})?", text):
            return _in_utc(datetime.fromisoformat(text))
        return datetime.fromtimestamp(int(text), UTC) if re.fullmatch(r"[1-9]\d{8,9}", text) else None
    except ValueError:
        return None


def _clock_and_zone(text: str) -> tuple[str, str]:
    """`8:00 +9` → `08:00`, `+09:00`; a zone that is not known is left out, which means UTC."""
    match = re.match(r"^(\d{1,2}):(\d{2})(:\d{2}(?:[.,]\d{1,9})?)?\s*(.*)$", text)
    if match is None:
        return "", ""
    clock = f"{match[1]:0>2}:{match[2]}{(match[3] or '').replace(',', '.')}"
    return clock, _zone(match[4].strip())


def _zone(text: str) -> str:
    if text.upper() in ("", "Z", "UTC", "GMT"):
        return "+00:00"
    offset = re.match(r"^(?:UTC|GMT)?\s*([+-])(\d{1,2}):?(\d{2})?$", text, re.I)
    if offset:
        return f"{offset[1]}{offset[2]:0>2}:{offset[3] or '00'}"
    hours = _ZONES.get(text.strip("()").lower())
    return "+00:00" if hours is None else _offset(hours)


def _offset(hours: float) -> str:
    minutes = round(abs(hours) * 60)
    return f"{'-' if hours < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _rfc822(text: str) -> datetime | None:
    text = re.sub(r"\b(?:GMT|UTC)([+-]\d\d):?(\d\d)", r"\1\2", text)
    named = _NAMED_ZONE.search(text)
    if named and named[1].lower() in ("am", "pm"):
        return None
    hours = _ZONES.get(named[1].lower()) if named else None
    if named and hours is not None:
        text = text[: named.start()] + " " + _offset(hours).replace(":", "")
    try:
        return _in_utc(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _cjk(text: str) -> datetime | None:
    """`2026年11月23日 08:00` and the Korean form; without a zone they are taken as UTC like all others."""
    match = _CJK.match(text)
    if match is None:
        return None
    clock = re.sub(r"\s*[時时시]\s*", ":", match[4] or "").rstrip("分분 ")
    return _iso(f"{match[1]}-{match[2]}-{match[3]} {clock}".strip())


def _from_struct(text: str, parsed: Any) -> datetime | None:
    if not isinstance(parsed, struct_time) or re.fullmatch(r"\d{4}(-\d\d)?", text):
        return None  # a year or a month is no day: better none than the first of January
    try:
        return datetime(*parsed[:6], tzinfo=UTC)
    except ValueError:
        return None


def _in_numbers(text: str, american: bool) -> datetime | None:
    """`20.11.2026 10:00`, `Fri, 11/20/2026 - 10:00`: day first, unless the weekday, the numbers or an American feed say otherwise."""
    numbers = _DAY_AND_MONTH.match(text)
    if numbers is None:
        return None
    weekday, first, second, year, rest = numbers.groups()
    orders = [(first, second), (second, first)]
    orders = orders[::-1] if american else orders
    read = [_iso(f"{year}-{month}-{day} {rest.strip(' ,T')}".strip()) for day, month in orders]
    readings = [found for found in read if found]
    named = [found for found in readings if weekday and found.strftime("%a").lower() == weekday[:3].lower()]
    return next(iter(named or readings), None)


LANGUAGES = frozenset(
    {"ar", "cs", "da", "de", "el", "en", "es", "fi", "fr", "he", "hu", "id", "it", "ja", "ko", "nb", "nl", "pl", "pt", "ro", "ru"}
    | {"sv", "tr", "uk", "vi", "zh"}
)
_IN_WORDS = re.compile(r"(?=.*\b(19|20)\d\d\b)(?=.*[^\W\d_]{3})^.{8,50}$")
_GUESSING: Any = {
    "PARSERS": ["absolute-time"],
    "REQUIRE_PARTS": ["day", "month", "year"],
    "TIMEZONE": "UTC",
    "TO_TIMEZONE": "UTC",
    "RETURN_AS_TIMEZONE_AWARE": True,
    "DATE_ORDER": "DMY",
}
