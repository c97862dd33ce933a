"""When a recipient's turn comes, and when a message is tried again. Pure.

A turn is given by the wall clock of the recipient's own zone. An hour that a clock change skips is taken right after the gap, one
that comes twice is taken the first time; a night that was missed is caught up once, however many turns it held.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PATTERN = re.compile(r"(?:(?P<day>daily)|weekly(?: on)? (?P<weekday>[a-z]+))(?: at)? (?P<hour>\d{1,2}):(?P<minute>\d{2})")
RETRY_FIRST = timedelta(minutes=5)
RETRY_MOST = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class When:
    """`weekday` counts from Monday, 0; it holds for `week` only."""

    every: Literal["once", "day", "week"]
    at: time = time(7)
    weekday: int = 0


def parse_when(text: str) -> When:
    """`at once`, `daily at 07:00` or `weekly on monday at 07:00`. Raises ValueError saying how it is written."""
    said = " ".join(text.lower().split())
    if said == "at once":
        return When("once")
    found = _PATTERN.fullmatch(said)
    weekday = found["weekday"] if found else None
    if found is None or int(found["hour"]) > 23 or int(found["minute"]) > 59 or (weekday and weekday not in WEEKDAYS):
        raise ValueError("write «at once», «daily at 07:00» or «weekly on monday at 07:00»")
    at = time(int(found["hour"]), int(found["minute"]))
    return When("week", at, WEEKDAYS.index(weekday)) if weekday else When("day", at)


def last_occasion(when: When, zone: str, now: datetime) -> datetime:
    """The latest turn at or before `now`; `now` itself for «at once»."""
    if when.every == "once":
        return now
    today = now.astimezone(ZoneInfo(zone)).date()
    days = (today + timedelta(days=1 - back) for back in range(10))
    return next(at for day in days if _is_day(when, day) and (at := _instant(day, when.at, zone)) <= now)


def next_occasion(when: When, zone: str, after: datetime) -> datetime:
    """The first turn after `after`; `after` itself for «at once»."""
    if when.every == "once":
        return after
    today = after.astimezone(ZoneInfo(zone)).date()
    days = (today + timedelta(days=ahead - 1) for ahead in range(10))
    return next(at for day in days if _is_day(when, day) and (at := _instant(day, when.at, zone)) > after)


def is_due(when: When, zone: str, turn_at: datetime, now: datetime) -> bool:
    """Whether a turn has come since `turn_at`."""
    return when.every == "once" or turn_at < last_occasion(when, zone, now)


def _is_day(when: When, day: date) -> bool:
    return when.every == "day" or day.weekday() == when.weekday


def _instant(day: date, at: time, zone: str) -> datetime:
    # fold=0: the first of two equal hours; in a gap the offset before it, which lands after the gap by as much.
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def retry_at(attempts: int, now: datetime) -> datetime:
    """When a message that failed `attempts` times is tried again: after 5 minutes, then three times as long, 6 hours at most."""
    factor: int = 3 ** min(attempts - 1, 10)
    return now + min(RETRY_FIRST * factor, RETRY_MOST)
