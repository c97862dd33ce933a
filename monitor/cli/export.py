"""`monitor export`: the views as CSV, JSON or Parquet, row by row, however many they are."""

from __future__ import annotations

import csv
import json as json_format
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from monitor.cli import show
from monitor.cli.look import Area, Since, day_of, open_database
from monitor.errors import InputError
from monitor.pipeline.areas import known_area
from monitor.report.safe import harmless
from monitor.settings import load_settings
from monitor.store.export import AT_ONCE, VIEWS, view_rows
from monitor.taxonomy import load_taxonomy

Rows = Iterator[dict[str, Any]]


def export(
    view: Annotated[str, typer.Argument(help=", ".join(VIEWS))],
    csv: Annotated[Path | None, typer.Option("--csv", help="file for spreadsheets; - for standard output")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="file for scripts, one JSON document; - for standard output")] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", help="file for pandas, polars, DuckDB")] = None,
    area: Area = None,
    since: Since = None,
    until: Annotated[str | None, typer.Option("--until", help="last day, such as 2026-11-22; or 7d")] = None,
) -> None:
    """Writes a view into a file. The columns are those of the data dictionary in docs/sql.md."""
    chosen = [(file, write) for file, write in ((csv, write_csv), (json, write_json), (parquet, write_parquet)) if file is not None]
    if view not in VIEWS:
        raise InputError(f"there is no view {view!r}; choose {', '.join(VIEWS)}")
    if len(chosen) != 1:
        raise InputError("name one file: --csv FILE, --json FILE or --parquet FILE")
    settings = load_settings()
    first, last = time_span(since, until, today=datetime.now(UTC).date())
    (file, write), columns = chosen[0], list(VIEWS[view].c.keys())
    with open_database(settings).reading() as connection:
        if area:
            known_area(load_taxonomy(settings.taxonomy), connection, area)
        number = write(file, columns, view_rows(connection, view, area=area, first=first, last=last))
    if str(file) != "-":
        show.say(f"{number} row{'s' * (number != 1)} of {view} {'are' if number != 1 else 'is'} in {file}.")


def time_span(since: str | None, until: str | None, *, today: date) -> tuple[date | None, date | None]:
    """First and last day, None where it is open. Raises InputError where the one lies after the other."""
    first, last = (day_of(text, today=today) if text else None for text in (since, until))
    if first and first > (last or today):
        raise InputError(f"--since {first} lies after {'--until ' + str(last) if last else 'today'}; nothing can be found between them")
    return first, last


@contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """A temporary file beside `file` that takes its place when all is written."""
    partial = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        yield partial
        partial.replace(file)
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)


def _text(write: Callable[[IO[str], list[str], Rows], int]) -> Callable[[Path, list[str], Rows], int]:
    def into(file: Path, columns: list[str], rows: Rows) -> int:
        if str(file) == "-":
            return write(sys.stdout, columns, rows)
        with _whole(file) as partial, partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            return write(stream, columns, rows)

    return into


@_text
def write_csv(stream: IO[str], columns: list[str], rows: Rows) -> int:
    """A header and a line a row; a cell that a spreadsheet would run as a formula gets an apostrophe in front. Returns the rows."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    number = 0
    for row in rows:
        writer.writerow([harmless(_plain(row[name], as_text=True)) for name in columns])
        number += 1
    return number


@_text
def write_json(stream: IO[str], columns: list[str], rows: Rows) -> int:
    """One array of objects, a line each. Returns the rows."""
    number = 0
    stream.write("[")
    for row in rows:
        stream.write(",\n" if number else "\n")
        stream.write(json_format.dumps({name: _plain(row[name]) for name in columns}, ensure_ascii=False))
        number += 1
    stream.write("\n]\n" if number else "]\n")
    return number


def _plain(value: Any, *, as_text: bool = False) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return json_format.dumps(value, ensure_ascii=False) if as_text and isinstance(value, list) else value


def write_parquet(file: Path, columns: list[str], rows: Rows) -> int:
    """Row groups of 5,000; mentions are JSON text. Returns the rows. Raises InputError where pyarrow is not installed."""
    try:
        import pyarrow  # type: ignore[import-untyped, import-not-found, unused-ignore]
        from pyarrow import parquet  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise InputError("--parquet needs pyarrow: pip install 'areawatch[parquet]'") from None
    kinds = {
        **dict.fromkeys(("articles", "stories", "articles_seen", "sources_due", "sources_read", "entries", "failed"), pyarrow.int64()),
        **dict.fromkeys(("story", "article_id", "paragraph_id", "position"), pyarrow.int64()),
        **dict.fromkeys(("reports",), pyarrow.int64()),
        **dict.fromkeys(("share", "coverage", "probability", "similarity"), pyarrow.float64()),
        **dict.fromkeys(("expected", "surprise", "ratio", "low", "high"), pyarrow.float64()),
        **dict.fromkeys(("poor", "active"), pyarrow.bool_()),
        **dict.fromkeys(("published_at", "first_seen_at", "last_success_at", "last_entry_at"), pyarrow.timestamp("us", tz="UTC")),
        "day": pyarrow.date32(),
    }
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in columns])
    number = 0
    with _whole(file) as partial, parquet.ParquetWriter(partial, schema) as writer:
        while group := list(islice(rows, AT_ONCE)):
            number += len(group)
            writer.write_table(pyarrow.Table.from_pylist([_storable(row) for row in group], schema=schema))
    return number


def _storable(row: dict[str, Any]) -> dict[str, Any]:
    texts = {name: _plain(value, as_text=True) for name, value in row.items() if isinstance(value, (str, list))}
    return row | {name: text.encode("utf-8", "replace").decode() for name, text in texts.items()}


def register(app: typer.Typer) -> None:
    app.command("export")(export)
