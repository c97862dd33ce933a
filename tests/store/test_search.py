"""Stored paragraphs are found by words in any script, by meaning and by their articles; the index never lags behind the texts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, func, select, update

from monitor.domain import Article, Paragraph
from monitor.store import articles as stored_articles
from monitor.store import hits, retention, search, words
from monitor.store.counts import replace_counts
from monitor.store.database import Database
from monitor.store.schema import articles, encoders, paragraphs
from monitor.store.search import Narrowed
from tests.builders import NOW, add_article, add_hit, add_source, live_matcher

TODAY = NOW.date()
TEXTS = {
    "english": "A quantum computer with 1,000 qubits was shown in Delft; the quantum-safe link beside it was not.",
    "leap": "It is a quantum leap for the makers of a computer game.",
    "german": "Humanoide Roboter: ÜBER fünfzig Stück laufen in Évry.",
    "simplified": "合肥的量子计算机周二亮相，采用6G技术。",
    "traditional": "量子電腦與量子計算在臺北展出。",
    "japanese": "政府は2030年までにヒト型ロボットの実用化を目指す。ＡＩガラスも。",
    "korean": "양자컴퓨터가 대전에서 공개됐다.",
    "russian": "Учёные показали квантовый компьютер.",
    "hindi": "क्वांटम कंप्यूटर का प्रदर्शन",
    "arabic": "عُرض حاسوب كمومي في الرياض",
    "odd": "C'est l'IA: a\\b 'quoted' \"twice\" 100% (x) & | ! <-> :* AND OR NOT NEAR",
}


@pytest.fixture
def stored(database: Database) -> Database:
    with database.writing() as connection:
        source = add_source(connection, "Wafer & Wire")
        for ago, (name, text) in enumerate(TEXTS.items()):
            add_article(connection, source, day=TODAY - timedelta(ago), title=name, texts=[text])
    return database


def found(database: Database, query: str, **narrowed: Any) -> list[str]:
    """Headlines, in order."""
    with database.reading() as connection:
        places = search.by_words(connection, words.parse(query), Narrowed(**narrowed)).places
        return [p.title for p in search.describe(connection, places, None)]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("quantum computer", ["english", "leap"]),
        ("QUANTUM Qubits", ["english"]),
        ('"quantum computer"', ["english"]),
        ("quantum -game", ["english"]),
        ("quantum -game -qubits", []),
        ("quantum-safe", ["english"]),
        ("comput*", ["english", "leap"]),
        ("comput", []),
        ("1,000", ["english"]),
        ("uber funfzig evry", ["german"]),
        ("Über", ["german"]),
        ("量子计算", ["simplified", "traditional"]),
        ("量子計算機", ["simplified"]),
        ("机", ["simplified"]),
        ("术", ["simplified"]),
        ("6g技术", ["simplified"]),
        ("台北", ["traditional"]),
        ("计量", []),
        ("ヒト型ロボット", ["japanese"]),
        ("ﾛﾎﾞｯﾄ", ["japanese"]),
        ("AIガラス", ["japanese"]),
        ("カラス", []),
        ("양자컴퓨터", ["korean"]),
        ("ученые", ["russian"]),
        ("квантов*", ["russian"]),
        ("क्वांटम", ["hindi"]),
        ("كمومي", ["arabic"]),
        ("l'ia", ["odd"]),
        ("NEAR NOT", ["odd"]),
        ("a\\b 'quoted' \"twice", ["odd"]),
        ("nothing like it", []),
    ],
)
def test_words_are_found_in_every_script(stored: Database, query: str, titles: list[str]) -> None:
    assert found(stored, query) == titles


@pytest.mark.parametrize(
    "query", ["", "   ", '"', "*", "-", "-x", "'; DROP TABLE words; --", ":* & | !", "\x00", "\ud800", '"' * 500, "( NEAR/3", "a" * 9_999]
)
def test_no_query_breaks_the_search(stored: Database, query: str) -> None:
    found(stored, query)


def test_what_was_asked_for_is_marked_where_it_stands() -> None:
    def marked(text: str, query: str) -> list[str]:
        return [text[m.start : m.end] for m in words.places_in(text, words.parse(query))]

    assert marked(TEXTS["simplified"], "量子計算 6g -合肥") == ["量子计算", "6G"]
    assert marked(TEXTS["german"], "uber evr*") == ["ÜBER", "Évry"]
    assert marked(TEXTS["japanese"], "AIガラス") == ["ＡＩガラス"]
    assert marked(TEXTS["english"], '"quantum safe" quantum') == ["quantum-safe", "quantum", "quantum"]
    assert marked(TEXTS["simplified"], "术") == ["术"]


def test_each_condition_narrows(database: Database) -> None:
    with database.writing() as connection:
        matcher = live_matcher(connection)
        wire, bote = add_source(connection, "Wire"), add_source(connection, "Bote")
        first = add_article(connection, wire, day=TODAY - timedelta(9), title="first", texts=["quantum one", "both have it: quantum"])
        add_article(connection, bote, day=TODAY - timedelta(2), title="copy", texts=["both have it: quantum"], language="de")
        add_article(connection, bote, day=TODAY, title="last", texts=["quantum three"], language="de")
        add_hit(connection, matcher, first.paragraphs[0], "6g")
        replace_counts(connection, matcher, ["6g"], TODAY - timedelta(30), TODAY)
    for query in ("quantum", ""):
        assert found(database, query) == ["last", "first", "first"]
        assert found(database, query, language="de") == ["last", "copy"]
        assert found(database, query, source_ids=(bote,), last=TODAY - timedelta(1)) == ["copy"]
        assert found(database, query, source_ids=(wire,)) == ["first", "first"]
        assert found(database, query, first=TODAY - timedelta(3)) == ["last", "copy"]
        assert found(database, query, area="6g", matcher=matcher) == ["first"]
        assert found(database, query, area="6g", matcher=matcher, source_ids=(bote,)) == []
        assert found(database, query, area="6g", matcher=matcher, language="de") == []
        assert found(database, query, area="deep-sea", matcher=matcher) == []


def test_a_syndicated_paragraph_is_shown_once_with_its_first_article_and_its_areas(database: Database) -> None:
    with database.writing() as connection:
        matcher, source = live_matcher(connection), add_source(connection, "Wire")
        for ago in (3, 1, 2):
            added = add_article(connection, source, day=TODAY - timedelta(ago), title=f"{ago} ago", texts=["the same quantum text"])
        add_hit(connection, matcher, added.paragraphs[0], "6g", probability=0.6)
        add_hit(connection, matcher, added.paragraphs[0], "metaverse", probability=0.8)
        places = search.by_words(connection, words.parse("quantum"), Narrowed()).places
        (one,) = search.describe(connection, places, matcher)
    assert (one.title, one.articles, one.areas, one.day) == ("3 ago", 3, (("metaverse", 0.8), ("6g", 0.6)), TODAY - timedelta(3))


def test_a_bound_that_is_met_is_said(stored: Database) -> None:
    with stored.reading() as connection:
        some = search.by_words(connection, words.parse("quantum"), Narrowed(), most=1)
        every = search.by_words(connection, words.parse("quantum"), Narrowed(), most=2)
    assert (len(some.places), some.whole, every.whole) == (1, False, True)


def with_vectors(connection: Connection, number: int) -> list[int]:
    source = add_source(connection, "Wire")
    ids = [p for n in range(number) for p in add_article(connection, source, day=TODAY - timedelta(n % 9), texts=[f"text {n}"]).paragraphs]
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(number, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hits.write_vectors(connection, hits.encoder_id(connection, "e:int8"), ids, vectors)
    hits.write_vectors(connection, hits.encoder_id(connection, "other"), ids[:1], vectors[:1])
    return ids


def test_the_nearest_by_meaning_are_those_of_a_plain_comparison(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "CHUNK", 7)
    with database.writing() as connection:
        ids = with_vectors(connection, 40)
    with database.reading() as connection:
        encoder = connection.execute(select(encoders.c.id).where(encoders.c.name == "e:int8")).scalar_one()
        stored = hits.load_vectors(connection, encoder, ids)
        asked = stored[ids[3]]
        near = search.by_meaning(connection, asked, "e:int8", Narrowed(), most=5)
        recent = search.by_meaning(connection, asked, "e:int8", Narrowed(first=TODAY), most=50)
        some = search.by_meaning(connection, asked, "e:int8", Narrowed(), most=5, limit=10)
        none = search.by_meaning(connection, asked, "never used", Narrowed())
    plain = sorted(ids, key=lambda key: -float(stored[key] @ asked))[:5]
    assert [p.paragraph for p in near.places] == plain
    assert near.places[0].similarity == pytest.approx(1.0, abs=1e-3)
    assert (near.whole, near.looked) == (True, 40)
    assert {p.paragraph for p in recent.places} == set(ids[::9])
    assert (some.whole, some.looked) == (False, 10)
    assert {p.paragraph for p in some.places} <= set(ids[-10:])
    assert none.places == ()


def read_article(text: str, url: str = "https://a.example/1") -> Article:
    return Article(
        url=url, title="T", language="en", published_at=NOW, day=TODAY, extractor="x", fingerprint=f"f{text}",
        paragraphs=(Paragraph(f"p{text}", text),),
    )  # fmt: skip


def test_what_the_nightly_run_stores_is_found_at_once_and_once(database: Database) -> None:
    with database.writing() as connection:
        source = add_source(connection, "Wire")
        for url in ("https://a.example/1", "https://a.example/2"):
            stored_articles.write_articles(connection, [(source, read_article("an entangled pair", url), None)], now=NOW)
        stored_articles.write_articles(connection, [(source, read_article("a new version", "https://a.example/1"), None)], now=NOW)
    assert len(found(database, "entangled")) == 1
    assert len(found(database, "version")) == 1


def test_an_old_version_is_not_found(database: Database) -> None:
    with database.writing() as connection:
        source = add_source(connection, "Wire")
        stored_articles.write_articles(connection, [(source, read_article("an entangled pair"), None)], now=NOW)
        stored_articles.write_articles(connection, [(source, read_article("a corrected pair"), None)], now=NOW)
    assert found(database, "entangled") == []
    assert len(found(database, "pair")) == 1


def test_what_retention_drops_is_found_no_more(stored: Database) -> None:
    with stored.writing() as connection:
        old = retention.old_texts(connection, TODAY)
        retention.drop_texts(connection, old)
        assert connection.scalar(select(func.count()).select_from(paragraphs)) == 1
        connection.execute(update(articles).values(day=TODAY))
        # The freed number of a paragraph may be given again.
        add_article(connection, add_source(connection, "New"), day=TODAY, title="new", texts=["something else"])
    assert found(stored, "quantum") == ["english"]
    assert found(stored, "квантовый") == []
    assert found(stored, "else") == ["new"]


def test_the_index_is_counted_in_the_size(stored: Database) -> None:
    with stored.reading() as connection:
        sizes, measured = retention.sizes(connection)
    (size,) = [table for table in sizes if table.table == "words"]
    assert size.rows == len(TEXTS)
    assert size.size > 0 or not measured
    assert not [table.table for table in sizes if table.table.startswith("words_")]
