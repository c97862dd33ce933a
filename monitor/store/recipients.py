"""Recipients: the subscriptions as the database has them, whose turn was when, who is paused and what each was told."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Update, and_, bindparam, select, update

from monitor.store.database import insert
from monitor.store.schema import alerted, announced, articles, recipients

REMOVED = "no longer in the subscriptions file"
BY_HAND = "paused by hand"
REFUSED = "refused: "
AT_ONCE = 500  # ids of one IN list
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A recipient as the subscriptions file has it: `body` as it is kept, `reach` how far the very first message reaches back."""

    key: str
    body: dict[str, Any]
    reach: timedelta


@dataclass(frozen=True, slots=True)
class Recipient:
    """`turn_at`: when it last had its turn, told or not; articles up to the id `considered` were looked at for it.

    `created_at` equals `turn_at` before the first turn.
    """

    key: str
    body: dict[str, Any]
    token: str
    created_at: datetime
    turn_at: datetime
    considered: int
    paused_at: datetime | None
    paused_why: str | None


def all_recipients(connection: Connection) -> dict[str, Recipient]:
    rows = connection.execute(select(recipients).order_by(recipients.c.id))
    return {
        r.key: Recipient(r.key, r.subscription, r.token, r.created_at, r.turn_at, r.considered, r.paused_at, r.paused_why) for r in rows
    }


def sync_recipients(connection: Connection, wanted: Sequence[Wanted], *, now: datetime) -> dict[str, Recipient]:
    """Makes the table follow the file; returns those that are wanted.

    One that is gone is paused, one that comes back goes on, and so does one that was refused and has new channels.
    """
    known = all_recipients(connection)
    new = [newcomer(connection, w, now=now) for w in wanted if w.key not in known]
    insert(connection, recipients, [_row(r) for r in new], keys=["key"])
    changed = [w for w in wanted if (old := known.get(w.key)) and (old.body != w.body or old.paused_why == REMOVED)]
    for w in changed:
        values: dict[str, Any] = {"subscription": w.body}
        if _goes_on(known[w.key], w):
            values |= {"paused_at": None, "paused_why": None}
        connection.execute(update(recipients).where(recipients.c.key == w.key).values(**values))
    staying = {w.key for w in wanted}
    for key, old in known.items():
        if key not in staying and old.paused_at is None:
            pause(connection, key, REMOVED, now=now)
    after = all_recipients(connection) if new or changed else known
    return {w.key: after[w.key] for w in wanted}


def newcomer(connection: Connection, wanted: Wanted, *, now: datetime) -> Recipient:
    """A recipient that is not there yet, as it would be made now."""
    considered = _last_article(connection, now - wanted.reach)
    return Recipient(wanted.key, wanted.body, secrets.token_urlsafe(24), now, now, considered, None, None)


def _row(recipient: Recipient) -> dict[str, Any]:
    r = recipient
    return {
        "key": r.key, "subscription": r.body, "token": r.token, "created_at": r.created_at, "turn_at": r.turn_at,
        "considered": r.considered,
    }  # fmt: skip


def _last_article(connection: Connection, seen_until: datetime) -> int:
    """Ids follow the order in which articles were stored, which has one writer at a time; times do not quite."""
    seen = select(articles.c.id).where(articles.c.first_seen_at <= seen_until)
    return connection.scalar(seen.order_by(articles.c.id.desc()).limit(1)) or 0


def _goes_on(old: Recipient, wanted: Wanted) -> bool:
    readdressed = old.body.get("channels") != wanted.body.get("channels")
    return old.paused_why == REMOVED or (readdressed and (old.paused_why or "").startswith(REFUSED))


def pause(connection: Connection, key: str, why: str, *, now: datetime) -> bool:
    """Nothing is built for it or sent to it from now on. Returns whether it is there and was not paused."""
    mine = and_(recipients.c.key == key, recipients.c.paused_at.is_(None))
    return connection.execute(update(recipients).where(mine).values(paused_at=now, paused_why=why)).rowcount > 0


def pause_by_token(connection: Connection, token: str, why: str, *, now: datetime) -> bool:
    """As `pause`, for an unsubscribe link. Returns whether the token is somebody's."""
    key = connection.scalar(select(recipients.c.key).where(recipients.c.token == token))
    if key is not None:
        pause(connection, key, why, now=now)
    return key is not None


def resume(connection: Connection, key: str) -> bool:
    """Ends a pause; returns whether there was one."""
    mine = and_(recipients.c.key == key, recipients.c.paused_at.is_not(None))
    return connection.execute(update(recipients).where(mine).values(paused_at=None, paused_why=None)).rowcount > 0


def _turn() -> Update:
    mine = and_(recipients.c.key == bindparam("mine"), recipients.c.turn_at == bindparam("before"), recipients.c.paused_at.is_(None))
    return update(recipients).where(mine).values(turn_at=bindparam("after"), considered=bindparam("until"))


# Built once: they run for each recipient.
_TURN = _turn()
_TOLD = select(alerted.c.story).where(alerted.c.recipient == bindparam("mine"), alerted.c.story.in_(bindparam("stories", expanding=True)))
_ANNOUNCED = select(announced.c.area, announced.c.what).where(
    announced.c.recipient == bindparam("mine"), announced.c.what.in_(bindparam("those", expanding=True))
)


def take_turn(connection: Connection, recipient: Recipient, *, turn_at: datetime, considered: int) -> bool:
    """Records a turn. False when another process gave it meanwhile, or it was paused: then nothing must be told."""
    return connection.execute(_TURN, _turn_values(recipient, turn_at, considered)).rowcount > 0


def take_turns(connection: Connection, turns: Sequence[tuple[Recipient, int]], *, turn_at: datetime) -> None:
    """Records turns with nothing to tell; with each recipient comes its new `considered`."""
    if turns:
        connection.execute(_TURN, [_turn_values(recipient, turn_at, considered) for recipient, considered in turns])


def _turn_values(recipient: Recipient, turn_at: datetime, considered: int) -> dict[str, Any]:
    # Later than the turn before, even where two processes read the same clock: the second of them must find the turn taken.
    after = max(turn_at, recipient.turn_at + TICK)
    return {"mine": recipient.key, "before": recipient.turn_at, "after": after, "until": max(considered, recipient.considered)}


def told_stories(connection: Connection, key: str, stories: Sequence[int]) -> frozenset[int]:
    """Those of `stories` that this recipient was told of, under whatever area."""
    found: set[int] = set()
    for start in range(0, len(stories), AT_ONCE):
        piece = stories[start : start + AT_ONCE]
        found.update(connection.scalars(_TOLD, {"mine": key, "stories": list(piece)}))
    return frozenset(found)


def told_signals(connection: Connection, key: str, signals: Sequence[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Those of `signals` (area, what) that this recipient was told of."""
    if not signals:
        return frozenset()
    found = connection.execute(_ANNOUNCED, {"mine": key, "those": sorted({what for _, what in signals})})
    return frozenset((area, what) for area, what in found).intersection(signals)
