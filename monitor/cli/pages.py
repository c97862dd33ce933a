"""`monitor report`, `serve`, `moves`: the pages, as files or from a server, and what moved, for those who want no page."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor import app as composition
from monitor import pipeline
from monitor.cli import show
from monitor.cli.look import open_database
from monitor.pipeline.report import report_single
from monitor.pipeline.trends import moves as find_moves
from monitor.serve import access_of, build_app, listen
from monitor.serve import serve as answer
from monitor.settings import load_settings
from monitor.store import hits
from monitor.taxonomy import load_taxonomy


def report(
    folder: Annotated[Path | None, typer.Argument(help="where the pages go; default: the setting `report`")] = None,
    single: Annotated[Path | None, typer.Option("--single", help="one file that holds all pages, instead of a folder")] = None,
) -> None:
    """Writes the pages with charts and quoted evidence, and an Atom feed an area."""
    settings = load_settings()
    if single:
        report_single(composition.build(settings), single.absolute())
        show.say(f"All pages are in {single}.")
        return
    if folder:
        settings = settings.model_copy(update={"report": folder.absolute()})
    pipeline.report(composition.build(settings))
    show.say(f"The pages are in {settings.path(settings.report) / 'index.html'}.")


def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on; default: the setting `serve.host`, 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on; default: the setting `serve.port`, 8080", min=0, max=65535)] = None,
) -> None:
    """Serves the pages, with search over stored paragraphs and each table as CSV, in the foreground."""
    settings = load_settings()
    host = settings.serve.host if host is None else host
    access = access_of(settings.serve, host)
    app = build_app(lambda: composition.build(settings), access)
    listening = listen(host, settings.serve.port if port is None else port)
    place = f"[{host}]" if ":" in host else host
    show.say(f"The pages are at http://{place}:{listening.getsockname()[1]}/ until Ctrl-C.")
    if access.password is not None and access.names is None:
        show.say("Passwords are sent as they are: put it behind a proxy with TLS where others could listen.")
    answer(app, listening)


def moves(json: Annotated[bool, typer.Option("--json", help="for scripts")] = False) -> None:
    """What rose, fell or burst: each area's last seven days against its own eight weeks before, source by source."""
    settings = load_settings()
    today = datetime.now(UTC).date()
    taxonomy = load_taxonomy(settings.taxonomy)
    with open_database(settings).reading() as connection:
        moved = find_moves(connection, hits.live_matcher(connection), today - settings.window, today, today=today)
    rows: list[dict[str, Any]] = [
        asdict(moved.change(area.id)) | {"bursts": [asdict(burst) for burst in moved.bursts(area.id)]} for area in taxonomy.areas
    ]
    if json:
        show.as_json({"poorly_covered": sorted(moved.poor), "areas": rows})
        return
    rows.sort(key=lambda row: -(row["ratio"] or 0))
    columns = ("area", "against its usual", "reports", "expected", "", "bursts")
    lines = [(r["area"], _times(r), r["articles"], f"{r['expected']:.1f}", r["direction"], _days(r["bursts"])) for r in rows]
    show.table("The last seven days against the eight weeks before", columns, show.by_facet(lines, taxonomy.policies), numbers=columns[1:4])
    if moved.poor:
        show.say(f"Poorly covered, and compared with nothing: {', '.join(map(str, sorted(moved.poor)))}.")


def _times(row: dict[str, Any]) -> str:
    return f"{row['ratio']:.1f}× ({row['low']:.1f} to {row['high']:.1f})" if row["ratio"] is not None else "–"


def _days(bursts: list[dict[str, Any]]) -> str:
    return ", ".join(str(burst["day"]) for burst in bursts[-3:]) + (f" and {len(bursts) - 3} more" if len(bursts) > 3 else "")


def register(app: typer.Typer) -> None:
    for command in (report, serve, moves):
        app.command(command.__name__)(command)
