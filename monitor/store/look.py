"""What people and scripts read: the views `mention` and `trend`."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from sqlalchemy import Connection, Date, Select, column, func, select, table

MENTION_COLUMNS = (
    "area", "day", "source", "source_kind", "language", "title", "url", "quote", "probability", "similarity", "exemplar", "mentions",
    "story", "published_at", "first_seen_at",
)  # fmt: skip
mention = table("mention", column("day", Date), *(column(name) for name in MENTION_COLUMNS if name != "day"))
trend = table(
    "trend",
    column("day", Date),
    *(column(n) for n in ("area", "dimension", "value", "articles", "stories", "articles_seen", "coverage")),
)
PERIODS = ("day", "week", "month")


def mentions(connection: Connection, *, area: str | None = None, since: date | None = None, limit: int | None = 20) -> list[dict[str, Any]]:
    """The newest mentions, a mapping each with the view's columns."""
    chosen = _chosen(select(*(mention.c[name] for name in MENTION_COLUMNS)), area, since)
    rows = connection.execute(chosen.order_by(mention.c.day.desc(), mention.c.probability.desc(), mention.c.url).limit(limit))
    return [_readable(dict(row._mapping)) for row in rows]


def mention_count(connection: Connection, *, area: str | None = None, since: date | None = None) -> int:
    return connection.scalar(_chosen(select(func.count()).select_from(mention), area, since)) or 0


def _chosen(query: Select[Any], area: str | None, since: date | None) -> Select[Any]:
    if area is not None:
        query = query.where(mention.c.area == area)
    return query.where(mention.c.day >= since) if since is not None else query


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    if isinstance(row["mentions"], str):  # SQLite keeps JSON as text
        row["mentions"] = json.loads(row["mentions"])
    return row


def trends(connection: Connection, *, since: date, area: str | None = None, by: str = "day") -> list[dict[str, Any]]:
    """Counts by area and period; `period` is its first day. Stories are counted a day, so a week's is their sum."""
    columns = [trend.c[name] for name in ("area", "day", "articles", "stories", "articles_seen", "coverage")]
    chosen = select(*columns).where(trend.c.dimension == "all", trend.c.day >= since)
    if area is not None:
        chosen = chosen.where(trend.c.area == area)
    periods: dict[tuple[str, date], dict[str, Any]] = {}
    for row in connection.execute(chosen.order_by(trend.c.area, trend.c.day)):
        first = period_of(row.day, by)
        total = periods.setdefault(
            (row.area, first), {"area": row.area, "period": first, "articles": 0, "stories": 0, "articles_seen": 0, "covered": []}
        )
        for name in ("articles", "stories", "articles_seen"):
            total[name] += getattr(row, name)
        total["covered"] += [row.coverage] if row.coverage is not None else []
    return [_with_share(total) for total in periods.values()]


def _with_share(total: dict[str, Any]) -> dict[str, Any]:
    covered = total.pop("covered")
    total["share"] = total["articles"] / total["articles_seen"] if total["articles_seen"] else None
    total["coverage"] = sum(covered) / len(covered) if covered else None
    return total


def period_of(day: date, by: str) -> date:
    """The first day of the day, ISO week or month that `day` lies in."""
    if by == "week":
        return date.fromisocalendar(day.isocalendar().year, day.isocalendar().week, 1)
    return day.replace(day=1) if by == "month" else day
