"""The pages in headless Chromium, judged by axe-core: left out where node, its packages or Chromium are not there."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.report import render_folder, render_single
from monitor.store.database import Database, upgrade
from tests.archive import fill
from tests.store.test_serve import parts_of, served
from tests.unit.report.sites import DAYS, area, hostile, instruments, site

HERE = Path(__file__).parent
CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and shutil.which("node") and (HERE / "node_modules" / "axe-core").is_dir()),
    reason="needs Chromium, node, and `npm install --no-package-lock` in tests/browser",
)


def test_nothing_is_wrong_with_the_pages_in_a_browser(tmp_path: Path) -> None:
    shown = site(instruments=instruments(), periods=DAYS[:3], areas=(*site().areas, area("policy-funding", "Funding", facet="policy")))
    pages = render_folder(shown) | {"single.html": render_single(site())}
    pages |= {f"hostile-{name}": text for name, text in render_folder(hostile()).items()}
    for name, text in pages.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert wrong_with(sorted(str(file) for file in tmp_path.glob("*.html"))) == []


def wrong_with(pages: list[str]) -> list[str]:
    assert CHROMIUM is not None
    command = ["node", str(HERE / "look.mjs"), CHROMIUM, *pages]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=300, check=True)
    return list(json.loads(done.stdout))


SERVED = (
    "",
    "index.html?from=2026-11-01&to=2026-11-20",
    "area-quantum-technology.html",
    "coverage.html",
    "search",
    "search?q=quantum+computer&language=en",
    "search?q=%E9%87%8F%E5%AD%90",
    "search?area=quantum-technology&page=2",
    "search?q=nothing+like+it",
)


def test_nothing_is_wrong_with_the_served_pages_in_a_browser(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'monitor.db'}")
    database = Database(f"sqlite:///{tmp_path / 'monitor.db'}")
    with database.writing() as connection:
        fill(connection, days=60)
    with served(lambda: parts_of(database, tmp_path)) as client:
        assert wrong_with([f"{client.base_url}/{path}" for path in SERVED]) == []
        # A browser says that an answer of 400 failed to load, which is meant.
        refused = wrong_with([f"{client.base_url}/search?area=telepathy&from=soon"])
    assert [one for one in refused if "status of 400" not in one] == []
