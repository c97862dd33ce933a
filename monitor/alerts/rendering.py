"""Templates → the text and the HTML of a message.

`digest.txt`, `digest.html` and `brief.txt` (for chat channels) are shipped in `templates/`; a file of the same name in the folder
`templates` of the home folder takes its place.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import css_inline
import jinja2

from monitor.alerts import wording
from monitor.errors import ConfigurationError

SHIPPED = Path(__file__).parent / "templates"
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@lru_cache(maxsize=4)
def _environment(folder: Path | None) -> jinja2.Environment:
    """Compiles a template once and again when its file changes."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([str(place) for place in (folder, SHIPPED) if place]),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment


class Templates:
    """The shipped templates, or those that `folder` has instead. Raises ConfigurationError naming file and line."""

    def __init__(self, folder: Path | None = None) -> None:
        self._environment = _environment(folder)

    def text(self, name: str, context: Mapping[str, Any]) -> str:
        """Plain text, its lines without spaces at the end (but the mark of a signature) and with at most one empty line between."""
        lines = [line if line == "-- " else line.rstrip() for line in self._render(name, context).splitlines()]
        kept = [line for n, line in enumerate(lines) if line or (n and lines[n - 1])]
        return "\n".join(kept).strip("\n") + "\n"

    def html(self, name: str, context: Mapping[str, Any]) -> str:
        """HTML with its styles at the elements, as mail programs need it; rules for dark screens stay in the head."""
        page = self._render(name, context)
        try:
            return _INLINER.inline(page)
        except css_inline.InlineError as error:
            raise ConfigurationError(f"template {name}: its styles cannot be inlined: {error}") from None

    def _render(self, name: str, context: Mapping[str, Any]) -> str:
        try:
            return self._environment.get_template(name).render(context)
        except jinja2.TemplateSyntaxError as error:
            raise ConfigurationError(f"{error.filename or name}:{error.lineno}: {error.message}") from None
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise ConfigurationError(f"{_place(error, name)}: {error}") from None


def _place(error: Exception, name: str) -> str:
    """File and line in the template where `error` came up; Jinja writes them into the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((f"{f.filename}:{f.lineno}" for f in reversed(frames) if f.filename.endswith(name)), f"template {name}")


def link(url: str) -> str:
    """`url` where it may stand in a link, else nothing."""
    cleaned = "".join(wording.plain(url).split())
    return cleaned if cleaned.startswith(("https://", "http://")) else ""


def day(value: date) -> str:
    """`23 Nov 2026`."""
    return f"{value.day} {value:%b %Y}"


def moment(value: datetime, zone: str) -> str:
    """`Monday 23 November 2026, 07:00` on the clocks of `zone`."""
    local = value.astimezone(ZoneInfo(zone))
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M}"


def ruled(text: str) -> str:
    """A heading with a line under it."""
    shown = wording.clean(text, wording.COLUMNS)
    return f"{shown}\n{'-' * wording.COLUMNS}"


def probability(value: float) -> str:
    """Two digits, and never a certainty that no calibration gives."""
    return "over 0.99" if value >= 0.995 else f"{value:.2f}"


def page(base_url: str, area: str) -> str:
    """The address of an area's page in the published report, else nothing."""
    base = link(base_url)
    return f"{base.rstrip('/')}/area-{area}.html" if base else ""


FILTERS = {
    "wrap": wording.wrap,
    "aligned": wording.aligned,
    "clean": wording.clean,
    "pieces": wording.segments,
    "starred": wording.starred,
    "words": wording.words_of,
    "link": link,
    "day": day,
    "moment": moment,
    "ruled": ruled,
    "probability": probability,
    "page": page,
}
