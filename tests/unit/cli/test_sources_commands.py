"""`monitor sources`: lists in and out, what is ill, and what an address would give, over real HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from monitor.cli import app
from monitor.errors import InputError
from monitor.store.database import Database, upgrade
from monitor.store.schema import entries
from tests.builders import add_source, write
from tests.unit.fetch.faulty_server import respond
from tests.unit.pipeline.test_faults import at_work, feed

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
OPML = """<opml version="2.0"><body><outline text="Ministries">
<outline type="rss" text="Far Horizons" xmlUrl="https://ministry.example/feed" language="en"/></outline>
<outline type="rss" text="Journal" xmlUrl="https://journal.example/atom"/></body></opml>"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    url = f"sqlite:///{tmp_path / 'monitor.db'}"
    (tmp_path / "areawatch.toml").write_text('[fetch]\nallow_networks = ["127.0.0.0/8"]\n', encoding="utf-8")
    monkeypatch.setenv("MONITOR_CONFIG", str(tmp_path / "areawatch.toml"))
    monkeypatch.setenv("MONITOR_DATABASE_URL", url)
    upgrade(url)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["sources", *arguments])


def test_a_list_comes_in_goes_out_and_comes_in_again_unchanged(home: Path) -> None:
    (home / "list.opml").write_text(OPML, encoding="utf-8")
    assert "2 of 2 sources added" in call("import", str(home / "list.opml")).output
    assert "0 of 2" in call("import", str(home / "list.opml")).output
    written = call("export").output
    assert 'xmlUrl="https://ministry.example/feed"' in written
    assert 'category="ministry"' in written
    assert call("remove", "https://journal.example/atom").exit_code == 0
    found = json.loads(call("list", "--json").output)
    assert {row["url"]: (row["kind"], row["active"], row["health"]) for row in found} == {
        "https://ministry.example/feed": ("ministry", True, "not asked yet"),
        "https://journal.example/atom": ("other", False, "removed"),
    }
    assert isinstance(call("remove", "https://nobody.example/").exception, InputError)


def test_health_says_what_failed_what_went_quiet_and_whose_pages_come_out_empty(home: Path) -> None:
    database = Database(f"sqlite:///{home / 'monitor.db'}")
    well = {"last_success_at": NOW, "last_entry_at": NOW, "entries_a_day": 3.0}
    with database.writing() as connection:
        add_source(connection, "Sound", **well)
        add_source(connection, "Broken", **well | {"failures": 3, "last_error": "timeout: the server sent nothing for too long"})
        add_source(connection, "Silent", **well | {"last_entry_at": NOW - 30 * DAY})
        rotten = add_source(connection, "Rotten", **well)
        states = ["empty"] * 6 + ["read"] * 3
        rows = [{"source_id": rotten, "key": str(n), "state": s, "published_at": NOW - (n + 1) * DAY} for n, s in enumerate(states)]
        write(connection, entries, [{**row, "version": "1", "first_seen_at": NOW} for row in rows])
    database.close()
    said = {row["title"]: row["health"] for row in json.loads(call("list", "--health", "--json").output)}
    assert said["Sound"] == "ok"
    assert said["Broken"].startswith("failing, 3 in a row: timeout")
    assert said["Silent"] == "quiet: nothing new for 30 days"
    assert said["Rotten"].startswith("came out empty: the newest 6 entries")
    assert "failing, 3 in a row" in " ".join(call("list", "--health").output.split())


def test_check_says_what_would_be_read_and_stores_nothing(home: Path) -> None:
    page = '<html><head><link rel="alternate" type="application/rss+xml" href="/feed"></head><body>Welcome</body></html>'
    routes = {
        "/feed": respond(feed("/a.html", "/b.html"), content_type="application/rss+xml"),
        "/": respond(page, content_type="text/html"),
    }
    with at_work(routes) as server:
        read = json.loads(call("check", server.url("/feed"), "--json").output)
        assert (read["format"], read["entries"]) == ("rss", 2)
        home_page = call("check", server.url("/"))
        assert isinstance(home_page.exception, InputError)
        assert f"The page offers a feed: {server.url('/feed')}" in "".join(home_page.output.split("\n"))
    assert json.loads(call("list", "--json").output) == []
