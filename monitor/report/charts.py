"""Charts as inline SVG, drawn when the pages are made: Vega-Lite, described with Altair and rendered by vl-convert. No script is needed.

Colours are placeholders in the drawing and become CSS variables of the page, so that light, dark and print each have their own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache, partial
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

from monitor.domain import Coverage
from monitor.report.model import Line

# Placeholder → CSS variable. Altair takes only real colours.
PAINT = {
    "#0a0001": "accent",
    "#0a0002": "soft",
    "#0a0003": "ink",
    "#0a0004": "muted",
    "#0a0005": "grid",
    "#0a0006": "poor",
    "#0a0007": "bar",
}
ACCENT, SOFT, INK, MUTED, GRID, POOR, BAR = PAINT
# Of the drawing in CSS pixels: one for desks and paper, one for phones, which the style sheet chooses between.
WIDTHS = {"wide": 920, "narrow": 350}
MOST_TICKS = {"wide": 9, "narrow": 5}
FONT = "system-ui, sans-serif"
# What the renderer adds for scripts and for readers that go through every bar; ours hear one label and have the table.
NEEDLESS = re.compile(r' (?:role|aria-[a-z]+|pointer-events|class|stroke-miterlimit)="[^"]*"')
EMPTY = re.compile(r'<path d="(?:M0,0h\d+v0h-?\d+Z)?"(?: display="none")?/>')
Row = dict[str, Any]


def area_chart(line: Line, poor: Collection[date], label: str) -> Markup:
    """Share with its interval, bursts and poorly covered days above; articles and stories below."""
    days = [_row(c.day) for c in line.counts]
    shares = [
        row | {"share": c.articles / c.articles_seen if c.articles_seen and c.day not in poor else None}
        | ({"smooth": s[0], "low": s[1], "high": s[2]} if s else {})
        for row, c, s in zip(days, line.counts, line.smoothed, strict=True)
    ]  # fmt: skip
    top = max([s.get("high") or 0 for s in shares] + [s["share"] or 0 for s in shares] + [0.001])
    by_day = {c.day: c for c in line.counts}
    bursts = [
        _row(b.day) | {"place": by_day[b.day].articles / max(1, by_day[b.day].articles_seen), "top": top, "name": f"{b.articles}"}
        for b in line.bursts
        if b.day in by_day
    ]
    bars = [row | {"articles": c.articles, "stories": c.stories} for row, c in zip(days, line.counts, strict=True)]
    found = {"shares": shares, "bursts": bursts, "bars": bars, "poor": [_row(c.day) | {"top": top} for c in line.counts if c.day in poor]}
    return _both(_area_spec, found, [c.day for c in line.counts], label)


def coverage_chart(coverage: Sequence[Coverage], seen: Mapping[date, int], poor: Collection[date], label: str) -> Markup:
    """Sources read of sources due above; articles below."""
    read = [_row(c.day) | {"part": c.read / c.due, "poor": c.day in poor} for c in coverage if c.due]
    bars = [_row(day) | {"articles": number, "poor": day in poor} for day, number in sorted(seen.items())]
    return _both(_coverage_spec, {"read": read, "bars": bars}, sorted(seen), label)


def _row(day: date) -> Row:
    noon = datetime.combine(day, time(12))
    edges = {"from": noon - timedelta(hours=12), "at": noon, "to": noon + timedelta(hours=12)}
    inner = {"left": noon - timedelta(hours=9), "right": noon + timedelta(hours=9)}
    return {name: at.isoformat() + "Z" for name, at in (edges | inner).items()}


def _both(spec: Any, found: Mapping[str, list[Row]], days: Sequence[date], label: str) -> Markup:
    """The drawing in both widths; a screen reader hears the label once."""
    drawn = [
        Markup(_svg(spec(width, _ticks(days, MOST_TICKS[kind])), found, label if kind == "wide" else "", kind))
        for kind, width in WIDTHS.items()
    ]
    return Markup("").join(drawn)


def _ticks(days: Sequence[date], most: int) -> tuple[str, ...]:
    """The days that are named below the chart, counted back from the last; each takes 5 ms to draw."""
    step = next((step for step in (1, 2, 7, 14, 28, 56, 91, 182) if len(days) <= step * most), 364)
    return tuple(_row(day)["at"] for day in days[::-1][::step])


def _svg(spec: Row, found: Mapping[str, list[Row]], label: str, kind: str) -> str:
    svg: str = vl_convert.vegalite_to_svg({**spec, "datasets": dict(found)})
    for colour, name in PAINT.items():
        svg = svg.replace(colour, f"var(--{name})")
    svg = EMPTY.sub("", NEEDLESS.sub("", svg))
    size = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    width, height = size.groups() if size else (str(WIDTHS[kind]), "300")
    # The label goes through Markup.format, which escapes it.
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else 'aria-hidden="true"'
    head = f'<svg class="chart {kind}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" {spoken}>'
    return head + svg[svg.index(">") + 1 :]


def _x(name: str, ticks: tuple[str, ...], *, named: bool) -> alt.X:
    axis = alt.Axis(format="%-d %b", grid=False, values=list(ticks), labels=named, labelFlush=False, labelOverlap=False, tickSize=4)
    return alt.X(f"{name}:T", scale=alt.Scale(type="utc"), title=None, axis=axis)


@cache
def _area_spec(width: int, ticks: tuple[str, ...]) -> Row:
    share = alt.Axis(format=".1~%", tickCount=4, title=None)
    shares, bursts, poor = alt.NamedData(name="shares"), alt.NamedData(name="bursts"), alt.NamedData(name="poor")
    x = partial(_x, ticks=ticks, named=False)
    rule = alt.Chart(bursts).mark_rule(color=ACCENT, strokeDash=[2, 3])
    sign = alt.Chart(bursts).mark_point(shape="triangle-up", color=ACCENT, fill=ACCENT, size=70, opacity=1)
    upper = alt.layer(
        alt.Chart(poor).mark_rect(color=POOR).encode(x=x("from"), x2="to:T", y=alt.Y("top:Q", axis=share), y2=alt.datum(0)),
        alt.Chart(shares).mark_area(color=SOFT).encode(x=x("at"), y=alt.Y("low:Q", axis=share), y2="high:Q"),
        alt.Chart(shares).mark_circle(color=MUTED, size=14, opacity=0.75).encode(x=x("at"), y=alt.Y("share:Q", axis=share)),
        alt.Chart(shares).mark_line(color=ACCENT, strokeWidth=2.25).encode(x=x("at"), y=alt.Y("smooth:Q", axis=share)),
        rule.encode(x=x("at"), y=alt.Y("place:Q", axis=share), y2="top:Q"),
        sign.encode(x=x("at"), y=alt.Y("place:Q", axis=share)),
    )
    bars = alt.Chart(alt.NamedData(name="bars"))
    count = alt.Axis(tickCount=3, format="d", title=None)
    x = partial(_x, ticks=ticks, named=True)
    lower = alt.layer(
        bars.mark_rect(color=BAR).encode(x=x("left"), x2="right:T", y=alt.Y("articles:Q", axis=count), y2=alt.datum(0)),
        bars.mark_rect(color=ACCENT).encode(x=x("left"), x2="right:T", y=alt.Y("stories:Q", axis=count), y2=alt.datum(0)),
    )
    heights = (190, 80) if width > 500 else (150, 70)
    return _finished(upper, lower, width, heights)


@cache
def _coverage_spec(width: int, ticks: tuple[str, ...]) -> Row:
    part = alt.Axis(format=".0%", values=[0, 0.5, 1], title=None)
    count = alt.Axis(tickCount=3, title=None)
    colour = alt.condition("datum.poor", alt.value(POOR), alt.value(BAR))
    x = partial(_x, ticks=ticks, named=False)
    y = alt.Y("part:Q", axis=part, scale=alt.Scale(domain=[0, 1]))
    upper = alt.Chart(alt.NamedData(name="read")).mark_rect().encode(x=x("left"), x2="right:T", y=y, y2=alt.datum(0), color=colour)
    x = partial(_x, ticks=ticks, named=True)
    bars = alt.Chart(alt.NamedData(name="bars")).mark_rect()
    lower = bars.encode(x=x("left"), x2="right:T", y=alt.Y("articles:Q", axis=count), y2=alt.datum(0), color=colour)
    return _finished(upper, lower, width, (120, 100))


def _finished(upper: Any, lower: Any, width: int, heights: tuple[int, int]) -> Row:
    inner = width - 50
    stacked = alt.vconcat(
        upper.properties(width=inner, height=heights[0]), lower.properties(width=inner, height=heights[1]), spacing=14
    ).resolve_scale(x="shared")
    described = (
        stacked.configure(background="transparent", font=FONT, aria=False, padding=4)
        .configure_axis(labelColor=MUTED, domainColor=GRID, tickColor=GRID, gridColor=GRID, labelFontSize=11, domain=False)
        .configure_view(stroke=None)
    )
    spec: Row = described.to_dict()
    return spec
