"""The outbox: messages and what they tell in one transaction, a lease on each that is being sent, and how the queue stands.

A message is queued → claimed by one sender for a while → sent, refused, or queued again for later. A sender that dies in between leaves
a claimed message behind: when its lease has run out it is sent again, with the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, and_, bindparam, func, or_, select, update

from monitor.domain import Message
from monitor.store import recipients as stored
from monitor.store.database import insert
from monitor.store.recipients import Recipient
from monitor.store.schema import alerted, announced, outbox, recipients

# Longer than one message can take: a few answers of the server, each within the time-out of 30 seconds.
LEASE = timedelta(minutes=15)
STATES = ("queued", "sent", "refused", "dropped")


@dataclass(frozen=True, slots=True)
class Queued:
    """A message in the outbox. `attempts` counts the one under way."""

    id: int
    message: Message
    state: str
    attempts: int
    queued_at: datetime
    retry_at: datetime | None
    last_error: str | None
    sent_at: datetime | None


def _next() -> Select[tuple[int]]:
    paused = select(recipients.c.key).where(recipients.c.paused_at.is_not(None))
    due = or_(outbox.c.retry_at.is_(None), outbox.c.retry_at <= bindparam("now", type_=outbox.c.retry_at.type))
    open_to = outbox.c.channel.not_in(bindparam("without", expanding=True))
    chosen = select(outbox.c.id).where(outbox.c.state == "queued", due, outbox.c.recipient.not_in(paused), open_to)
    return chosen.order_by(outbox.c.attempts, outbox.c.queued_at, outbox.c.id).limit(1).with_for_update(skip_locked=True)


# Built once: they run for each message.
_NEXT = _next()
_TAKE = (
    update(outbox)
    .where(outbox.c.id == bindparam("mine"))
    .values(attempts=outbox.c.attempts + 1, retry_at=bindparam("until"))
    .returning(outbox)
)


def tell(
    connection: Connection,
    recipient: Recipient,
    messages: Sequence[Message],
    stories: Sequence[tuple[int, Sequence[str]]],
    *,
    signals: Sequence[tuple[str, str]] = (),
    key: str,
    considered: int,
    now: datetime,
) -> bool:
    """Queues `messages` and records `stories` (each with its areas) and `signals` (area, what) as told by `key`, with the recipient's
    turn: all or nothing.

    Returns False, having written nothing, when another process gave the turn meanwhile.
    """
    if not stored.take_turn(connection, recipient, turn_at=now, considered=considered):
        return False
    insert(connection, outbox, [_row(message, now) for message in messages])
    rows = [
        {"recipient": recipient.key, "story": story, "area": area, "message": key, "told_at": now}
        for story, areas in stories
        for area in areas
    ]
    insert(connection, alerted, rows)
    more = [{"recipient": recipient.key, "area": area, "what": what, "message": key, "told_at": now} for area, what in signals]
    insert(connection, announced, more, keys=["recipient", "area", "what"])
    return True


def queue(connection: Connection, message: Message, *, now: datetime) -> bool:
    """Puts a message into the outbox; one whose key is there stays as it is. Returns whether it is new."""
    known = connection.scalar(select(outbox.c.id).where(outbox.c.key == message.key))
    insert(connection, outbox, [_row(message, now)], keys=["key"])
    return known is None


def _row(message: Message, now: datetime) -> dict[str, Any]:
    m = message
    return {
        "key": m.key, "recipient": m.recipient, "channel": m.channel, "address": m.address, "subject": m.subject, "text": m.text,
        "html": m.html, "headers": [list(pair) for pair in m.headers], "queued_at": now,
    }  # fmt: skip


def claim(connection: Connection, *, now: datetime, without: Collection[str] = ()) -> Queued | None:
    """The next message to send, which nobody else gets before its lease has run out; those that failed least come first.

    `without`: channels to leave alone. Messages of paused recipients wait.
    """
    found = connection.scalar(_NEXT, {"now": now, "without": list(without)})
    return None if found is None else _queued(connection.execute(_TAKE, {"mine": found, "until": now + LEASE}).one())


def mark_sent(connection: Connection, queued: Queued, *, now: datetime) -> None:
    connection.execute(_mine(queued).values(state="sent", sent_at=now, retry_at=None, last_error=None))


def postpone(connection: Connection, queued: Queued, error: str, *, retry_at: datetime) -> None:
    """It failed for now."""
    connection.execute(_mine(queued).values(last_error=error, retry_at=retry_at))


def refuse(connection: Connection, queued: Queued, error: str, *, now: datetime) -> None:
    """It was refused for good: the recipient is paused, and both say why."""
    connection.execute(_mine(queued).values(state="refused", last_error=error, retry_at=None))
    stored.pause(connection, queued.message.recipient, stored.REFUSED + error, now=now)


def _mine(queued: Queued) -> Update:
    return update(outbox).where(outbox.c.id == queued.id, outbox.c.state == "queued")


def list_messages(connection: Connection, *, state: str | None = None, limit: int | None = 50) -> tuple[Queued, ...]:
    """The newest first."""
    chosen = select(outbox).order_by(outbox.c.id.desc()).limit(limit)
    return tuple(_queued(row) for row in connection.execute(chosen.where(outbox.c.state == state) if state else chosen))


def retry(connection: Connection, key: str | None = None) -> int:
    """Makes messages that wait or were refused due now, all of them or the one of `key`. Returns how many."""
    chosen = update(outbox).where(outbox.c.state.in_(("queued", "refused")))
    chosen = chosen.where(outbox.c.key == key) if key is not None else chosen
    return connection.execute(chosen.values(state="queued", retry_at=None)).rowcount


def drop(connection: Connection, key: str) -> bool:
    """Takes a message out of the queue for good; what it told counts as told. Returns whether it was there, unsent."""
    mine = and_(outbox.c.key == key, outbox.c.state.in_(("queued", "refused")))
    return connection.execute(update(outbox).where(mine).values(state="dropped", retry_at=None)).rowcount > 0


def latest_to(connection: Connection, recipient: str) -> Queued | None:
    """The newest message to `recipient`, whatever became of it."""
    row = connection.execute(select(outbox).where(outbox.c.recipient == recipient).order_by(outbox.c.id.desc()).limit(1)).first()
    return _queued(row) if row else None


def standing(connection: Connection, now: datetime) -> dict[str, Any]:
    """How the queue stands: queued, oldest_queued_seconds (None: nothing is queued), last_error, held, refused, and the paused.

    `held` are messages that wait because their recipient is paused; they are not among the queued.
    """
    paused = [r for r in stored.all_recipients(connection).values() if r.paused_at is not None]
    waiting = and_(outbox.c.state == "queued", outbox.c.recipient.not_in([r.key for r in paused]))
    number, oldest = connection.execute(select(func.count(), func.min(outbox.c.queued_at)).where(waiting)).one()
    failed = select(outbox.c.last_error).where(waiting, outbox.c.last_error.is_not(None)).order_by(outbox.c.id.desc()).limit(1)
    by_state = dict(connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state)).tuples().all())
    return {
        "queued": number,
        "oldest_queued_seconds": None if oldest is None else round((now - oldest).total_seconds()),
        "last_error": connection.scalar(failed),
        "held": by_state.get("queued", 0) - number,
        "refused": by_state.get("refused", 0),
        "paused": [{"recipient": r.key, "since": r.paused_at, "why": r.paused_why} for r in paused],
    }


def _queued(row: Row[Any]) -> Queued:
    headers = tuple((name, value) for name, value in row.headers)
    message = Message(row.key, row.recipient, row.channel, row.address, row.subject, row.text, row.html, headers)
    return Queued(row.id, message, row.state, row.attempts, row.queued_at, row.retry_at, row.last_error, row.sent_at)
