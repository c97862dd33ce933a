"""Sources, their state between polls, and one row a request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, String, Subquery, bindparam, case, delete, func, or_, select, update

from monitor.domain import Feed, Fetched, FetchFailed, FetchOutcome, NotModified, Source, SourceKind, SourceState, Validators
from monitor.store.database import insert
from monitor.store.schema import entries, fetches, source_standing, sources


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """A source with what a person wants to know of it. `unread`: entries newer than the newest that gave an article, which gave none."""

    state: SourceState
    active: bool
    entries: int
    read: int
    failed: int
    unread: int = 0


def add_sources(connection: Connection, found: Iterable[Source], *, now: datetime) -> int:
    """Adds those that are not there; one that was removed comes back. Returns how many are new or came back."""
    rows = [{"url": s.url, "title": s.title, "kind": s.kind.value, "language": s.language, "added_at": now, "active": True} for s in found]
    before = _active_count(connection)
    insert(connection, sources, rows, keys=["url"], update=["active"])
    return _active_count(connection) - before


def _active_count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(sources).where(sources.c.active)) or 0


def remove_source(connection: Connection, url: str) -> bool:
    """Stops polling it; what it gave stays. Returns whether there was one."""
    return connection.execute(update(sources).where(sources.c.url == url, sources.c.active).values(active=False)).rowcount > 0


def ask_all_now(connection: Connection) -> None:
    """Makes every active source due, whatever its schedule."""
    connection.execute(update(sources).where(sources.c.active).values(next_check_at=None))


def active_sources(connection: Connection) -> tuple[SourceState, ...]:
    rows = connection.execute(select(sources).where(sources.c.active).order_by(sources.c.id))
    return tuple(_state(row) for row in rows)


def due_sources(connection: Connection, now: datetime) -> tuple[SourceState, ...]:
    """Active sources whose next check has come, the longest waiting first."""
    due = or_(sources.c.next_check_at.is_(None), sources.c.next_check_at <= now)
    rows = connection.execute(select(sources).where(sources.c.active, due).order_by(sources.c.next_check_at, sources.c.id))
    return tuple(_state(row) for row in rows)


def source_health(connection: Connection) -> tuple[SourceHealth, ...]:
    """All sources, removed ones last, with their entries by state."""
    tally = (
        select(
            entries.c.source_id,
            func.count().label("entries"),
            func.count().filter(entries.c.state == "read").label("read"),
            func.count().filter(entries.c.state == "failed").label("failed"),
        )
        .group_by(entries.c.source_id)
        .subquery()
    )
    unread = _unread_since_the_last_read()
    joined = sources.outerjoin(tally, tally.c.source_id == sources.c.id).outerjoin(unread, unread.c.source_id == sources.c.id)
    rows = connection.execute(
        select(sources, tally.c.entries, tally.c.read, tally.c.failed, unread.c.unread)
        .select_from(joined)
        .order_by(sources.c.active.desc(), sources.c.title)
    )
    return tuple(SourceHealth(_state(r), r.active, r.entries or 0, r.read or 0, r.failed or 0, r.unread or 0) for r in rows)


def _unread_since_the_last_read() -> Subquery:
    """By source: entries without an article that are newer than its newest entry with one. Sources of which none was read are left out."""
    e = entries.c
    at = case((e.published_at < e.first_seen_at, e.published_at), else_=e.first_seen_at)
    last = select(e.source_id, func.max(at).label("at")).where(e.state == "read").group_by(e.source_id).subquery()
    newer = select(e.source_id, func.count().label("unread")).select_from(entries.join(last, last.c.source_id == e.source_id))
    return newer.where(e.state.in_(("empty", "failed")), at > last.c.at).group_by(e.source_id).subquery()


def replace_standing(connection: Connection, *, now: datetime) -> None:
    """Keeps how each source stands, for those who read SQL."""
    rows = [
        {"source_id": s.state.id, "entries": s.entries, "articles": s.read, "failed": s.failed, "health": health(s, now=now)}
        for s in source_health(connection)
    ]
    connection.execute(delete(source_standing))
    insert(connection, source_standing, rows)


# A source is quiet when nothing came for so many times its usual gap, and for a week at least.
QUIET_GAPS = 4
QUIET_DAYS = 7
# So many entries in a row without an article, after others had one, and it is the site that changed.
ROTTEN = 5


def health(source: SourceHealth, *, now: datetime) -> str:
    """One phrase: what is wrong, or `ok`."""
    state = source.state
    if not source.active:
        return "removed" + (f": {state.warning}" if state.warning else "")
    if state.failures:
        return f"failing, {state.failures} in a row: {state.last_error}"
    if state.last_success_at is None:
        return "not asked yet"
    if source.unread >= ROTTEN:
        return f"came out empty: the newest {source.unread} entries gave no article, earlier ones did; its pages may have changed"
    if quiet_for := _quiet_days(state, now):
        return f"quiet: nothing new for {quiet_for} days"
    return f"warning: {state.warning}" if state.warning else "ok"


def _quiet_days(state: SourceState, now: datetime) -> int | None:
    if state.last_entry_at is None:
        return None
    silent = (now - state.last_entry_at).days
    usual_gap = 1 / state.entries_a_day if state.entries_a_day else QUIET_DAYS
    return silent if silent >= max(QUIET_DAYS, QUIET_GAPS * usual_gap) else None


@dataclass(frozen=True, slots=True)
class Polled:
    """One request to a source: the source's new state, what came back, the feed in it, how many of its entries are new."""

    state: SourceState
    outcome: FetchOutcome
    feed: Feed | None
    new_entries: int


def write_polls(connection: Connection, polled: Sequence[Polled], *, now: datetime) -> None:
    """The new states of sources and one row for each request."""
    if not polled:
        return
    rows = []
    for one in polled:
        s, feed = one.state, one.feed
        rows.append({
            "its_id": s.id, "title_said": feed.title if feed else "", "language_said": feed.language if feed else None,
            "etag": s.validators.etag, "last_modified": s.validators.last_modified, "body_fingerprint": s.body_fingerprint,
            "last_full_fetch_at": s.last_full_fetch_at, "next_check_at": s.next_check_at, "failures": s.failures,
            "last_error": s.last_error, "last_success_at": s.last_success_at, "last_entry_at": s.last_entry_at,
            "entries_a_day": s.entries_a_day, "moved_to": s.moved_to, "moved_times": s.moved_times, "warning": s.warning,
        })  # fmt: skip
    said = {
        "title": func.coalesce(func.nullif(sources.c.title, ""), bindparam("title_said", type_=String)),
        "language": func.coalesce(sources.c.language, bindparam("language_said", type_=String)),
    }
    connection.execute(update(sources).where(sources.c.id == bindparam("its_id")).values(said), rows)
    names = ("outcome", "status", "bytes", "seconds", "kind", "message")
    requests = [
        {"source_id": one.state.id, "at": now, "entries": one.new_entries, **dict.fromkeys(names), **_request(one.outcome)}
        for one in polled
    ]
    connection.execute(fetches.insert(), requests)


def _request(outcome: FetchOutcome) -> dict[str, object]:
    match outcome:
        case Fetched():
            return {"outcome": "fetched", "status": outcome.status, "bytes": outcome.wire_bytes, "seconds": outcome.seconds}
        case NotModified():
            return {"outcome": "not-modified", "status": 304, "bytes": 0, "seconds": outcome.seconds}
        case FetchFailed():
            failed = {"kind": outcome.kind.value, "message": outcome.message, "status": outcome.status}
            return {"outcome": "failed", "seconds": outcome.seconds, **failed}


def change_address(connection: Connection, source_id: int, url: str) -> bool:
    """A source that moved for good gets its new URL; one that is there already under that URL takes its place."""
    if connection.scalar(select(sources.c.id).where(sources.c.url == url)) is not None:
        connection.execute(update(sources).where(sources.c.id == source_id).values(active=False, warning=f"moved to {url}, which is there"))
        return False
    connection.execute(update(sources).where(sources.c.id == source_id).values(url=url, moved_to=None, moved_times=0))
    return True


def drop_old_fetches(connection: Connection, before: datetime) -> int:
    """Forgets requests older than `before`."""
    return connection.execute(delete(fetches).where(fetches.c.at < before)).rowcount


def _state(row: Row[tuple[object, ...]]) -> SourceState:
    r = row._mapping
    return SourceState(
        id=r["id"],
        source=Source(r["url"], r["title"], SourceKind(r["kind"]), r["language"]),
        validators=Validators(r["etag"], r["last_modified"]),
        **{
            name: r[name]
            for name in (
                "body_fingerprint", "last_full_fetch_at", "next_check_at", "failures", "last_error", "last_success_at",
                "last_entry_at", "entries_a_day", "moved_to", "moved_times", "warning",
            )
        },
    )  # fmt: skip
