"""Vectors once more, as pgvector's `halfvec`, so that PostgreSQL itself finds the nearest; only where the server has that extension.

The table `nearby` follows `embeddings`: `follow` brings what is missing, found by query, and what is dropped there goes with it. It has no
index by distance: all are compared, so the answers are those of `monitor.store.search` without it, narrowed or not.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ColumnElement, Connection, Float, bindparam, column, exists, func, select, table, text
from sqlalchemy.exc import DBAPIError

from monitor.store.schema import embeddings

log = logging.getLogger(__name__)

TABLE = "nearby"
# `halfvec` came with 0.7. PLAIN: a vector of more than 1,000 numbers stays in its row.
CREATE = (
    "CREATE EXTENSION IF NOT EXISTS vector",
    f"""CREATE TABLE IF NOT EXISTS {TABLE} (
        encoder_id BIGINT, paragraph_id BIGINT, vector halfvec NOT NULL, PRIMARY KEY (encoder_id, paragraph_id),
        FOREIGN KEY (paragraph_id, encoder_id) REFERENCES embeddings (paragraph_id, encoder_id) ON DELETE CASCADE
    )""",
    f"ALTER TABLE {TABLE} ALTER COLUMN vector SET STORAGE PLAIN",
)
AT_ONCE = 10_000  # rows in memory

nearby = table(TABLE, column("encoder_id", BigInteger), column("paragraph_id", BigInteger), column("vector"))


def prepare(connection: Connection) -> None:
    """Makes the table where it can be had. Every `monitor db upgrade` tries, so the extension may come later."""
    if connection.dialect.name != "postgresql" or not _has(connection, "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"):
        return
    try:
        with connection.begin_nested():
            for statement in CREATE:
                connection.execute(text(statement))
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        log.warning("pgvector is on the server but cannot be used (%s); search by meaning does without, slower", reason)


def _has(connection: Connection, query: str) -> bool:
    return connection.scalar(text(query)) is not None


def is_there(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql" and _has(connection, f"SELECT to_regclass('{TABLE}')")


def holds(connection: Connection, encoder: int) -> bool:
    """Whether there is anything of this encoder to compare with."""
    return is_there(connection) and bool(connection.scalar(select(exists().where(nearby.c.encoder_id == encoder))))


def follow(connection: Connection, encoder: int) -> int:
    """Brings the vectors of `encoder` that are not there yet; others see all of them or none. Returns how many."""
    if not is_there(connection):
        return 0
    connection.execute(text(f"LOCK TABLE {TABLE} IN SHARE ROW EXCLUSIVE MODE"))  # one at a time
    key, done, after = embeddings.c.paragraph_id, 0, 0
    known = exists().where(nearby.c.encoder_id == encoder, nearby.c.paragraph_id == key)
    missing = select(key, embeddings.c.vector).where(embeddings.c.encoder_id == encoder, ~known, key > bindparam("after"))
    while rows := connection.execute(missing.order_by(key).limit(AT_ONCE), {"after": after}).all():
        _copy(connection, encoder, [(int(number), vector) for number, vector in rows])
        done, after = done + len(rows), rows[-1][0]
    return done


def _copy(connection: Connection, encoder: int, rows: Sequence[tuple[int, bytes]]) -> None:
    """pgvector takes halves from nothing but text and its own binary form: how many, an empty word, the numbers big-endian."""
    kinds = connection.dialect.loaded_dbapi
    try:
        with connection.connection.cursor().copy(f"COPY {TABLE} (encoder_id, paragraph_id, vector) FROM STDIN (FORMAT BINARY)") as stream:
            stream.set_types(("int8", "int8", "bytea"))
            for key, vector in rows:
                halves = np.frombuffer(vector, "<f2").astype(">f2")
                stream.write_row((encoder, key, struct.pack(">HH", halves.size, 0) + halves.tobytes()))
    except kinds.Error as error:
        raise DBAPIError.instance(f"COPY {TABLE}", None, error, kinds.Error, dialect=connection.dialect) from error


def nearest(
    connection: Connection, asked: NDArray[np.float32], encoder: int, fits: Sequence[ColumnElement[bool]], *, most: int, limit: int
) -> tuple[dict[int, float], int]:
    """Similarity by paragraph of the `most` nearest of the latest `limit`, the nearest first; and how many there were, one more at most."""
    key = nearby.c.paragraph_id
    given = text("CAST(:asked AS halfvec)").bindparams(asked=str(asked.tolist()))
    distance = nearby.c.vector.op("<#>", return_type=Float())(given).label("distance")
    latest = select(key, distance).where(nearby.c.encoder_id == encoder, *fits).order_by(key.desc()).limit(limit + 1).cte("latest")
    number = select(func.count()).select_from(latest).scalar_subquery()
    chosen = select(latest.c.paragraph_id, latest.c.distance, number).order_by(latest.c.distance, latest.c.paragraph_id.desc()).limit(most)
    rows = connection.execute(chosen).all()
    return {int(found): -float(far) for found, far, _ in rows}, int(rows[0][2]) if rows else 0
