"""`monitor db`: the database itself."""

from __future__ import annotations

import typer

from monitor.cli import show
from monitor.settings import load_settings
from monitor.store.database import upgrade

app = typer.Typer(help="The database: upgrade it.", no_args_is_help=True)


@app.command("upgrade")
def upgrade_command() -> None:
    """Creates the tables, or brings them to this version's schema. Safe to repeat."""
    settings = load_settings()
    before, after = upgrade(settings.database_url.get_secret_value(), home=settings.home)
    show.say(
        f"The database is at {after} already." if before == after else f"The database went from {before or 'nothing'} to {after}."
    )
