"""A desk a test, and a browser to look at messages with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alert_desk import Desk, stage

from monitor.store.database import upgrade
from monitor.taxonomy import Taxonomy, load_taxonomy


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


@pytest.fixture(scope="session")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("upgraded") / "monitor.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def chromium() -> str:
    """The binary of a headless browser."""
    found = shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(found).exists():
        pytest.skip("no chromium here")
    return found


@pytest.fixture
def desk(tmp_path: Path, upgraded: Path, taxonomy: Taxonomy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    shutil.copy(upgraded, tmp_path / "monitor.db")
    found = Desk(tmp_path, taxonomy)
    monkeypatch.setattr(stage, "open_channels", found.channels)
    yield found
    found.database.close()
