"""`monitor digest`, `subscriptions`, `outbox`: who is told what, and what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from monitor import app as composition
from monitor.alerts.channels import open_channels
from monitor.alerts.digest import Digest, Line, messages
from monitor.alerts.subscriptions import Subscription, add_subscription, check_subscriptions
from monitor.alerts.unsubscribe import UnsubscribeServer
from monitor.alerts.wording import words_of
from monitor.cli import show
from monitor.cli.look import open_database
from monitor.errors import InputError, MonitorError
from monitor.pipeline.alert import alert, open_templates, read_wishes, send_queued, sender_of, sync, tell_due, tell_operator
from monitor.pipeline.parts import Parts
from monitor.pipeline.preview import Preview, digests_now, preview
from monitor.settings import load_settings
from monitor.store import outbox as stored_outbox
from monitor.store import recipients, sources
from monitor.store.outbox import STATES, Queued
from monitor.taxonomy import load_taxonomy

subscriptions = typer.Typer(help="Who is told what: add, list, check, preview, pause, resume, serve.", no_args_is_help=True)
outbox = typer.Typer(help="Messages and what became of them: list, retry, drop.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="for scripts")]
Name = Annotated[str, typer.Argument(help="a subscription's name, as `monitor subscriptions list` shows it")]


def digest(
    name: Annotated[str | None, typer.Argument(help="one subscription, whoever's turn it is; default: all whose turn it is")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show the message, tell nobody")] = False,
    json: Json = False,
) -> None:
    """Tells what is new since each reader was last told, or shows what would be told."""
    parts = composition.build(load_settings())
    if dry_run:
        _show_digests(parts, [_wish(parts, name)] if name else list(read_wishes(parts).values()), json=json)
        return
    done = _tell(parts, name) if name else _tell_all(parts)
    if json:
        show.as_json(dict(done))
    else:
        show.say(f"{done['stories']} stories told in {done['queued']} messages; {done['sent']} sent, {done['failed']} failed.")


def _tell_all(parts: Parts) -> Counter[str]:
    """As often as cron calls it: those whose hour has come, and the operator when something is wrong."""
    try:
        done = alert(parts)
    except MonitorError as error:
        tell_operator(parts, error=str(error))
        raise
    tell_operator(parts)
    return done


def _tell(parts: Parts, name: str) -> Counter[str]:
    _wish(parts, name)
    done = tell_due(parts, read_wishes(parts), open_templates(parts), sender_of(parts), only=name)
    with open_channels(parts.settings) as send:
        done.update(send_queued(parts, send))
    return done


def _wish(parts: Parts, name: str) -> Subscription:
    wishes = read_wishes(parts)
    if name not in wishes:
        known = f"; there are {', '.join(sorted(wishes))}" if wishes else ""
        raise InputError(f"there is no subscription {name!r} in {parts.settings.path(parts.settings.subscriptions)}{known}")
    return wishes[name]


def _show_digests(parts: Parts, wishes: list[Subscription], *, json: bool) -> None:
    templates, sender = open_templates(parts), sender_of(parts)
    found = digests_now(parts, wishes)
    if json:
        show.as_json([as_mapping(digest) for digest in found.values() if digest])
        return
    for name, digest in found.items():
        if digest is None:
            show.say(f"{name}: nothing new.")
            continue
        for message in messages(digest, templates, sender, "TOKEN"):
            show.say(f"To: {message.recipient} <{message.address}>\nSubject: {message.subject}\n\n{message.text}")


def as_mapping(digest: Digest) -> dict[str, Any]:
    """A digest for scripts: all its stories, those beyond the reader's limit included."""
    lines = (*digest.lines, *digest.rest)
    said = digest.extras
    return {
        "recipient": digest.wish.name, "since": digest.since, "at": digest.at, "stories": [_story(line) for line in lines],
        "bursts": [asdict(burst) for burst in said.bursts], "first_mentions": [asdict(first) for first in said.firsts],
        "notes": said.notes,
    }  # fmt: skip


def _story(line: Line) -> dict[str, Any]:
    told = line.told
    return {
        "story": told.story, "areas": line.areas, "day": told.day, "title": told.title, "url": told.url, "source": told.source,
        "also_in": told.also_in, "language": told.language, "quote": told.quote, "words": words_of(told.quote, told.mentions),
        "probability": told.probability, "exemplar": told.exemplar,
    }  # fmt: skip


@subscriptions.command("add")
def add(
    name: Annotated[str, typer.Argument(help="who it is for")],
    email: Annotated[list[str] | None, typer.Option(help="an e-mail address; may be repeated")] = None,
    apprise: Annotated[list[str] | None, typer.Option(help="env:NAME or file:PATH of an Apprise URL; may be repeated")] = None,
    area: Annotated[list[str] | None, typer.Option(help="an area; may be repeated; default: all")] = None,
    when: Annotated[str, typer.Option(help="at once; daily at 07:00; weekly on monday at 07:00")] = "daily at 07:00",
    zone: Annotated[str, typer.Option(help="time zone of that hour, such as Europe/Berlin")] = "UTC",
) -> None:
    """Adds a subscription to the file; languages, sources, words and limits can be written there."""
    settings = load_settings()
    channels = [{"email": address} for address in email or ()] + [{"apprise": reference} for reference in apprise or ()]
    wish = {"name": name, "areas": area or "all", "when": when, "zone": zone, "channels": channels}
    try:
        subscription = Subscription.model_validate(wish)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        raise InputError(f"{' '.join(str(part) for part in wrong['loc'])}: {wrong['msg'].removeprefix('Value error, ')}") from None
    file = settings.path(settings.subscriptions)
    add_subscription(file, subscription, load_taxonomy(settings.taxonomy))
    show.say(f"{name} is added to {file}. `monitor subscriptions preview {name}` shows what it brings.")


@subscriptions.command("list")
def list_subscriptions(json: Json = False) -> None:
    """Shows the subscriptions, who is paused and when each was last told."""
    parts = composition.build(load_settings())
    wishes = read_wishes(parts)
    with parts.database.reading() as connection:
        known = recipients.all_recipients(connection)
    rows = [_row(wish, known.get(name)) for name, wish in wishes.items()]
    if json:
        show.as_json(rows)
        return
    columns = ("name", "areas", "when", "zone", "channels", "last_turn_at", "paused")
    show.table(f"{len(rows)} subscriptions", columns, [[_cell(row[column]) for column in columns] for row in rows])


def _row(wish: Subscription, known: recipients.Recipient | None) -> dict[str, Any]:
    channels = [f"{channel.kind} {channel.address}" for channel in wish.channels]
    turn_at, paused = (known.turn_at, known.paused_why) if known else (None, None)
    return {**wish.model_dump(mode="json"), "channels": channels, "last_turn_at": turn_at, "paused": paused}


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return ", ".join(value) if isinstance(value, (list, tuple)) else str(value or "")


@subscriptions.command("check")
def check(json: Json = False) -> None:
    """Says what is wrong with the file, all of it, with its lines. Status 1 if anything is."""
    parts = composition.build(load_settings())
    file = parts.settings.path(parts.settings.subscriptions)
    found, problems = check_subscriptions(_text(file), file, parts.taxonomy)
    open_templates(parts)
    sender_of(parts)
    with parts.database.reading() as connection:
        known = {name for s in sources.active_sources(connection) for name in (s.source.title, s.source.url)}
    hints = [f"{w.name}: no source is called {s!r} now" for w in found for s in w.sources if s not in known]
    if json:
        wrong = [{"file": str(p.file), "line": p.line, "message": p.message} for p in problems]
        show.as_json({"subscriptions": len(found), "problems": wrong, "hints": hints})
    else:
        for line in (*map(str, problems), *hints):
            show.say(line)
    if problems:
        raise InputError(f"{file}: {len(problems)} thing{'s' * (len(problems) > 1)} to mend; nobody is told anything until then")
    if not json:
        show.say(f"{file}: {len(found)} subscriptions, all of them good.")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {error}; `monitor subscriptions add` writes one") from None


@subscriptions.command("preview")
def preview_command(name: Name, days: Annotated[int, typer.Option(help="days back", min=1, max=366)] = 30, json: Json = False) -> None:
    """Shows what would have been sent over the last 30 days, and how much that is a week."""
    parts = composition.build(load_settings())
    found = preview(parts, _wish(parts, name), days=days)
    if json:
        rates = {"days": found.days, "stories_a_week": found.stories_a_week, "messages_a_week": found.messages_a_week}
        show.as_json({**rates, "messages": [{"day": d, "stories": n} for d, n in found.turns], **as_mapping(found.digest)})
    else:
        _print_preview(found)


def _print_preview(found: Preview) -> None:
    lines = (*found.digest.lines, *found.digest.rest)
    rows = [(x.told.day, ", ".join(x.areas), f"{x.told.probability:.2f}", x.told.source, x.told.title) for x in lines]
    show.table(f"The last {found.days} days", ("day", "areas", "probability", "source", "headline"), rows, numbers=("probability",))
    show.say(
        f"{len(lines)} stories in {len(found.turns)} messages over {found.days} days: "
        f"about {found.stories_a_week:.1f} stories in {found.messages_a_week:.1f} messages a week."
    )


@subscriptions.command("pause")
def pause(name: Name) -> None:
    """Stops a reader's messages until `resume`."""
    parts = composition.build(load_settings())
    _wish(parts, name)
    sync(parts, read_wishes(parts))
    with parts.database.writing() as connection:
        done = recipients.pause(connection, name, recipients.BY_HAND, now=parts.clock())
    show.say(f"{name} gets nothing until `monitor subscriptions resume {name}`." if done else f"{name} is paused already.")


@subscriptions.command("resume")
def resume(name: Name) -> None:
    """Ends a pause; the next message reaches back two weeks at most."""
    with open_database(load_settings()).writing() as connection:
        done = recipients.resume(connection, name)
    show.say(f"{name} is told again." if done else f"{name} is not paused.")


@subscriptions.command("serve")
def serve(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on")] = 8090,
) -> None:
    """Answers the unsubscribe links of messages, in the foreground. Put it behind the web server of `mail.base_url`."""
    database = open_database(load_settings())

    def stop(token: str) -> bool:
        with database.writing() as connection:
            return recipients.pause_by_token(connection, token, "unsubscribed by the link in a message", now=datetime.now(UTC))

    try:
        server = UnsubscribeServer(host, port, stop)
    except OSError as error:
        raise InputError(f"{host}:{port}: cannot be listened on: {error.strerror}; choose another with --port") from None
    with server:
        show.say(f"Unsubscribe links are answered at http://{host}:{server.server_port}/unsubscribe/…")
        server.serve_forever()


@outbox.command("list")
def list_outbox(
    state: Annotated[str | None, typer.Option(help="queued, sent, refused or dropped")] = None,
    limit: Annotated[int, typer.Option(help="at most so many, newest first; 0: all")] = 20,
    json: Json = False,
) -> None:
    """Shows messages and what became of them."""
    if state is not None and state not in STATES:
        raise InputError(f"--state {state!r}: choose {', '.join(STATES)}")
    with open_database(load_settings()).reading() as connection:
        found = stored_outbox.list_messages(connection, state=state, limit=limit or None)
    rows = [_message_row(queued) for queued in found]
    if json:
        show.as_json(rows)
        return
    columns = ("key", "address", "subject", "state", "attempts", "queued_at", "last_error")
    show.table(f"{len(rows)} messages", columns, [[_cell(row[column]) for column in columns] for row in rows], numbers=("attempts",))


def _message_row(queued: Queued) -> dict[str, Any]:
    m, q = queued.message, queued
    return {
        "key": m.key, "recipient": m.recipient, "channel": m.channel, "address": m.address, "subject": m.subject, "state": q.state,
        "attempts": q.attempts, "queued_at": q.queued_at, "retry_at": q.retry_at, "sent_at": q.sent_at, "last_error": q.last_error,
    }  # fmt: skip


@outbox.command("retry")
def retry(key: Annotated[str | None, typer.Argument(help="one message's key; default: all that wait or were refused")] = None) -> None:
    """Tries messages again, now."""
    parts = composition.build(load_settings())
    with parts.database.writing() as connection:
        number = stored_outbox.retry(connection, key)
    if key is not None and not number:
        raise InputError(f"no message {key!r} waits or was refused; `monitor outbox list` shows all")
    with open_channels(parts.settings) as send:
        done = send_queued(parts, send)
    with parts.database.reading() as connection:
        held = stored_outbox.standing(connection, parts.clock())["held"]
    waiting = f" {held} wait for a paused reader: `monitor subscriptions resume NAME`." if held else ""
    show.say(f"{number} messages tried: {done['sent']} sent, {done['failed']} failed.{waiting}")


@outbox.command("drop")
def drop(key: Annotated[str, typer.Argument(help="the message's key")]) -> None:
    """Takes a message out of the queue for good; its stories count as told."""
    with open_database(load_settings()).writing() as connection:
        if not stored_outbox.drop(connection, key):
            raise InputError(f"no message {key!r} waits or was refused; `monitor outbox list` shows all")
    show.say(f"{key} will not be sent.")


def register(app: typer.Typer) -> None:
    app.command("digest")(digest)
