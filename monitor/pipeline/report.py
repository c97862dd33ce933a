"""Counts and hits → pages and feeds."""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from monitor import __version__, trends
from monitor.domain import DailyCount, Hit
from monitor.pipeline.parts import Parts
from monitor.pipeline.trends import WEEK, Moves, fresh, moves
from monitor.report import (
    AreaPage,
    Companion,
    Instrument,
    Line,
    Movement,
    NewTerm,
    Part,
    Site,
    SourceRow,
    Story,
    render_folder,
    render_single,
)
from monitor.store import counts, hits, news
from monitor.store import sources as stored_sources
from monitor.store.counts import Found
from monitor.store.news import Sighting
from monitor.taxonomy import Area
from monitor.trends import FreshTerm, Together

# Stories on an area's page.
STORIES = 20
PERIOD = timedelta(weeks=4)
OURS = ("area-*.html", "area-*.atom")
SHOWS = ".shows"  # the file that keeps what the pages beside it show


@dataclass(frozen=True, slots=True)
class Rows:
    """What is read for the pages: `found` oldest first, `lines` by area, `evidence` by article and area."""

    found: tuple[Found, ...]
    lines: Mapping[str, tuple[DailyCount, ...]]
    sightings: Mapping[tuple[int, str], tuple[Sighting, ...]]
    evidence: Mapping[tuple[int, str], tuple[str, Hit]]
    fresh: Mapping[str, tuple[FreshTerm, ...]]
    together: Mapping[str, tuple[Together, ...]]
    pairs: Mapping[tuple[str, str], tuple[tuple[date, int], ...]]
    moves: Moves
    sources: tuple[SourceRow, ...]


def report(parts: Parts, *, always: bool = True) -> Counter[str]:
    """Writes the folder of pages; unless `always`, only where they would show something else than they do. Counters: pages."""
    folder, site = parts.settings.path(parts.settings.report), look(parts)
    shown, kept = shows(site), folder / SHOWS
    if not always and kept.is_file() and kept.read_text(encoding="utf-8") == shown:
        return Counter(pages=0)
    pages = render_folder(site)
    write_pages(folder, pages)
    write_file(kept, shown)  # last: pages that were cut off are written again
    return Counter(pages=len(pages))


def shows(site: Site) -> str:
    """A fingerprint of what the pages show, but for when they were made and when each source was last read."""
    sources = tuple(replace(source, last_success_at=None) for source in site.sources)
    told = replace(site, made_at=datetime.min, sources=sources, poor=frozenset())
    return hashlib.sha256(f"{__version__} {sorted(site.poor)} {told!r}".encode("utf-8", "surrogatepass")).hexdigest()


def report_single(parts: Parts, file: Path) -> Counter[str]:
    """Writes all pages into one file, which needs nothing beside it. Counters: pages."""
    write_file(file, render_single(look(parts)))
    return Counter(pages=1)


def look(parts: Parts, days: tuple[date, date] | None = None) -> Site:
    """Everything the pages show, of one state of the database; `days`: first and last, by default the window up to today."""
    now = parts.clock()
    first, last = days or ((now - parts.settings.window).date(), now.date())
    areas = parts.taxonomy.areas
    with parts.database.reading() as connection:
        rows = read(connection, areas, first, last, now=now)
    names = {area.id: area.name() for area in areas}
    policies = set(parts.taxonomy.policies)
    pages = tuple(area_page(area, rows, names=names) for area in sorted(areas, key=lambda a: (a.id in policies, a.name().casefold())))
    periods = tuple(reversed([last - PERIOD * n + timedelta(1) for n in range(1, (last - first) // PERIOD + 1)]))
    return Site(
        made_at=now,
        first=first,
        last=last,
        areas=pages,
        coverage=rows.moves.coverage,
        seen=rows.moves.seen,
        poor=rows.moves.poor,
        sources=rows.sources,
        instruments=instruments(rows.pairs, parts.taxonomy.facets, periods),
        periods=periods,
        matcher=parts.version,
        base_url=parts.settings.mail.base_url,
        min_coverage=trends.MIN_COVERAGE,
    )


def read(connection: Connection, areas: Sequence[Area], first: date, last: date, *, now: datetime) -> Rows:
    """The rows of all pages; nothing is found where no matcher is live yet."""
    matcher = hits.live_matcher(connection)
    moved = moves(connection, matcher, first, last, today=now.date())
    sources = tuple(_source(source, now=now) for source in stored_sources.source_health(connection))
    lines = {area.id: [DailyCount(area.id, day, "all", "", 0, 0, seen) for day, seen in sorted(moved.seen.items())] for area in areas}
    if matcher is None:
        return Rows((), _fixed(lines), {}, {}, {}, {}, {}, moved, sources)
    stored: dict[str, list[DailyCount]] = {}
    for count in counts.load_counts(connection, matcher, first, last):
        stored.setdefault(count.area, []).append(count)
    found = counts.articles_found(connection, matcher, first, last)
    together = trends.named_together(((f.story, f.area, f.day) for f in found), since=last - PERIOD)
    newest = newest_stories(found)
    wanted = {story for story, _ in newest} | {t.newest for those in together.values() for t in those}
    sightings: dict[tuple[int, str], list[Sighting]] = {}
    for sighting in news.sightings(connection, matcher, sorted(wanted)):
        sightings.setdefault((sighting.story, sighting.area), []).append(sighting)
    seen = {key: tuple(sorted(group, key=lambda s: (s.first_seen_at, s.article))) for key, group in sightings.items()}
    evidence = news.evidence(connection, matcher, [seen[key][0].article for key in newest if key in seen])
    new = fresh(connection, matcher, areas, last)
    pairs = counts.load_together(connection, matcher, first, last)
    return Rows(found, _fixed(lines | stored), seen, evidence, new, together, pairs, moved, sources)


def _fixed(lines: Mapping[str, list[DailyCount]]) -> dict[str, tuple[DailyCount, ...]]:
    return {area: tuple(line) for area, line in lines.items()}


def newest_stories(found: Iterable[Found], limit: int = STORIES) -> list[tuple[int, str]]:
    """(story, area) of each area's newest stories, newest first; a story is as old as its first article."""
    began: dict[tuple[int, str], date] = {}
    for f in found:
        began.setdefault((f.story, f.area), f.day)
    taken: Counter[str] = Counter()
    newest = []
    for story, area in sorted(began, key=lambda key: (began[key], key[0]), reverse=True):
        if taken[area] < limit:
            taken[area] += 1
            newest.append((story, area))
    return newest


def area_page(area: Area, rows: Rows, *, names: Mapping[str, str]) -> AreaPage:
    """One area's page from the rows of all."""
    line, poor = rows.lines[area.id], rows.moves.poor
    mine = [f for f in rows.found if f.area == area.id]
    week = [f for f in mine if f.day >= rows.moves.last - WEEK]
    smooth = tuple((s.share, s.low, s.high) if s else None for s in trends.smoothed(line, poor))
    change = rows.moves.change(area.id)
    counted = [c for c in line if c.day >= rows.moves.last - WEEK]
    share = trends.wilson(sum(c.articles for c in counted), sum(c.articles_seen for c in counted))
    return AreaPage(
        id=area.id,
        name=area.name(),
        facet=area.facet,
        definition=area.definition,
        line=Line(line, smooth, rows.moves.bursts(area.id)),
        movement=Movement(change.direction.value, change.articles, change.expected, change.ratio, change.low, change.high),
        week=(len({f.article for f in week}), len({f.story for f in week})),
        week_share=(share.share, share.low, share.high) if share else None,
        weekdays=trends.weekday_pattern(line, poor),
        languages=parts_of(mine, lambda f: f.language),
        sources=parts_of(mine, lambda f: f.source),
        kinds=parts_of(mine, lambda f: f.source_kind),
        companions=_companions(area.id, rows, names),
        new_terms=tuple(_new_term(term) for term in rows.fresh.get(area.id, ())),
        stories=tuple(_story(area, rows.sightings[key], rows) for key in newest_stories(mine) if key in rows.sightings),
        stories_in_all=len({f.story for f in mine}),
    )


def _companions(area: str, rows: Rows, names: Mapping[str, str]) -> tuple[Companion, ...]:
    """The numbers are those of the view `together`, by the day on which the stories began."""
    shown = []
    for t in rows.together.get(area, ()):
        told, days = rows.sightings.get((t.newest, area)), rows.pairs.get((area, t.other), ())
        if told and days and t.other in names:
            lead, recent = told[0], sum(number for day, number in days if day >= rows.moves.last - PERIOD)
            stories = sum(number for _, number in days)
            shown.append(Companion(t.other, names[t.other], stories, recent, lead.title, lead.url, lead.language))
    return tuple(sorted(shown, key=lambda c: (-c.stories, c.area)))


def _new_term(fresh: FreshTerm) -> NewTerm:
    where = fresh.where
    return NewTerm(fresh.term, fresh.stories, where.text, (fresh.mention,), where.title, where.url, where.language)


def parts_of(found: Iterable[Found], value: Callable[[Found], str]) -> tuple[Part, ...]:
    """Articles and stories by value, the most articles first."""
    articles: dict[str, set[int]] = {}
    stories: dict[str, set[int]] = {}
    for f in found:
        articles.setdefault(value(f), set()).add(f.article)
        stories.setdefault(value(f), set()).add(f.story)
    return tuple(Part(key, len(articles[key]), len(stories[key])) for key in sorted(articles, key=lambda k: (-len(articles[k]), k)))


def _story(area: Area, group: tuple[Sighting, ...], rows: Rows) -> Story:
    """A story as its first article tells it."""
    lead = group[0]
    quote, hit = rows.evidence[lead.article, area.id]
    return Story(
        id=lead.story,
        area=area.id,
        area_name=area.name(),
        day=lead.day,
        title=lead.title,
        url=lead.url,
        source=lead.source,
        source_kind=lead.source_kind,
        language=lead.language,
        articles=len({s.article for s in group}),
        also_in=tuple(dict.fromkeys(s.source for s in group[1:] if s.source != lead.source)),
        quote=quote,
        mentions=hit.evidence.mentions,
        probability=hit.probability,
        similarity=hit.evidence.similarity,
        exemplar=hit.evidence.exemplar,
        first_seen_at=lead.first_seen_at,
    )


def instruments(
    pairs: Mapping[tuple[str, str], Sequence[tuple[date, int]]], facets: Mapping[str, str], periods: tuple[date, ...]
) -> tuple[Instrument, ...]:
    """Stories that tell of a technology area and of a policy area, by the period in which they began; pairs without any are left out."""
    table = []
    for (area, policy), days in sorted(pairs.items()):
        if (facets.get(area), facets.get(policy)) == ("technology", "policy"):
            row = [0] * len(periods)
            for day, stories in days:
                if place := bisect_right(periods, day):
                    row[place - 1] += stories
            table.append(Instrument(area, policy, tuple(row)))
    return tuple(row for row in table if any(row.periods))


def _source(found: stored_sources.SourceHealth, *, now: datetime) -> SourceRow:
    state = found.state
    return SourceRow(
        title=state.source.title or state.source.url,
        url=state.source.url,
        kind=state.source.kind.value,
        language=state.source.language,
        active=found.active,
        entries=found.entries,
        failed=found.failed,
        last_success_at=state.last_success_at,
        last_entry_at=state.last_entry_at,
        health=stored_sources.health(found, now=now),
    )


def write_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Writes the pages in their order, each whole or not at all, and removes those of areas that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        write_file(folder / name, text)
    for pattern in OURS:
        for old in folder.glob(pattern):
            if old.name not in pages:
                old.unlink(missing_ok=True)


def write_file(file: Path, text: str) -> None:
    """A reader sees the old file or the new one, never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        partial.write_text(text, encoding="utf-8", errors="replace")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
