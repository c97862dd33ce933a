"""Reports by source and day, and paragraphs with hits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from monitor.store import series
from monitor.store.counts import replace_counts
from monitor.store.database import Database
from monitor.store.schema import articles
from tests.builders import NOW, add_article, add_hit, add_source, live_matcher

LAST = NOW.date()
FIRST = LAST - timedelta(6)


@pytest.fixture
def connection(database: Database):
    with database.writing() as connection:
        yield connection


def test_a_report_is_the_first_article_of_a_story(connection: Connection) -> None:
    wire, paper = add_source(connection, "Wire"), add_source(connection, "Paper")
    first = add_article(connection, wire, day=LAST, texts=["a quantum computer"])
    copy = add_article(connection, paper, day=LAST, texts=["a quantum computer", "and more"], story=first.id)
    other = add_article(connection, paper, day=FIRST, texts=["nothing"])
    for paragraph in {*first.paragraphs, *copy.paragraphs}:
        add_hit(connection, live_matcher(connection), paragraph, "quantum")
    replace_counts(connection, live_matcher(connection), ["quantum"], FIRST, LAST)
    assert series.reports_seen(connection, FIRST, LAST) == {("Wire", LAST): 1, ("Paper", FIRST): 1}
    assert series.reports_found(connection, live_matcher(connection), FIRST, LAST) == {("quantum", "Wire", LAST): 1}
    assert other.id != copy.id


def test_an_article_that_is_not_grouped_yet_is_a_report(connection: Connection) -> None:
    article = add_article(connection, add_source(connection, "Wire"), day=LAST, story=0)
    connection.execute(update(articles).where(articles.c.id == article.id).values(story_id=None))
    assert series.reports_seen(connection, FIRST, LAST) == {("Wire", LAST): 1}


def test_articles_by_day_has_every_day(connection: Connection) -> None:
    wire = add_source(connection, "Wire")
    for _ in range(3):
        add_article(connection, wire, day=LAST)
    add_article(connection, wire, day=FIRST - timedelta(1))
    found = series.articles_by_day(connection, FIRST, LAST)
    assert found == {FIRST + timedelta(n): 0 for n in range(6)} | {LAST: 3}


def test_a_paragraph_comes_once_an_area_as_its_earliest_article_has_it(connection: Connection) -> None:
    wire = add_source(connection, "Wire")
    matcher = live_matcher(connection)
    late = add_article(connection, wire, day=LAST, texts=["shared"], title="late")
    add_article(connection, wire, day=FIRST, texts=["shared"], title="early")
    for area in ("quantum", "chips"):
        add_hit(connection, matcher, late.paragraphs[0], area)
    replace_counts(connection, matcher, ["quantum", "chips"], FIRST, LAST)
    found = list(series.hit_paragraphs(connection, matcher, FIRST, LAST))
    assert [(p.area, p.title, p.day, p.text) for p in found] == [(a, "early", FIRST, "shared") for a in ("chips", "quantum")]
