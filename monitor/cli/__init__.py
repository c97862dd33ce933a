"""The command `monitor`. Each command is a few lines: settings → parts → one call → shown.

Tables and progress bars on a terminal, `--json` for scripts; exit status 0 only if the job was done; errors on standard error, one line,
with the cure.
"""

from __future__ import annotations

import logging
import sys

import typer

from monitor.cli import areas, database, demo, export, fit, look, match, pages, rematch, run, sources, status, tell
from monitor.errors import MonitorError

app = typer.Typer(
    name="monitor",
    help="Reads news feeds, finds the paragraphs that mention the technology areas you watch, and says why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (demo, run, look, status, pages, export, match, fit, rematch, tell):
    module.register(app)
app.add_typer(sources.app, name="sources")
app.add_typer(areas.app, name="areas")
app.add_typer(database.app, name="db")
app.add_typer(tell.subscriptions, name="subscriptions")
app.add_typer(tell.outbox, name="outbox")


def main() -> None:
    """Entry of the command: our own errors are one line on standard error and exit status 1."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except MonitorError as error:
        print(f"monitor: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("monitor: stopped; run again to go on where it was", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        raise SystemExit(0) from None
