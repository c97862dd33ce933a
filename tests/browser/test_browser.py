"""The pages in headless Chromium, judged by axe-core: left out where node, its packages or Chromium are not there."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.report import render_folder, render_single
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
    files = sorted(str(file) for file in tmp_path.glob("*.html"))
    assert CHROMIUM is not None
    command = ["node", str(HERE / "look.mjs"), CHROMIUM, *files]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=300, check=True)
    assert json.loads(done.stdout) == []
