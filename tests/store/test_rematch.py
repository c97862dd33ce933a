"""A changed taxonomy over the history: said before it is done, done in one step, gone on with, and nobody is told old news."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, func, select

from monitor.domain import Hit, MatcherVersion, Paragraph, Vectors
from monitor.match import Calibration, Exemplars, Matcher, exemplar_sentences
from monitor.match.calibration import Head, Heads
from monitor.match.features import NAMES, WITHOUT_PROBE
from monitor.pipeline.alert import gather
from monitor.pipeline.analyse import analyse, count
from monitor.pipeline.parts import Parts
from monitor.pipeline.rematch import Rematched, rematch, retire
from monitor.pipeline.run import Busy
from monitor.settings import Settings
from monitor.store import counts, history, hits, near, runs
from monitor.store.database import Database
from monitor.store.schema import daily_counts, embeddings, matched
from monitor.store.schema import hits as hit_table
from monitor.taxonomy import Taxonomy
from tests import builders
from tests.fakes import FakeEncoder, area, taxonomy

# The package's attribute of that name is the stage itself.
stage = import_module("monitor.pipeline.rematch")
analyse_stage = import_module("monitor.pipeline.analyse")
TODAY = builders.NOW.date()
HEAD = tuple({"strong": 8.0}.get(name, 0.0) for name in NAMES)
TEXTS = (
    "The rocket lifted off at dawn.",
    "A quantum computer was shown in Delft.",
    "The council put off its vote.",
    "A launcher carried two satellites.",
    "The rocket and the launcher are one.",
)
OLD = taxonomy(area("quantum", "quantum computer"), area("space", "rocket"))
NEW = replace(taxonomy(area("quantum", "qubit"), area("space", "rocket", "launcher")), fingerprint="new")


class Broken(Exception):
    """A power cut, as far as a test can have one."""


def parts(database: Database, areas: Taxonomy, folder: Path, encoder: FakeEncoder, **settings: object) -> Parts:
    texts, columns = exemplar_sentences(areas)
    calibration = Calibration(
        encoder=encoder.name, gold="", scale=(0.3, 0.1), mean=(0.0,) * 64, probes={}, threshold=0.5,
        heads={"technology": Heads(Head(NAMES, HEAD, -3.0), Head(WITHOUT_PROBE, HEAD[: len(WITHOUT_PROBE)], -3.0))},
    )  # fmt: skip
    matcher = Matcher(areas, calibration, Exemplars(texts, FakeEncoder().encode(texts), columns))
    version = MatcherVersion(areas.fingerprint, encoder.name, "c", "r")
    chosen = Settings.model_validate({"home": folder, **settings})
    return Parts(chosen, database, areas, version, lambda: encoder, lambda: matcher, clock=lambda: builders.NOW)


@pytest.fixture
def old(database: Database, tmp_path: Path) -> Parts:
    """A history of two years, matched with the old taxonomy, counted and live."""
    with database.writing() as connection:
        source = builders.add_source(connection, "Example Times")
        for n, text in enumerate(TEXTS):
            day = TODAY - timedelta(days=600 - 140 * n)
            builders.add_article(connection, source, day=day, texts=[text, f"Nothing of it in number {n}."])
    made = parts(database, OLD, tmp_path, FakeEncoder(), window_days=700)
    analyse(made)
    count(made)
    return made


@pytest.fixture
def new(old: Parts, tmp_path: Path) -> Parts:
    return parts(old.database, NEW, tmp_path, FakeEncoder())


def number(database: Database, table: object) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def live(database: Database) -> int | None:
    with database.reading() as connection:
        return hits.live_matcher(connection)


def shown(done: Rematched) -> dict[str, tuple[int, int, int, int]]:
    return {a.area: (a.before, a.after, a.gained, a.lost) for a in done.areas}


CHANGE = {"quantum": (1, 0, 0, 1), "space": (2, 3, 1, 0)}


def test_with_pgvector_a_night_brings_what_it_embedded(old: Parts) -> None:
    with old.database.reading() as connection:
        assert near.is_there(connection) == (old.database.dialect == "postgresql")
    if old.database.dialect == "postgresql":
        assert number(old.database, near.nearby) == number(old.database, embeddings) == 10


def test_a_dry_run_says_what_would_change_and_changes_nothing(old: Parts, new: Parts) -> None:
    before = live(old.database), number(old.database, hit_table), number(old.database, matched), number(old.database, daily_counts)
    done = rematch(new, dry_run=True)
    assert shown(done) == CHANGE
    assert (done.paragraphs, done.matched, done.live) == (10, 10, False)
    by_area = {a.area: a for a in done.areas}
    assert [e.text for e in by_area["space"].gained_examples] == ["A launcher carried two satellites."]
    assert [e.text for e in by_area["quantum"].lost_examples] == ["A quantum computer was shown in Delft."]
    assert sum(by_area["space"].weeks_before.values()) == 2
    assert sum(by_area["space"].weeks_after.values()) == 3
    after = live(old.database), number(old.database, hit_table), number(old.database, matched), number(old.database, daily_counts)
    assert after == before


def test_applied_it_is_live_with_the_counts_of_all_days_and_no_text_is_embedded_again(old: Parts, new: Parts) -> None:
    first = live(old.database)
    encoder = new.encoder()
    assert isinstance(encoder, FakeEncoder)
    assert shown(rematch(new)) == CHANGE
    assert encoder.texts == []
    now_live = live(new.database)
    assert now_live not in (None, first)
    with new.database.reading() as connection:
        assert hits.hit_counts(connection, now_live or 0) == {"space": 3}
        assert hits.hit_counts(connection, first or 0) == {"quantum": 1, "space": 2}, "the old one stays"
        days = counts.load_counts(connection, now_live or 0, TODAY - timedelta(days=700), TODAY, area="space")
    assert sum(day.articles for day in days) == 3
    assert len(days) == 601, "a row for every day since the first article"
    assert shown(rematch(new)) == {"quantum": (0, 0, 0, 0), "space": (3, 3, 0, 0)}


def test_missing_vectors_are_made_and_kept(old: Parts, new: Parts) -> None:
    with old.database.writing() as connection:
        connection.execute(delete(embeddings).where(embeddings.c.paragraph_id <= 3))
    assert shown(rematch(new)) == CHANGE
    encoder = new.encoder()
    assert isinstance(encoder, FakeEncoder)
    assert len(encoder.texts) == 3
    assert number(new.database, embeddings) == 10


def test_broken_off_it_goes_on_and_is_live_only_when_all_is_looked_at(old: Parts, new: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    first = live(old.database)
    monkeypatch.setattr(stage, "PARAGRAPHS_AT_ONCE", 2)
    write, calls = hits.write_hits, iter([True, True, False])

    def cut(connection: object, matcher: int, ids: Sequence[int], found: Sequence[Sequence[Hit]]) -> int:
        if not next(calls):
            raise Broken
        return write(connection, matcher, ids, found)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(hits, "write_hits", cut)
        with pytest.raises(Broken):
            rematch(new)
    assert live(new.database) == first
    done = rematch(new)
    assert (done.paragraphs, done.matched) == (10, 6), "the first two pages are not looked at twice"
    assert shown(done) == CHANGE, "and they are compared all the same"
    assert live(new.database) != first


def test_in_processes_the_same_rows(old: Parts, new: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "WORTH_PROCESSES", 1)
    monkeypatch.setattr(stage, "PARAGRAPHS_AT_ONCE", 3)
    assert shown(rematch(new)) == CHANGE
    with new.database.reading() as connection:
        assert hits.hit_counts(connection, live(new.database) or 0) == {"space": 3}


def test_nobody_is_told_old_stories(old: Parts, new: Parts) -> None:
    with old.database.reading() as connection:
        newest = connection.scalar(select(func.max(builders.article_paragraphs.c.article_id))) or 0
    rematch(new)
    found = gather(new, newest, builders.NOW)
    assert found is not None
    assert not found.stories
    assert found.ready_up_to == newest
    with new.database.writing() as connection:
        fresh = builders.add_article(connection, 1, day=TODAY, texts=["A launcher for tomorrow."])
    analyse(new)
    found = gather(new, newest, builders.NOW)
    assert found is not None
    assert {s.article for seen in found.stories.values() for s in seen} == {fresh.id}, "and new ones are"


def test_days_before_since_are_left_but_the_window_never(old: Parts, new: Parts) -> None:
    recent = replace(new, settings=new.settings.model_copy(update={"window_days": 200}))
    done = rematch(recent, since=TODAY - timedelta(days=10), dry_run=True)
    assert done.paragraphs == 4, "two articles of the window"


def test_a_new_matcher_fills_the_window_newest_first_within_its_minutes(old: Parts, new: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyse_stage, "PARAGRAPHS_AT_ONCE", 4)
    first = live(old.database)
    ticks = iter([0, 0, 11])  # the start, before the first page, before the second
    encoder = FakeEncoder(name="other@1:full")
    other = parts(new.database, NEW, new.settings.home, encoder, window_days=700, backfill_minutes=10)
    slow = replace(other, clock=lambda: builders.NOW + timedelta(minutes=next(ticks)))
    assert analyse(slow)["matched"] == 4
    assert live(new.database) == first
    assert TEXTS[4] in encoder.texts, "the newest"
    assert TEXTS[0] not in encoder.texts
    assert analyse(replace(other, clock=lambda: builders.NOW + timedelta(days=1)))["matched"] == 6
    assert live(new.database) != first, "the window is full"
    assert len(encoder.texts) == 10, "nothing was embedded twice"


def test_retired_are_those_that_are_live_no_more(old: Parts, new: Parts) -> None:
    rematch(new)
    now_live = live(new.database)
    assert retire(new) == 1
    assert live(new.database) == now_live
    with new.database.reading() as connection:
        for table in (hit_table, matched, daily_counts):
            assert set(connection.scalars(select(table.c.matcher_id))) == {now_live}
    assert retire(new) == 0
    later = replace(old, clock=lambda: builders.NOW + timedelta(hours=1))
    assert shown(rematch(later))["quantum"] == (0, 1, 1, 0), "one that was retired can come back"
    assert live(new.database) != now_live


def test_while_a_run_is_under_way_it_waits_outside(old: Parts, new: Parts) -> None:
    with runs.run_lock(new.database) as mine:
        assert mine
        other = replace(new, database=Database(new.database.engine.url.render_as_string(hide_password=False)))
        with pytest.raises(Busy):
            rematch(other)
        other.database.close()


def test_a_matcher_that_was_sent_to_another_process_decides_alike(new: Parts) -> None:
    sent = pickle.loads(pickle.dumps(new.matcher()))
    paragraphs = [Paragraph(str(n), text) for n, text in enumerate(TEXTS)]
    vectors: Vectors = np.asarray(FakeEncoder().encode(TEXTS))
    assert sent.judge(paragraphs, vectors) == new.matcher().judge(paragraphs, vectors)


def test_an_empty_database(database: Database, tmp_path: Path) -> None:
    done = rematch(parts(database, NEW, tmp_path, FakeEncoder()))
    assert shown(done) == {"quantum": (0, 0, 0, 0), "space": (0, 0, 0, 0)}
    with database.reading() as connection:
        assert history.first_day(connection) is None
