"""`monitor hits`, `trends`, `status`: what is stored, for people and for scripts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer

from monitor.cli import show
from monitor.domain import Mention
from monitor.errors import InputError
from monitor.pipeline.areas import known_area
from monitor.settings import Settings, load_settings
from monitor.store import look
from monitor.store.database import Database, check_revision
from monitor.taxonomy import load_taxonomy

Area = Annotated[str | None, typer.Option("--area", help="one area's id")]
Since = Annotated[str | None, typer.Option("--since", help="first day, such as 2026-11-01; or 30d, 8w")]
Json = Annotated[bool, typer.Option("--json", help="for scripts")]


def day_of(text: str, *, today: date) -> date:
    """`2026-11-01`, or so many days (30d) or weeks (8w) back. Raises InputError."""
    try:
        if text[-1:] in {"d", "w"}:
            return today - timedelta(days=int(text[:-1]) * (7 if text.endswith("w") else 1))
        return date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise InputError(f"{text!r} is no day: write 2026-11-01, 30d or 8w") from None


def open_database(settings: Settings) -> Database:
    """The database, checked to be there and upgraded."""
    database = Database(settings.database_url.get_secret_value(), home=settings.home)
    check_revision(database)
    return database


def hits(
    area: Area = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(help="at most so many, newest first; 0: all")] = 20,
    json: Json = False,
) -> None:
    """The newest mentions, each with its quoted evidence."""
    settings = load_settings()
    today = datetime.now(UTC).date()
    first = day_of(since, today=today) if since else None
    with open_database(settings).reading() as connection:
        if area:
            known_area(load_taxonomy(settings.taxonomy), connection, area)
        found = look.mentions(connection, area=area, since=first, limit=(None if json and limit == 20 else limit or None))
        total = look.mention_count(connection, area=area, since=first)
    if json:
        show.as_json(found)
        return
    print_mentions(found)
    if total > len(found):
        show.say(f"{total - len(found)} older ones are not shown: --limit 0 shows all.")


def print_mentions(found: list[dict[str, Any]]) -> None:
    """A block a mention: area, day, source, headline; the quote with its words marked; the address."""
    for row in found:
        mentions = [Mention(*m) for m in row["mentions"]]
        show.console.print(f"[bold]{row['area']}[/bold]  {row['day']}  ", end="")
        show.say(show.printable(f"{row['source']}: {row['title']}"))
        show.console.print("  ", show.marked(row["quote"], mentions, width=220), soft_wrap=True)
        show.say(f"   {row['probability']:.2f}  {row['url']}")


def trends(
    area: Area = None,
    since: Since = None,
    by: Annotated[str, typer.Option("--by", help="day, week or month")] = "day",
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="for spreadsheets")] = False,
) -> None:
    """Articles and stories of each area over time, with articles seen as the denominator."""
    settings = load_settings()
    if by not in look.PERIODS:
        raise InputError(f"--by {by!r}: choose day, week or month")
    today = datetime.now(UTC).date()
    first = day_of(since, today=today) if since else today - timedelta(days=27)
    if first > today:
        raise InputError(f"--since {first} lies in the future")
    taxonomy = load_taxonomy(settings.taxonomy)
    with open_database(settings).reading() as connection:
        if area:
            known_area(taxonomy, connection, area)
        rows = look.trends(connection, since=first, area=area, by=by)
    if json:
        show.as_json(rows)
    elif csv:
        show.as_csv(rows)
    else:
        print_trends(rows, by, taxonomy.policies)


def print_trends(rows: list[dict[str, Any]], by: str, policies: Collection[str]) -> None:
    """A line an area: articles, stories, share and a sparkline of the periods; policies apart."""
    areas: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        areas.setdefault(row["area"], []).append(row)
    lines = []
    for key, series in areas.items():
        articles, seen = sum(r["articles"] for r in series), sum(r["articles_seen"] for r in series)
        share = f"{articles / seen:.1%}" if seen else "-"
        lines.append((key, articles, sum(r["stories"] for r in series), share, show.sparkline([r["articles"] for r in series])))
    period = f"{rows[0]['period']} to {rows[-1]['period']}" if rows else "no counts yet; run `monitor run`"
    lines.sort(key=lambda line: -line[1])
    show.table(
        f"Articles by {by}, {period}",
        ("area", "articles", "stories", "share", "trend"),
        show.by_facet(lines, policies),
        numbers=("articles", "stories", "share"),
    )


def register(app: typer.Typer) -> None:
    app.command("hits")(hits)
    app.command("trends")(trends)
