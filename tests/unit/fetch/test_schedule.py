"""When a source is asked again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain import (
    Entry,
    FailureKind,
    Feed,
    FeedFormat,
    Fetched,
    FetchFailed,
    FetchOutcome,
    NotModified,
    Source,
    SourceState,
    Validators,
)
from monitor.fetch.schedule import FULL_FETCH, LATEST, LONGEST_BACKOFF, SOONEST, moved, next_check, validators_to_send

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOURCE = Source("https://e.org/feed")
NEW = SourceState(7, SOURCE)
KNOWN = replace(
    NEW,
    validators=Validators('"1"', "then"),
    body_fingerprint="f",
    last_full_fetch_at=NOW - DAY,
    last_success_at=NOW - DAY,
    entries_a_day=1.0,
)
FEED = Feed(FeedFormat.RSS, "News", "en", ())
FETCHED = Fetched(SOURCE.url, SOURCE.url, 200, b"<rss/>", "text/xml", None, Validators('"2"'), None, None, 6, 0.1)
UNCHANGED = NotModified(SOURCE.url, Validators('"1"', "then"), None, 0.1)
DOWN = FetchFailed(SOURCE.url, FailureKind.TIMEOUT, "slow")


def feed_of(*ages: timedelta) -> Feed:
    return replace(FEED, entries=tuple(Entry(SOURCE.url, str(i), None, "T", NOW - age) for i, age in enumerate(ages)))


@pytest.mark.parametrize(
    ("when", "state", "outcome", "feed", "new", "pause"),
    [
        ("first seen, an entry a day", NEW, FETCHED, feed_of(*(DAY * i for i in range(1, 11))), 10, LATEST),
        ("first seen, an entry an hour", NEW, FETCHED, feed_of(*(HOUR * i for i in range(1, 25))), 24, 2 * HOUR),
        ("first seen, an entry a minute", NEW, FETCHED, feed_of(*(timedelta(minutes=i) for i in range(1, 61))), 60, SOONEST),
        ("first seen, no dates", NEW, FETCHED, FEED, 10, LATEST),
        ("one entry a day", KNOWN, FETCHED, FEED, 1, LATEST),
        ("nothing new", KNOWN, UNCHANGED, None, 0, LATEST),
        ("never anything", replace(KNOWN, entries_a_day=0.0), UNCHANGED, None, 0, LATEST),
        ("busy", replace(KNOWN, entries_a_day=24.0), FETCHED, FEED, 24, 2 * HOUR),
        ("busy, but told to wait", replace(KNOWN, entries_a_day=48.0), replace(FETCHED, max_age=3 * 3600), FEED, 48, 3 * HOUR),
        ("busy, with a ttl", replace(KNOWN, entries_a_day=48.0), FETCHED, replace(FEED, ttl=4 * 3600), 48, 4 * HOUR),
        ("told to wait a year", replace(KNOWN, entries_a_day=48.0), replace(FETCHED, max_age=31_536_000), FEED, 48, 12 * HOUR),
        ("not modified, told to wait", replace(KNOWN, entries_a_day=480.0), replace(UNCHANGED, max_age=5 * 3600), None, 0, 5 * HOUR),
    ],
)
def test_a_source_that_works(when: str, state: SourceState, outcome: FetchOutcome, feed: Feed | None, new: int, pause: timedelta) -> None:
    after = next_check(state, outcome, feed, new, now=NOW)
    assert after.next_check_at is not None
    assert (after.next_check_at - NOW) / pause == pytest.approx(1, abs=0.01), when
    assert (after.failures, after.last_error, after.last_success_at) == (0, None, NOW)


@pytest.mark.parametrize(
    ("when", "failures", "outcome", "least", "most"),
    [
        ("down once", 0, DOWN, 0.8 * HOUR, HOUR),
        ("down for the fourth time", 3, DOWN, 6.4 * HOUR, 8 * HOUR),
        ("down for ever", 500, DOWN, 0.8 * LONGEST_BACKOFF, LONGEST_BACKOFF),
        ("not found", 0, replace(DOWN, kind=FailureKind.GONE, status=404), 4.8 * HOUR, 6 * HOUR),
        ("gone for good", 0, replace(DOWN, kind=FailureKind.GONE, status=410), 1.6 * DAY, 2 * DAY),
        ("no feed any more", 0, replace(DOWN, kind=FailureKind.UNREADABLE), 4.8 * HOUR, 6 * HOUR),
        ("asked to wait", 0, replace(DOWN, retry_after=36_000), 10 * HOUR, 10 * HOUR),
        ("asked to wait less than usual", 6, replace(DOWN, retry_after=60), 51.2 * HOUR, 64 * HOUR),
        ("asked to wait for a year", 0, replace(DOWN, retry_after=3e7), 48 * HOUR, 48 * HOUR),
        ("a body that is no feed", 0, FETCHED, 4.8 * HOUR, 6 * HOUR),
    ],
)
def test_a_source_that_fails(when: str, failures: int, outcome: FetchOutcome, least: timedelta, most: timedelta) -> None:
    after = next_check(replace(KNOWN, failures=failures), outcome, None, 0, now=NOW)
    assert after.next_check_at is not None
    assert least <= after.next_check_at - NOW <= most, when
    assert after.failures == failures + 1
    assert after.last_error
    assert after.last_success_at == KNOWN.last_success_at


def test_sources_that_failed_together_are_asked_apart() -> None:
    times = {next_check(replace(KNOWN, id=number), DOWN, None, 0, now=NOW).next_check_at for number in range(50)}
    assert len(times) > 30
    assert next_check(KNOWN, DOWN, None, 0, now=NOW) == next_check(KNOWN, DOWN, None, 0, now=NOW)


def test_the_rate_follows_the_source_slowly() -> None:
    state = replace(KNOWN, entries_a_day=10.0)
    rates = []
    for day in range(30):
        now = NOW + day * DAY
        state = next_check(state, replace(FETCHED, body=str(day).encode()), FEED, 0, now=now)
        rates.append(state.entries_a_day or 0.0)
    assert rates == sorted(rates, reverse=True)
    assert 7 < rates[1] < 9
    assert rates[-1] < 0.2
    assert state.last_entry_at is None


@pytest.mark.parametrize(
    ("when", "state", "sent"),
    [
        ("as usual", KNOWN, True),
        ("never fetched", replace(KNOWN, last_full_fetch_at=None), False),
        ("after a failure", replace(KNOWN, failures=1), False),
        ("just under a week", replace(KNOWN, last_full_fetch_at=NOW - FULL_FETCH + HOUR), True),
        ("a week after", replace(KNOWN, last_full_fetch_at=NOW - FULL_FETCH), False),
    ],
)
def test_validators(when: str, state: SourceState, sent: bool) -> None:
    assert validators_to_send(state, now=NOW) == (KNOWN.validators if sent else Validators()), when


def test_not_modified_does_not_count_as_a_full_fetch() -> None:
    after = next_check(KNOWN, UNCHANGED, None, 0, now=NOW)
    assert after.last_full_fetch_at == KNOWN.last_full_fetch_at
    assert after.body_fingerprint == KNOWN.body_fingerprint


def test_validators_that_lied_are_never_sent_again() -> None:
    same_etag = replace(FETCHED, validators=KNOWN.validators)
    lied = next_check(KNOWN, same_etag, FEED, 3, now=NOW)
    assert validators_to_send(lied, now=NOW) == Validators()
    later = next_check(lied, FETCHED, FEED, 0, now=NOW + DAY)
    assert validators_to_send(later, now=NOW + DAY) == Validators()
    honest = next_check(KNOWN, FETCHED, FEED, 3, now=NOW)
    assert validators_to_send(honest, now=NOW) == FETCHED.validators
    only_a_build_date = next_check(KNOWN, same_etag, FEED, 0, now=NOW)
    assert validators_to_send(only_a_build_date, now=NOW) == KNOWN.validators


def test_the_same_bytes_again_are_harmless() -> None:
    state = KNOWN
    for day in range(10):
        state = next_check(state, FETCHED, FEED, 0, now=NOW + day * DAY)
    assert validators_to_send(state, now=NOW + 10 * DAY) == FETCHED.validators


def test_a_move_is_believed_the_third_time() -> None:
    there, elsewhere = (replace(FETCHED, moved_to=f"https://{name}.example/feed") for name in ("new", "other"))
    state = NEW
    seen = []
    for outcome in (there, there, FETCHED, there, there, elsewhere, there, there, there):
        state = next_check(state, outcome, FEED, 0, now=NOW)
        seen.append(moved(state))
    assert seen == [None] * 8 + ["https://new.example/feed"]


def test_a_failure_or_a_page_without_feed_is_no_move() -> None:
    state = replace(NEW, moved_to="https://new.example/feed", moved_times=2)
    assert next_check(state, replace(FETCHED, moved_to="https://new.example/feed"), None, 0, now=NOW).moved_times == 2
    assert next_check(state, DOWN, None, 0, now=NOW).moved_times == 2
    assert moved(state) is None


_outcomes = st.one_of(
    st.just(FETCHED),
    st.just(UNCHANGED),
    st.builds(lambda age: replace(FETCHED, max_age=age), st.integers(0, 10**9)),
    st.builds(
        lambda kind, status, after: FetchFailed(SOURCE.url, kind, "x", status, after),
        st.sampled_from(FailureKind),
        st.sampled_from([None, 404, 410, 429, 503]),
        st.none() | st.floats(0, 1e9),
    ),
)


@given(st.lists(st.tuples(_outcomes, st.integers(0, 5_000), st.booleans(), st.timedeltas(timedelta(0), timedelta(days=30))), max_size=12))
def test_whatever_happens_it_is_asked_again_in_time(history: list[tuple[FetchOutcome, int, bool, timedelta]]) -> None:
    state, now = NEW, NOW
    for outcome, new, readable, passed in history:
        now += passed
        state = next_check(state, outcome, replace(FEED, ttl=new) if readable else None, new, now=now)
        assert state.next_check_at is not None
        pause = state.next_check_at - now
        assert SOONEST <= pause <= LONGEST_BACKOFF
        assert state.failures or pause <= LATEST
        assert state.entries_a_day is None or 0 <= state.entries_a_day <= 2_000
