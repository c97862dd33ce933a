"""Whose turn it is: by the clocks of the reader's own zone, through clock changes, and once after an outage."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.schedule import When, is_due, last_occasion, next_occasion, parse_when, retry_at

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("at once", When("once")),
        ("  At  Once ", When("once")),
        ("daily at 07:00", When("day", time(7))),
        ("daily 7:30", When("day", time(7, 30))),
        ("weekly on Friday at 18:05", When("week", time(18, 5), 4)),
        ("weekly monday 00:00", When("week", time(0), 0)),
    ],
)
def test_how_it_is_written(text: str, when: When) -> None:
    assert parse_when(text) == when


@pytest.mark.parametrize(
    "text", ["", "daily", "hourly", "daily at 24:00", "daily at 7", "weekly at 07:00", "weekly on moonday at 07:00", "daily at 07:60"]
)
def test_how_it_is_not_written(text: str) -> None:
    with pytest.raises(ValueError, match="write «at once»"):
        parse_when(text)


@pytest.mark.parametrize(
    ("when", "zone", "now", "last"),
    [
        ("daily at 07:00", "UTC", "2026-11-23 07:00", "2026-11-23 07:00"),
        ("daily at 07:00", "UTC", "2026-11-23 06:59", "2026-11-22 07:00"),
        ("daily at 07:00", "Asia/Tokyo", "2026-11-22 22:00", "2026-11-22 22:00"),
        ("daily at 23:30", "America/New_York", "2026-11-23 04:29", "2026-11-22 04:30"),
        ("weekly on monday at 07:00", "UTC", "2026-11-23 06:00", "2026-11-16 07:00"),
        ("weekly on monday at 07:00", "Asia/Tokyo", "2026-11-22 22:30", "2026-11-22 22:00"),
        # Clocks go from 02:00 to 03:00 on 29 March 2026: 02:30 is taken at 03:30, which is 01:30 UTC.
        ("daily at 02:30", "Europe/Berlin", "2026-03-29 01:29", "2026-03-28 01:30"),
        ("daily at 02:30", "Europe/Berlin", "2026-03-29 01:30", "2026-03-29 01:30"),
        # Clocks go from 03:00 to 02:00 on 25 October 2026: 02:30 comes at 00:30 and at 01:30 UTC; the first counts.
        ("daily at 02:30", "Europe/Berlin", "2026-10-25 00:30", "2026-10-25 00:30"),
        ("daily at 02:30", "Europe/Berlin", "2026-10-25 01:45", "2026-10-25 00:30"),
        # Lord Howe moves its clocks by half an hour.
        ("daily at 02:15", "Australia/Lord_Howe", "2026-10-03 15:44", "2026-10-02 15:45"),
        ("daily at 02:15", "Australia/Lord_Howe", "2026-10-03 15:46", "2026-10-03 15:45"),
        # Samoa had no 30 December 2011.
        ("daily at 07:00", "Pacific/Apia", "2011-12-30 18:00", "2011-12-30 17:00"),
    ],
)
def test_the_last_occasion(when: str, zone: str, now: str, last: str) -> None:
    assert last_occasion(parse_when(when), zone, at(now)) == at(last)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", ["daily at 02:30", "daily at 00:00", "weekly on sunday at 02:15"])
def test_a_year_of_half_hours_has_one_turn_a_day_or_week(text: str, zone: str) -> None:
    """Asked every half hour, a reader has as many turns as the year has days or weeks, whatever the clocks do."""
    when = parse_when(text)
    now = turn_at = at("2026-01-01 12:00")
    turns = 0
    while now < at("2027-01-01 12:00"):
        now += timedelta(minutes=30)
        if is_due(when, zone, turn_at, now):
            turns, turn_at = turns + 1, now
    assert turns == (365 if when.every == "day" else 52)


def test_an_outage_of_ten_days_is_one_turn() -> None:
    when, now = parse_when("daily at 07:00"), at("2026-11-23 12:00")
    assert is_due(when, "UTC", now - timedelta(days=10), now)
    assert not is_due(when, "UTC", now, now + timedelta(hours=1))


@given(
    st.sampled_from([parse_when(t) for t in ("daily at 02:30", "weekly on sunday at 02:30", "weekly on wednesday at 23:59")]),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),
)
def test_the_last_is_before_the_next(when: When, zone: str, now: datetime) -> None:
    last, following = last_occasion(when, zone, now), next_occasion(when, zone, now)
    assert last <= now < following
    assert last_occasion(when, zone, following) == following
    assert next_occasion(when, zone, last) == following


def test_waits_grow_to_six_hours() -> None:
    now = at("2026-11-23 12:00")
    minutes = [(retry_at(n, now) - now).total_seconds() / 60 for n in range(1, 8)]
    assert minutes == [5, 15, 45, 135, 360, 360, 360]
    assert retry_at(10_000, now) - now == timedelta(hours=6)
