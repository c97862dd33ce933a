"""The frozen records that pass from stage to stage. No behaviour beyond what a record knows of itself.

All times are aware and in UTC; a `day` is a `datetime.date` in UTC. Sum types (`FetchOutcome`, `ReadOutcome`) are handled with
`match` and `assert_never`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]  # (texts, dimensions), rows of length one


# --- sources and fetching -----------------------------------------------------------------------------------------


class SourceKind(StrEnum):
    """Who publishes: what analysts split their counts by."""

    MINISTRY = "ministry"
    AGENCY = "agency"
    STANDARDS_BODY = "standards-body"
    THINK_TANK = "think-tank"
    LABORATORY = "laboratory"
    FIRM = "firm"
    NEWSPAPER = "newspaper"
    TRADE_PRESS = "trade-press"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Source:
    """A feed or a news sitemap that is polled."""

    url: str
    title: str = ""
    kind: SourceKind = SourceKind.OTHER
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave us to ask «has it changed?» with, verbatim."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source and what is remembered of it between polls."""

    id: int
    source: Source
    validators: Validators = Validators()
    body_fingerprint: str | None = None
    last_full_fetch_at: datetime | None = None
    next_check_at: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    last_success_at: datetime | None = None
    last_entry_at: datetime | None = None
    entries_a_day: float | None = None
    moved_to: str | None = None
    moved_times: int = 0
    warning: str | None = None


class FailureKind(StrEnum):
    """Why nothing usable came back."""

    BAD_URL = "bad-url"
    FORBIDDEN_ADDRESS = "forbidden-address"
    ROBOTS = "robots"
    DNS = "dns"
    CONNECTION = "connection"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too-large"
    REDIRECTS = "redirects"
    DECODING = "decoding"
    BLOCKED = "blocked"  # 401, 403, 429, 451
    GONE = "gone"  # 404, 410
    CLIENT = "client-error"
    SERVER = "server-error"
    UNREADABLE = "unreadable"  # the bytes came, but are no feed


TRANSIENT = frozenset(
    {FailureKind.DNS, FailureKind.CONNECTION, FailureKind.TLS, FailureKind.TIMEOUT, FailureKind.SERVER, FailureKind.DECODING}
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body that arrived whole and within the limits."""

    url: str  # as asked
    final_url: str  # after redirects
    status: int
    body: bytes  # decompressed
    content_type: str  # lower-case media type without parameters, "" if none was sent
    charset: str | None  # from the Content-Type header
    validators: Validators
    max_age: int | None  # seconds, from Cache-Control or Expires
    moved_to: str | None  # where permanent redirects alone lead
    wire_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class NotModified:
    url: str
    validators: Validators
    max_age: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class FetchFailed:
    url: str
    kind: FailureKind
    message: str
    status: int | None = None
    retry_after: float | None = None  # seconds, as the server asked
    seconds: float = 0.0

    @property
    def transient(self) -> bool:
        """Whether the same request may go through later."""
        return self.kind in TRANSIENT or self.status == 429


FetchOutcome = Fetched | NotModified | FetchFailed


# --- entries and articles -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed, as the feed gives it. `key` is the feed's own id, or made from what the entry holds."""

    source_url: str
    key: str
    url: str | None
    title: str
    published_at: datetime | None = None
    summary: str = ""  # plain text
    content: str | None = None  # HTML, where the feed carries the text itself
    author: str | None = None
    updated_at: datetime | None = None  # as the feed says; a change means that the page is to be read again


class FeedFormat(StrEnum):
    RSS = "rss"
    ATOM = "atom"
    RDF = "rdf"
    JSON_FEED = "json-feed"
    SITEMAP = "sitemap"
    SITEMAP_INDEX = "sitemap-index"


@dataclass(frozen=True, slots=True)
class Feed:
    """A parsed feed document."""

    format: FeedFormat
    title: str
    language: str | None
    entries: tuple[Entry, ...]
    children: tuple[str, ...] = ()  # further documents of a sitemap index, newest first
    ttl: int | None = None  # seconds the feed asks to be left alone
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    fingerprint: str
    text: str


@dataclass(frozen=True, slots=True)
class Article:
    """The text of a page with its metadata."""

    url: str  # canonical
    title: str
    language: str  # ISO 639-1, "und" where the text does not tell
    published_at: datetime | None  # as published, where it is believable
    day: date  # the day it counts for
    extractor: str
    fingerprint: str  # of the text
    paragraphs: tuple[Paragraph, ...]
    author: str | None = None

    @property
    def text(self) -> str:
        return "\n\n".join(p.text for p in self.paragraphs)


class Unread(StrEnum):
    """Why a page gave no article."""

    TOO_SHORT = "too-short"
    PAYWALL = "paywall"
    NOT_AN_ARTICLE = "not-an-article"
    BLOCKED = "blocked"
    GONE = "gone"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class NoArticle:
    """A page that was looked at and gave no article. `transient`: worth another try."""

    reason: Unread
    message: str
    transient: bool = False


ReadOutcome = Article | NoArticle


# --- evidence and hits ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mention:
    """An alias at `text[start:end]` of the paragraph (code points). `weak` ones count only with support."""

    alias: str
    start: int
    end: int
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an area in a paragraph."""

    mentions: tuple[Mention, ...]
    similarity: float  # cosine with the nearest exemplar
    exemplar: str
    against: tuple[str, ...] = ()  # look-alike phrases or sentences that spoke against


@dataclass(frozen=True, slots=True)
class Hit:
    """`paragraph` is the paragraph's fingerprint."""

    paragraph: str
    area: str
    probability: float  # calibrated, 0..1
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class MatcherVersion:
    """Everything that could change a hit. Each is a fingerprint or a name."""

    taxonomy: str
    encoder: str
    calibration: str
    rules: str


# --- counts, digests, runs ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DailyCount:
    """Articles and stories of an area on a day, for one value of one dimension (`all`, `language`, `source`, `source-kind`)."""

    area: str
    day: date
    dimension: str
    value: str
    articles: int
    stories: int
    articles_seen: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what was due on a day was read."""

    day: date
    due: int
    read: int


@dataclass(frozen=True, slots=True)
class Burst:
    """A day with more articles than the area's own history makes likely. `surprise` is -log10 of the tail probability."""

    area: str
    day: date
    articles: int
    expected: float
    surprise: float


@dataclass(frozen=True, slots=True)
class StoredParagraph:
    """A paragraph that was searched for, in the first of the `articles` that have it; `areas` with their probabilities, surest first.

    `similarity`: with what was asked, where it was searched by meaning.
    """

    paragraph: int
    text: str
    article: int
    day: date
    title: str
    url: str
    source: str
    source_kind: str
    language: str
    articles: int
    areas: tuple[tuple[str, float], ...] = ()
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One story as a digest tells it."""

    area: str
    story: int
    day: date
    title: str
    url: str
    source: str
    also_in: tuple[str, ...]
    quote: str
    mentions: tuple[Mention, ...]
    probability: float
    exemplar: str
    language: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message ready to be sent. `key` makes the Message-ID, so a repeat is the same mail."""

    key: str
    recipient: str
    channel: str
    address: str
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What one run did: the shape of `monitor run --json`."""

    sources: dict[str, int] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=dict)
    paragraphs: dict[str, int] = field(default_factory=dict)
    hits: dict[str, int] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
