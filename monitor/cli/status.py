"""`monitor status`: how the whole stands, for people, for scripts and, with `--strict`, for any supervisor."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from monitor.alerts.operator import QUEUE_STANDS_AFTER, disk_trouble
from monitor.cli import show
from monitor.cli.look import open_database
from monitor.domain import Coverage, FailureKind
from monitor.errors import MonitorError
from monitor.settings import load_settings
from monitor.store import counts, outbox, runs, sources
from monitor.store.database import current_revision
from monitor.store.runs import Run
from monitor.store.sources import SourceHealth
from monitor.store.status import entry_states, live

# A nightly run that is two hours late is late.
RUN_WITHIN = timedelta(hours=26)
RUNS_SHOWN = 5
# A run that goes on writes many rows; so many are looked through for the last that ended well.
RUNS_LOOKED_AT = 50
SOURCES_SHOWN = 20
WEEK = timedelta(days=7)
BLOCKED = (FailureKind.BLOCKED.value, FailureKind.ROBOTS.value)


def status(
    json: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="exit status 1 when the last run failed or is too old, messages wait too long or the disk fills"),
    ] = False,
) -> None:
    """Says how the last runs went, which sources are ill, what was covered, what waits, and what is wrong."""
    found = standing(datetime.now(UTC))
    if json:
        show.as_json(found)
    else:
        _print(found)
    if strict and found["wrong"]:
        raise MonitorError("; ".join(found["wrong"]))


def standing(now: datetime) -> dict[str, Any]:
    """Everything that `monitor status --json` shows. `wrong` are sentences, empty when all that `--strict` looks at is well."""
    settings = load_settings()
    today = now.date()
    with open_database(settings).reading() as connection:
        latest = runs.latest_runs(connection, RUNS_LOOKED_AT)
        health = sources.source_health(connection)
        covered = counts.load_coverage(connection, today - WEEK + timedelta(days=1), today)
        waiting = entry_states(connection)
        queue = outbox.standing(connection, now)
        matcher = live(connection, since=today - settings.window)
        schema = current_revision(connection)
    disk = shutil.disk_usage(settings.home)
    filling = disk_trouble(disk.free, disk.total)
    return {
        "at": now,
        "wrong": wrong(latest, queue, filling, now=now),
        "runs": [_run(run) for run in latest[:RUNS_SHOWN]],
        "sources": ill(health, now=now),
        "coverage": {"today": _share([c for c in covered if c.day == today]), "week": _share(covered)},
        "entries": asdict(waiting),
        "outbox": queue,
        "matcher": matcher,
        "schema": schema,
        "disk": {"free": disk.free, "total": disk.total, "filling": filling is not None},
    }


def wrong(latest: Sequence[Run], queue: Mapping[str, Any], filling: str | None, *, now: datetime) -> list[str]:
    """What a supervisor should act on, a sentence each. `latest`: runs, the newest first; `queue` as `outbox.standing` gives it;
    `filling` as `disk_trouble` does."""
    said = []
    good = next((run.finished_at for run in latest if run.state == "done" and run.finished_at), None)
    if not latest:
        said.append("there was no run yet: `monitor run` makes one")
    elif latest[0].state == "failed":
        said.append(f"the last run failed: {latest[0].error}")
    elif now - (good or latest[-1].started_at) > RUN_WITHIN:
        said.append(f"no run has ended well since {good or latest[-1].started_at:%d %b %Y, %H:%M} UTC")
    oldest = queue["oldest_queued_seconds"]
    if oldest is not None and oldest > QUEUE_STANDS_AFTER.total_seconds():
        why = f": {queue['last_error']}" if queue["last_error"] else ""
        waits = "1 message waits" if queue["queued"] == 1 else f"{queue['queued']} messages wait"
        said.append(f"the queue stands: {waits}, the oldest for {oldest / 3600:.0f} hours{why}")
    if filling:
        said.append(f"the {filling}")
    return said


def ill(health: Sequence[SourceHealth], *, now: datetime) -> dict[str, Any]:
    """Active sources by what is wrong with them; each is named once, under the worst."""
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in ("blocked", "failing", "empty", "quiet", "moved", "warned")}
    active = [source for source in health if source.active]
    well = 0
    for source in active:
        said = sources.health(source, now=now)
        group = _group(source, said)
        if group is None:
            well += said == "ok"
            continue
        state = source.state
        what = f"moves to {state.moved_to}" if group == "moved" else said
        groups[group].append({"title": state.source.title or state.source.url, "url": state.source.url, "says": what})
    return {"active": len(active), "ok": well, **groups}


def _group(source: SourceHealth, said: str) -> str | None:
    state = source.state
    if state.failures:
        return "blocked" if (state.last_error or "").startswith(BLOCKED) else "failing"
    if said.startswith("came out empty"):
        return "empty"
    if said.startswith("quiet"):
        return "quiet"
    if state.moved_to:
        return "moved"
    return "warned" if state.warning else None


def _run(run: Run) -> dict[str, Any]:
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else None
    return {"state": run.state, "started_at": run.started_at, "seconds": seconds, "error": run.error, "summary": run.summary}


def _share(days: Sequence[Coverage]) -> dict[str, Any]:
    due, read = sum(c.due for c in days), sum(c.read for c in days)
    return {"due": due, "read": read, "share": read / due if due else None}


def _print(found: dict[str, Any]) -> None:
    rows = [(r["state"], f"{r['started_at']:%Y-%m-%d %H:%M}", _lasted(r["seconds"]), _did(r)) for r in found["runs"]]
    show.table("Last runs (UTC)", ("state", "started", "took", "did"), rows, numbers=("took",))
    troubled = found["sources"]
    show.say(f"\nsources     {troubled['active']} asked, {troubled['ok']} of them well")
    for name in ("blocked", "failing", "empty", "quiet", "moved", "warned"):
        _print_sources(name, troubled[name])
    covered = found["coverage"]
    show.say(f"coverage    today {_percent(covered['today'])}, seven days {_percent(covered['week'])} of the sources due")
    e = found["entries"]
    since = f" since {e['oldest_waiting_at']:%Y-%m-%d %H:%M}" if e["oldest_waiting_at"] else ""
    show.say(f"entries     {e['read']} read; {e['waiting']} wait{since}, {e['retried']} of them to try again")
    for name, what in (("empty", "no article"), ("failed", "given up")):
        if e[name]:
            show.say(f"            {what}: " + ", ".join(f"{number} {reason}" for reason, number in e[name].items()))
    q = found["outbox"]
    held = f", {q['held']} held for paused recipients" if q["held"] else ""
    show.say(f"outbox      {q['queued']} queued{held}, {q['refused']} refused" + (f"; {q['last_error']}" if q["last_error"] else ""))
    for paused in q["paused"]:
        show.say(f"            {paused['recipient']} is paused: {show.printable(paused['why'] or '')}")
    _print_foundations(found)
    for sentence in found["wrong"]:
        show.say(show.printable(f"WRONG       {sentence}"))


def _print_sources(name: str, group: list[dict[str, Any]]) -> None:
    for source in group[:SOURCES_SHOWN]:
        show.say(show.printable(f"  {name:<9} {source['title']}: {source['says']}"))
    if len(group) > SOURCES_SHOWN:
        show.say(f"  {name:<9} and {len(group) - SOURCES_SHOWN} more: `monitor sources list --health`")


def _print_foundations(found: dict[str, Any]) -> None:
    m, disk = found["matcher"], found["disk"]
    if m:
        line = f"{m['encoder']}, taxonomy {m['taxonomy'][:12]}, live since {m['live_since']:%Y-%m-%d %H:%M}"
        show.say(f"matcher     {line}; {m['unseen_paragraphs']} paragraphs to look at")
    else:
        show.say("matcher     none is live yet")
    filling = ": it is filling" if disk["filling"] else ""
    show.say(f"database    schema {found['schema']}; {disk['free'] / 1e9:.1f} of {disk['total'] / 1e9:.0f} GB of the disk free{filling}")


def _did(run: dict[str, Any]) -> str:
    if run["summary"] is None:
        return " ".join((run["error"] or "").split())[:200]
    s = run["summary"]
    return f"{s['entries'].get('read', 0)} read, {s['hits'].get('new', 0)} hits, {s['messages'].get('sent', 0)} sent"


def _lasted(seconds: float | None) -> str:
    return "" if seconds is None else str(timedelta(seconds=round(seconds)))


def _percent(covered: dict[str, Any]) -> str:
    return "-" if covered["share"] is None else f"{covered['share']:.0%} ({covered['read']} of {covered['due']})"


def register(app: typer.Typer) -> None:
    app.command("status")(status)
