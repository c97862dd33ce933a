"""A thousand readers, thirteen areas, ninety nights, crashes at random places and a new taxonomy in the middle.

What each reader must have been told is worked out a second time from the plan alone: by walking the clock in half hours and asking
which stories carried one of the reader's areas on the first night that was the reader's turn.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from alert_desk import Desk, stage, wish
from sqlalchemy import func, select, update

from monitor.alerts.subscriptions import Subscription
from monitor.domain import Message
from monitor.store import hits, outbox
from monitor.store.database import Database
from monitor.store.schema import alerted, articles
from tests import builders

READERS, NIGHTS, CHANGE = 1_000, 90, 45
STORIES = int(os.environ.get("SIMULATED_STORIES", "24"))  # at most 999; the time it takes grows with them
SEED = 20261123
TURNS = (
    ("at once", "UTC", None),
    ("daily at 07:00", "Europe/Berlin", None),
    ("daily at 20:30", "America/New_York", None),
    ("weekly on monday at 07:00", "Asia/Tokyo", (0, 7)),
    ("weekly on friday at 18:00", "America/New_York", (4, 18)),
    ("weekly on sunday at 02:00", "Europe/Berlin", (6, 2)),  # an hour that a clock change skips, and one that comes twice
)


class Crash(BaseException):
    """The power went."""


class Fuse:
    """Burns down with every step of the work and blows once."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.blown = 0

    def step(self) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            self.blown += 1
            raise Crash


class Crashing(Database):
    """May crash before a transaction, before its end and after it."""

    fuse: Fuse

    @contextmanager
    def writing(self) -> Iterator[Any]:
        self.fuse.step()
        with super().writing() as connection:
            yield connection
            self.fuse.step()
        self.fuse.step()


@dataclass
class Plan:
    """A story: its night, its areas to the first and to the second matcher; perhaps a late copy, or an edit that brings more areas."""

    number: int
    night: int
    areas: tuple[frozenset[str], frozenset[str]]
    copied_on: int | None = None
    edited_on: int | None = None
    more: frozenset[str] = frozenset()
    article: int = 0
    copy: int = 0

    def carries(self, night: int) -> frozenset[str]:
        """Its areas to the matcher that is live on `night`, in the version of that night."""
        if self.edited_on is not None and night >= self.edited_on:
            return self.more
        return self.areas[night >= CHANGE]


@dataclass
class World:
    desk: Desk
    wishes: dict[str, Subscription]
    weekly: dict[str, tuple[int, int] | None]
    plans: list[Plan]
    fuse: Fuse = field(default_factory=Fuse)
    taken: dict[str, Message] = field(default_factory=dict)
    repeats: int = 0

    def send(self, message: Message) -> None:
        self.fuse.step()
        self.repeats += message.key in self.taken
        assert self.taken.setdefault(message.key, message) == message
        self.fuse.step()


def make_world(desk: Desk, areas: list[str], chance: random.Random) -> World:
    wishes, weekly = {}, {}
    for number in range(READERS):
        name = f"reader{number}"
        when, zone, days = chance.choice(TURNS)
        mine = "all" if number % 200 == 0 else sorted(chance.sample(areas, chance.choice((1, 1, 2, 3))))
        # Most read in a chat, which is quicker to write than a mail; the way through the outbox is the same.
        channel = {"email": f"{name}@example.org"} if number % 5 == 0 else {"apprise": "env:NOWHERE"}
        wishes[name] = wish(name, areas=mine, when=when, zone=zone, channels=[channel], reach_back_days=0)
        weekly[name] = days
    plans = []
    for number in range(STORIES):
        night = chance.randrange(1, NIGHTS)
        first = frozenset(chance.sample(areas, chance.choice((0, 1, 1, 2))))
        second = first if chance.random() < 0.5 else frozenset(chance.sample(areas, chance.choice((0, 1, 2))))
        plan = Plan(number, night, (first, second))
        fate = chance.random()
        if fate < 0.2:
            plan.copied_on = night + chance.randrange(1, 7)
        elif fate < 0.4:
            plan.edited_on, plan.more = night + chance.randrange(1, 7), frozenset(areas)
        plans.append(plan)
    return World(desk, wishes, weekly, sorted(plans, key=lambda p: p.night))


def publish(world: World, night: int, matcher: int) -> None:
    """What the night's earlier stages would have stored."""
    desk = world.desk
    for plan in world.plans:
        if plan.night == night:
            plan.article = desk.story(title=f"Story-{plan.number:03} of the day", looked=False)
            desk.look(plan.article, *plan.areas[night >= CHANGE], matcher=matcher)
        elif plan.copied_on == night:
            plan.copy = desk.story(title=f"A late copy of Story-{plan.number:03}", story=plan.article, looked=False)
            desk.look(plan.copy, *plan.areas[night >= CHANGE], matcher=matcher)
        elif plan.edited_on == night:
            with desk.database.writing() as connection:
                text = builders.add_paragraphs(connection, [f"An edit of story {plan.number} names every area."])
                builders.link(connection, [(plan.article, text)], version=2)
                connection.execute(update(articles).where(articles.c.id == plan.article).values(version=2, changed_at=desk.now))
            desk.look(plan.article, *plan.more, version=2, matcher=matcher)


def change_matcher(world: World) -> int:
    """The new matcher looks at the whole history, then goes live."""
    desk, second = world.desk, world.desk.new_matcher()
    for plan in world.plans:
        if plan.night < CHANGE:
            edited = plan.edited_on is not None and plan.edited_on < CHANGE
            for article in filter(None, (plan.article, plan.copy)):
                desk.look(article, *(plan.more if edited else plan.areas[1]), matcher=second, version=2 if edited else 1)
    with desk.database.writing() as connection:
        hits.go_live(connection, second, now=desk.now)
    return second


def one_night(world: World, chance: random.Random) -> None:
    """Runs until it runs through; each crash costs twenty minutes."""
    templates, sender = stage.open_templates(world.desk.parts), stage.sender_of(world.desk.parts)
    while True:
        world.fuse.left = int(10 ** chance.uniform(0, 3)) if chance.random() < 0.7 else None
        try:
            stage.tell_due(world.desk.parts, world.wishes, templates, sender)
            stage.send_queued(world.desk.parts, world.send)
            world.fuse.left = None
            return
        except Crash:
            world.desk.later(minutes=20)


def turns_of(name: str, world: World, starts: list[datetime]) -> list[bool]:
    """On which nights it is this reader's turn. The first night only makes the reader known, but for «at once»."""
    if world.wishes[name].when == "at once":
        return [True] * NIGHTS
    if (weekly := world.weekly[name]) is None:
        return [False] + [True] * (NIGHTS - 1)
    zone, found = ZoneInfo(world.wishes[name].zone), [False]
    for before, start in pairwise(starts):
        local = ((before + timedelta(minutes=30 * n)).astimezone(zone) for n in range(1, 48))
        steps = [t for t in local if t < start]
        # An hour that is skipped is taken after the gap; one that comes twice, the first time.
        found.append(any(t.weekday() == weekly[0] and t.hour == weekly[1] and not t.fold for t in steps) or _skipped(steps, weekly))
    return found


def _skipped(steps: list[datetime], weekly: tuple[int, int]) -> bool:
    return any(a.weekday() == weekly[0] and a.hour < weekly[1] < b.hour and a.day == b.day for a, b in pairwise(steps))


def expected(world: World, starts: list[datetime]) -> dict[str, set[int]]:
    must: dict[str, set[int]] = {}
    known: dict[tuple[str, str], list[bool]] = {}
    for name, wished in world.wishes.items():
        key = (wished.when, wished.zone)
        turns = known[key] = known.get(key) or turns_of(name, world, starts)
        mine = None if wished.areas == "all" else set(wished.areas)
        for plan in world.plans:
            night = next((n for n in range(plan.night, NIGHTS) if turns[n]), None)
            carried = plan.carries(night) if night is not None else frozenset()
            if carried if mine is None else carried & mine:
                must.setdefault(name, set()).add(plan.number)
    return must


def test_no_story_is_told_twice_and_none_is_missed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(SEED)
    technologies = [area.id for area in desk.parts.taxonomy.areas if area.facet == "technology"]
    world = make_world(desk, technologies, chance)
    crashing = Crashing("sqlite:///monitor.db", home=desk.parts.settings.home)
    crashing.fuse = world.fuse
    desk.parts = replace(desk.parts, database=crashing)
    matcher, starts = desk.matcher, []
    for night in range(NIGHTS):
        starts.append(desk.now)
        matcher = change_matcher(world) if night == CHANGE else matcher
        publish(world, night, matcher)
        one_night(world, chance)
        desk.now = starts[-1] + timedelta(days=1)
    crashing.close()

    told: dict[str, Counter[int]] = {}
    for message in world.taken.values():
        told.setdefault(message.recipient, Counter()).update({int(n) for n in re.findall(r"Story-(\d{3})", message.text)})
    must = expected(world, starts)
    with desk.database.reading() as connection:
        recorded = connection.scalar(select(func.count()).select_from(select(alerted.c.recipient, alerted.c.story).distinct().subquery()))
        standing = outbox.standing(connection, desk.now)
    pairs = sum(len(stories) for stories in must.values())
    twice = sum(number - 1 for stories in told.values() for number in stories.values())
    missed = sum(len(stories - told.get(name, Counter()).keys()) for name, stories in must.items())
    wrong = sum(len(stories.keys() - must.get(name, set())) for name, stories in told.items())
    with capsys.disabled():
        print(
            f"\n{READERS} readers, {len(technologies)} areas, {NIGHTS} nights, {len(world.plans)} stories, "
            f"{world.fuse.blown} crashes: {len(world.taken)} messages told {pairs} stories; {world.repeats} messages were sent again "
            f"after a crash under the same id; told twice: {twice}, missed: {missed}, told wrongly: {wrong}"
        )
    assert world.fuse.blown > 20
    assert (twice, missed, wrong) == (0, 0, 0)
    assert recorded == pairs
    assert standing["queued"] == standing["held"] == standing["refused"] == 0
