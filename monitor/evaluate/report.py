"""The measures of `monitor evaluate` as one page: the table, a reliability diagram, and the worst errors with their text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from monitor.evaluate.metrics import Judged, calibration_bins

# Errors shown of each kind; the page says how many there are.
WORST = 25
QUOTE = 700
GROUPS = {"areas": "By area", "languages": "By language", "kinds": "By kind of paragraph"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """A false hit or a miss, with the paragraph it was made on."""

    area: str
    probability: float
    id: str
    language: str
    kind: str
    text: str


def page(judged: Judged, measured: Mapping[str, Any], published: Mapping[str, tuple[float, float, float]]) -> str:
    """A self-contained HTML page of what `metrics.measure` and `metrics.published` gave. Texts are escaped."""
    false_hits, misses = mistakes(judged, of_hits=True), mistakes(judged, of_hits=False)
    shown = _template().render(
        measured=measured,
        published=published,
        groups={title: measured[name] for name, title in GROUPS.items()},
        bins=calibration_bins(judged),
        most=max((b["answers"] for b in calibration_bins(judged)), default=1),
        errors=[
            ("False hits", "the surest first", false_hits[:WORST], len(false_hits)),
            ("Misses", "the least expected first", misses[:WORST], len(misses)),
        ],
    )
    return shown.encode("utf-8", "replace").decode("utf-8").replace("\x00", " ")


def mistakes(judged: Judged, *, of_hits: bool) -> list[Mistake]:
    """False hits, the most probable first, or misses, the least probable first."""
    wrong = judged.fired & ~judged.truth if of_hits else judged.truth & judged.counted & ~judged.fired
    places = sorted(np.argwhere(wrong).tolist(), key=lambda at: judged.probability[at[0], at[1]], reverse=of_hits)
    return [_mistake(judged, row, column) for row, column in places]


def _mistake(judged: Judged, row: int, column: int) -> Mistake:
    paragraph = judged.gold[row]
    text = paragraph.text if len(paragraph.text) <= QUOTE else paragraph.text[:QUOTE] + "…"
    return Mistake(
        area=judged.areas[column],
        probability=float(judged.probability[row, column]),
        id=f"{paragraph.writer}/{paragraph.id}",
        language=paragraph.language,
        kind=paragraph.kind,
        text=text,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("monitor.evaluate"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html")
