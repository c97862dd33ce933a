"""The engine, transactions and upgrades: what SQLite and PostgreSQL need before a statement is sent.

`read` as a column of a view is fine in both. SQLite gets WAL, foreign keys, a busy timeout and `BEGIN IMMEDIATE` for writing
transactions (its driver's own BEGIN loses updates); `reading()` takes a plain one, so that readers never wait.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import ARRAY, Connection, Engine, Table, bindparam, create_engine, event, func, inspect, make_url, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from monitor.errors import DatabaseError
from monitor.store import near

UPGRADE_LOCK = 727274
BUSY_SECONDS = 30
# Rows of one INSERT: the driver prepares once and loops in C; more only costs memory.
CHUNK = 5_000


class Database:
    """One database. `writing()` and `reading()` give connections in a transaction; errors of the driver come as DatabaseError."""

    def __init__(self, url: str, *, home: Path = Path(), foreign_keys: bool = True) -> None:
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
                parsed = parsed.set(database=str((home / parsed.database).absolute()))
                Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
            elif parsed.drivername == "postgresql":
                parsed = parsed.set(drivername="postgresql+psycopg")
            self.engine: Engine = create_engine(parsed, pool_pre_ping=True)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise DatabaseError(f"database_url: {error}; use sqlite:///monitor.db or postgresql+psycopg://user@host/name") from None
        except OSError as error:
            raise DatabaseError(f"{url}: its folder cannot be made ({error.strerror}); check database_url and `home`") from None
        self.shown = parsed.render_as_string(hide_password=True)
        if self.dialect == "sqlite":
            _prepare_sqlite(self.engine, foreign_keys=foreign_keys)
        elif self.dialect == "postgresql":
            _prepare_postgresql(self.engine)

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end and rolled back on an error."""
        with self._explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction for reading: it sees one state of the database and blocks nobody."""
        with (
            self._explained(),
            self.engine.connect().execution_options(sqlite_begin="DEFERRED") as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            raise DatabaseError(explain(error, self.shown)) from error
        except DBAPIError as error:
            if "no such table" in str(error.orig) or "UndefinedTable" in type(error.orig).__name__:
                raise DatabaseError(explain(error, self.shown)) from error
            raise

    def close(self) -> None:
        self.engine.dispose()


def explain(error: DBAPIError, shown: str) -> str:
    """One line for a person: what failed, where, and the cure."""
    reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    if "full" in reason and ("disk" in reason or "space" in reason):
        return f"{shown}: the disk is full ({reason}); nothing stored is lost: free some space and run again"
    if "no such table" in reason or "does not exist" in reason:
        return f"{shown}: the tables are not there ({reason}); run `monitor db upgrade`"
    if "locked" in reason:
        return f"{shown}: another program has held it for {BUSY_SECONDS} s ({reason}); run again when that is done"
    return f"{shown}: cannot be used ({reason}); check that the server runs and that database_url is right"


def _prepare_sqlite(engine: Engine, *, foreign_keys: bool) -> None:
    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        on = "ON" if foreign_keys else "OFF"
        for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", "journal_mode=WAL", "synchronous=NORMAL", f"foreign_keys={on}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'IMMEDIATE')}")


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _binary_arrays(connection: Any, _record: object) -> None:
        from psycopg.types.array import ListBinaryDumper

        connection.adapters.register_dumper(list, ListBinaryDumper)  # as text an array of vectors takes nine times as long


def insert(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, keys: Sequence[str] = (), update: Sequence[str] = ()
) -> None:
    """INSERT … ON CONFLICT: with `keys`, rows that are there are left, or have their `update` columns replaced."""
    if not rows:
        return
    statement = import_module(f"sqlalchemy.dialects.{connection.dialect.name}").insert(table)
    if update:
        statement = statement.on_conflict_do_update(index_elements=list(keys), set_={c: statement.excluded[c] for c in update})
    elif keys:
        statement = statement.on_conflict_do_nothing(index_elements=list(keys))
    for start in range(0, len(rows), CHUNK):
        connection.execute(statement, rows[start : start + CHUNK])


def insert_columns(connection: Connection, table: Table, columns: Mapping[str, Sequence[Any]], *, keys: Sequence[str]) -> None:
    """`insert` of many rows, given by the column and of one type in each; rows that are there are left.

    PostgreSQL gets an array a column: 1.6 to 1.9 times as many rows a second as by a statement a row (docs/scale.md).
    """
    names, length = list(columns), len(next(iter(columns.values())))
    if connection.dialect.name != "postgresql":
        rows = zip(*columns.values(), strict=True)
        insert(connection, table, [dict(zip(names, row, strict=True)) for row in rows], keys=keys)
        return
    arrays = (bindparam(name, type_=ARRAY(table.c[name].type)) for name in names)
    rows_of = select(func.unnest(*arrays).table_valued(*names).render_derived())
    statement = postgresql.insert(table).from_select(names, rows_of).on_conflict_do_nothing(index_elements=list(keys))
    for start in range(0, length, CHUNK):
        connection.execute(statement, {name: list(values[start : start + CHUNK]) for name, values in columns.items()})


def migrations_folder() -> Path:
    """`migrations/` of a checkout, or its copy in an installed wheel."""
    packaged = Path(__file__).parent.parent / "_data" / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent.parent / "migrations"


def _alembic() -> Any:
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return configuration


def upgrade(url: str, *, home: Path = Path()) -> tuple[str | None, str]:
    """Brings the database to this version's schema; returns the revisions before and after.

    Raises DatabaseError if it is newer than this code. Foreign keys are off meanwhile: Alembic's batch mode drops and renames
    tables, which would delete all cascading children; they are checked at the end. Several at once wait for one another.
    """
    from alembic import command
    from alembic.script import ScriptDirectory

    database = Database(url, home=home, foreign_keys=False)
    configuration = _alembic()
    head = ScriptDirectory.from_config(configuration).get_current_head() or ""
    try:
        with database.writing() as connection:
            if database.dialect == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")
            before = current_revision(connection)
            _refuse_newer(before, database.shown)
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
            near.prepare(connection)
            if database.dialect == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()):
                raise DatabaseError(f"{database.shown}: the upgrade would break references ({broken[0]}); nothing was changed")
    finally:
        database.close()
    return before, head


def check_revision(database: Database) -> None:
    """Raises DatabaseError unless the schema is this version's."""
    from alembic.script import ScriptDirectory

    with database.reading() as connection:
        found = current_revision(connection)
    head = ScriptDirectory.from_config(_alembic()).get_current_head()
    if found == head:
        return
    _refuse_newer(found, database.shown)
    state = "has no tables yet" if found is None else f"is at {found}, this version needs {head}"
    raise DatabaseError(f"{database.shown}: {state}; run `monitor db upgrade`")


def current_revision(connection: Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return str(row[0]) if row else None


def _refuse_newer(found: str | None, shown: str) -> None:
    from alembic.script import ScriptDirectory

    known = {revision.revision for revision in ScriptDirectory.from_config(_alembic()).walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseError(f"{shown}: its schema ({found}) is newer than this version of areawatch; install the version that wrote it")
