"""What the pages show. Days are in UTC, shares and probabilities 0..1; nothing here is formatted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from monitor.domain import Burst, Coverage, DailyCount, MatcherVersion, Mention, StoredParagraph

Interval = tuple[float, float, float]  # share, low, high


@dataclass(frozen=True, slots=True)
class Line:
    """An area over time: `counts` ascending and without a gap; `smoothed` beside it; `bursts` of these days."""

    counts: tuple[DailyCount, ...]
    smoothed: tuple[Interval | None, ...]
    bursts: tuple[Burst, ...] = ()


@dataclass(frozen=True, slots=True)
class Movement:
    """The last seven days against the eight weeks before, in independent reports; `ratio` is None where nothing can be said."""

    direction: str
    articles: int
    expected: float
    ratio: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Articles and stories of one language, source or source kind."""

    value: str
    articles: int
    stories: int


@dataclass(frozen=True, slots=True)
class Companion:
    """Another area, named in `stories` of this area's, `recent` of them in the last four weeks; `title` and `url` are of the newest."""

    area: str
    name: str
    stories: int
    recent: int
    title: str
    url: str
    language: str


@dataclass(frozen=True, slots=True)
class NewTerm:
    """A word or name that is new beside the area, in `stories` of this week, with a paragraph that has it at `mentions`."""

    term: str
    stories: int
    quote: str
    mentions: tuple[Mention, ...]
    title: str
    url: str
    language: str


@dataclass(frozen=True, slots=True)
class Story:
    """A story with the paragraph that speaks best for the area, and why."""

    id: int
    area: str
    area_name: str
    day: date
    title: str
    url: str
    source: str
    source_kind: str
    language: str
    articles: int
    also_in: tuple[str, ...]
    quote: str
    mentions: tuple[Mention, ...]
    probability: float
    similarity: float
    exemplar: str
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class AreaPage:
    """Everything about one area. `week`: articles and stories of the last seven days, `week_share` their share of all articles;
    `weekdays`: articles of an average Monday … Sunday."""

    id: str
    name: str
    facet: str
    definition: str
    line: Line
    movement: Movement
    week: tuple[int, int]
    week_share: Interval | None = None
    weekdays: tuple[float | None, ...] = ()
    languages: tuple[Part, ...] = ()
    sources: tuple[Part, ...] = ()
    kinds: tuple[Part, ...] = ()
    companions: tuple[Companion, ...] = ()
    new_terms: tuple[NewTerm, ...] = ()
    stories: tuple[Story, ...] = ()
    stories_in_all: int = 0


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source and what is wrong with it; `health` is `ok` or a phrase."""

    title: str
    url: str
    kind: str
    language: str | None
    active: bool
    entries: int
    failed: int
    last_success_at: datetime | None
    last_entry_at: datetime | None
    health: str


@dataclass(frozen=True, slots=True)
class Instrument:
    """Stories that tell of a technology area and of a policy instrument, by four weeks, oldest first."""

    area: str
    policy: str
    periods: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """All pages. `poor` are the days covered too poorly to compare; `began` the first day that sources were asked."""

    made_at: datetime
    first: date
    last: date
    areas: tuple[AreaPage, ...]
    coverage: tuple[Coverage, ...] = ()
    seen: Mapping[date, int] = field(default_factory=dict)
    poor: frozenset[date] = frozenset()
    sources: tuple[SourceRow, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    periods: tuple[date, ...] = ()  # first days of the instruments' periods
    matcher: MatcherVersion | None = None
    base_url: str = ""
    min_coverage: float = 0.8  # below it a day is poor

    @property
    def began(self) -> date | None:
        return min((c.day for c in self.coverage), default=None)


@dataclass(frozen=True, slots=True)
class Search:
    """A page of what was found. `asked`: the fields of the form as they were filled in; `marks` beside `paragraphs`; `first` is the
    number of the first one shown, of `number` in all; `remark`: what was not looked at; `problem`: why nothing was."""

    asked: Mapping[str, str]
    languages: tuple[str, ...] = ()
    paragraphs: tuple[StoredParagraph, ...] = ()
    marks: tuple[tuple[Mention, ...], ...] = ()
    first: int = 1
    number: int = 0
    page: int = 1
    pages: int = 1
    remark: str = ""
    problem: str = ""

    @property
    def was_asked(self) -> bool:
        """Whether anything was, beside how to search."""
        return any(value for name, value in self.asked.items() if name not in {"mode", "page"})
