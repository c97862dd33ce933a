"""From a database to a folder of pages: each number as it is stored, each file whole, nothing of areas that are no more left."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from monitor.pipeline import Parts, report
from monitor.pipeline.report import look, report_single, write_pages
from monitor.report import Site
from monitor.settings import Settings
from monitor.store.counts import replace_counts
from monitor.store.database import Database
from monitor.store.schema import matchers
from monitor.taxonomy import Taxonomy, load_taxonomy
from tests.archive import NEW_ACTOR, fill
from tests.builders import NOW, VERSION, add_article, add_hit, add_source, live_matcher

Build = Callable[..., Parts]


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    """Four of the shipped areas: each page's charts take some time."""
    whole = load_taxonomy()
    return replace(whole, areas=tuple(a for a in whole.areas if a.id in {"quantum-technology", "humanoid-robots", "metaverse", "6g"}))


@pytest.fixture
def build(database: Database, tmp_path: Path, taxonomy: Taxonomy) -> Build:
    def parts(**changed: Any) -> Parts:
        def never() -> Any:
            raise AssertionError("pages need no model")

        made = Parts(Settings(home=tmp_path, window_days=69), database, taxonomy, VERSION, never, never, clock=lambda: NOW)
        return replace(made, **changed)

    return parts


def page(site: Site, key: str) -> Any:
    return next(area for area in site.areas if area.id == key)


def count_all(connection: Connection) -> None:
    areas = ["quantum-technology", "6g", "policy-funding"]
    replace_counts(connection, live_matcher(connection), areas, NOW.date() - timedelta(69), NOW.date())


def test_the_pages_show_what_is_stored(database: Database, build: Build) -> None:
    with database.writing() as connection:
        archive = fill(connection, seed=6)
    site = look(build())
    quantum = page(site, "quantum-technology")
    assert quantum.movement.direction == "rising"
    assert [b.day for b in quantum.line.bursts]
    assert {b.day for b in quantum.line.bursts} <= set(archive.burst_days["quantum-technology"])
    assert NEW_ACTOR in [new.term for new in quantum.new_terms]
    assert site.poor == set(archive.poor_days)
    assert len(quantum.line.counts) == len(quantum.line.smoothed) == 70
    assert sum(p.articles for p in quantum.languages) == sum(c.articles for c in quantum.line.counts)
    assert len(quantum.stories) == 20
    assert list(quantum.stories) == sorted(quantum.stories, key=lambda s: (s.day, s.id), reverse=True)
    assert [s.health for s in site.sources if s.title == "Северный инженер"] == ["failing, 3 in a row: too slow: no answer within 60 s"]
    short = look(build(settings=build().settings.model_copy(update={"window_days": 10})))
    assert [len(a.line.counts) for a in short.areas] == [11] * 4
    assert page(site, "humanoid-robots").line.bursts
    assert not page(short, "humanoid-robots").line.bursts
    assert page(short, "quantum-technology").line.bursts == quantum.line.bursts
    assert report(build())["pages"] == 11
    text = (build().settings.home / "report" / "area-quantum-technology.html").read_text(encoding="utf-8")
    week = sum(c.articles for c in quantum.line.counts[-7:])
    assert re.search(rf"Articles, seven days</dt><dd>{week}<", text)


def test_a_story_is_told_by_its_first_article_with_its_best_paragraph(database: Database, build: Build) -> None:
    day = NOW.date() - timedelta(1)
    with database.writing() as connection:
        matcher = live_matcher(connection)
        wire, paper = add_source(connection, "Wire"), add_source(connection, "Paper")
        first = add_article(
            connection, wire, day=day, title="First", texts=["weak qubits", "strong qubits"], seen_at=NOW - timedelta(hours=9)
        )
        copy = add_article(
            connection, paper, day=day, title="Copy", texts=["strong qubits"], story=first.id, seen_at=NOW - timedelta(hours=8)
        )
        add_article(connection, wire, day=day, title="Again", texts=["strong qubits"], story=first.id, seen_at=NOW)
        add_hit(connection, matcher, first.paragraphs[0], "quantum-technology", probability=0.6)
        add_hit(connection, matcher, first.paragraphs[1], "quantum-technology", probability=0.9, words=["qubits"])
        count_all(connection)
    (told,) = page(look(build()), "quantum-technology").stories
    assert (told.title, told.source, told.also_in, told.articles) == ("First", "Wire", ("Paper",), 3)
    assert (told.quote, told.probability) == ("strong qubits", 0.9)
    assert [told.quote[m.start : m.end] for m in told.mentions] == ["qubits"]
    assert copy.id != first.id


def test_an_empty_database_has_pages(build: Build) -> None:
    assert report(build())["pages"] == 11
    assert "No story tells of an area yet." in (build().settings.home / "report" / "index.html").read_text(encoding="utf-8")


def test_a_matcher_that_is_not_live_is_not_shown(database: Database, build: Build) -> None:
    with database.writing() as connection:
        fill(connection, days=20)
        connection.execute(update(matchers).values(live_since=None))
    assert not any(a.stories for a in look(build()).areas)


def test_a_night_writes_the_pages_anew_only_where_they_would_show_something_else(database: Database, build: Build) -> None:
    index = build().settings.home / "report" / "index.html"
    noon = build(clock=lambda: NOW + timedelta(hours=1))
    assert report(build(), always=False)["pages"] == 11
    first = index.read_bytes()
    assert report(noon, always=False)["pages"] == 0
    assert index.read_bytes() == first
    assert report(noon)["pages"] == 11, "who asks for them gets them"
    with database.writing() as connection:
        added = add_article(connection, add_source(connection, "Wire"), day=NOW.date(), texts=["weak qubits"])
        add_hit(connection, live_matcher(connection), added.paragraphs[0], "quantum-technology")
        count_all(connection)
    assert report(noon, always=False)["pages"] == 11
    assert report(noon, always=False)["pages"] == 0
    assert report(build(clock=lambda: NOW + timedelta(1)), always=False)["pages"] == 11, "another day, another window"


def test_areas_that_are_no_more_leave_no_page(database: Database, build: Build, taxonomy: Taxonomy) -> None:
    folder = build().settings.home / "report"
    report(build())
    (folder / "notes-of-an-analyst.html").write_text("mine")
    fewer = replace(taxonomy, areas=tuple(a for a in taxonomy.areas if a.id != "metaverse"))
    report(build(taxonomy=fewer))
    assert not (folder / "area-metaverse.html").exists()
    assert not (folder / "area-metaverse.atom").exists()
    assert (folder / "notes-of-an-analyst.html").exists()
    assert "metaverse" not in (folder / "index.html").read_text(encoding="utf-8").lower()


def test_policy_areas_are_counted_beside_technologies(database: Database, build: Build, taxonomy: Taxonomy) -> None:
    funding = taxonomy.area("metaverse").model_copy(update={"id": "policy-funding", "facet": "policy", "names": {"en": "Funding"}})
    with database.writing() as connection:
        matcher = live_matcher(connection)
        for days, areas in ((2, ("quantum-technology", "policy-funding")), (40, ("quantum-technology", "policy-funding")), (2, ("6g",))):
            article = add_article(
                connection, add_source(connection, f"S{days}{areas}"), day=NOW.date() - timedelta(days), texts=[f"{days} {areas}"]
            )
            for area in areas:
                add_hit(connection, matcher, article.paragraphs[0], area)
        count_all(connection)
    site = look(build(taxonomy=replace(taxonomy, areas=(*taxonomy.areas, funding))))
    assert [(i.area, i.policy, i.periods) for i in site.instruments] == [("quantum-technology", "policy-funding", (1, 1))]
    assert len(site.periods) == 2


def test_a_page_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pages(tmp_path, {"index.html": "old"})

    def stopped(self: Path, *_: Any, **__: Any) -> int:
        self.open("w").write("ha")
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", stopped)
    with pytest.raises(OSError, match="disk full"):
        write_pages(tmp_path, {"index.html": "new"})
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("index.html", "old")]


def test_the_single_file_needs_nothing_beside_it(database: Database, build: Build, tmp_path: Path) -> None:
    with database.writing() as connection:
        fill(connection, days=20)
    assert report_single(build(), tmp_path / "new" / "all.html") == {"pages": 1}
    text = (tmp_path / "new" / "all.html").read_text(encoding="utf-8")
    assert 'href="#area-quantum-technology"' in text
    assert [f.name for f in (tmp_path / "new").iterdir()] == ["all.html"]


def test_lone_surrogates_do_not_stop_a_page(tmp_path: Path) -> None:
    write_pages(tmp_path, {"index.html": "a\ud800b"})
    assert (tmp_path / "index.html").read_text() == "a?b"
