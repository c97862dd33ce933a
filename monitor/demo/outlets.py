"""The outlets and articles of the newsroom: YAML → frozen records, checked when read.

Times are *days before now* and a clock time in the outlet's zone, so the newsroom is fresh on whatever day it opens.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field

from monitor.domain import FeedFormat, SourceKind

CONTENT = Path(__file__).parent / "content"


class FeedState(StrEnum):
    """How the feed answers: well, with XML that nobody can read, or with 404."""

    OK = "ok"
    BROKEN = "broken"
    MISSING = "missing"


class EntryDetail(StrEnum):
    """What a feed tells of an article: its headline, a summary too, or the whole text."""

    TITLE = "title"
    SUMMARY = "summary"
    FULL = "full"


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DemoArticle(_Written):
    """One article as written. `areas` is what it truly carries; `paraphrased` are those it never calls by a usual name.

    A syndicated article gives its lead-in as `paragraphs`; the agency's follow, with `changes` (old words → new) made in them.
    """

    slug: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str
    author: str = ""
    days_ago: int = Field(ge=1, le=42)  # never today: an article of tonight would lie in the future for a run at noon
    time: time
    paragraphs: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    paraphrased: tuple[str, ...] = ()
    summary: str = ""
    syndicated_from: str | None = None  # "outlet/slug"
    changes: dict[str, str] = {}
    tracking: str | None = None  # a query string under which the feed lists the page once more
    correction: str | None = None  # added in the second edition
    encoding: str = "utf-8"
    charset_in_header: bool = True  # False: only a meta tag tells the charset
    paywall: bool = False
    gone: bool = False
    video: bool = False
    file: str | None = None  # a file of content/, served in place of a page

    @property
    def readable(self) -> bool:
        """Whether the page holds a whole article of text."""
        return not (self.paywall or self.gone or self.video or self.file)

    def published_at(self, today: date, zone: ZoneInfo) -> datetime:
        """The time of publication, in the outlet's zone."""
        return datetime.combine(today - timedelta(days=self.days_ago), self.time, zone)


class Masthead(_Written):
    """What an outlet is: the head of its file. `language` is a BCP 47 tag."""

    name: str
    kind: SourceKind
    language: str
    format: FeedFormat
    zone: str
    entries: EntryDetail = EntryDetail.SUMMARY
    feed: FeedState = FeedState.OK

    @property
    def clock(self) -> ZoneInfo:
        """The outlet's time zone."""
        return ZoneInfo(self.zone)


class Outlet(_Written):
    """One outlet with its articles. `id` is the name of its file, and the first part of its paths."""

    id: str
    outlet: Masthead
    articles: tuple[DemoArticle, ...] = ()

    def newest_first(self) -> list[DemoArticle]:
        """Its articles, the latest on top, as feeds list them."""
        return sorted(self.articles, key=lambda article: (article.days_ago, -article.time.hour, -article.time.minute))


class Chrome(_Written):
    """The words round an article in one language: navigation, cookie line, notices, footer."""

    home: str
    sections: tuple[str, ...]
    cookies: str
    accept: str
    by: str
    related: str
    subscribe: str
    correction: str
    watch: str
    gone: str
    footer: str


class Content(NamedTuple):
    """Everything the newsroom publishes."""

    outlets: tuple[Outlet, ...]
    chrome: dict[str, Chrome]


@cache
def load_content() -> Content:
    """Read `content/`, syndicated articles filled in. Raises ValueError or KeyError on a file that does not hold together."""
    outlets = [_read_outlet(path) for path in sorted(CONTENT.glob("*.yaml"))]
    originals = {f"{outlet.id}/{article.slug}": article for outlet in outlets for article in outlet.articles}
    filled = tuple(
        outlet.model_copy(update={"articles": tuple(_filled(article, originals) for article in outlet.articles)}) for outlet in outlets
    )
    words = yaml.safe_load((CONTENT.parent / "chrome.yaml").read_text("utf-8"))
    return Content(filled, {language: Chrome.model_validate(each) for language, each in words.items()})


def _read_outlet(path: Path) -> Outlet:
    return Outlet.model_validate({"id": path.stem, **yaml.safe_load(path.read_text("utf-8"))})


def _filled(article: DemoArticle, originals: dict[str, DemoArticle]) -> DemoArticle:
    if article.syndicated_from is None:
        return article
    original = originals[article.syndicated_from]
    text = "\0".join(original.paragraphs)
    for old, new in article.changes.items():
        if old not in text:
            raise ValueError(f"{article.slug}: the agency's text does not hold {old!r}")
        text = text.replace(old, new)
    paragraphs = (*article.paragraphs, *text.split("\0"))
    return article.model_copy(
        update={"paragraphs": paragraphs, "areas": article.areas or original.areas, "paraphrased": original.paraphrased}
    )
