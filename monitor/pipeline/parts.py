"""What the stages work with, built once by `monitor.app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.domain import MatcherVersion
from monitor.embed import Encoder
from monitor.match import Matcher
from monitor.settings import Settings
from monitor.store.database import Database
from monitor.taxonomy import Taxonomy

Progress = Callable[[str, int, int], None]  # stage, done, of


def silent(stage: str, done: int, of: int) -> None:
    """Shows nothing."""


@dataclass(frozen=True, slots=True)
class Parts:
    """`encoder` and `matcher` are made at their first call: a night with nothing new loads no model."""

    settings: Settings
    database: Database
    taxonomy: Taxonomy
    version: MatcherVersion
    encoder: Callable[[], Encoder]
    matcher: Callable[[], Matcher]
    progress: Progress = silent
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
