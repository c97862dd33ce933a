"""What a subscription would have brought over the last weeks: asked before anyone subscribes to noise. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from monitor.alerts import digest as digests
from monitor.alerts import rules, schedule
from monitor.alerts.digest import Digest
from monitor.alerts.rules import Chosen
from monitor.alerts.subscriptions import Subscription, Words
from monitor.pipeline.alert import digest_for, gather, said_besides, wanted
from monitor.pipeline.parts import Parts
from monitor.store import hits, news, recipients

DAYS = 30
NOON = time(12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Preview:
    """`turns`: each message that would have been sent, with its number of stories, oldest first."""

    days: int
    digest: Digest
    turns: tuple[tuple[date, int], ...]

    @property
    def stories_a_week(self) -> float:
        return sum(stories for _, stories in self.turns) / self.days * 7

    @property
    def messages_a_week(self) -> float:
        return len(self.turns) / self.days * 7


def preview(parts: Parts, wish: Subscription, *, days: int = DAYS) -> Preview:
    """What would have been sent in the last `days`, as if each article had been read on its day and no limit held.

    Stories count for the day of their first article that fits, so that a source added yesterday shows its usual rate.
    """
    now = parts.clock()
    since = now - timedelta(days=days)
    chosen, evidence = _fitting(parts, wish, since)
    turns: Counter[date] = Counter()
    for story in chosen:
        turns[schedule.next_occasion(wish.schedule, wish.zone, story.lead.first_seen_at).date()] += 1
    names = {area.id: area.name() for area in parts.taxonomy.areas}
    shown = digests.build(wish, sorted(chosen, key=lambda c: c.lead.day, reverse=True), evidence, names, since=since, now=now)
    return Preview(days, shown, tuple(sorted(turns.items())))


def _fitting(parts: Parts, wish: Subscription, since: datetime) -> tuple[tuple[Chosen, ...], digests.Evidences]:
    with parts.database.reading() as connection:
        matcher = hits.live_matcher(connection)
        if matcher is None:
            return (), {}
        stories = news.new_stories(connection, matcher, after=0, first_day=since.date())
        found = (replace(s, first_seen_at=datetime.combine(s.day, NOON)) for s in news.sightings(connection, matcher, stories))
        chosen = rules.choose(wish, rules.by_story(found), wish.area_ids(parts.taxonomy), after=0, since=since)
        articles = [c.lead.article for c in chosen]
        if wish.words != Words():
            texts = news.texts(connection, articles)
            chosen = tuple(c for c in chosen if rules.words_allow(wish.words, texts.get(c.lead.article, c.lead.title)))
        return chosen, news.evidence(connection, matcher, articles)


def digests_now(parts: Parts, wishes: Sequence[Subscription]) -> dict[str, Digest | None]:
    """What readers would be told at this moment, whoever's turn it is, by name; None when there is nothing."""
    now = parts.clock()
    with parts.database.reading() as connection:
        known = recipients.all_recipients(connection)
        mine = {w.name: known.get(w.name) or recipients.newcomer(connection, wanted(w), now=now) for w in wishes}
    found = gather(parts, min((r.considered for r in mine.values()), default=0), now)
    if found is None:
        return dict.fromkeys(mine)
    extras = cache(lambda: said_besides(parts, found))
    return {w.name: digest_for(parts, w, mine[w.name], found, extras) for w in wishes}
