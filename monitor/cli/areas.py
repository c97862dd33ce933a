"""`monitor areas`: the taxonomy, for those who own it."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from monitor.cli import show
from monitor.errors import InputError, TaxonomyError
from monitor.settings import load_settings
from monitor.taxonomy import ID, check_taxonomy, load_taxonomy, shipped_folder, template

app = typer.Typer(help="The taxonomy: show it, check it, add to it.", invoke_without_command=True)


@app.callback()
def areas(context: typer.Context, json: Annotated[bool, typer.Option("--json", help="for scripts")] = False) -> None:
    """Shows the areas with the number of their aliases, exemplars and links."""
    if context.invoked_subcommand:
        return
    taxonomy = load_taxonomy(load_settings().taxonomy)
    if json:
        show.as_json(taxonomy.body()["areas"])
        return
    rows = [
        (a.id, a.facet, a.names["en"], len(list(a.strong())), sum(map(len, a.exemplars.values())), len(a.links)) for a in taxonomy.areas
    ]
    columns = ("area", "facet", "name", "aliases", "exemplars", "links")
    show.table(f"{len(rows)} areas of {taxonomy.folder}", columns, rows, numbers=columns[3:])


@app.command("check")
def check(json: Annotated[bool, typer.Option("--json", help="for scripts")] = False) -> None:
    """Finds what is wrong in the taxonomy, with file and line. Exit status 1 if anything is."""
    _, problems = check_taxonomy(load_settings().taxonomy or shipped_folder())
    if json:
        show.as_json([{"file": str(p.file), "line": p.line, "message": p.message} for p in problems])
    for problem in () if json else problems:
        show.say(str(problem))
    if problems:
        raise TaxonomyError(f"{len(problems)} problem{'s' * (len(problems) > 1)} in the taxonomy, named above")
    if not json:
        show.say("The taxonomy is sound.")


@app.command("new")
def new(area: Annotated[str, typer.Argument(help="id of the area, such as solid-state-batteries")]) -> None:
    """Writes a commented area file to fill in."""
    if not re.fullmatch(ID, area) or len(area) > 64:
        raise InputError(f"{area!r} is no id: use small letters, digits and single hyphens, such as solid-state-batteries")
    file = (load_settings().taxonomy or shipped_folder()) / "areas" / f"{area}.yaml"
    if file.exists():
        raise InputError(f"{file} is there already; choose another id or edit it")
    try:
        file.write_text(template(area), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}") from None
    show.say(f"{file} is written: fill it in, then run `monitor areas check`.")
