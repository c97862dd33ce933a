"""Daily counts and coverage are replaced for a window, whatever happened meanwhile."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import Connection, select, update

from monitor.domain import DailyCount, SourceKind
from monitor.store import counts
from monitor.store.database import Database
from monitor.store.schema import articles, daily_counts, daily_coverage, fetches, sources
from tests.archive import fill
from tests.builders import NOW, add_article, add_hit, add_paragraphs, add_source, ask, link, live_matcher, noon

LAST = NOW.date()
FIRST = LAST - timedelta(6)
AREAS = ("quantum", "chips")


@pytest.fixture
def connection(database: Database):
    with database.writing() as connection:
        yield connection


def replace(connection: Connection, first: date = FIRST, last: date = LAST) -> int:
    return counts.replace_counts(connection, live_matcher(connection), AREAS, first, last)


def load(connection: Connection, dimension: str = "all", area: str = "quantum") -> dict[tuple[date, str], tuple[int, int, int]]:
    found = counts.load_counts(connection, live_matcher(connection), FIRST, LAST, dimension=dimension, area=area)
    return {(c.day, c.value): (c.articles, c.stories, c.articles_seen) for c in found}


def hit_article(connection: Connection, source: int, day: date, *areas: str, **facts) -> int:
    article = add_article(connection, source, day=day, texts=[f"{day} {source} {facts} {areas} {n}" for n in range(2)], **facts)
    for area in areas:
        for paragraph in article.paragraphs:
            add_hit(connection, live_matcher(connection), paragraph, area)
    return article.id


def test_an_article_with_two_hits_counts_once_and_days_without_any_are_there(connection: Connection) -> None:
    wire = add_source(connection, "Wire")
    hit_article(connection, wire, LAST, "quantum")
    add_article(connection, wire, day=LAST)
    assert replace(connection) == 2 * 7 + 3
    found = load(connection)
    assert found[LAST, ""] == (1, 1, 2)
    assert found[FIRST, ""] == (0, 0, 0)
    assert len(found) == 7


def test_a_policy_instrument_counts_only_beside_a_technology(connection: Connection) -> None:
    wire = add_source(connection, "Wire")
    hit_article(connection, wire, LAST, "chips", "funding")
    hit_article(connection, wire, LAST, "funding", title="of fish")
    counts.replace_counts(connection, live_matcher(connection), (*AREAS, "funding"), FIRST, LAST, beside=("funding",))
    assert load(connection, area="funding")[LAST, ""] == (1, 1, 2)
    assert load(connection, area="chips")[LAST, ""] == (1, 1, 2)


def test_copies_of_a_story_are_articles_but_one_story_a_day_and_value(connection: Connection) -> None:
    wire, paper = add_source(connection, "Wire"), add_source(connection, "Paper", kind=SourceKind.TRADE_PRESS, language="de")
    first = hit_article(connection, wire, LAST, "quantum")
    hit_article(connection, paper, LAST, "quantum", story=first, language="de")
    hit_article(connection, wire, LAST, "quantum", story=first, title="again")
    replace(connection)
    assert load(connection)[LAST, ""] == (3, 1, 3)
    assert load(connection, "source") == {(LAST, "Wire"): (2, 1, 2), (LAST, "Paper"): (1, 1, 1)}
    assert load(connection, "language") == {(LAST, "en"): (2, 1, 2), (LAST, "de"): (1, 1, 1)}
    assert load(connection, "source-kind") == {(LAST, "newspaper"): (2, 1, 2), (LAST, "trade-press"): (1, 1, 1)}


def test_the_denominator_of_a_value_is_all_articles_of_that_value(connection: Connection) -> None:
    wire = add_source(connection, "Wire")
    hit_article(connection, wire, LAST, "quantum")
    add_article(connection, wire, day=LAST, language="de")
    add_article(connection, wire, day=LAST)
    replace(connection)
    assert load(connection, "language") == {(LAST, "en"): (1, 1, 2)}
    assert load(connection, "source") == {(LAST, "Wire"): (1, 1, 3)}


def test_a_late_article_corrects_its_day(connection: Connection) -> None:
    wire = add_source(connection, "Wire")
    replace(connection)
    hit_article(connection, wire, FIRST, "chips", seen_at=NOW)
    replace(connection)
    assert load(connection, area="chips")[FIRST, ""] == (1, 1, 1)
    assert load(connection)[FIRST, ""] == (0, 0, 1)


def test_repeating_changes_nothing(connection: Connection) -> None:
    hit_article(connection, add_source(connection, "Wire"), LAST, "quantum", "chips")
    assert replace(connection) == replace(connection)
    assert load(connection)[LAST, ""] == (1, 1, 1)


def test_days_outside_the_window_stay_as_they_are(connection: Connection) -> None:
    wire = add_source(connection, "Wire")
    hit_article(connection, wire, FIRST, "quantum")
    replace(connection)
    hit_article(connection, wire, FIRST, "quantum")
    replace(connection, first=FIRST + timedelta(1))
    assert load(connection)[FIRST, ""] == (1, 1, 1)


def test_only_the_newest_version_of_an_article_counts(connection: Connection) -> None:
    wire = add_source(connection, "Wire")
    article = hit_article(connection, wire, LAST, "quantum")
    link(connection, [(article, add_paragraphs(connection, ["Corrected: nothing of the kind."]))], version=2)
    connection.execute(update(articles).where(articles.c.id == article).values(version=2))
    replace(connection)
    assert load(connection)[LAST, ""] == (0, 0, 1)


def test_another_matchers_hits_and_areas_that_are_no_more_do_not_count(connection: Connection) -> None:
    hit_article(connection, add_source(connection, "Wire"), LAST, "metaverse", "quantum")
    replace(connection)
    assert set(connection.scalars(select(daily_counts.c.area))) == set(AREAS)


def test_a_source_without_a_title_is_named_by_its_address_and_long_names_are_cut(connection: Connection) -> None:
    bare = add_source(connection, "", url="https://a.example/feed")
    hit_article(connection, bare, LAST, "quantum")
    hit_article(connection, add_source(connection, "W" * 300), LAST, "quantum")
    replace(connection)
    assert {value for _, value in load(connection, "source")} == {"https://a.example/feed", "W" * 255}


def test_every_dimension_adds_up_to_all(connection: Connection) -> None:
    archive = fill(connection, days=30)
    for dimension in ("language", "source", "source-kind"):
        total: dict[tuple[str, date], int] = {}
        for c in counts.load_counts(connection, archive.matcher, archive.first, archive.last, dimension=dimension):
            total[c.area, c.day] = total.get((c.area, c.day), 0) + c.articles
        whole = counts.load_counts(connection, archive.matcher, archive.first, archive.last)
        assert {key: n for key, n in total.items() if n} == {(c.area, c.day): c.articles for c in whole if c.articles}
        assert all(c.articles <= c.articles_seen and c.stories <= c.articles for c in whole)


def coverage(connection: Connection, first: date = FIRST) -> dict[int, tuple[int, int]]:
    counts.replace_coverage(connection, first, LAST)
    return {(LAST - c.day).days: (c.due, c.read) for c in counts.load_coverage(connection, FIRST, LAST)}


def test_a_source_is_read_when_one_request_of_the_day_was_answered(connection: Connection) -> None:
    good, bad, flaky = (add_source(connection, name) for name in "abc")
    ask(connection, LAST, read=[good], failed=[bad, flaky])
    ask(connection, LAST, read=[flaky])
    assert coverage(connection)[0] == (3, 2)


def test_a_day_without_any_request_after_the_first_was_not_read(connection: Connection) -> None:
    one = add_source(connection, "a")
    add_source(connection, "b", added_at=NOW)
    ask(connection, LAST - timedelta(3), read=[one])
    ask(connection, LAST, read=[one])
    assert coverage(connection) == {3: (1, 1), 2: (1, 0), 1: (1, 0), 0: (1, 1)}


def test_days_before_the_first_request_have_no_coverage(connection: Connection) -> None:
    add_source(connection, "a")
    assert coverage(connection) == {}


def test_requests_that_were_dropped_take_no_coverage_with_them(connection: Connection) -> None:
    one = add_source(connection, "a")
    for days in range(5):
        ask(connection, LAST - timedelta(days), read=[one])
    before = coverage(connection)
    cut = datetime.combine(LAST - timedelta(1), time(), UTC)
    connection.execute(fetches.delete().where(fetches.c.at < cut))
    assert coverage(connection) == before == dict.fromkeys(range(5), (1, 1))


def test_a_day_of_which_some_requests_were_dropped_keeps_its_coverage(connection: Connection) -> None:
    one, two = add_source(connection, "a"), add_source(connection, "b")
    for days in range(3):
        ask(connection, LAST - timedelta(days), read=[one], failed=[two])
    before = coverage(connection)
    connection.execute(fetches.delete().where(fetches.c.at < noon(LAST - timedelta(2)), fetches.c.source_id == one))
    assert coverage(connection) == before == dict.fromkeys(range(3), (2, 1))


def test_today_is_counted_again_and_a_missing_day_is_filled(connection: Connection) -> None:
    one, two = add_source(connection, "a"), add_source(connection, "b")
    for days in range(3):
        ask(connection, LAST - timedelta(days), read=[one])
    coverage(connection)
    ask(connection, LAST, read=[two])
    connection.execute(daily_coverage.delete().where(daily_coverage.c.day == LAST - timedelta(1)))
    assert coverage(connection) == {2: (1, 1), 1: (1, 1), 0: (2, 2)}


def test_a_removed_source_is_not_due(connection: Connection) -> None:
    one, two = add_source(connection, "a"), add_source(connection, "b")
    ask(connection, LAST - timedelta(1), read=[one])
    connection.execute(update(sources).where(sources.c.id == two).values(active=False))
    assert coverage(connection)[0] == (1, 0)


def test_a_loaded_count_is_a_record(connection: Connection) -> None:
    hit_article(connection, add_source(connection, "Wire"), LAST, "quantum")
    replace(connection)
    found = counts.load_counts(connection, live_matcher(connection), LAST, LAST, area="quantum")
    assert found == (DailyCount("quantum", LAST, "all", "", 1, 1, 1),)
