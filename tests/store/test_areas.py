"""What is said of an area that somebody asks for and that is not in the taxonomy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.errors import TaxonomyError
from monitor.pipeline.areas import known_area
from monitor.store import hits
from monitor.store.counts import replace_counts
from monitor.store.database import Database
from monitor.taxonomy import Area, Taxonomy, load_taxonomy
from tests.builders import NOW, VERSION, add_article, add_hit, add_source

WHOLE = load_taxonomy()
DAY = NOW.date() - timedelta(12)


def without(key: str) -> Taxonomy:
    return replace(WHOLE, areas=tuple(area for area in WHOLE.areas if area.id != key))


def test_an_area_that_is_there(database: Database) -> None:
    with database.reading() as connection:
        assert known_area(WHOLE, connection, "6g").id == "6g"


def test_one_that_never_was(database: Database) -> None:
    with database.reading() as connection, pytest.raises(TaxonomyError, match=r"^there is no area 'telepathy'; "):
        known_area(WHOLE, connection, "telepathy")


def test_one_that_was_removed_is_told_of_with_its_last_days(database: Database) -> None:
    with database.writing() as connection:
        matcher = hits.matcher_id(connection, VERSION, WHOLE.body(), now=NOW - timedelta(days=80))
        source = add_source(connection, "Wire")
        for ago in (40, 12):
            article = add_article(connection, source, day=NOW.date() - timedelta(ago), texts=[f"qubits, {ago} days ago"])
            add_hit(connection, matcher, article.paragraphs[0], "quantum-technology")
        replace_counts(connection, matcher, ["quantum-technology", "6g"], NOW.date() - timedelta(60), NOW.date())
        fewer = without("quantum-technology")
        hits.matcher_id(connection, replace(VERSION, taxonomy="taxonomy-2"), fewer.body(), now=NOW)
    says = (
        "the area 'quantum-technology' is not in the taxonomy any more; the last version with it was taken into use on 2026-09-04; "
        f"its last article counts for {DAY}. there is no area 'quantum-technology'; `monitor areas` shows them: "
    )
    with database.reading() as connection:
        with pytest.raises(TaxonomyError) as told:
            known_area(fewer, connection, "quantum-technology")
        with pytest.raises(TaxonomyError) as never_counted:
            known_area(without("6g"), connection, "6g")
    assert str(told.value).startswith(says)
    assert "the last version with it was taken into use on 2026-11-23. there is no area '6g'" in str(never_counted.value)


def test_one_that_was_renamed_leads_to_its_new_name(database: Database) -> None:
    def named(area: Area, key: str) -> Area:
        return area.model_copy(update={"id": key, "names": {"en": key}})

    renamed = replace(WHOLE, areas=tuple(named(a, "quantum") if a.id == "quantum-technology" else a for a in WHOLE.areas))
    with database.writing() as connection:
        hits.matcher_id(connection, VERSION, WHOLE.body(), now=NOW)
    with database.reading() as connection, pytest.raises(TaxonomyError, match=r"; its aliases are those of 'quantum' now\. "):
        known_area(renamed, connection, "quantum-technology")
