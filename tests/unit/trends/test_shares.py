"""Shares, intervals, smoothing, weekdays and poorly covered days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain import Coverage, DailyCount
from monitor.trends import poor_days, smoothed, weekday_pattern, wilson

FIRST = date(2026, 9, 7)  # a Monday


def days(number: int) -> list[date]:
    return [FIRST + timedelta(n) for n in range(number)]


def counts(articles: list[int], seen: list[int]) -> list[DailyCount]:
    return [DailyCount("a", d, "all", "", k, k, n) for d, k, n in zip(days(len(articles)), articles, seen, strict=True)]


@pytest.mark.parametrize(
    ("when", "articles", "seen", "low", "high"),
    [
        # the intervals of Newcombe, Statistics in Medicine 17, 1998, table I, method 3
        ("many", 81, 263, 0.2553, 0.3662),
        ("some", 15, 148, 0.0624, 0.1605),
        ("none of some", 0, 20, 0.0, 0.1611),
        ("one of some", 1, 29, 0.0061, 0.1718),
        ("all", 29, 29, 0.8830, 1.0),
    ],
)
def test_the_interval_is_wilsons(when: str, articles: int, seen: int, low: float, high: float) -> None:
    found = wilson(articles, seen)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_of_nothing_seen_there_is_no_share() -> None:
    assert wilson(0, 0) is None


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_share_lies_in_its_interval(articles: int, seen: int) -> None:
    found = wilson(articles, seen)
    assert found is not None
    assert 0 <= found.low <= found.share + 1e-12
    assert found.share - 1e-12 <= found.high <= 1


def test_a_smoothed_share_pools_seven_days_back() -> None:
    found = smoothed(counts([0, 0, 0, 0, 0, 0, 0, 7], [10] * 7 + [30]))
    assert [round(s.share, 4) for s in found if s] == [0, 0, 0, 0, 0, 0, 0, round(7 / 90, 4)]


def test_a_smoothed_share_does_not_change_when_later_days_come() -> None:
    series = counts([1, 5, 0, 2, 9, 1, 1, 0, 3, 2], [10, 20, 10, 10, 20, 5, 9, 10, 10, 10])
    assert smoothed(series)[:6] == smoothed(series[:6])


def test_poorly_covered_days_are_left_out_of_the_smoothed_share() -> None:
    series = counts([2, 0, 2], [10, 90, 10])
    assert smoothed(series, {days(3)[1]})[-1] == wilson(4, 20)


def test_a_week_of_poor_days_has_no_share() -> None:
    assert smoothed(counts([1, 1], [5, 5]), set(days(2))) == (None, None)


def test_the_weekday_pattern_is_a_mean_of_covered_days() -> None:
    series = counts([4, 1] + [0] * 5 + [8, 3] + [0] * 5 + [100], [10] * 15)
    pattern = weekday_pattern(series, {days(15)[14]})
    assert pattern[:3] == (6.0, 2.0, 0.0)
    assert weekday_pattern(series[:2])[2] is None


TODAY = days(43)[-1]


@pytest.mark.parametrize(
    ("when", "coverage", "volume", "poor"),
    [
        ("all sources were read", (10, 10), 100, False),
        ("a fifth failed", (10, 8), 100, False),
        ("more than a fifth failed", (10, 7), 100, True),
        ("nothing was read", (10, 0), 0, True),
        ("no run yet, usual volume", None, 100, False),
        ("no run yet, little was left in the feeds", None, 30, True),
        ("one large source failed, its articles are missing", (100, 99), 45, True),
        ("a quiet day", (10, 10), 60, False),
    ],
)
def test_a_day_is_poor(when: str, coverage: tuple[int, int] | None, volume: int, poor: bool) -> None:
    seen = dict.fromkeys(days(42), 100)
    day = days(42)[-1]
    seen[day] = volume
    rows = [Coverage(day, *coverage)] if coverage else []
    assert poor_days(rows, seen, today=TODAY) == ({day} if poor else frozenset())


def test_weekends_are_measured_by_weekends() -> None:
    seen = {d: 20 if d.weekday() >= 5 else 100 for d in days(42)}
    assert poor_days([], seen, today=TODAY) == frozenset()


def test_today_is_not_over_and_not_judged_by_its_volume() -> None:
    seen = dict.fromkeys(days(43), 100) | {TODAY: 3}
    assert poor_days([Coverage(TODAY, 10, 10)], seen, today=TODAY) == frozenset()
    assert poor_days([Coverage(TODAY, 10, 5)], seen, today=TODAY) == {TODAY}
