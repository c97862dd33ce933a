"""`monitor init`, `run`, `up`: the job itself."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor import app as composition
from monitor import pipeline
from monitor.cli import show
from monitor.cli.configuration import commented
from monitor.errors import ConfigurationError
from monitor.settings import CONFIG_NAME, load_settings
from monitor.sources import read_opml, starter_list
from monitor.store import sources as stored_sources
from monitor.store.database import Database, upgrade

Json = Annotated[bool, typer.Option("--json", help="for scripts")]


def init(
    folder: Annotated[Path, typer.Argument(help="where configuration and database go")] = Path(),
    starter: Annotated[bool, typer.Option("--starter", help="add the starter list of public feeds")] = False,
) -> None:
    """Writes a commented configuration and creates the database. Leaves what is there."""
    file = folder / CONFIG_NAME
    folder.mkdir(parents=True, exist_ok=True)
    if file.exists():
        show.say(f"{file} is there already and stays as it is.")
    else:
        file.write_text(commented(), encoding="utf-8")
        show.say(f"{file} is written.")
    settings = load_settings(file=file)
    _, after = upgrade(settings.database_url.get_secret_value(), home=settings.home)
    show.say(f"The database is at {after}.")
    if starter:
        database = Database(settings.database_url.get_secret_value(), home=settings.home)
        with database.writing() as connection:
            added = stored_sources.add_sources(connection, read_opml(starter_list(), name="the starter list"), now=composition.now())
        show.say(f"{added} public feeds were added.")
    show.say("Next: `monitor sources add URL` or `monitor sources import FILE.opml`, then `monitor run`.")


def run(
    plain: Annotated[bool, typer.Option("--plain", help="without Prefect: the same stages by the same functions")] = False,
    json: Json = False,
) -> None:
    """One night: polls sources, reads articles, matches, counts, tells and reports."""
    settings = load_settings()
    with show.progress() as progress:
        parts = composition.build(settings, progress=progress)
        done = pipeline.run(parts) if plain else flow("nightly")(settings, progress)
    if json:
        show.as_json(asdict(done))
    else:
        show.summary(done)


def up(port: Annotated[int, typer.Option(help="port of the Prefect server on localhost")] = 4200) -> None:
    """Runs unattended: a Prefect server and the nightly schedule in one process, in the foreground."""
    flow("up")(load_settings(), port=port)


def flow(name: str) -> Any:
    """What the package `flows` offers under this name. It orchestrates with Prefect; `monitor` does not know how."""
    for entry in entry_points(group="areawatch.flows", name=name):
        return entry.load()
    raise ConfigurationError(
        f"the flow {name!r} is not installed; install the package with `pip install -e .`, or use `monitor run --plain`"
    )


def register(app: typer.Typer) -> None:
    for command in (init, run, up):
        app.command(command.__name__)(command)
