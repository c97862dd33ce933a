"""The tables of the pages as sheets: what a reader sees, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from monitor.domain import StoredParagraph
from monitor.report.model import AreaPage, Part, Site, Story
from monitor.report.safe import harmless

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    columns: tuple[str, ...]
    rows: Iterable[Row]


def as_csv(sheet: Sheet) -> Iterator[str]:
    """The lines of a file, some hundred at a time; a cell that a spreadsheet would run gets an apostrophe in front."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(sheet.columns)
    for number, row in enumerate(sheet.rows, 1):
        writer.writerow([harmless(_plain(value)) for value in row])
        if number % 500 == 0:
            yield stream.getvalue()
            stream.seek(0)
            stream.truncate()
    yield stream.getvalue()


def _plain(value: object) -> object:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return round(value, 6) if isinstance(value, float) else value


def sheets_of(site: Site, page: str) -> dict[str, Sheet]:
    """By name, in the order of the page: of `index`, `coverage`, or an area."""
    if page == "index":
        made = {"areas": _areas(site), "stories": _stories(site, [s for a in site.areas for s in a.stories])}
        return made | ({"instruments": _instruments(site)} if site.instruments else {})
    if page == "coverage":
        return {"coverage": _coverage(site), "sources": _sources(site)}
    found = next((area for area in site.areas if area.id == page), None)
    return {} if found is None else {name: make(site, found) for name, make in AREA.items()}


def _areas(site: Site) -> Sheet:
    columns = ("area", "name", "articles", "stories", "share", "share_low", "share_high", "direction", "reports", "expected", "ratio")
    rows: list[Row] = []
    for a in site.areas:
        m = a.movement
        share = a.week_share or (None, None, None)
        rows.append((a.id, a.name, *a.week, *share, m.direction, m.articles, m.expected, m.ratio, m.low, m.high))
    return Sheet((*columns, "ratio_low", "ratio_high"), rows)


def _instruments(site: Site) -> Sheet:
    return Sheet(
        ("area", "instrument", *(f"from {first}" for first in site.periods)), [(i.area, i.policy, *i.periods) for i in site.instruments]
    )


def _coverage(site: Site) -> Sheet:
    known = {c.day: c for c in site.coverage}
    rows: list[Row] = []
    for day, articles in sorted(site.seen.items()):
        c = known.get(day)
        coverage = (c.due, c.read, c.read / c.due if c.due else None) if c else (None, None, None)
        rows.append((day, *coverage, articles, _poor(site, day)))
    return Sheet(("day", "sources_due", "sources_read", "coverage", "articles", "remark"), rows)


def _poor(site: Site, day: date) -> str:
    return "poorly covered" if day in site.poor else ""


def _sources(site: Site) -> Sheet:
    columns = ("source", "url", "kind", "language", "entries", "failed", "last_success_at", "last_entry_at", "health")
    rows = [(s.title, s.url, s.kind, s.language, s.entries, s.failed, s.last_success_at, s.last_entry_at, s.health) for s in site.sources]
    return Sheet(columns, rows)


def _line(site: Site, area: AreaPage) -> Sheet:
    bursts = {b.day for b in area.line.bursts}
    rows: list[Row] = []
    for c, s in zip(area.line.counts, area.line.smoothed, strict=True):
        share = c.articles / c.articles_seen if c.articles_seen else None
        remark = ", ".join(text for text in (_poor(site, c.day), "burst" if c.day in bursts else "") if text)
        rows.append((c.day, c.articles, c.stories, c.articles_seen, share, *(s or (None, None, None)), remark))
    columns = ("day", "articles", "stories", "articles_seen", "share", "share_7_days", "low", "high", "remark")
    return Sheet(columns, rows)


def _bursts(_: Site, area: AreaPage) -> Sheet:
    return Sheet(("day", "reports", "expected", "surprise"), [(b.day, b.articles, b.expected, b.surprise) for b in area.line.bursts])


def _terms(_: Site, area: AreaPage) -> Sheet:
    rows = [(n.term, n.stories, n.language, n.title, n.url, n.quote) for n in area.new_terms]
    return Sheet(("term", "stories", "language", "title", "url", "quote"), rows)


def _parts(name: str, of: Callable[[AreaPage], Sequence[Part]]) -> Callable[[Site, AreaPage], Sheet]:
    return lambda _, area: Sheet((name, "articles", "stories"), [(p.value, p.articles, p.stories) for p in of(area)])


def _weekdays(_: Site, area: AreaPage) -> Sheet:
    return Sheet(("weekday", "articles_a_day"), list(enumerate(area.weekdays, 1)))


def _companions(_: Site, area: AreaPage) -> Sheet:
    rows = [(c.area, c.stories, c.recent, c.title, c.url) for c in area.companions]
    return Sheet(("named_with", "stories", "stories_4_weeks", "newest_title", "newest_url"), rows)


def _stories(_: Site, stories: Sequence[Story]) -> Sheet:
    columns = (
        "area",
        "day",
        "source",
        "source_kind",
        "language",
        "title",
        "url",
        "articles",
        "quote",
        "probability",
        "similarity",
        "exemplar",
    )
    rows = [
        (s.area, s.day, s.source, s.source_kind, s.language, s.title, s.url, s.articles, s.quote, s.probability, s.similarity, s.exemplar)
        for s in sorted(stories, key=lambda s: (s.day, s.first_seen_at, s.probability), reverse=True)
    ]
    return Sheet(columns, rows)


AREA: dict[str, Callable[[Site, AreaPage], Sheet]] = {
    "line": _line,
    "bursts": _bursts,
    "terms": _terms,
    "sources": _parts("source", lambda area: area.sources),
    "languages": _parts("language", lambda area: area.languages),
    "kinds": _parts("source_kind", lambda area: area.kinds),
    "weekdays": _weekdays,
    "companions": _companions,
    "stories": lambda site, area: _stories(site, area.stories),
}


def search_sheet(found: Iterable[StoredParagraph]) -> Sheet:
    """What a search found, all pages of it."""
    columns = (
        "day",
        "source",
        "source_kind",
        "language",
        "title",
        "url",
        "text",
        "areas",
        "similarity",
        "articles",
        "article_id",
        "paragraph_id",
    )
    rows = (
        (
            p.day, p.source, p.source_kind, p.language, p.title, p.url, p.text, " ".join(area for area, _ in p.areas), p.similarity,
            p.articles, p.article, p.paragraph,
        )
        for p in found
    )  # fmt: skip
    return Sheet(columns, rows)
