"""`monitor sources`: what is polled."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli import show
from monitor.cli.look import open_database
from monitor.domain import Source, SourceKind
from monitor.errors import InputError
from monitor.pipeline.check import check_source
from monitor.settings import load_settings
from monitor.sources import read_opml, starter_list, write_opml
from monitor.store import sources as stored
from monitor.urls import canonical_url

app = typer.Typer(help="What is polled: add, import, export, list, remove, check.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="for scripts")]


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(help="address of a feed or a news sitemap")],
    title: Annotated[str, typer.Option(help="its name; default: what the feed says")] = "",
    kind: Annotated[SourceKind, typer.Option(help="who publishes it")] = SourceKind.OTHER,
    language: Annotated[str | None, typer.Option(help="ISO 639-1 code")] = None,
) -> None:
    """Adds a source. It is asked at the next run."""
    if canonical_url(url) is None:
        raise InputError(f"{url!r} is no address of a feed; it begins with https:// or http://")
    _add([Source(url.strip(), title, kind, language)])


def _add(found: list[Source]) -> None:
    with open_database(load_settings()).writing() as connection:
        added = stored.add_sources(connection, found, now=datetime.now(UTC))
    show.say(
        f"{added} of {len(found)} source{'s' * (len(found) != 1)} added"
        + ("." if added == len(found) else "; the others are there already.")
    )


@app.command("import")
def import_opml(
    file: Annotated[Path | None, typer.Argument(help="an OPML file")] = None,
    starter: Annotated[bool, typer.Option("--starter", help="the list of public feeds that is shipped")] = False,
) -> None:
    """Adds all sources of an OPML file."""
    if starter == (file is not None):
        raise InputError("name an OPML file, or use --starter")
    try:
        body = file.read_bytes() if file else starter_list()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    _add(list(read_opml(body, name=str(file or "the starter list"))))


@app.command("export")
def export() -> None:
    """Writes all sources as OPML to standard output."""
    with open_database(load_settings()).reading() as connection:
        states = stored.active_sources(connection)
    sys.stdout.write(write_opml([state.source for state in states]).decode())


@app.command("list")
def list_sources(
    health: Annotated[bool, typer.Option("--health", help="also what failed, went quiet or moved")] = False, json: Json = False
) -> None:
    """Shows the sources."""
    with open_database(load_settings()).reading() as connection:
        found = stored.source_health(connection)
    rows = [row(source, now=datetime.now(UTC)) for source in found]
    if json:
        show.as_json(rows)
        return
    columns = ("title", "kind", "language", "entries", "health" if health else "url")
    show.table(f"{len(rows)} sources", columns, [[r[c] or "" for c in columns] for r in rows], numbers=("entries",))


def row(source: stored.SourceHealth, *, now: datetime) -> dict[str, Any]:
    """A source as a mapping, with its health in words."""
    state = source.state
    return {
        "url": state.source.url, "title": state.source.title or state.source.url, "kind": state.source.kind.value,
        "language": state.source.language, "active": source.active, "entries": source.entries, "read": source.read,
        "failed": source.failed, "failures": state.failures, "last_success_at": state.last_success_at,
        "last_entry_at": state.last_entry_at, "next_check_at": state.next_check_at, "health": stored.health(source, now=now),
    }  # fmt: skip


@app.command("remove")
def remove(url: Annotated[str, typer.Argument(help="the source's address, as `monitor sources list` shows it")]) -> None:
    """Stops polling a source; what it gave stays."""
    with open_database(load_settings()).writing() as connection:
        if not stored.remove_source(connection, url):
            raise InputError(f"there is no source {url!r}; `monitor sources list` shows those there are")
    show.say(f"{url} is not polled any more.")


@app.command("check")
def check(url: Annotated[str, typer.Argument(help="address of a feed, a sitemap or a home page")], json: Json = False) -> None:
    """Says what would be read from an address, and what is wrong with it. Stores nothing."""
    found = check_source(url, load_settings().fetch, now=datetime.now(UTC))
    entries = found.feed.entries if found.feed else ()
    newest = [{"published_at": e.published_at, "title": e.title, "url": e.url} for e in entries[:10]]
    if json:
        kind = found.feed.format.value if found.feed else None
        show.as_json(
            {"url": url, "format": kind, "says": found.says, "candidates": found.candidates, "entries": len(entries), "newest": newest}
        )
    else:
        for line in found.says:
            show.say(line)
        if found.feed:
            title = f"{len(entries)} entries of {found.feed.title or url} ({found.feed.format.value})"
            show.table(title, ("published", "title", "url"), [[str(value or "") for value in row.values()] for row in newest])
    if found.feed is None:
        raise InputError(f"{url} cannot be used as a source: {found.says[0]}")
