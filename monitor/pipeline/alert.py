"""New stories → messages → sent; and what the operator is told."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import Connection

from monitor.alerts import digest as digests
from monitor.alerts import operator, rules, schedule
from monitor.alerts.channels import Send, open_channels
from monitor.alerts.digest import NO_EXTRAS, Digest, Extras, FirstMention, Sender, Week
from monitor.alerts.mail import Unavailable, parse_sender
from monitor.alerts.rendering import Templates
from monitor.alerts.rules import Chosen, Sighting
from monitor.alerts.sample import check_templates
from monitor.alerts.subscriptions import OPERATOR, Subscription, Words, load_subscriptions
from monitor.domain import Burst, Hit, Message
from monitor.errors import DeliveryError, MonitorError
from monitor.pipeline.parts import Parts
from monitor.pipeline.trends import WEEK as TERMS_OF
from monitor.pipeline.trends import fresh, moves
from monitor.store import counts, hits, news, outbox, recipients, runs, sources
from monitor.store.recipients import Recipient, Wanted
from monitor.trends import MIN_HISTORY_DAYS

log = logging.getLogger(__name__)

# So many failures of a way out in a row, for whatever recipients, and it is left alone until the next run.
FAILURES_IN_A_ROW = 3
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class News:
    """What may be told at `now`: the stories by their id, and the id of the article up to which all are matched.

    `evidence` is filled as stories are told, so that a story that a thousand readers share is looked up once.
    """

    now: datetime
    matcher: int
    stories: Mapping[int, Sequence[Sighting]]
    ready_up_to: int
    evidence: dict[tuple[int, str], tuple[str, Hit]] = field(default_factory=dict)


def alert(parts: Parts) -> Counter[str]:
    """Tells everyone whose turn it is what is new, and sends what is queued.

    Counters: due, stories, queued, sent, failed. Raises ConfigurationError, before anything is told, when the subscriptions, a template
    or the sender are wrong; a recipient that cannot be told is counted and logged, and the others are told.
    """
    templates = open_templates(parts)
    sender = sender_of(parts)
    wishes = read_wishes(parts)
    done: Counter[str] = Counter(due=0, stories=0, queued=0, sent=0, failed=0)
    done.update(tell_due(parts, wishes, templates, sender))
    with open_channels(parts.settings) as send:
        done.update(send_queued(parts, send))
    return done


def open_templates(parts: Parts) -> Templates:
    """Raises ConfigurationError when one cannot be used."""
    templates = Templates(parts.settings.path(Path("templates")))
    check_templates(templates)
    return templates


def sender_of(parts: Parts) -> Sender:
    return Sender(parse_sender(parts.settings.mail.sender).domain, parts.settings.mail.base_url)


def read_wishes(parts: Parts) -> dict[str, Subscription]:
    """The subscriptions of the file by name, none where there is no file."""
    file = parts.settings.path(parts.settings.subscriptions)
    return {wish.name: wish for wish in load_subscriptions(file, parts.taxonomy)} if file.exists() else {}


def sync(parts: Parts, wishes: Mapping[str, Subscription]) -> dict[str, Recipient]:
    """The recipients as the database has them after it followed the file."""
    with parts.database.writing() as connection:
        return recipients.sync_recipients(connection, [wanted(wish) for wish in wishes.values()], now=parts.clock())


def wanted(wish: Subscription) -> Wanted:
    """A subscription as the database keeps it."""
    return Wanted(wish.name, wish.model_dump(mode="json"), timedelta(days=wish.reach_back_days))


def tell_due(
    parts: Parts,
    wishes: Mapping[str, Subscription],
    templates: Templates,
    sender: Sender,
    *,
    only: str | None = None,
) -> Counter[str]:
    """Queues a message for everyone whose turn it is and who has news; or for `only`, whoever's turn it is.

    Counters: due, stories, queued, failed.
    """
    now = parts.clock()
    known = sync(parts, wishes)
    due = [r for r in known.values() if r.paused_at is None and (r.key == only if only else _is_due(wishes[r.key], r, now))]
    done: Counter[str] = Counter(due=len(due))
    found = gather(parts, min(r.considered for r in due), now) if due else None
    if found is None:
        return done
    extras = cache(lambda: said_besides(parts, found))
    silent: list[tuple[Recipient, int]] = []
    for recipient in due:
        digest = digest_for(parts, wishes[recipient.key], recipient, found, extras)
        if digest is None:
            silent.append((recipient, found.ready_up_to))
        else:
            done.update(_queue(parts, recipient, digest, templates, sender, found.ready_up_to))
    with parts.database.writing() as connection:
        recipients.take_turns(connection, silent, turn_at=now)
    return done


def _is_due(wish: Subscription, recipient: Recipient, now: datetime) -> bool:
    return schedule.is_due(wish.schedule, wish.zone, recipient.turn_at, now)


def gather(parts: Parts, after: int, now: datetime) -> News | None:
    """All that is new after the article of the id `after`; None when no matcher is live yet."""
    first_day = (now - 2 * rules.NEWS_FOR).date()
    with parts.database.reading() as connection:
        matcher = hits.live_matcher(connection)
        if matcher is None:
            return None
        # Articles of days before the window are never matched, and must not hold up the others.
        matched_from = max(first_day, (now - parts.settings.window).date())
        ready = news.ready_up_to(connection, matcher, after=after, first_day=matched_from)
        new = news.new_stories(connection, matcher, after=after, first_day=first_day)
        return News(now, matcher, rules.by_story(news.sightings(connection, matcher, new)), ready)


def digest_for(
    parts: Parts, wish: Subscription, recipient: Recipient, found: News, extras: Callable[[], Extras] = lambda: NO_EXTRAS
) -> Digest | None:
    """What this recipient would be told now; None when there is nothing and nothing is to be said of that.

    `extras` is asked only when there is a digest: most turns bring none.
    """
    areas = wish.area_ids(parts.taxonomy)
    reach = found.now - rules.NEWS_FOR
    chosen = rules.choose(wish, found.stories, areas, after=recipient.considered, since=reach)
    if not chosen and not wish.nothing_new:
        return None
    with parts.database.reading() as connection:
        told = recipients.told_stories(connection, recipient.key, [c.lead.story for c in chosen])
        chosen = tuple(c for c in chosen if c.lead.story not in told)
        if wish.words != Words():
            chosen = _with_words(wish, chosen, news.texts(connection, [c.lead.article for c in chosen]))
        if not chosen and not wish.nothing_new:
            return None
        missing = [c.lead.article for c in chosen if (c.lead.article, c.lead.area) not in found.evidence]
        if missing:
            found.evidence.update(news.evidence(connection, found.matcher, missing))
    is_first = recipient.turn_at == recipient.created_at
    begun = recipient.created_at - timedelta(days=wish.reach_back_days) if is_first else recipient.turn_at
    mine = extras().of(areas, max(begun, reach))
    if mine.signals:
        with parts.database.reading() as connection:
            mine = mine.without(recipients.told_signals(connection, recipient.key, mine.signals))
    if begun < reach:
        mine = replace(mine, notes=(*mine.notes, f"Stories first seen before {reach:%d %b %Y} are left out after the long pause."))
    names = {area.id: area.name() for area in parts.taxonomy.areas}
    return digests.build(wish, chosen, found.evidence, names, since=max(begun, reach), now=found.now, extras=mine)


def _with_words(wish: Subscription, chosen: Sequence[Chosen], texts: Mapping[int, str]) -> tuple[Chosen, ...]:
    return tuple(c for c in chosen if rules.words_allow(wish.words, texts.get(c.lead.article, c.lead.title)))


def _queue(parts: Parts, recipient: Recipient, digest: Digest, templates: Templates, sender: Sender, considered: int) -> dict[str, int]:
    try:
        messages = digests.messages(digest, templates, sender, recipient.token)
    except Exception as error:  # whatever is wrong with one reader's digest, the others get theirs; it is built again next time
        log.error("%s cannot be told: %s", recipient.key, error, exc_info=not isinstance(error, MonitorError))
        return {"failed": 1}
    with parts.database.writing() as connection:
        if not outbox.tell(
            connection, recipient, messages, digest.stories,
            signals=digest.extras.signals, key=digest.key, considered=considered, now=digest.at,
        ):  # fmt: skip
            return {}
    return {"queued": len(messages), "stories": len(digest.stories)}


def send_queued(parts: Parts, send: Send) -> Counter[str]:
    """Sends what waits in the outbox and is due. Counters: sent, failed. Several processes may do so at once."""
    done: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    while True:
        down = [channel for channel, number in failures.items() if number >= FAILURES_IN_A_ROW]
        with parts.database.writing() as connection:
            queued = outbox.claim(connection, now=parts.clock(), without=down)
        if queued is None:
            return done
        error = _send_one(parts, send, queued)
        done["failed" if error else "sent"] += 1
        if not isinstance(error, Unavailable):
            failures[queued.message.channel] = 0
        else:
            failures[queued.message.channel] += 1


def _send_one(parts: Parts, send: Send, queued: outbox.Queued) -> DeliveryError | None:
    try:
        send(queued.message)
    except DeliveryError as error:
        log.warning("%s: %s", queued.message.key, error)
        now = parts.clock()
        with parts.database.writing() as connection:
            if error.permanent:
                outbox.refuse(connection, queued, str(error), now=now)
            else:
                outbox.postpone(connection, queued, str(error), retry_at=schedule.retry_at(queued.attempts, now))
        return error
    with parts.database.writing() as connection:
        outbox.mark_sent(connection, queued, now=parts.clock())
    return None


def said_besides(parts: Parts, found: News) -> Extras:
    """What any reader's digest may say besides stories, worked out once for all of them."""
    today = found.now.date()
    with parts.database.reading() as connection:
        coverage = counts.load_coverage(connection, today - rules.NEWS_FOR, today)
        bursts, firsts = _rising(connection, parts, found)
    return Extras(bursts, firsts, operator.source_notes(source_facts(parts, found.now)), coverage, _week(parts, found))


def _rising(connection: Connection, parts: Parts, found: News) -> tuple[tuple[Burst, ...], tuple[FirstMention, ...]]:
    """Days that burst, and names never seen beside an area before; neither from days that were covered too poorly to compare."""
    today, areas = found.now.date(), parts.taxonomy.areas
    moved = moves(connection, found.matcher, today - rules.NEWS_FOR, today, today=today)
    bursts = tuple(burst for area in areas for burst in moved.bursts(area.id))
    # While the history is young, every name is new.
    if (today - TERMS_OF - moved.tally.days[0]).days < MIN_HISTORY_DAYS:
        return bursts, ()
    terms = fresh(connection, found.matcher, areas, today, poor=moved.poor)
    firsts = [
        FirstMention(area.id, t.term, t.stories, t.where.title, t.where.url, t.where.language)
        for area in areas
        for t in terms.get(area.id, ())
        if not t.before
    ]
    return bursts, tuple(firsts)


def _week(parts: Parts, found: News) -> tuple[Week, ...]:
    today = found.now.date()
    middle = today - WEEK
    with parts.database.reading() as connection:
        days = counts.load_counts(connection, found.matcher, middle - WEEK + timedelta(days=1), today)
    stories: Counter[tuple[str, bool]] = Counter()
    for day in days:
        stories[day.area, day.day > middle] += day.stories
    return tuple(Week(area.id, stories[area.id, True], stories[area.id, False]) for area in parts.taxonomy.areas)


def source_facts(parts: Parts, now: datetime) -> tuple[operator.SourceFact, ...]:
    """The sources that are polled, with their health in words."""
    with parts.database.reading() as connection:
        found = sources.source_health(connection)
    return tuple(
        operator.SourceFact(s.state.source.title or s.state.source.url, sources.health(s, now=now), s.entries, s.read)
        for s in found
        if s.active
    )


def tell_operator(parts: Parts, error: str | None = None) -> Counter[str]:
    """Tells the setting's `operator` what is wrong, once a day at most; `error` is why the run failed. Counters as of `alert`.

    Never raises: what cannot be told is logged, and without a database a failure is sent past the outbox.
    """
    if not parts.settings.operator:
        return Counter()
    now = parts.clock()
    try:
        facts = operator_facts(parts, now)
        with parts.database.writing() as connection:
            last = outbox.latest_to(connection, OPERATOR)
            message = operator.operator_message(
                operator.findings(facts, error, now=now), parts.settings.operator, zone=parts.settings.timezone, now=now,
                before=last.message if last else None, before_at=last.queued_at if last else None,
            )  # fmt: skip
            queued = int(message is not None and outbox.queue(connection, message, now=now))
        with open_channels(parts.settings) as send:
            return Counter(queued=queued) + send_queued(parts, send)
    except (MonitorError, OSError) as broken:
        log.error("the operator cannot be told by the outbox: %s", broken)
        return _tell_past_the_outbox(parts, error or str(broken), now)


def _tell_past_the_outbox(parts: Parts, error: str, now: datetime) -> Counter[str]:
    found = [operator.Finding("failed", f"The run failed: {error}")]
    message: Message | None = operator.operator_message(found, parts.settings.operator, zone=parts.settings.timezone, now=now)
    try:
        with open_channels(parts.settings) as send:
            if message is not None:
                send(message)
    except MonitorError as broken:
        log.error("the operator cannot be told: %s", broken)
        return Counter(failed=1)
    return Counter(sent=1)


def operator_facts(parts: Parts, now: datetime) -> operator.Facts:
    """What the operator's rules look at."""
    disk = shutil.disk_usage(parts.settings.home)
    with parts.database.reading() as connection:
        latest = runs.latest_runs(connection, limit=50)
        queue = outbox.standing(connection, now)
    good = next((run.finished_at for run in latest if run.state == "done"), None)
    first = latest[-1].started_at if latest else None
    return operator.Facts(source_facts(parts, now), queue, disk.free, disk.total, good, first)
