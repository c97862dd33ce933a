"""`monitor rematch`: a changed taxonomy over the stored history."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer

from monitor import app as composition
from monitor.cli import show
from monitor.cli.look import day_of
from monitor.errors import InputError
from monitor.pipeline.rematch import AreaChange, Rematched
from monitor.pipeline.rematch import rematch as rematch_history
from monitor.pipeline.rematch import retire as retire_old
from monitor.settings import load_settings

WEEKS_SHOWN = 26
QUOTE = 160


def rematch(
    since: Annotated[str | None, typer.Option("--since", help="first day, such as 2026-01-01; or 52w; default: all that is stored")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would change, by area; change nothing")] = False,
    retire: Annotated[bool, typer.Option("--retire", help="drop the hits and counts of matchers that are live no more")] = False,
    json: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Applies a changed taxonomy or calibration to the stored history, and shows what changed. Broken off, run it again: it goes on."""
    if retire and (dry_run or since):
        raise InputError("--retire stands alone: first rematch, then retire what is live no more")
    with show.progress() as progress:
        parts = composition.build(load_settings(), progress=progress)
        if retire:
            show.say(f"{retire_old(parts)} matchers were retired; their hits and counts are gone.")
            return
        first = day_of(since, today=parts.clock().date()) if since else None
        done = rematch_history(parts, since=first, dry_run=dry_run)
    if json:
        show.as_json(as_mapping(done))
    else:
        _print(done)


def as_mapping(done: Rematched) -> dict[str, Any]:
    """For scripts: weeks by their Monday, examples newest first."""
    return {"paragraphs": done.paragraphs, "matched": done.matched, "live": done.live, "areas": [_area(area) for area in done.areas]}


def _area(change: AreaChange) -> dict[str, Any]:
    weeks = sorted(change.weeks_before | change.weeks_after)
    return {
        "area": change.area, "before": change.before, "after": change.after, "gained": change.gained, "lost": change.lost,
        "weeks": [{"week": w, "before": change.weeks_before[w], "after": change.weeks_after[w]} for w in weeks],
        "gained_examples": [asdict(example) for example in reversed(change.gained_examples)],
        "lost_examples": [asdict(example) for example in reversed(change.lost_examples)],
    }  # fmt: skip


def _print(done: Rematched) -> None:
    last = max((week for area in done.areas for week in area.weeks_before | area.weeks_after), default=None)
    shown = [last - timedelta(weeks=n) for n in reversed(range(WEEKS_SHOWN))] if last else []
    rows = [
        (
            area.area, area.before, area.after, f"+{area.gained}", f"-{area.lost}",
            show.sparkline([area.weeks_before[w] for w in shown]), show.sparkline([area.weeks_after[w] for w in shown]),
        )
        for area in done.areas
    ]  # fmt: skip
    columns = ("area", "before", "after", "gained", "lost", "weeks before", "weeks after")
    show.table(f"Paragraphs with a hit, of {done.paragraphs}", columns, rows, numbers=columns[1:5])
    for area in done.areas:
        for sign, examples in (("+", area.gained_examples), ("-", area.lost_examples)):
            for example in reversed(examples):
                show.say(f"{sign} {area.area}, {example.day}: {show.printable(example.text[:QUOTE])}{'…' * (len(example.text) > QUOTE)}")
    if done.live:
        show.say("The new matcher is live. The old one is kept until `monitor rematch --retire`.")
    else:
        show.say("Nothing was changed. `monitor rematch` applies it.")


def register(app: typer.Typer) -> None:
    app.command("rematch")(rematch)
