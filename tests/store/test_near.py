"""With pgvector the nearest are those of the plain comparison, narrowed or not; the table follows the vectors and is no one's condition."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import text

from monitor.store import hits, near, retention, search
from monitor.store.database import Database, upgrade
from monitor.store.schema import articles
from monitor.store.search import FoundPlaces, Narrowed
from tests.builders import NOW, add_hit, add_paragraphs, add_source, link, live_matcher, noon, write

TODAY = NOW.date()
NUMBER, DIMENSIONS, ANCHOR = 3_000, 64, 7


@pytest.fixture
def vectors() -> NDArray[np.float32]:
    rng = np.random.default_rng(3)
    made = rng.normal(size=(200, DIMENSIONS))[rng.integers(0, 200, NUMBER)] + rng.normal(0, 0.6, (NUMBER, DIMENSIONS))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def stored(database: Database, vectors: NDArray[np.float32]) -> tuple[int, ...]:
    """Ids of paragraphs, ten an article and an article a day, in turn in two languages; every hundredth with a hit."""
    with database.writing() as connection:
        sources = [add_source(connection, title) for title in ("Wire", "Wafer")]
        ids = add_paragraphs(connection, [f"text {n}" for n in range(NUMBER)])
        rows = [
            {
                "url": f"https://a.example/{n}", "source_id": sources[n % 2], "title": "T", "language": ("en", "zh")[n % 2],
                "day": TODAY - timedelta(n), "first_seen_at": noon(TODAY), "fingerprint": f"{n}", "extractor": "x",
            }
            for n in range(NUMBER // 10)
        ]  # fmt: skip
        link(connection, [(key, ids[10 * n : 10 * n + 10]) for n, key in enumerate(write(connection, articles, rows))])
        hits.write_vectors(connection, hits.encoder_id(connection, "e"), ids, vectors)
        for key in ids[::100]:
            add_hit(connection, live_matcher(connection), key, "6g")
    return tuple(ids)


def nearest(database: Database, asked: NDArray[np.float32], narrowed: Narrowed, **bounds: int) -> FoundPlaces:
    with database.reading() as connection:
        return search.by_meaning(connection, asked, "e", narrowed, **bounds)


def follow(database: Database) -> int:
    with database.writing() as connection:
        return near.follow(connection, hits.encoder_id(connection, "e"))


NARROWED = [
    Narrowed(),
    Narrowed(first=TODAY - timedelta(60), last=TODAY - timedelta(3)),
    Narrowed(language="zh"),
    Narrowed(source_ids=(1,)),
    Narrowed(matcher=1, area="6g"),
]


@pytest.mark.parametrize("narrowed", NARROWED, ids=("all", "days", "language", "source", "area"))
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_nearest_are_those_of_the_plain_comparison(
    database: Database, stored: tuple[int, ...], vectors: NDArray[np.float32], narrowed: Narrowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bounds in ({"most": 20}, {"most": 20, "limit": 100}):
        plain = [nearest(database, asked, narrowed, **bounds) for asked in vectors[:ANCHOR]]
        assert follow(database) == NUMBER
        with monkeypatch.context() as only:
            only.setattr(search, "_nearest", None)  # not to be called: the server compares
            by_server = [nearest(database, asked, narrowed, **bounds) for asked in vectors[:ANCHOR]]
        for one, other in zip(plain, by_server, strict=True):
            # Nearly the same distances may change places: the server rounds what was asked to halves, too.
            assert len({p.paragraph for p in one.places} & {p.paragraph for p in other.places}) >= 19
            assert [p.similarity for p in one.places] == pytest.approx([p.similarity for p in other.places], abs=1e-3)
            assert (one.whole, one.looked) == (other.whole, other.looked)
        with database.writing() as connection:
            connection.execute(text(f"TRUNCATE {near.TABLE}"))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_table_follows_the_vectors(database: Database, stored: tuple[int, ...], vectors: NDArray[np.float32]) -> None:
    assert (follow(database), follow(database)) == (NUMBER, 0)
    with database.writing() as connection:
        [size] = [table for table in retention.sizes(connection)[0] if table.table == near.TABLE]
        assert (size.rows, size.size > NUMBER * 2 * DIMENSIONS) == (NUMBER, True)
        retention.drop_vectors(connection, stored[:500])
        retention.drop_texts(connection, stored[500:600])
        encoder = hits.encoder_id(connection, "e")
        assert connection.scalar(text(f"SELECT COUNT(*) FROM {near.TABLE}")) == NUMBER - 600
        hits.write_vectors(connection, encoder, stored[:5], vectors[:5])
    assert follow(database) == 5
    assert nearest(database, vectors[0], Narrowed(), most=1).places[0].paragraph == stored[0]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_is_made_by_an_upgrade_when_the_server_lets_it(
    database: Database, stored: tuple[int, ...], vectors: NDArray[np.float32], caplog: pytest.LogCaptureFixture
) -> None:
    with database.writing() as connection:
        connection.execute(text("DROP EXTENSION vector CASCADE"))
        connection.execute(text(f"DROP TABLE {near.TABLE}"))
        connection.execute(text("CREATE ROLE plain"))
        connection.execute(text("SET LOCAL ROLE plain"))
        near.prepare(connection)
        connection.execute(text("RESET ROLE"))
        connection.execute(text("DROP ROLE plain"))
        assert "pgvector is on the server but cannot be used (permission denied" in caplog.text
        assert not near.is_there(connection)
    assert follow(database) == 0
    assert nearest(database, vectors[0], Narrowed(), most=1).places[0].paragraph == stored[0]
    upgrade(database.engine.url.render_as_string(hide_password=False))
    assert follow(database) == NUMBER


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_does_without(database: Database, stored: tuple[int, ...], vectors: NDArray[np.float32]) -> None:
    assert follow(database) == 0
    assert nearest(database, vectors[0], Narrowed(), most=1).places[0].paragraph == stored[0]
