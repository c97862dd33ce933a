"""Entries and articles: nothing is stored twice, nothing is lost, a change is a new version."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, select

from monitor.domain import Article, Entry, NoArticle, Paragraph, ReadOutcome, Unread
from monitor.store import articles
from monitor.store.database import Database
from monitor.store.schema import article_paragraphs, entries, paragraphs
from monitor.store.schema import articles as article_table
from tests.builders import add_source, fingerprint

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


def entry(key: str = "a", **changes: object) -> Entry:
    return replace(Entry("https://news.example/feed", key, f"https://news.example/{key}", "A headline"), **changes)  # type: ignore[arg-type]


def article(*texts: str, url: str = "https://news.example/a") -> Article:
    found = tuple(Paragraph(fingerprint(t), t) for t in texts)
    return Article(url, "A headline", "en", NOW, NOW.date(), "test", fingerprint("".join(texts)), found)


def pending(database: Database, source: int, *found: Entry) -> list[articles.PendingEntry]:
    with database.writing() as connection:
        articles.write_entries(connection, source, found, now=NOW)
        waiting = articles.waiting_entries(connection, NOW)
        return list(articles.pending_entries(connection, [w.id for w in waiting]))


def stored(connection: Connection, source: int, found: Article, sketch: bytes | None = None) -> tuple[int, bool]:
    [one] = articles.write_articles(connection, [(source, found, sketch)], now=NOW)
    return one


def looked(connection: Connection, one: articles.PendingEntry, outcome: ReadOutcome) -> str:
    [state] = articles.write_looked(connection, [articles.Looked(one, outcome)], max_attempts=5, now=NOW)
    return state


@pytest.fixture
def source(database: Database) -> int:
    with database.writing() as connection:
        return add_source(connection, "News")


def test_an_entry_is_stored_once_however_often_the_feed_shows_it(database: Database, source: int) -> None:
    with database.writing() as connection:
        assert articles.write_entries(connection, source, [entry("a"), entry("b"), entry("a")], now=NOW) == 2
        assert articles.write_entries(connection, source, [entry("a"), entry("c")], now=NOW) == 1
        assert connection.scalar(select(func.count()).select_from(entries)) == 3


def test_an_entry_that_the_feed_says_changed_waits_again(database: Database, source: int) -> None:
    [first] = pending(database, source, entry("a"))
    with database.writing() as connection:
        assert looked(connection, first, article("Old text.")) == "read"
        key = connection.execute(select(article_table.c.id)).scalar_one()
        assert [*articles.waiting_entries(connection, NOW)] == []
        articles.write_entries(connection, source, [entry("a")], now=NOW)
        assert [*articles.waiting_entries(connection, NOW)] == [], "the same entry is no news"
        articles.write_entries(connection, source, [entry("a", updated_at=NOW)], now=NOW)
        [again] = articles.pending_entries(connection, [w.id for w in articles.waiting_entries(connection, NOW)])
        assert again.known_article == key
        assert again.page is None, "a changed page is asked for, not taken from the store"


def test_ten_thousand_entries_are_all_stored(database: Database, source: int) -> None:
    with database.writing() as connection:
        assert articles.write_entries(connection, source, [entry(str(n)) for n in range(10_000)], now=NOW) == 10_000


def test_the_oldest_entry_is_read_first(database: Database, source: int) -> None:
    found = pending(database, source, entry("new", published_at=NOW), entry("old", published_at=NOW - timedelta(days=6)), entry("undated"))
    assert [p.entry.key for p in found] == ["old", "new", "undated"]


def test_an_edited_article_is_a_new_version_of_the_same_row(database: Database, source: int) -> None:
    with database.writing() as connection:
        key, new = stored(connection, source, article("One.", "Two."), b"x")
        assert new
        assert stored(connection, source, article("One.", "Two."), b"x") == (key, False)
        assert stored(connection, source, article("One.", "Two, corrected.", "Three."), b"y") == (key, True)
        row = connection.execute(select(article_table)).one()
        assert (row.version, row.id) == (2, key)
        assert articles.changed_paragraphs(connection, key, 2) == (("Two, corrected.", "Three."), ("Two.",))
        assert connection.scalar(select(func.count()).select_from(article_paragraphs)) == 5, "the old version's paragraphs stay"


def test_a_group_is_stored_as_its_articles_one_by_one_would_be(database: Database, source: int) -> None:
    """New ones, one that is edited, one that is the same, and two with one address in one group."""
    elsewhere = "https://other.example/b"
    with database.writing() as connection:
        first, _ = stored(connection, source, article("One."))
        same, _ = stored(connection, source, article("Same.", url="https://news.example/same"))
        group = [
            (source, article("One.", "Two."), b"1"),
            (source, article("New.", "Same.", url=elsewhere), b"2"),
            (source, article("Same.", url="https://news.example/same"), b"3"),
            (source, article("New, mended.", url=elsewhere), b"4"),
            (source, article("New, mended.", url=elsewhere), b"5"),
        ]
        ids = articles.write_articles(connection, group, now=NOW)
        other = ids[1][0]
        assert ids == [(first, True), (other, True), (same, False), (other, True), (other, False)]
        assert {row.id: (row.version, row.shingles) for row in connection.execute(select(article_table))} == {
            first: (2, b"1"), same: (1, None), other: (2, b"4"),
        }  # fmt: skip
        assert articles.changed_paragraphs(connection, other, 2) == (("New, mended.",), ("New.", "Same."))
        assert articles.write_articles(connection, [], now=NOW) == []


def test_what_an_entry_carries_is_kept_while_it_is_tried_again(database: Database, source: int) -> None:
    [one] = pending(database, source, entry(content="<p>Text</p>"))
    for transient in (True, False):
        with database.writing() as connection:
            looked(connection, one, NoArticle(Unread.ERROR, "timed out", transient=transient))
            assert connection.execute(select(entries.c.content)).scalar_one() == ("<p>Text</p>" if transient else None)


def test_syndicated_text_is_stored_once(database: Database, source: int) -> None:
    with database.writing() as connection:
        stored(connection, source, article("Same.", "Own."))
        stored(connection, source, article("Same.", "Other.", url="https://other.example/b"))
        assert connection.scalar(select(func.count()).select_from(paragraphs)) == 3


@pytest.mark.parametrize(
    ("when", "outcome", "attempts", "state", "hours"),
    [
        ("the network failed", NoArticle(Unread.ERROR, "timed out", transient=True), 0, "new", 1),
        ("it failed again", NoArticle(Unread.ERROR, "timed out", transient=True), 1, "new", 4),
        ("it failed for the last time", NoArticle(Unread.ERROR, "timed out", transient=True), 4, "failed", None),
        ("the page is gone", NoArticle(Unread.GONE, "410"), 0, "empty", None),
        ("it is behind a paywall", NoArticle(Unread.PAYWALL, "subscribe"), 0, "empty", None),
    ],
)
def test_what_gave_no_article_says_why_and_when_it_is_tried_again(
    database: Database, source: int, when: str, outcome: NoArticle, attempts: int, state: str, hours: int | None
) -> None:
    [one] = pending(database, source, entry())
    with database.writing() as connection:
        assert looked(connection, replace(one, attempts=attempts), outcome) == state
        row = connection.execute(select(entries)).one()
    assert (row.state, row.reason, row.last_error) == (state, outcome.reason.value, outcome.message)
    assert row.retry_at == (NOW + timedelta(hours=hours) if hours else None)


def test_a_page_that_two_sources_link_is_asked_for_once(database: Database, source: int) -> None:
    with database.writing() as connection:
        other = add_source(connection, "Other")
        key, _ = stored(connection, source, article("Text."))
    [one] = pending(database, other, entry("x", url="https://news.example/a?utm_source=other"))
    with database.reading() as connection:
        assert one.page
        assert articles.stored_articles(connection, [one.page, "https://news.example/other"]) == {one.page: key}


def test_stories_are_given_once(database: Database, source: int) -> None:
    with database.writing() as connection:
        first, _ = stored(connection, source, article("A."), b"1")
        second, _ = stored(connection, source, article("B.", url="https://news.example/b"), b"2")
        assert [a.id for a in articles.articles_without_story(connection, 10)] == [first, second]
        articles.write_stories(connection, [(first, first), (second, first)])
        articles.write_stories(connection, [(second, second)])
        assert articles.articles_without_story(connection, 10) == ()
        assert [a.story_id for a in articles.articles_with_story(connection, NOW.date(), NOW.date())] == [first, first]
