"""`monitor demo`: the nightly run against a small newsroom on localhost."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import SO_REUSEADDR, SOL_SOCKET, socket
from typing import Annotated, Any

import typer

from monitor import app as composition
from monitor import pipeline
from monitor.alerts import demo_subscription
from monitor.cli import show
from monitor.cli.look import print_mentions, print_trends
from monitor.cli.run import flow
from monitor.demo import Newsroom
from monitor.domain import Source
from monitor.errors import InputError
from monitor.settings import CONFIG_NAME, PREFIX, Settings, load_settings
from monitor.store import look, sources
from monitor.store.database import Database, upgrade

WEEKS = 6
SHOWN = 6


def demo(
    folder: Annotated[Path, typer.Argument(help="where the demo's database, messages and pages go")] = Path("demo-output"),
    fresh: Annotated[bool, typer.Option("--fresh", help="begin again")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="without Prefect")] = False,
    json: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Serves a small newsroom on localhost and runs the nightly flow against it: the whole job in a minute or two."""
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    settings = demo_settings(folder)
    upgrade(settings.database_url.get_secret_value(), home=settings.home)
    now = datetime.now(UTC)
    with Newsroom(now, port=port_of(settings.home)) as room, show.progress() as progress:
        database = Database(settings.database_url.get_secret_value(), home=settings.home)
        with database.writing() as connection:
            added = [Source(s.url, s.title, s.kind, s.language) for s in room.sources]
            sources.add_sources(connection, added, now=now)
            sources.ask_all_now(connection)
        parts = composition.build(settings, progress=progress)
        done = pipeline.run(parts) if plain else flow("nightly")(settings, progress)
    if json:
        show.as_json(asdict(done))
        return
    show.summary(done)
    _print_what_is_stored(parts, now)


DEMO_PORT = 8971
CONFIGURATION = f"""\
# The demo's configuration: everything in this folder, and localhost allowed.
database_url = "sqlite:///demo.db"
window_days = {WEEKS * 7 + 14}

[fetch]
contact = "demo@localhost"
delay = 0
allow_networks = ["127.0.0.1/32"]

[mail]
folder = "messages"
"""


def port_of(home: Path) -> int:
    """The port of this folder's newsroom: kept, so that a second run meets the same addresses. Raises InputError when it is taken."""
    kept = home / "newsroom.port"
    ports = [int(kept.read_text())] if kept.exists() else [DEMO_PORT, 0]
    for port in ports:
        with socket() as tried:
            tried.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            found = int(tried.getsockname()[1])
            kept.write_text(str(found))
            return found
    raise InputError(
        f"port {ports[0]} on localhost, where this demo's newsroom was, is taken; stop what holds it, or begin again with --fresh"
    )


def demo_settings(folder: Path) -> Settings:
    """The demo's own settings; what is set for real runs in the environment is put aside for this process."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder.absolute() / CONFIG_NAME
    file.write_text(CONFIGURATION, encoding="utf-8")
    os.environ["MONITOR_CONFIG"] = str(file)
    demo_subscription(file.with_name("subscriptions.yaml"))
    return load_settings()


def _print_what_is_stored(parts: Any, now: datetime) -> None:
    first = (now - timedelta(weeks=WEEKS)).date()
    with parts.database.reading() as connection:
        rows = look.trends(connection, since=first, by="week")
        newest = first_of_each_area(look.mentions(connection, limit=200))[:SHOWN]
    show.console.print()
    print_trends(rows, "week", parts.taxonomy.policies)
    show.console.print("\n[bold]Newest mentions[/bold]")
    print_mentions(newest)
    home = parts.settings.home
    show.console.print()
    show.say(f"Page:      {parts.settings.path(parts.settings.report) / 'index.html'}")
    for message in sorted((home / "messages").glob("*.eml")):
        show.say(f"Message:   {message}")
    show.say(f"Look:      MONITOR_CONFIG={home / CONFIG_NAME} monitor hits --area quantum-technology")
    show.say(f"Database:  {home / 'demo.db'}   (try: sqlite3 {home / 'demo.db'} 'SELECT * FROM mention LIMIT 3')")


def first_of_each_area(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest mention of each area, in the order given."""
    return list({row["area"]: row for row in reversed(found)}.values())[::-1]


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)
