"""A changed taxonomy, calibration or encoder over the stored history: what would change, then applied beside the old and made live.

The history is read in pages by id, so memory is bounded; the ledger says what was looked at, so a run that was broken off goes on where
it was. Vectors come from the store; the encoder only makes those that are missing. Nobody is told of old stories: what a reader was
told up to is an article, whatever matcher looks at it afterwards.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from monitor.domain import Hit, Paragraph
from monitor.match.elsewhere import keep, match_stored, match_there
from monitor.pipeline.analyse import embed
from monitor.pipeline.parts import Parts
from monitor.pipeline.run import Busy
from monitor.pipeline.trends import write_findings
from monitor.store import counts, history, hits, runs
from monitor.store.history import Stored

PARAGRAPHS_AT_ONCE = 2_000
# Below this many paragraphs, processes cost more (about two seconds to start) than they save.
WORTH_PROCESSES = 20_000
EXAMPLES = 5
COUNTED_AT_ONCE = timedelta(days=90)

Found = Sequence[Sequence[Hit]]


@dataclass(frozen=True, slots=True)
class Example:
    """A paragraph whose hit came or went; `day`: of its earliest article."""

    day: date | None
    text: str


@dataclass(slots=True)
class AreaChange:
    """Paragraphs with a hit under the live matcher and under the new one; the examples are the newest; weeks by their Monday."""

    area: str
    before: int = 0
    after: int = 0
    gained: int = 0
    lost: int = 0
    gained_examples: deque[Example] = field(default_factory=lambda: deque(maxlen=EXAMPLES))
    lost_examples: deque[Example] = field(default_factory=lambda: deque(maxlen=EXAMPLES))
    weeks_before: Counter[date] = field(default_factory=Counter)
    weeks_after: Counter[date] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Rematched:
    """`paragraphs`: compared; `matched`: of those, looked at by this run; `live`: the new matcher is live now."""

    paragraphs: int
    matched: int
    live: bool
    areas: tuple[AreaChange, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    old: int | None
    new: int | None
    encoder: int
    since: date | None
    writes: bool


def rematch(parts: Parts, *, since: date | None = None, dry_run: bool = False) -> Rematched:
    """Looks at the stored paragraphs (of articles of `since` or later) with the matcher of `parts` and compares it with the live one.

    `since` reaches back over the window at least: the trend that is shown reads one matcher.
    Unless `dry_run`, hits are written beside the old ones, counts are made, and the matcher goes live in one transaction at the end.
    A dry run writes nothing but missing vectors. Raises Busy when a run is under way on this database, unless `dry_run`.
    """
    if dry_run:
        return _rematch(parts, since, writes=False)
    with runs.run_lock(parts.database) as mine:
        if not mine:
            raise Busy("another run on this database is under way; try again when it is done")
        return _rematch(parts, since, writes=True)


def retire(parts: Parts) -> int:
    """Drops the hits, the ledger and the counts of every matcher but the live and the current one. Returns how many were retired."""
    with parts.database.writing() as connection:
        keep = {history.known_matcher(connection, parts.version), hits.live_matcher(connection)}
        return len(history.retire(connection, keep=[key for key in keep if key is not None], now=parts.clock()))


def _rematch(parts: Parts, since: date | None, *, writes: bool) -> Rematched:
    since = since and min(since, (parts.clock() - parts.settings.window).date())
    with parts.database.writing() as connection:
        old = hits.live_matcher(connection)
        encoder = hits.encoder_id(connection, parts.version.encoder)
        if writes:
            new: int | None = hits.matcher_id(connection, parts.version, parts.taxonomy.body(), now=parts.clock())
        else:
            new = history.known_matcher(connection, parts.version)
        total = history.stored_number(connection, since=since)
    plan = _Plan(old, new, encoder, since, writes)
    changes: dict[str, AreaChange] = {area.id: AreaChange(area.id) for area in parts.taxonomy.areas}
    compared = looked = 0
    for page, found in _judged(parts, encoder, _pages(parts, plan), total):
        _take(parts, plan, page, found, changes)
        compared, looked = compared + len(page), looked + len(found)
        parts.progress("rematch", compared, total)
    if writes:
        _go_live(parts, plan)
    return Rematched(compared, looked, writes, tuple(changes[area] for area in sorted(changes)))


def _pages(parts: Parts, plan: _Plan) -> Iterator[tuple[Stored, ...]]:
    after = 0
    while True:
        with parts.database.reading() as connection:
            page = history.stored_page(connection, plan.new, plan.encoder, since=plan.since, after=after, limit=PARAGRAPHS_AT_ONCE)
        if not page:
            return
        yield page
        after = page[-1].id


def _judged(parts: Parts, encoder: int, pages: Iterable[tuple[Stored, ...]], total: int) -> Iterator[tuple[tuple[Stored, ...], Found]]:
    """Each page with the hits of those of its paragraphs that the matcher had not seen, in the order of the pages."""
    workers = parts.settings.workers
    if total < WORTH_PROCESSES or workers < 2:
        for page in pages:
            yield page, match_stored(parts.matcher(), *_unseen(parts, encoder, page))
        return
    # Not forked: the model's threads would not come along.
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=keep, initargs=(parts.matcher(),)) as pool:
        under_way: deque[tuple[tuple[Stored, ...], Future[Found]]] = deque()
        for page in pages:
            under_way.append((page, pool.submit(match_there, *_unseen(parts, encoder, page))))
            if len(under_way) > 2 * workers:
                done, future = under_way.popleft()
                yield done, future.result()
        for done, future in under_way:
            yield done, future.result()


def _unseen(parts: Parts, encoder: int, page: Sequence[Stored]) -> tuple[list[Paragraph], NDArray[np.float16]]:
    """The paragraphs that are to be looked at, and their vectors (paragraphs, dimensions) as they are stored."""
    rows = [row for row in page if not row.seen]
    missing = {row.id: row.paragraph.text for row in rows if row.vector is None}
    made: dict[int, bytes] = {}
    if missing:
        fresh = embed(parts, encoder, list(missing), missing).astype("<f2")
        made = {key: fresh[place].tobytes() for place, key in enumerate(missing)}
    joined = b"".join(made[row.id] if row.vector is None else row.vector for row in rows)
    vectors = np.frombuffer(joined, "<f2")
    return [row.paragraph for row in rows], vectors.reshape(len(rows), -1) if rows else vectors


def _take(parts: Parts, plan: _Plan, page: Sequence[Stored], found: Found, changes: dict[str, AreaChange]) -> None:
    """Writes what was found in a page and adds it to the comparison."""
    fresh = [row.id for row in page if not row.seen]
    new = {key: {hit.area for hit in group} for key, group in zip(fresh, found, strict=True) if group}
    if plan.writes and plan.new is not None and fresh:
        with parts.database.writing() as connection:
            hits.write_hits(connection, plan.new, fresh, found)
    ids = {row.id for row in page}
    with parts.database.reading() as connection:
        stored = [
            {} if matcher is None else history.areas_found(connection, matcher, page[0].id, page[-1].id)
            for matcher in (plan.old, plan.new if len(fresh) < len(page) else None)
        ]
        old = {key: areas for key, areas in stored[0].items() if key in ids}
        new.update((key, areas) for key, areas in stored[1].items() if key in ids)
        days = history.first_days(connection, sorted(old.keys() | new.keys()))
    texts = {row.id: row.paragraph.text for row in page if row.id in old or row.id in new}
    for key in sorted(texts):
        _compare(changes, old.get(key, set()), new.get(key, set()), Example(days.get(key), texts[key]))


def _compare(changes: dict[str, AreaChange], old: set[str], new: set[str], paragraph: Example) -> None:
    week = paragraph.day - timedelta(days=paragraph.day.weekday()) if paragraph.day else None
    for area in old | new:
        change = changes.setdefault(area, AreaChange(area))
        was, now = area in old, area in new
        change.before += was
        change.after += now
        if week:
            change.weeks_before[week] += was
            change.weeks_after[week] += now
        if now and not was:
            change.gained += 1
            change.gained_examples.append(paragraph)
        elif was and not now:
            change.lost += 1
            change.lost_examples.append(paragraph)


def _go_live(parts: Parts, plan: _Plan) -> None:
    """Counts of all days, then the matcher is live: readers see the old line or the new one, never a part of each."""
    last = parts.clock().date()
    areas, beside = tuple(parts.taxonomy.facets), parts.taxonomy.policies
    with parts.database.writing() as connection:
        assert plan.new is not None
        first = plan.since or history.first_day(connection) or last
        for start in _steps(first, last):
            end = min(start + COUNTED_AT_ONCE - timedelta(days=1), last)
            counts.replace_counts(connection, plan.new, areas, start, end, beside=beside)
        write_findings(connection, plan.new, areas, first, last)
        hits.go_live(connection, plan.new, now=parts.clock())


def _steps(first: date, last: date) -> Iterator[date]:
    return (first + n * COUNTED_AT_ONCE for n in range((last - first).days // COUNTED_AT_ONCE.days + 1))
