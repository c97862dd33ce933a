"""`monitor db`: the database itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from monitor import app as composition
from monitor.cli import show
from monitor.cli.look import open_database
from monitor.pipeline.prune import prune
from monitor.settings import load_settings
from monitor.store import retention
from monitor.store.database import upgrade

app = typer.Typer(help="The database: upgrade it, see what takes up room, drop what is old.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="for scripts")]


@app.command("upgrade")
def upgrade_command() -> None:
    """Creates the tables, or brings them to this version's schema. Safe to repeat."""
    settings = load_settings()
    before, after = upgrade(settings.database_url.get_secret_value(), home=settings.home)
    show.say(f"The database is at {after} already." if before == after else f"The database went from {before or 'nothing'} to {after}.")


@app.command("size")
def size_command(json: Json = False) -> None:
    """Shows the bytes of each table, and how many that is an article."""
    with open_database(load_settings()).reading() as connection:
        found, measured = retention.sizes(connection)
    articles = next(table.rows for table in found if table.table == "articles")
    rows = [{**asdict(table), "bytes_an_article": round(table.size / articles) if articles else None} for table in found]
    if json:
        show.as_json({"measured": measured, "articles": articles, "size": sum(table.size for table in found), "tables": rows})
        return
    columns = ("table", "rows", "size", "bytes_an_article")
    title = f"{sum(table.size for table in found):,} bytes for {articles:,} articles"
    shown = [[row["table"], *("" if row[c] is None else f"{row[c]:,}" for c in columns[1:])] for row in rows]
    show.table(title, columns, shown, numbers=columns[1:])
    if not measured:
        show.say("Sums of lengths, without indexes: this SQLite was compiled without dbstat.")


@app.command("prune")
def prune_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say how much would go; drop nothing")] = False, json: Json = False
) -> None:
    """Drops texts and vectors older than `retention` says; keeps hits, the paragraphs they quote, counts and entries."""
    settings = load_settings()
    done = prune(composition.build(settings), dry_run=dry_run)
    if json:
        show.as_json(dict(done))
        return
    show.say(f"{done['texts']} texts and {done['vectors']} vectors {'would be' if dry_run else 'were'} dropped.")
    kept = settings.retention
    if kept.texts_days is None and kept.vectors_days is None:
        show.say("Nothing is set to be dropped: `texts_days` and `vectors_days` under [retention] in areawatch.toml.")
