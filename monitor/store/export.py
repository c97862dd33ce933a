"""The rows of the analysts' views, with their types, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import JSON, Boolean, ColumnClause, Connection, Date, Float, Integer, String, TableClause, column, select, table, true

from monitor.store.schema import UtcTime

AT_ONCE = 5_000

_COVERAGE = (("sources_due", Integer), ("sources_read", Integer), ("coverage", Float))


def _floats(*names: str) -> tuple[ColumnClause[Any], ...]:
    return tuple(column(name, Float) for name in names)


VIEWS: dict[str, TableClause] = {
    "trend": table(
        "trend",
        column("day", Date),
        *(column(name, String) for name in ("area", "dimension", "value")),
        *(column(name, Integer) for name in ("articles", "stories", "articles_seen")),
        column("share", Float),
        *(column(name, kind) for name, kind in _COVERAGE),
    ),
    "mention": table(
        "mention",
        column("area", String),
        column("day", Date),
        *(column(name, UtcTime) for name in ("published_at", "first_seen_at")),
        *(column(name, String) for name in ("source", "source_kind", "language", "title", "url", "quote")),
        *(column(name, Float) for name in ("probability", "similarity")),
        column("exemplar", String),
        column("mentions", JSON),
        *(column(name, Integer) for name in ("story", "article_id", "paragraph_id", "position")),
    ),
    "coverage": table("coverage", column("day", Date), *(column(name, kind) for name, kind in _COVERAGE)),
    "reading": table("reading", column("day", Date), column("articles", Integer), column("poor", Boolean)),
    "burst": table("burst", column("day", Date), column("area", String), column("reports", Integer), *_floats("expected", "surprise")),
    "movement": table(
        "movement",
        column("day", Date),
        *(column(name, String) for name in ("area", "direction")),
        column("reports", Integer),
        *_floats("expected", "ratio", "low", "high"),
    ),
    "source": table(
        "source",
        *(column(name, String) for name in ("source", "url", "kind", "language")),
        column("active", Boolean),
        *(column(name, Integer) for name in ("entries", "articles", "failed")),
        *(column(name, UtcTime) for name in ("last_success_at", "last_entry_at")),
        column("health", String),
    ),
    "together": table(
        "together", column("day", Date), *(column(name, String) for name in ("area", "named_with")), column("stories", Integer)
    ),
}
ORDER = {
    "trend": ("area", "dimension", "value", "day"),
    "mention": ("day", "article_id", "position", "area"),
    "coverage": ("day",),
    "reading": ("day",),
    "burst": ("day", "area"),
    "movement": ("day", "area"),
    "together": ("day", "area", "named_with"),
    "source": ("source", "url"),
}


def view_rows(
    connection: Connection, view: str, *, area: str | None = None, first: date | None = None, last: date | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of a view as mappings, in a fixed order; they are read as they are asked for. What a view has no column for is no bound."""
    chosen = VIEWS[view]
    query = select(*chosen.c)
    if "day" in chosen.c:
        query = query.where(chosen.c.day >= first if first else true(), chosen.c.day <= last if last else true())
    if area is not None and "area" in chosen.c:
        query = query.where(chosen.c.area == area)
    query = query.order_by(*(chosen.c[name] for name in ORDER[view]))
    rows = connection.execution_options(yield_per=AT_ONCE).execute(query)
    return (dict(row._mapping) for row in rows)
