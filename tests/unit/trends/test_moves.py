"""Bursts and changes: what is the world, and what is the crawler."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from monitor.trends import Direction, Tally, change_of, find_bursts, tally_of
from monitor.trends.bursts import surprise_of

LAST = date(2026, 11, 22)
DAYS = 77
FIRST = LAST - timedelta(DAYS - 1)

Seen = dict[tuple[str, date], int]
Found = dict[tuple[str, str, date], int]


def ago(days: int) -> date:
    return LAST - timedelta(days)


def newsroom() -> tuple[Seen, Found]:
    """A wire with 60 reports a day of which one is of the area, and a trade paper with four of which one is."""
    seen: Seen = {}
    found: Found = {}
    for n in range(DAYS):
        seen["wire", ago(n)], seen["trade", ago(n)] = 60, 4
        found["area", "wire", ago(n)] = found["area", "trade", ago(n)] = 1
    return seen, found


def steady(seen: Seen, found: Found) -> set[date]:
    return set()


def many_reports(seen: Seen, found: Found) -> set[date]:
    found["area", "wire", ago(1)] = 12
    return set()


def on_a_poor_day(seen: Seen, found: Found) -> set[date]:
    found["area", "wire", ago(1)] = 12
    return {ago(1)}


def the_wire_failed(seen: Seen, found: Found) -> set[date]:
    """The share of all articles rises from 3 % to 25 %, and nothing has happened."""
    for n in range(3):
        seen["wire", ago(n)] = found["area", "wire", ago(n)] = 0
    return set()


def a_trade_paper_was_added(seen: Seen, found: Found) -> set[date]:
    for n in range(7):
        seen["new", ago(n)], found["area", "new", ago(n)] = 20, 15
    return set()


def a_busy_day(seen: Seen, found: Found) -> set[date]:
    """Everything is reported four times as often."""
    for source in ("wire", "trade"):
        seen[source, ago(1)] *= 4
        found["area", source, ago(1)] *= 4
    return set()


@pytest.mark.parametrize(
    ("when", "bursts"),
    [
        (steady, False),
        (many_reports, True),
        (on_a_poor_day, False),
        (the_wire_failed, False),
        (a_trade_paper_was_added, False),
        (a_busy_day, False),
    ],
)
def test_a_burst_is_of_the_world(when: Callable[[Seen, Found], set[date]], bursts: bool) -> None:
    seen, found = newsroom()
    poor = when(seen, found)
    burst_days = [b.day for b in find_bursts(tally_of(seen, found, FIRST, LAST, poor), "area")]
    assert burst_days == ([ago(1)] if bursts else [])


def test_a_burst_says_what_was_expected() -> None:
    seen, found = newsroom()
    many_reports(seen, found)
    (burst,) = find_bursts(tally_of(seen, found, FIRST, LAST), "area")
    assert burst.articles == 13
    assert burst.expected == pytest.approx(2.0, abs=0.05)


def test_a_second_burst_is_found_beside_a_first() -> None:
    seen, found = newsroom()
    for n in (1, 30, 31, 32):
        found["area", "wire", ago(n)] = 12
    assert [b.day for b in find_bursts(tally_of(seen, found, FIRST, LAST), "area")] == [ago(32), ago(31), ago(30), ago(1)]


def test_without_three_weeks_of_history_there_is_no_burst() -> None:
    seen, found = newsroom()
    found["area", "wire", ago(1)] = 50
    assert not find_bursts(tally_of(seen, found, ago(1 + 7 + 20), LAST), "area")
    assert find_bursts(tally_of(seen, found, ago(1 + 7 + 21), LAST), "area")


def test_an_area_that_was_never_found_has_neither_burst_nor_change() -> None:
    seen, found = newsroom()
    tally = tally_of(seen, found, FIRST, LAST)
    assert find_bursts(tally, "other") == ()
    assert change_of(tally, "other").direction is Direction.TOO_FEW


def test_a_first_mention_is_no_wonder_beyond_measure() -> None:
    seen, found = newsroom()
    found.update({("rare", "wire", ago(1)): 3})
    (burst,) = find_bursts(tally_of(seen, found, FIRST, LAST), "rare")
    assert burst.surprise < 10


def doubled(seen: Seen, found: Found) -> set[date]:
    for n in range(7):
        found["area", "wire", ago(n)] = 4
    return set()


def vanished(seen: Seen, found: Found) -> set[date]:
    for n in range(7):
        found["area", "wire", ago(n)] = found["area", "trade", ago(n)] = 0
    return set()


def vanished_for_want_of_reading(seen: Seen, found: Found) -> set[date]:
    vanished(seen, found)
    return {ago(n) for n in range(5)}


def read_by_halves(seen: Seen, found: Found) -> set[date]:
    """The wire failed all week: its reports are missing, and missing is what is expected of them."""
    for n in range(7):
        seen["wire", ago(n)] = found["area", "wire", ago(n)] = 0
    return set()


@pytest.mark.parametrize(
    ("when", "direction"),
    [
        (steady, Direction.STEADY),
        (doubled, Direction.RISING),
        (vanished, Direction.FALLING),
        (vanished_for_want_of_reading, Direction.POOR_COVERAGE),
        (read_by_halves, Direction.STEADY),
        (the_wire_failed, Direction.STEADY),
        (a_trade_paper_was_added, Direction.STEADY),
    ],
)
def test_a_change_is_of_the_world(when: Callable[[Seen, Found], set[date]], direction: Direction) -> None:
    seen, found = newsroom()
    poor = when(seen, found)
    change = change_of(tally_of(seen, found, FIRST, LAST, poor), "area")
    assert change.direction is direction
    assert (change.ratio is None) == (direction is Direction.POOR_COVERAGE)


def test_poor_days_of_the_week_count_on_neither_side() -> None:
    seen, found = newsroom()
    for n in range(3):
        seen["wire", ago(n)] = 60
        found["area", "wire", ago(n)] = 0
    change = change_of(tally_of(seen, found, FIRST, LAST, {ago(0), ago(1), ago(2)}), "area")
    assert (change.articles, round(change.expected), change.usable_days) == (8, 8, 4)


def test_a_young_database_says_that_its_history_is_too_short() -> None:
    seen, found = newsroom()
    change = change_of(tally_of(seen, found, ago(20), LAST), "area")
    assert change.direction is Direction.NO_HISTORY


@pytest.mark.parametrize(("articles", "expected"), [(1, 0.5), (5, 1.0), (12, 3.3), (40, 10.0)])
def test_surprise_without_spread_is_poissons(articles: int, expected: float) -> None:
    assert surprise_of(articles, expected) == pytest.approx(-stats.poisson.logsf(articles - 1, expected) / 2.302585093, rel=1e-6)


@pytest.mark.parametrize(("articles", "expected", "spread"), [(5, 1.0, 0.2), (12, 3.3, 0.5), (40, 10.0, 0.1)])
def test_surprise_with_spread_is_negative_binomial(articles: int, expected: float, spread: float) -> None:
    variance = expected + spread * expected**2
    law = stats.nbinom(expected**2 / (variance - expected), expected / variance)
    assert surprise_of(articles, expected, spread=spread) == pytest.approx(-law.logsf(articles - 1) / 2.302585093, rel=1e-6)


@given(st.integers(0, 10_000), st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 100))
def test_surprise_is_always_a_number(articles: int, expected: float, history: float, spread: float) -> None:
    assert 0 <= surprise_of(articles, expected, history=history, spread=spread) <= 300


def test_days_and_sources_outside_are_left_out() -> None:
    tally: Tally = tally_of({("a", ago(0)): 1, ("a", ago(9)): 5}, {("x", "b", ago(0)): 2, ("x", "b", ago(9)): 7}, ago(3), LAST)
    assert (tally.sources, int(tally.seen.sum()), int(tally.found["x"].sum())) == (("a", "b"), 1, 2)


def test_a_thin_history_is_trusted_less() -> None:
    assert surprise_of(6, 1.0, history=4) < surprise_of(6, 1.0, history=400) < surprise_of(6, 1.0)


def test_a_thin_history_makes_a_wide_interval() -> None:
    seen, found = newsroom()
    found.update({("rare", "wire", ago(n)): 1 for n in (0, 1, 2, 20, 40)} | {("usual", "wire", ago(n)): 1 for n in range(DAYS)})
    tally = tally_of(seen, found, FIRST, LAST)
    rare, usual = change_of(tally, "rare"), change_of(tally, "usual")
    assert rare.low is not None
    assert rare.high is not None
    assert usual.low is not None
    assert usual.high is not None
    assert rare.high / rare.low > 3 * usual.high / usual.low
