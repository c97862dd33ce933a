"""A desk: a database with a clock of its own, stories written straight into the tables, and mail that lands in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from monitor.alerts.subscriptions import Subscription
from monitor.domain import MatcherVersion, Message
from monitor.errors import DeliveryError
from monitor.pipeline.parts import Parts
from monitor.settings import MailSettings, Settings
from monitor.store.database import Database, insert
from monitor.store.hits import matcher_id
from monitor.store.schema import article_paragraphs, matched
from monitor.taxonomy import Taxonomy
from tests import builders

_numbers = count(1)
# The package's attribute of that name is the stage itself.
stage = import_module("monitor.pipeline.alert")


def wish(name: str = "ana", **keys: Any) -> Subscription:
    """A subscription of all areas, at once, by e-mail, unless `keys` say otherwise."""
    said = {"when": "at once", "channels": [{"email": f"{name}@example.org"}], **keys}
    return Subscription.model_validate({"name": name, **said})


class Desk:
    """`now` is the clock, `sent` what was sent; `refusals` are raised, one a message, by address."""

    def __init__(self, folder: Path, taxonomy: Taxonomy, database: Database | None = None) -> None:
        self.now = builders.NOW
        self.sent: list[Message] = []
        self.refusals: dict[str, list[DeliveryError]] = {}
        self.database = database or Database("sqlite:///monitor.db", home=folder)
        settings = Settings(home=folder, mail=MailSettings(sender="areawatch <areawatch@example.org>"))
        never: Callable[[], Any] = lambda: pytest.fail("no model is needed to tell")  # noqa: E731
        self.parts = Parts(settings, self.database, taxonomy, builders.VERSION, never, never, clock=lambda: self.now)
        with self.database.writing() as connection:
            self.matcher = builders.live_matcher(connection)
            self.source = builders.add_source(connection, "Example Times")

    def set(self, **changes: Any) -> None:
        self.parts = replace(self.parts, settings=self.parts.settings.model_copy(update=changes))

    def later(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now

    def add_source(self, title: str, **state: Any) -> int:
        with self.database.writing() as connection:
            return builders.add_source(connection, title, **state)

    def story(
        self,
        *areas: str,
        title: str = "A headline",
        text: str = "The first 6G trial has begun in the harbour.",
        words: Sequence[str] = (),
        probability: float = 0.9,
        source: int | None = None,
        story: int | None = None,
        day: date | None = None,
        looked: bool = True,
        language: str = "en",
    ) -> int:
        """An article seen now, each with its own text, that carries `areas`; returns its id, which is its story's unless one is given."""
        unique = f"{text} (No. {self.now:%H%M%S%f} {title} {source} {probability})"
        with self.database.writing() as connection:
            added = builders.add_article(
                connection, source or self.source, day=day or self.now.date(), title=title, texts=[unique], language=language,
                story=story, seen_at=self.now, url=f"https://desk.example/{next(_numbers)}",
            )  # fmt: skip
            if looked:
                self._look(connection, self.matcher, added.paragraphs[0], areas, words, probability)
        return added.id

    def _look(self, connection: Any, matcher: int, paragraph: int, areas: Sequence[str], words: Sequence[str], p: float) -> None:
        for area in areas:
            builders.add_hit(connection, matcher, paragraph, area, words=words, probability=p)
        ledger = [{"matcher_id": matcher, "paragraph_id": paragraph}]
        insert(connection, matched, ledger, keys=["matcher_id", "paragraph_id"])

    def look(self, article: int, *areas: str, matcher: int | None = None, version: int = 1) -> None:
        """`matcher` (default: the live one) looks at an article and finds `areas`."""
        links = article_paragraphs
        with self.database.writing() as connection:
            chosen = select(links.c.paragraph_id).where(links.c.article_id == article, links.c.version == version)
            for paragraph in list(connection.scalars(chosen)):
                self._look(connection, matcher or self.matcher, paragraph, areas, (), 0.9)

    def new_matcher(self) -> int:
        """Another matcher, not live yet."""
        with self.database.writing() as connection:
            return matcher_id(connection, MatcherVersion("taxonomy-2", "e", "c", "r"), {"areas": []}, now=self.now)

    def send(self, message: Message) -> None:
        waiting = self.refusals.get(message.address)
        if waiting:
            raise waiting.pop(0)
        self.sent.append(message)

    @contextmanager
    def channels(self, _settings: Settings) -> Iterator[Callable[[Message], None]]:
        yield self.send

    def subscribe(self, *wishes: Subscription) -> None:
        """Writes the subscriptions file."""
        body = {"subscriptions": [w.model_dump(mode="json", exclude_none=True) for w in wishes]}
        file = self.parts.settings.path(self.parts.settings.subscriptions)
        file.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")

    def alert(self) -> dict[str, int]:
        """One call of the stage; counters that are not zero."""
        return {name: number for name, number in stage.alert(self.parts).items() if number}

    def told(self) -> list[str]:
        """Subjects sent so far."""
        return [message.subject for message in self.sent]
