"""Small sites to render, with what a hostile web can put into them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from monitor.domain import Burst, Coverage, DailyCount, MatcherVersion, Mention
from monitor.report import AreaPage, Companion, Instrument, Line, Movement, NewTerm, Part, Site, SourceRow, Story

LAST = date(2026, 11, 22)
FIRST = LAST - timedelta(27)
DAYS = tuple(FIRST + timedelta(n) for n in range(28))
MADE_AT = datetime(2026, 11, 22, 3, 15, tzinfo=UTC)
POOR = LAST - timedelta(3)

SCRIPT = "<script>alert('x')</script>"
OVERRIDE = "left\u202egnp.exe"
TITLE = f'{SCRIPT}<img src=x onerror=alert(1)> "quoted" & {OVERRIDE}'


def story(number: int = 1, **changed: Any) -> Story:
    plain = Story(
        id=number,
        area="quantum",
        area_name="Quantum technology",
        day=LAST - timedelta(number % 20),
        title=f"Headline {number}",
        url=f"https://news.example/{number}",
        source="Wafer & Wire",
        source_kind="trade-press",
        language="en",
        articles=2,
        also_in=("Rheintal-Bote",),
        quote="A quantum computer with many qubits was shown.",
        mentions=(Mention("quantum computer", 2, 18), Mention("qubit", 29, 35, weak=True)),
        probability=0.93,
        similarity=0.61,
        exemplar="Researchers showed a quantum computer.",
        first_seen_at=MADE_AT - timedelta(days=number % 20),
    )
    return replace(plain, **changed)


def line(area: str = "quantum", *, bursts: bool = True) -> Line:
    counts = tuple(DailyCount(area, day, "all", "", n % 5, n % 3, 50 + n) for n, day in enumerate(DAYS))
    smooth = tuple(None if n < 2 else (0.04 + n / 1000, 0.02, 0.08) for n in range(28))
    return Line(counts, smooth, (Burst(area, DAYS[20], 9, 1.25, 4.31),) if bursts else ())


def area(key: str = "quantum", name: str = "Quantum technology", **changed: Any) -> AreaPage:
    plain = AreaPage(
        id=key,
        name=name,
        facet="technology",
        definition="Technology that uses single quantum states.",
        line=line(key),
        movement=Movement("rising", 12, 4.2, 2.7, 1.4, 5.1),
        week=(17, 9),
        week_share=(0.044, 0.03, 0.06),
        weekdays=(2.0, 1.5, 1.0, 3.0, 2.0, 0.2, None),
        languages=(Part("en", 20, 9), Part("zh", 4, 4)),
        sources=tuple(Part(f"Source {n}", 12 - n, 9) for n in range(11)),
        kinds=(Part("trade-press", 24, 13),),
        companions=(Companion("chips", "Advanced chips", 3, 1, "Both of them", "https://news.example/9", "en"),),
        new_terms=(
            NewTerm("Brightwater", 2, "Now Brightwater sells.", (Mention("Brightwater", 4, 15),), "One", "https://news.example/8", "en"),
        ),
        stories=(story(1), story(2)),
        stories_in_all=40,
    )
    return replace(plain, **changed)


def source(**changed: Any) -> SourceRow:
    plain = SourceRow("Wafer & Wire", "https://wafer.example/feed", "trade-press", "en", True, 120, 2, MADE_AT, MADE_AT, "ok")
    return replace(plain, **changed)


def site(**changed: Any) -> Site:
    plain = Site(
        made_at=MADE_AT,
        first=FIRST,
        last=LAST,
        areas=(area("chips", "Advanced chips"), area()),
        coverage=tuple(Coverage(day, 10, 5 if day == POOR else 10) for day in DAYS[5:]),
        seen=dict.fromkeys(DAYS, 60),
        poor=frozenset({POOR}),
        sources=(source(), source(title="Ill", health="failing, 3 in a row: no answer")),
        matcher=MatcherVersion("taxonomy-1", "encoder-1", "calibration-1", "rules-1"),
    )
    return replace(plain, **changed)


def hostile() -> Site:
    """Everything that comes from outside is an attack."""
    told = story(
        title=TITLE,
        url="javascript:alert(1)",
        source=SCRIPT,
        also_in=(SCRIPT, OVERRIDE),
        quote=f"{SCRIPT} quantum {OVERRIDE} \x00\x1b[31m \ufffe end",
        mentions=(Mention("quantum", 30, 37), Mention("x", -5, 3), Mention("y", 900, 950), Mention("z", 10, 5)),
        exemplar=SCRIPT,
        language='en"><script>',
    )
    return site(
        areas=(
            area(
                stories=(told, replace(told, id=2, url="https://news.example/2")),
                sources=(Part(TITLE, 3, 2),),
                languages=(Part(SCRIPT, 3, 2),),
                companions=(Companion("quantum", SCRIPT, 1, 1, TITLE, "data:text/html,x", "en"),),
                new_terms=(NewTerm(SCRIPT, 2, SCRIPT, (Mention("x", 0, 8),), TITLE, "file:///etc/passwd", "en"),),
            ),
        ),
        sources=(source(title=SCRIPT, url="javascript:alert(1)", health=f"failing: {SCRIPT}"),),
    )


def instruments() -> tuple[Instrument, ...]:
    return (Instrument("quantum", "policy-funding", (0, 3, 5)),)
