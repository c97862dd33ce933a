"""What is dropped after its time, and what everything takes up.

Texts and vectors go; hits, the paragraphs they quote, counts, articles (title, address, day) and entries stay. An entry is the tombstone
that keeps an old article from being read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, Table, and_, case, cast, delete, func, not_, or_, select, update
from sqlalchemy.exc import OperationalError

from monitor.store import near
from monitor.store.schema import article_paragraphs, articles, embeddings, entries, hits, metadata, paragraphs
from monitor.store.words import forget

# Rows of one transaction, so that a run that reads is not kept waiting.
AT_ONCE = 5_000
# SQLite's header of a row and of its cell, near enough for an estimate.
ROW_BYTES = 8
INDEX = "words"  # made by `monitor.store.words`, not in the metadata


@dataclass(frozen=True, slots=True)
class TableSize:
    """`size` in bytes, indexes included unless it is an estimate."""

    table: str
    rows: int
    size: int


def old_texts(connection: Connection, before: date, *, limit: int | None = AT_ONCE) -> tuple[int, ...]:
    """Paragraphs without a hit of any matcher, all of whose articles are of days before `before`."""
    found = select(1).where(hits.c.paragraph_id == paragraphs.c.id).correlate(paragraphs).exists()
    return _ids(connection, and_(not_(found), not_(_is_in_article_since(before))), limit)


def old_vectors(connection: Connection, before: date, *, limit: int | None = AT_ONCE) -> tuple[int, ...]:
    """Paragraphs with a vector, all of whose articles are of days before `before`."""
    has = select(1).where(embeddings.c.paragraph_id == paragraphs.c.id).correlate(paragraphs).exists()
    return _ids(connection, and_(has, not_(_is_in_article_since(before))), limit)


def _ids(connection: Connection, which: ColumnElement[bool], limit: int | None) -> tuple[int, ...]:
    return tuple(connection.scalars(select(paragraphs.c.id).where(which).order_by(paragraphs.c.id).limit(limit)))


def _is_in_article_since(day: date) -> ColumnElement[bool]:
    joined = article_paragraphs.join(articles, articles.c.id == article_paragraphs.c.article_id)
    mine = and_(article_paragraphs.c.paragraph_id == paragraphs.c.id, articles.c.day >= day)
    return select(1).select_from(joined).where(mine).correlate(paragraphs).exists()


def drop_texts(connection: Connection, ids: tuple[int, ...]) -> None:
    """The paragraphs, with their places in articles, their words, their vectors and their ledger."""
    forget(connection, ids)
    connection.execute(delete(paragraphs).where(paragraphs.c.id.in_(ids)))


def drop_vectors(connection: Connection, ids: tuple[int, ...]) -> int:
    """Returns how many vectors; a paragraph has one an encoder."""
    return connection.execute(delete(embeddings).where(embeddings.c.paragraph_id.in_(ids))).rowcount


def number_of(connection: Connection, before_texts: date | None, before_vectors: date | None) -> tuple[int, int]:
    """How many texts and vectors would be dropped."""
    old = old_texts(connection, before_texts, limit=None) if before_texts else ()
    bare = old_vectors(connection, before_vectors, limit=None) if before_vectors else ()
    return len(old), len({*old, *bare})


def drop_entry_texts(connection: Connection, before: date) -> int:
    """Summaries and contents of entries that were first seen before that day and do not wait to be read. Returns how many."""
    old = and_(entries.c.first_seen_at < datetime.combine(before, time(), UTC), entries.c.state != "new")
    has = or_(entries.c.content.is_not(None), entries.c.summary != "")
    return connection.execute(update(entries).where(old, has).values(content=None, summary="")).rowcount


def sizes(connection: Connection) -> tuple[tuple[TableSize, ...], bool]:
    """The tables, largest first, and whether their sizes are measured (else they are sums of lengths, without indexes)."""
    tables = list(metadata.tables.values())
    rows = {t.name: connection.scalar(select(func.count()).select_from(t)) or 0 for t in tables}
    rows[INDEX] = rows["paragraphs"]
    if near.is_there(connection):
        rows[near.TABLE] = connection.scalar(select(func.count()).select_from(near.nearby)) or 0
    measured = _measured(connection, list(rows))
    found = measured or {table.name: _estimated(connection, table) for table in tables}
    shown = (TableSize(name, number, found.get(name, 0)) for name, number in rows.items())
    return tuple(sorted(shown, key=lambda t: (-t.size, t.table))), measured is not None


def _measured(connection: Connection, names: list[str]) -> dict[str, int] | None:
    if connection.dialect.name == "postgresql":
        return {name: int(connection.scalar(select(func.pg_total_relation_size(name))) or 0) for name in names}
    # SQLite keeps the index of words in tables named after it.
    pages = f"""
        SELECT CASE WHEN m.tbl_name LIKE '{INDEX}@_%' ESCAPE '@' THEN '{INDEX}' ELSE m.tbl_name END AS name, SUM(d.pgsize)
        FROM dbstat d JOIN sqlite_master m ON m.name = d.name GROUP BY 1
    """
    try:
        return {name: int(size) for name, size in connection.exec_driver_sql(pages)}
    except OperationalError:  # this SQLite was compiled without dbstat
        return None


def _estimated(connection: Connection, table: Table) -> int:
    """The lengths of all values as text; blobs as they are."""
    length: Any = ROW_BYTES
    for column in table.c:
        text = func.length(column) if str(column.type) == "BLOB" else func.length(cast(column, String))
        length = length + case((column.is_(None), 0), else_=text)
    return int(connection.scalar(select(func.sum(length))) or 0)
