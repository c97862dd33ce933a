"""`monitor report` and `monitor moves` over a stored archive, on the day that it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from monitor import app as composition
from monitor.cli import pages
from monitor.store.database import Database, upgrade
from monitor.taxonomy import load_taxonomy
from tests.archive import fill
from tests.builders import NOW

Run = Callable[..., Result]
KEYS = ("quantum-technology", "humanoid-robots")


class Then(datetime):
    """The day on which the archive ends."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return NOW


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    url = f"sqlite:///{folder / 'monitor.db'}"
    upgrade(url)
    with Database(url).writing() as connection:
        fill(connection, seed=6)
    (folder / "taxonomy" / "areas").mkdir(parents=True)
    for area in load_taxonomy().areas:
        if area.id in KEYS:
            plain = area.model_dump(mode="json", by_alias=True) | {"links": []}
            (folder / "taxonomy" / "areas" / f"{area.id}.yaml").write_text(yaml.safe_dump(plain, allow_unicode=True), encoding="utf-8")
    return folder


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(home)
    monkeypatch.setenv("MONITOR_DATABASE_URL", "sqlite:///monitor.db")
    monkeypatch.setenv("MONITOR_TAXONOMY", str(home / "taxonomy"))
    monkeypatch.setenv("COLUMNS", "200")
    # What the archive holds depends on the weekday that it ends on.
    monkeypatch.setattr(pages, "datetime", Then)
    monkeypatch.setattr(composition, "now", Then.now)
    app = typer.Typer()
    pages.register(app)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_moves_for_scripts(run: Run) -> None:
    found = json.loads(run("moves", "--json").stdout)
    quantum = next(row for row in found["areas"] if row["area"] == "quantum-technology")
    assert quantum["direction"] == "rising"
    assert quantum["low"] < quantum["ratio"] < quantum["high"]
    today = NOW.date()
    assert quantum["bursts"][-1]["day"] in [str(today - timedelta(n)) for n in (1, 2, 3)]
    assert found["poorly_covered"] == [str(today - timedelta(17)), str(today - timedelta(16))]


def test_moves_for_people(run: Run) -> None:
    said = run("moves").stdout
    assert "quantum-technology" in said.splitlines()[2]
    assert "rising" in said
    assert "Poorly covered" in said
