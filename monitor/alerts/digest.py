"""What a reader is told in one message: stories chosen, with their evidence, → a digest → messages. Pure.

Every story that was chosen is in the digest. Those beyond the reader's limit are listed by headline and link, and what is beyond
that list too is counted by area, so that nothing is left out unsaid.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote as percent_encoded
from zoneinfo import ZoneInfo

from monitor.alerts import wording
from monitor.alerts.operator import coverage_notes
from monitor.alerts.rendering import Templates
from monitor.alerts.rules import Chosen
from monitor.alerts.subscriptions import Subscription
from monitor.domain import Burst, Coverage, Hit, Message, Told

# Headlines listed beyond the reader's limit; a message with more is slow to open and refused by some servers.
REST_LISTED = 100
SUBJECT_COLUMNS = 100
DIGEST = "areawatch"
# A day's late articles may make it burst after the reader was told of that day.
BURSTS_LATE = timedelta(days=2)
# First mentions of an area in one digest, the surest; those left over come in the next.
FIRST_MENTIONS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One story, told once however many areas it carries; the first of `areas` is the one it stands under."""

    told: Told
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """Stories of an area in the last seven days and in the seven before."""

    area: str
    stories: int
    before: int


@dataclass(frozen=True, slots=True)
class FirstMention:
    """A name or term that `stories` of the week have beside the area and none of the eight weeks before; `title`: the first of them."""

    area: str
    term: str
    stories: int
    title: str
    url: str
    language: str


Signal = tuple[str, str]  # an area, and what of it: what a reader is told once besides stories


@dataclass(frozen=True, slots=True)
class Extras:
    """What a digest says besides stories. `notes` are sentences; `coverage` is turned into some where it was poor."""

    bursts: tuple[Burst, ...] = ()
    firsts: tuple[FirstMention, ...] = ()
    notes: tuple[str, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    week: tuple[Week, ...] = ()

    def of(self, areas: Sequence[str], since: datetime) -> Extras:
        """Those of a reader's areas; bursts and poor coverage since the last turn only."""
        poor = coverage_notes([c for c in self.coverage if c.day >= since.date()])
        return Extras(
            bursts=tuple(b for b in self.bursts if b.area in areas and b.day >= (since - BURSTS_LATE).date()),
            firsts=tuple(f for f in self.firsts if f.area in areas),
            notes=(*self.notes, *poor),
            week=tuple(w for w in self.week if w.area in areas and (w.stories or w.before)),
        )

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The bursts and first mentions as they are remembered for a reader."""
        return (*map(_burst, self.bursts), *map(_first, self.firsts))

    def without(self, told: Collection[Signal]) -> Extras:
        """Without the bursts and first mentions that the reader was told of, and with a few first mentions an area at once."""
        bursts = tuple(b for b in self.bursts if _burst(b) not in told)
        shown: Counter[str] = Counter()
        firsts = []
        for first in self.firsts:
            if _first(first) not in told and shown[first.area] < FIRST_MENTIONS:
                shown[first.area] += 1
                firsts.append(first)
        return replace(self, bursts=bursts, firsts=tuple(firsts))


def _burst(burst: Burst) -> Signal:
    return burst.area, f"burst {burst.day}"


def _first(first: FirstMention) -> Signal:
    return first.area, f"first {first.term.casefold()}"


NO_EXTRAS = Extras()


@dataclass(frozen=True, slots=True)
class Digest:
    """`names` are the names of all areas by id; `since` is where this digest begins, `at` when it was built."""

    wish: Subscription
    at: datetime
    since: datetime
    lines: tuple[Line, ...]
    rest: tuple[Line, ...]
    extras: Extras
    names: Mapping[str, str]

    @property
    def stories(self) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """All stories told by it with their areas."""
        return tuple((line.told.story, line.areas) for line in (*self.lines, *self.rest))

    @property
    def key(self) -> str:
        """Of this reader, this moment and these stories."""
        said = "\x1f".join([self.wish.name, self.at.isoformat(), *(str(story) for story, _ in self.stories)])
        readable = re.sub(r"[^a-z0-9]+", "-", self.wish.name.lower()).strip("-")[:40]
        return f"{readable or 'reader'}-{self.at:%Y%m%dt%H%M%Sz}-{_digest(said)}"

    def sections(self) -> list[tuple[str, list[Line]]]:
        """The lines by area, as (area, lines); the area with most stories first, the newest story first."""
        groups: dict[str, list[Line]] = {}
        for line in self.lines:
            groups.setdefault(line.areas[0], []).append(line)
        ordered = sorted(groups.items(), key=lambda pair: (-len(pair[1]), self.name(pair[0])))
        return [(area, sorted(group, key=lambda x: x.told.day, reverse=True)) for area, group in ordered]

    def name(self, area: str) -> str:
        return self.names.get(area, area)

    def listed(self) -> tuple[Line, ...]:
        """Stories beyond the reader's limit that are listed by headline."""
        return self.rest[:REST_LISTED]

    def only_counted(self) -> list[tuple[str, int]]:
        """Stories beyond the list of headlines: how many of each area, as (name, number)."""
        beyond = Counter(self.name(line.areas[0]) for line in self.rest[REST_LISTED:])
        return beyond.most_common()


Evidences = Mapping[tuple[int, str], tuple[str, Hit]]


def build(
    wish: Subscription,
    chosen: Sequence[Chosen],
    evidence: Evidences,
    names: Mapping[str, str],
    *,
    since: datetime,
    now: datetime,
    extras: Extras = NO_EXTRAS,
) -> Digest:
    """`evidence`: by article and area, the text of its best paragraph and the hit; without one a story has no quote."""
    lines = tuple(Line(_told(c, evidence), c.areas) for c in chosen)
    return Digest(wish, now, since, lines[: wish.most_items], lines[wish.most_items :], extras, names)


def _told(chosen: Chosen, evidence: Evidences) -> Told:
    lead = chosen.lead
    text, hit = evidence.get((lead.article, lead.area), ("", None))
    quoted, mentions = wording.quote(*wording.without_headline(text, hit.evidence.mentions if hit else (), lead.title))
    return Told(
        area=lead.area,
        story=lead.story,
        day=lead.day,
        title=lead.title,
        url=lead.url,
        source=lead.source,
        also_in=chosen.also_in,
        quote=quoted,
        mentions=mentions,
        probability=lead.probability,
        exemplar=hit.evidence.exemplar if hit else "",
        language=lead.language,
    )


def subject(digest: Digest) -> str:
    """One line of at most 100 columns: the headline of a single story, else how many there are and in which areas."""
    stories = (*digest.lines, *digest.rest)
    if not stories:
        return f"{DIGEST}: nothing new"
    if len(stories) == 1:
        return wording.clean(f"{digest.name(stories[0].areas[0])}: {stories[0].told.title}", SUBJECT_COLUMNS)
    areas = [area for area, _ in Counter(digest.name(line.areas[0]) for line in stories).most_common()]
    for shown in range(len(areas), 0, -1):
        more = f" and {len(areas) - shown} more" if shown < len(areas) else ""
        said = f"{len(stories)} new stories: {', '.join(areas[:shown])}{more}"
        if len(said) <= SUBJECT_COLUMNS:
            return wording.clean(said, SUBJECT_COLUMNS)
    return f"{len(stories)} new stories"


@dataclass(frozen=True, slots=True)
class Sender:
    """What messages need to know of who sends them: the domain of the sender, and where the report is published (or nothing)."""

    domain: str
    base_url: str = ""

    def unsubscribe(self, token: str) -> str:
        return f"{self.base_url.rstrip('/')}/unsubscribe/{percent_encoded(token, safe='')}" if self.base_url else ""


def messages(digest: Digest, templates: Templates, sender: Sender, token: str) -> tuple[Message, ...]:
    """One message for each of the reader's channels."""
    title = subject(digest)
    context = {"digest": digest, "subject": title, "base_url": sender.base_url, "unsubscribe": sender.unsubscribe(token)}
    text, html, brief = "", "", ""
    for channel in digest.wish.channels:
        if channel.kind == "email" and not html:
            text, html = templates.text("digest.txt", context), templates.html("digest.html", context)
        elif channel.kind == "apprise" and not brief:
            brief = templates.text("brief.txt", context)
    return tuple(
        Message(
            key=f"{digest.key}-{number}",
            recipient=digest.wish.name,
            channel=channel.kind,
            address=channel.address,
            subject=title,
            text=text if channel.kind == "email" else brief,
            html=html if channel.kind == "email" else "",
            headers=_headers(digest, sender, token) if channel.kind == "email" else (),
        )
        for number, channel in enumerate(digest.wish.channels, 1)
    )


def _headers(digest: Digest, sender: Sender, token: str) -> tuple[tuple[str, str], ...]:
    thread = thread_id(digest, sender.domain)
    headers = [
        ("Date", format_datetime(digest.at.astimezone(ZoneInfo(digest.wish.zone)))),
        ("Auto-Submitted", "auto-generated"),
        ("List-Id", f"<{_digest(digest.wish.name)}.{DIGEST}.{sender.domain}>"),
        ("References", thread),
        ("In-Reply-To", thread),
    ]
    if link := sender.unsubscribe(token):
        headers += [("List-Unsubscribe", f"<{link}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")]
    return tuple(headers)


def thread_id(digest: Digest, domain: str) -> str:
    """What mail of the same reader, areas and ISO week refers to, so that a client shows it as one thread."""
    areas = sorted({area for line in (*digest.lines, *digest.rest) for area in line.areas})
    year, week, _ = digest.at.astimezone(ZoneInfo(digest.wish.zone)).isocalendar()
    return f"<{year}w{week:02}.{_digest('|'.join([digest.wish.name, *areas]))}@{domain}>"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
