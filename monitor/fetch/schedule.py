"""When a source is asked again, and how. Pure.

A source that works is asked as often as it has news, between every 30 minutes and every 20 hours, so that a nightly run finds it due.
One that fails is asked ever less often, up to once a week, and never given up.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from monitor.domain import FailureKind, Feed, Fetched, FetchFailed, FetchOutcome, NotModified, SourceState, Validators

SOONEST, LATEST = timedelta(minutes=30), timedelta(hours=20)  # a night is 24 h; a run may start 4 h earlier than it ended yesterday
ENTRIES_A_CHECK = 2.0  # so many new entries are let gather; feeds hold 10 to 60, so none is missed even if they come in bursts
LONGEST_REQUEST = timedelta(hours=12)  # how far max-age and ttl are heeded; some feeds say a year
LONGEST_RETRY_AFTER = timedelta(hours=48)
BACKOFF = timedelta(hours=1)  # after the first failure, doubled with each
BACKOFF_HOPELESS = timedelta(hours=6)  # where the same request will hardly go through: forbidden, moved, no feed
BACKOFF_GONE = timedelta(days=2)  # 410 means for good
LONGEST_BACKOFF = timedelta(days=7)
FULL_FETCH = timedelta(days=7)  # how long «not modified» is trusted; some servers say it for ever
MEMORY = timedelta(days=7)  # the rate of new entries forgets at this pace
MOVES = 3  # permanent redirects to one place before it is believed
MAX_ENTRIES_A_DAY = 2_000.0

UNTRUSTED = "untrusted:"  # before the fingerprint of a source whose validators were caught lying


def validators_to_send(state: SourceState, *, now: datetime) -> Validators:
    """What to ask with. None, for a full fetch: after a failure, once a week, and for ever where the validators lied."""
    lied = (state.body_fingerprint or "").startswith(UNTRUSTED)
    recent = state.last_full_fetch_at is not None and now - state.last_full_fetch_at < FULL_FETCH
    return state.validators if recent and state.failures == 0 and not lied else Validators()


def next_check(state: SourceState, outcome: FetchOutcome, feed: Feed | None, new_entries: int, *, now: datetime) -> SourceState:
    """`state` after `outcome`, with the time of the next check.

    `feed` is what was read from the body; a body that is no feed comes as FetchFailed(UNREADABLE), or with None. `new_entries` is
    how many of its entries were not known before.
    """
    match outcome:
        case Fetched() if feed is not None:
            return _after_success(_with_body(state, outcome, new_entries, now), feed, new_entries, outcome.max_age, now)
        case Fetched():
            return _after_failure(state, FetchFailed(outcome.url, FailureKind.UNREADABLE, "what it sent is no feed", outcome.status), now)
        case NotModified():
            kept = replace(state, validators=outcome.validators)
            return _after_success(kept, None, 0, outcome.max_age, now)
        case FetchFailed():
            return _after_failure(state, outcome, now)
        case _:
            assert_never(outcome)


def moved(state: SourceState) -> str | None:
    """The new address, once a permanent redirect to it was seen three times in a row."""
    return state.moved_to if state.moved_to and state.moved_times >= MOVES else None


def fingerprint(body: bytes) -> str:
    """Of a document's bytes."""
    return hashlib.sha256(body).hexdigest()


def _with_body(state: SourceState, outcome: Fetched, new_entries: int, now: datetime) -> SourceState:
    print_ = fingerprint(outcome.body)
    before = (state.body_fingerprint or "").removeprefix(UNTRUSTED)
    same_validator = _strongest(state.validators) is not None and _strongest(state.validators) == _strongest(outcome.validators)
    lied = same_validator and before not in ("", print_) and new_entries > 0
    untrusted = lied or (state.body_fingerprint or "").startswith(UNTRUSTED)
    times = 0 if outcome.moved_to is None else state.moved_times + 1 if outcome.moved_to == state.moved_to else 1
    return replace(
        state,
        validators=outcome.validators,
        body_fingerprint=(UNTRUSTED if untrusted else "") + print_,
        last_full_fetch_at=now,
        moved_to=outcome.moved_to,
        moved_times=times,
    )


def _strongest(validators: Validators) -> str | None:
    """What a server compares: the ETag, and the date only where there is none."""
    return validators.etag or validators.last_modified


def _after_success(state: SourceState, feed: Feed | None, new_entries: int, max_age: int | None, now: datetime) -> SourceState:
    rate = _rate(state, feed, new_entries, now)
    asked = max(max_age or 0, (feed.ttl if feed else None) or 0)
    gathered = rate * (LATEST / timedelta(days=1))  # entries by the latest time
    usual = LATEST if gathered <= ENTRIES_A_CHECK else LATEST * (ENTRIES_A_CHECK / gathered)
    pause = max(usual, min(timedelta(seconds=asked), LONGEST_REQUEST), SOONEST)
    return replace(
        state,
        next_check_at=now + min(pause, LATEST),
        failures=0,
        last_error=None,
        last_success_at=now,
        last_entry_at=_newest(feed, now) if new_entries else state.last_entry_at,
        entries_a_day=rate,
    )


def _newest(feed: Feed | None, now: datetime) -> datetime:
    """When the newest entry was published, so that a source that has long been silent is seen to be so at the first poll."""
    return max((e.published_at for e in (feed.entries if feed else ()) if e.published_at and e.published_at <= now), default=now)


def _rate(state: SourceState, feed: Feed | None, new_entries: int, now: datetime) -> float:
    """New entries a day: a moving average, which the dates in the feed begin."""
    if state.entries_a_day is None or state.last_success_at is None:
        return _rate_by_dates(feed, now)
    days = max((now - state.last_success_at) / timedelta(days=1), 1 / 1_440)
    weight = 1 - math.exp(-days / (MEMORY / timedelta(days=1)))
    return min(state.entries_a_day + weight * (new_entries / days - state.entries_a_day), MAX_ENTRIES_A_DAY)


def _rate_by_dates(feed: Feed | None, now: datetime) -> float:
    dates = sorted(entry.published_at for entry in feed.entries if entry.published_at) if feed else []
    if len(dates) < 2:
        return 1.0
    return min(len(dates) / max((now - dates[0]) / timedelta(days=1), 1 / 24), MAX_ENTRIES_A_DAY)


def _after_failure(state: SourceState, failed: FetchFailed, now: datetime) -> SourceState:
    failures = state.failures + 1
    usual = BACKOFF if failed.transient else BACKOFF_HOPELESS
    first = BACKOFF_GONE if failed.status == 410 else usual
    pause = min(first * 2.0 ** min(failures - 1, 20), LONGEST_BACKOFF) * _jitter(state.id, failures)
    if failed.retry_after is not None:
        pause = max(pause, min(timedelta(seconds=failed.retry_after), LONGEST_RETRY_AFTER))
    return replace(state, next_check_at=now + pause, failures=failures, last_error=f"{failed.kind}: {failed.message}")


def _jitter(source: int, failures: int) -> float:
    """A factor from 0.8 to 1 that is the same each time it is asked for, so that sources that failed together part."""
    return 0.8 + 0.2 * hashlib.blake2b(f"{source}/{failures}".encode(), digest_size=2).digest()[0] / 255
