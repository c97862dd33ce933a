"""The whole night on real parts: the newsroom over HTTP, extraction in processes, the real model, SQL, mail files, pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from sqlalchemy import select

from monitor import app, pipeline
from monitor.cli.demo import CONFIGURATION
from monitor.demo import Newsroom
from monitor.demo.outlets import load_content
from monitor.domain import RunSummary, Source
from monitor.settings import load_settings
from monitor.store import articles, look, sources
from monitor.store.database import Database, upgrade
from monitor.store.export import view_rows
from monitor.store.schema import articles as article_table
from monitor.store.schema import entries, outbox
from tests.store.conftest import *  # noqa: F403  # the same night on PostgreSQL, too


def _free_port() -> int:
    with socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


# One for the whole module: a second night must meet the same addresses.
PORT = _free_port()
NOW = datetime.now(UTC).replace(hour=12, minute=0)


class Night:
    """Runs against one edition of the newsroom, at a time of choice."""

    def __init__(self, home: Path, url: str) -> None:
        self.home, self.url = home, url
        (home / "areawatch.toml").write_text(CONFIGURATION, encoding="utf-8")
        environment = {"MONITOR_CONFIG": str(home / "areawatch.toml"), "MONITOR_DATABASE_URL": url}
        self.settings = load_settings(environment)
        self.database = Database(url)
        self.requests: list[Any] = []

    def run(self, edition: int = 1, *, later: timedelta = timedelta()) -> RunSummary:
        with Newsroom(NOW, edition, port=PORT) as room:
            with self.database.writing() as connection:
                found = [Source(s.url, s.title, s.kind, s.language) for s in room.sources]
                sources.add_sources(connection, found, now=NOW)
                sources.ask_all_now(connection)
            done = pipeline.run(app.build(self.settings, clock=lambda: NOW + later))
            self.requests = list(room.requests)
        return done

    def rows(self, statement: Any) -> list[Any]:
        with self.database.reading() as connection:
            return list(connection.execute(statement))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Night, RunSummary]]:
    """A first night on SQLite, shared by the tests that only look."""
    home = tmp_path_factory.mktemp("night")
    (home / "subscriptions.yaml").write_text(SUBSCRIPTION, encoding="utf-8")
    upgrade(f"sqlite:///{home / 'demo.db'}")
    one = Night(home, f"sqlite:///{home / 'demo.db'}")
    yield one, one.run()
    one.database.close()


def _subscription() -> str:
    from tempfile import TemporaryDirectory

    from monitor.alerts import demo_subscription

    with TemporaryDirectory() as folder:
        demo_subscription(Path(folder) / "subscriptions.yaml")
        return (Path(folder) / "subscriptions.yaml").read_text(encoding="utf-8")


SUBSCRIPTION = _subscription()
Check = Callable[[tuple[Night, RunSummary]], None]


def test_everything_due_is_asked_and_what_failed_is_said(night: tuple[Night, RunSummary]) -> None:
    one, done = night
    assert done.sources["due"] == 22
    assert done.sources["failed"] >= 1
    assert done.entries["read"] >= 90
    broken = one.rows(select(entries.c.reason, entries.c.last_error).where(entries.c.state == "empty"))
    assert {row.reason for row in broken} >= {"paywall", "gone", "not-an-article"}
    assert all(row.last_error for row in broken)
    with one.database.reading() as connection:
        standing = list(view_rows(connection, "source"))
    assert len(standing) == 22
    assert sum(row["articles"] for row in standing) == done.entries["read"]
    assert {row["health"].split(",")[0] for row in standing} >= {"ok", "failing"}


def test_articles_carry_the_areas_their_writers_gave_them(night: tuple[Night, RunSummary]) -> None:
    one, _ = night
    with one.database.reading() as connection:
        found = {(row["url"], row["area"]) for row in look.mentions(connection, limit=None)}
    truth = {(article.slug, area) for outlet in load_content().outlets for article in outlet.articles for area in article.areas}
    told = {(url.rsplit("/", 1)[1].removesuffix(".html"), area) for url, area in found}
    recall = len(told & truth) / len(truth)
    assert recall >= 0.85, sorted(truth - told)
    facets = app.load_taxonomy().facets
    assert {area for _, area in found if facets[area] == "technology"} == {area for area in facets if facets[area] == "technology"}
    assert {area for _, area in found} >= {"policy-strategy", "policy-funding", "policy-export-control"}


def test_the_same_story_in_several_sources_is_one(night: tuple[Night, RunSummary]) -> None:
    one, _ = night
    rows = one.rows(select(article_table.c.url, article_table.c.story_id))
    stories: dict[int, set[str]] = {}
    for url, story in rows:
        assert story is not None
        stories.setdefault(story, set()).add(url.split("/")[3])
    assert {"meridian-wire", "northgate-courier", "wafer-and-wire"} in stories.values()


def test_east_asian_pages_and_the_pdf_are_read(night: tuple[Night, RunSummary]) -> None:
    one, _ = night
    languages = {row.language for row in one.rows(select(article_table.c.language))}
    assert {"en", "zh", "de", "fr", "es", "ja", "ko", "ru", "pt", "it"} <= languages
    assert one.rows(select(article_table.c.id).where(article_table.c.extractor.like("%pdf%")))


def test_one_message_was_written_and_the_pages_are_there(night: tuple[Night, RunSummary]) -> None:
    one, done = night
    assert (done.messages["queued"], done.messages["sent"], done.messages["failed"]) == (1, 1, 0)
    [file] = (one.home / "messages").glob("*.eml")
    message = message_from_bytes(file.read_bytes(), policy=default)
    assert message["Message-ID"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert (one.home / "report" / "index.html").stat().st_size > 10_000


def test_a_second_night_finds_nothing_new_and_an_edited_page_is_a_new_version(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "subscriptions.yaml").write_text(SUBSCRIPTION, encoding="utf-8")
    one = Night(tmp_path, database_url)
    one.run()
    before = one.rows(select(article_table.c.url, article_table.c.version, article_table.c.fingerprint, article_table.c.story_id))
    again = one.run(later=timedelta(hours=1))
    assert (again.entries["new"], again.entries["read"], again.hits["new"], again.messages["queued"]) == (0, 0, 0, 0)
    assert again.sources["not_modified"] >= 20
    pages = [r.path for r in one.requests if r.path.endswith(".html")]
    assert pages == [], "nothing new: no page is asked for"
    after = one.rows(select(article_table.c.url, article_table.c.version, article_table.c.fingerprint, article_table.c.story_id))
    assert sorted(after) == sorted(before)
    one.run(edition=2, later=timedelta(hours=2))
    edited = one.rows(select(article_table).where(article_table.c.version == 2))
    assert [row.url.rsplit("/", 1)[1] for row in edited] == ["robot-bus-trial.html"]
    with one.database.reading() as connection:
        added, _ = articles.changed_paragraphs(connection, edited[0].id, 2)
    assert added, "the correction is there"
    assert len(one.rows(select(outbox.c.key))) == 1, "an edited article is not news"
    one.database.close()
