"""How results are shown: tables and progress on a terminal, JSON or CSV for scripts."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from monitor.domain import Mention, RunSummary
from monitor.report.safe import harmless

console = Console(highlight=False)
LEVELS = "▁▂▃▄▅▆▇█"


def as_json(value: Any) -> None:
    """One JSON document on standard output; times and days in ISO 8601."""
    _write_json(value, indent=2)


def as_json_line(value: Any) -> None:
    _write_json(value, indent=None)


def _write_json(value: Any, *, indent: int | None) -> None:
    written = json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)
    # A lone surrogate has no bytes of its own; written as an escape it stays what it was.
    sys.stdout.write(written.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")


def as_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """A header and a line a row; a cell that a spreadsheet would run as a formula gets an apostrophe in front."""
    if not rows:
        return
    writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: harmless(value) for key, value in row.items()} for row in rows)


def _plain(value: object) -> object:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not shown as JSON")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Sequence[str] = ()) -> None:
    """A table; text from outside is shown as it is, never as markup."""
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(cell if isinstance(cell, Text) else escape(printable(str(cell))) for cell in row))
    console.print(shown)


def by_facet(rows: Sequence[tuple[Any, ...]], policies: Collection[str]) -> list[tuple[Any, ...]]:
    """Rows that begin with an area's id: technologies, then policies under a heading, each in the order given."""
    technologies = [row for row in rows if row[0] not in policies]
    instruments = [row for row in rows if row[0] in policies]
    heading = [(Text("policies", "bold"), *[""] * (len(rows[0]) - 1))] if technologies and instruments else []
    return technologies + heading + instruments


def say(text: str) -> None:
    console.print(escape(text), soft_wrap=True)


def printable(text: str) -> str:
    """`text` without control characters, which could move the cursor or reverse the line."""
    return "".join(c if c.isprintable() or c == " " else " " for c in text.encode("utf-8", "replace").decode())


def sparkline(values: Sequence[float]) -> str:
    """A bar a value, eight levels, the highest value full."""
    top = max(values, default=0) or 1
    return "".join(LEVELS[min(7, round(7 * value / top))] if value else " " for value in values)


def marked(text: str, mentions: Iterable[Mention], *, width: int | None = None) -> Text:
    """`text` with its mentions in bold; with `width`, cut around the first of them."""
    spans = sorted((m.start, m.end) for m in mentions)
    start = max(0, (spans[0][0] if spans else 0) - (width or 0) // 3) if width and len(text) > width else 0
    end = len(text) if width is None else min(len(text), start + width)
    shown = Text(("…" if start else "") + printable(text[start:end]) + ("…" if end < len(text) else ""))
    shift = (1 if start else 0) - start
    for first, last in spans:
        if start <= first < end:
            shown.stylize("bold reverse", first + shift, min(last, end) + shift)
    return shown


def summary(done: RunSummary) -> None:
    """What a run did, in four lines."""
    s, e = done.sources, done.entries
    say(f"sources     {s['due']} due: {s['ok']} read, {s['not_modified']} not modified, {s['failed']} failed")
    say(f"entries     {e['new']} new; {e['read']} read, {e['empty']} without an article, {e['failed']} failed, {e['retry']} to try again")
    say(f"paragraphs  {done.paragraphs['matched']} looked at; {done.hits['new']} hits")
    m = done.messages
    say(f"messages    {m['queued']} queued, {m['sent']} sent, {m['failed']} failed; {done.seconds['all']:.1f} s in all")
    if not e["new"] and not done.paragraphs["matched"]:
        say("Nothing new since the last run.")


class _Rate(ProgressColumn):
    """How many a second, over the last half minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.{0 if speed >= 10 else 1}f}/s", style="progress.data.speed")


@contextmanager
def progress() -> Iterator[Any]:
    """A bar a stage with its rate and the time left; silent where standard error is no terminal."""
    bars = Progress(
        TextColumn("{task.description:8}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    tasks: dict[str, TaskID] = {}

    def advance(stage: str, done: int, of: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=of)
        bars.update(tasks[stage], completed=done, total=of)

    with bars:
        yield advance
