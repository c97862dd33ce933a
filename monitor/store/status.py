"""How the whole stands: entries by state and reason, the live matcher and what it has yet to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from monitor.store.hits import live_matcher, unseen_paragraphs
from monitor.store.schema import entries, matchers


@dataclass(frozen=True, slots=True)
class EntryStates:
    """Entries by what became of them; `empty` and `failed` by reason. `retried` are those waiting that were tried before."""

    waiting: int
    retried: int
    oldest_waiting_at: datetime | None
    read: int
    empty: dict[str, int]
    failed: dict[str, int]


def entry_states(connection: Connection) -> EntryStates:
    e = entries.c
    rows = connection.execute(select(e.state, e.reason, func.count()).group_by(e.state, e.reason)).tuples().all()
    retried = select(func.count()).where(e.state == "new", e.attempts > 0)
    oldest = select(func.min(e.first_seen_at)).where(e.state == "new")

    def by_reason(state: str) -> dict[str, int]:
        found = {reason or "unknown": number for name, reason, number in rows if name == state}
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))

    return EntryStates(
        waiting=sum(number for name, _, number in rows if name == "new"),
        retried=connection.scalar(retried) or 0,
        oldest_waiting_at=connection.scalar(oldest),
        read=sum(number for name, _, number in rows if name == "read"),
        empty=by_reason("empty"),
        failed=by_reason("failed"),
    )


def live(connection: Connection, *, since: date) -> dict[str, Any] | None:
    """The live matcher's version, since when it is live, and how many paragraphs of articles since `since` it has not looked at."""
    matcher = live_matcher(connection)
    if matcher is None:
        return None
    m = matchers.c
    row = connection.execute(select(m.taxonomy, m.encoder, m.calibration, m.rules, m.live_since).where(m.id == matcher)).one()
    return {**row._mapping, "unseen_paragraphs": len(unseen_paragraphs(connection, matcher, since=since))}
