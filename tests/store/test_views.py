"""The analysts' views are there after an upgrade, on both databases, with the columns that are promised."""

from __future__ import annotations

import pytest

from monitor.store.database import Database

PROMISED = {
    "trend": "day area dimension value articles stories articles_seen share sources_due sources_read coverage",
    "mention": (
        "area day published_at first_seen_at source source_kind language title url quote probability similarity exemplar mentions "
        "story article_id paragraph_id position"
    ),
    "coverage": "day sources_due sources_read coverage",
    "reading": "day articles poor",
    "burst": "day area reports expected surprise",
    "movement": "day area direction reports expected ratio low high",
    "together": "day area named_with stories",
    "source": "source url kind language active entries articles failed last_success_at last_entry_at health",
}


@pytest.mark.parametrize("view", PROMISED)
def test_a_view_has_its_promised_columns(database: Database, view: str) -> None:
    with database.reading() as connection:
        found = connection.exec_driver_sql(f"SELECT * FROM {view}")
        assert " ".join(found.keys()) == PROMISED[view]
