"""The tables, as SQLAlchemy Core. `migrations/` makes them; a test holds the two against each other.

Every natural key is a unique constraint, so that writing twice is harmless. Times are stored in UTC and come back aware.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# SQLite numbers rows by itself only in a column of the type INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True)


def _to(target: str, name: str, **options: Any) -> Column[int]:
    return Column(name, Id, ForeignKey(target, ondelete="CASCADE"), **{"nullable": False, **options})


sources = Table(
    "sources",
    metadata,
    _id(),
    Column("url", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False, server_default=""),
    Column("kind", String(32), nullable=False, server_default="other"),
    Column("language", String(16)),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("added_at", UtcTime, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_fingerprint", String(64)),
    Column("last_full_fetch_at", UtcTime),
    Column("next_check_at", UtcTime),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),
    Column("last_success_at", UtcTime),
    Column("last_entry_at", UtcTime),
    Column("entries_a_day", Float),
    Column("moved_to", Text),
    Column("moved_times", Integer, nullable=False, server_default="0"),
    Column("warning", Text),
)

fetches = Table(
    "fetches",
    metadata,
    _id(),
    _to("sources.id", "source_id"),
    Column("at", UtcTime, nullable=False),
    Column("outcome", String(16), nullable=False),  # fetched, not-modified, failed
    Column("kind", String(32)),  # FailureKind of a failed one
    Column("status", Integer),
    Column("bytes", BigInteger),
    Column("seconds", Float, nullable=False),
    Column("entries", Integer),
    Column("message", Text),
    Index(None, "source_id", "at"),
    Index(None, "at"),
)

entries = Table(
    "entries",
    metadata,
    _id(),
    _to("sources.id", "source_id"),
    Column("key", Text, nullable=False),
    Column("url", Text),
    Column("title", Text, nullable=False, server_default=""),
    Column("published_at", UtcTime),
    Column("summary", Text, nullable=False, server_default=""),
    Column("content", Text),
    Column("author", Text),
    Column("version", String(16), nullable=False),  # changes when the feed says that the entry did
    Column("first_seen_at", UtcTime, nullable=False),
    Column("state", String(8), nullable=False, server_default="new"),  # new, read, empty, failed
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("retry_at", UtcTime),
    Column("reason", String(32)),  # Unread of an empty or failed one
    Column("last_error", Text),
    _to("articles.id", "article_id", nullable=True),
    UniqueConstraint("source_id", "key"),
    Index(None, "state", "retry_at"),
    Index(None, "article_id"),
)

articles = Table(
    "articles",
    metadata,
    _id(),
    Column("url", Text, nullable=False, unique=True),
    _to("sources.id", "source_id"),
    Column("title", Text, nullable=False),
    Column("language", String(16), nullable=False),
    Column("author", Text),
    Column("published_at", UtcTime),
    Column("day", Date, nullable=False),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("changed_at", UtcTime),
    Column("fingerprint", String(64), nullable=False),
    Column("extractor", String(64), nullable=False),
    Column("shingles", LargeBinary),  # MinHash of the text, for near-duplicates
    Column("story_id", Id),  # id of the story's first article; not a foreign key, so that retention may drop it
    Index(None, "day"),
    Index(None, "fingerprint"),
    Index(None, "story_id"),
)

paragraphs = Table(
    "paragraphs",
    metadata,
    _id(),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("text", Text, nullable=False),
)

article_paragraphs = Table(
    "article_paragraphs",
    metadata,
    _to("articles.id", "article_id", primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    _to("paragraphs.id", "paragraph_id"),
    Index(None, "paragraph_id"),
)

encoders = Table(
    "encoders",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
)

embeddings = Table(
    "embeddings",
    metadata,
    _to("paragraphs.id", "paragraph_id", primary_key=True),
    _to("encoders.id", "encoder_id", primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # little-endian float16
    Index(None, "encoder_id", "paragraph_id"),
)

taxonomies = Table(
    "taxonomies",
    metadata,
    _id(),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("body", JSON, nullable=False),
    Column("first_used_at", UtcTime, nullable=False),
)

matchers = Table(
    "matchers",
    metadata,
    _id(),
    Column("taxonomy", String(64), ForeignKey("taxonomies.fingerprint"), nullable=False),
    Column("encoder", Text, nullable=False),
    Column("calibration", String(64), nullable=False),
    Column("rules", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("live_since", UtcTime),
    Column("retired_at", UtcTime),
    UniqueConstraint("taxonomy", "encoder", "calibration", "rules"),
)

matched = Table(
    "matched",
    metadata,
    _to("matchers.id", "matcher_id", primary_key=True),
    _to("paragraphs.id", "paragraph_id", primary_key=True),
    Index(None, "paragraph_id"),
)

hits = Table(
    "hits",
    metadata,
    _to("matchers.id", "matcher_id", primary_key=True),
    _to("paragraphs.id", "paragraph_id", primary_key=True),
    Column("area", String(64), primary_key=True),
    Column("probability", Float, nullable=False),
    Column("similarity", Float, nullable=False),
    Column("exemplar", Text, nullable=False),
    Column("mentions", JSON, nullable=False),  # [[alias, start, end, weak], …]
    Index(None, "matcher_id", "area"),
    Index(None, "paragraph_id"),
)

# Which paragraph of which article speaks of which area: what the hits mean on the articles as they stand now. Derived, replaced with the
# counts; it is what lets a view over millions of paragraphs answer at once.
sightings = Table(
    "sightings",
    metadata,
    _to("matchers.id", "matcher_id", primary_key=True),
    Column("area", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    _to("articles.id", "article_id", primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("paragraph_id", Id, nullable=False),
    Column("story", Id, nullable=False),
    Column("source_id", Id, nullable=False),
    Index(None, "matcher_id", "day"),
    Index(None, "matcher_id", "story"),
    Index(None, "article_id"),
    sqlite_with_rowid=False,  # a line of an area is read in one piece
)

daily_counts = Table(
    "daily_counts",
    metadata,
    _to("matchers.id", "matcher_id", primary_key=True),
    Column("dimension", String(16), primary_key=True),  # all, language, source, source-kind
    Column("area", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("value", String(255), primary_key=True),
    Column("articles", Integer, nullable=False),
    Column("stories", Integer, nullable=False),
    Column("articles_seen", Integer, nullable=False),
    Index(None, "matcher_id", "dimension", "day"),
    sqlite_with_rowid=False,
)

# Areas that one story tells of: how many such stories began on a day, each pair both ways round.
daily_together = Table(
    "daily_together",
    metadata,
    _to("matchers.id", "matcher_id", primary_key=True),
    Column("area", String(64), primary_key=True),
    Column("other", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("stories", Integer, nullable=False),
    Index(None, "matcher_id", "day"),
    sqlite_with_rowid=False,
)

# What `monitor.trends` says of the counts, as it was shown: for those who read SQL and for the pages alike.
daily_bursts = Table(
    "daily_bursts",
    metadata,
    _to("matchers.id", "matcher_id", primary_key=True),
    Column("area", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("reports", Integer, nullable=False),
    Column("expected", Float, nullable=False),
    Column("surprise", Float, nullable=False),
)

daily_moves = Table(
    "daily_moves",
    metadata,
    _to("matchers.id", "matcher_id", primary_key=True),
    Column("area", String(64), primary_key=True),
    Column("day", Date, primary_key=True),  # the last of the seven
    Column("direction", String(32), nullable=False),
    Column("reports", Integer, nullable=False),
    Column("expected", Float, nullable=False),
    Column("ratio", Float),
    Column("low", Float),
    Column("high", Float),
)

daily_reading = Table(
    "daily_reading",
    metadata,
    Column("day", Date, primary_key=True),
    Column("articles", Integer, nullable=False),
    Column("poor", Boolean, nullable=False),
)

daily_coverage = Table(
    "daily_coverage",
    metadata,
    Column("day", Date, primary_key=True),
    Column("due", Integer, nullable=False),
    Column("read", Integer, nullable=False),
)

# How each source stands as of the last counting: entries by what became of them, and one phrase.
source_standing = Table(
    "source_standing",
    metadata,
    _to("sources.id", "source_id", primary_key=True),
    Column("entries", Integer, nullable=False),
    Column("articles", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("health", Text, nullable=False),
)

recipients = Table(
    "recipients",
    metadata,
    _id(),
    Column("key", String(255), nullable=False, unique=True),
    Column("subscription", JSON, nullable=False),
    Column("token", String(64), nullable=False, unique=True),  # known to nobody else: what the unsubscribe link carries
    Column("created_at", UtcTime, nullable=False),
    Column("turn_at", UtcTime, nullable=False),  # its last turn: it was told, or there was nothing new
    Column("considered", Id, nullable=False),  # articles up to this id were looked at for it
    Column("paused_at", UtcTime),
    Column("paused_why", Text),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("key", String(255), nullable=False, unique=True),
    Column("recipient", String(255), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("address", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("queued_at", UtcTime, nullable=False),
    Column("state", String(8), nullable=False, server_default="queued"),  # queued, sent, refused, dropped
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("retry_at", UtcTime),
    Column("last_error", Text),
    Column("sent_at", UtcTime),
    Index(None, "state", "retry_at"),
)

alerted = Table(
    "alerted",
    metadata,
    Column("recipient", String(255), primary_key=True),
    Column("story", Id, primary_key=True, autoincrement=False),
    Column("area", String(64), primary_key=True),
    Column("message", String(255), nullable=False),
    Column("told_at", UtcTime, nullable=False),
)

# What was told besides stories: a day that burst (`burst 2026-11-22`), a name first seen (`first topological qubit`).
announced = Table(
    "announced",
    metadata,
    Column("recipient", String(255), primary_key=True),
    Column("area", String(64), primary_key=True),
    Column("what", String(255), primary_key=True),
    Column("message", String(255), nullable=False),
    Column("told_at", UtcTime, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    _id(),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("state", String(16), nullable=False),  # running, done, failed
    Column("summary", JSON),
    Column("error", Text),
)
