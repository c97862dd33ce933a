"""A message in a real browser: in light and in dark every text stands out from what is behind it, and nothing is wider than a phone.

The contrast is that of the Web Content Accessibility Guidelines 2.2, success criterion 1.4.3: 4.5 at least.
"""

from __future__ import annotations

import json
import re
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from test_alert_digest import HOSTILE, digest, full, message, told

from monitor.alerts import wording
from monitor.alerts.digest import Digest

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip

# What the browser made of the page: the colours, the contrast of each piece of text, and how wide it all is.
ASK = """
<script>
function numbers(colour) { return colour.match(/[\\d.]+/g).map(Number); }
function light(colour) {
  const [r, g, b] = numbers(colour).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function behind(element) {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor, parts = numbers(colour);
    if (parts.length == 3 || parts[3] == 1) return colour;
  }
  return "rgb(255, 255, 255)";
}
const least = {contrast: 99}, walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
  if (!text || element.tagName == "SCRIPT") continue;
  const a = light(getComputedStyle(element).color), b = light(behind(element));
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < least.contrast) Object.assign(least, {contrast, text});
}
const answer = document.createElement("pre");
answer.id = "answer";
answer.textContent = JSON.stringify({
  page: getComputedStyle(document.body).backgroundColor, least, wide: document.documentElement.scrollWidth, window: innerWidth,
  links: [...document.links].map(link => link.protocol), scripts: document.scripts.length, images: document.images.length,
});
document.body.append(answer);
</script>
"""


def look(chromium: str, folder: Path, shown: Digest, *, dark: bool, width: int) -> dict[str, Any]:
    """What the browser answers."""
    page = folder / "message.html"
    page.write_text(message(shown).html.replace("</body>", f"{ASK}</body>"), encoding="utf-8")
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    command = [
        chromium,
        *QUIET,
        scheme,
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},1400",
        "--dump-dom",
        page.as_uri(),
    ]
    dumped = subprocess.run(command, check=True, capture_output=True, timeout=180, text=True).stdout
    found = re.search(r'<pre id="answer">(.*?)</pre>', dumped, re.DOTALL)
    assert found, dumped[-2000:]
    answer: dict[str, Any] = json.loads(unescape(found[1]))
    return answer


@pytest.mark.parametrize(("dark", "page"), [(False, "rgb(238, 240, 242)"), (True, "rgb(16, 19, 22)")])
def test_light_and_dark_are_readable(chromium: str, tmp_path: Path, dark: bool, page: str) -> None:
    seen = look(chromium, tmp_path, full(), dark=dark, width=760)
    assert seen["page"] == page
    assert seen["least"]["contrast"] >= 4.5, seen["least"]


def test_hostile_text_breaks_nothing_on_a_phone(chromium: str, tmp_path: Path) -> None:
    stories = [
        told(story=n, title=text, quote=wording.quote(text, ())[0], source=text, also_in=(text,), exemplar=text)
        for n, text in enumerate(HOSTILE.values(), 1)
    ]
    seen = look(chromium, tmp_path, digest(*stories), dark=False, width=500)
    assert seen["wide"] <= seen["window"]
    assert (seen["scripts"], seen["images"]) == (1, 0)  # the one that asks
    assert set(seen["links"]) == {"https:"}
