"""What the people who run it are told: failed and missing runs, broken sources, a filling disk, a standing queue. Pure, but for `beat`."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from monitor.alerts import wording
from monitor.alerts.subscriptions import OPERATOR
from monitor.domain import Coverage, Message

log = logging.getLogger(__name__)

# A nightly run that is half a day late is worth a word.
RUN_EVERY = timedelta(hours=36)
QUEUE_STANDS_AFTER = timedelta(hours=2)
LEAST_DISK_SHARE = 0.05
LEAST_DISK_BYTES = 1_000_000_000
# Less than so much of what was due on a day was read: counts and news of that day are poor.
LEAST_COVERAGE = 0.8
SOURCES_NAMED = 8
# The same findings are repeated after so long; new ones are told the next day.
SAY_AGAIN = timedelta(days=7)
FINDINGS_HEADER = "X-Areawatch-Findings"
BEAT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class SourceFact:
    """A source that is polled: what is wrong in one phrase (beginning «failing», «quiet» or «came out empty»), or `ok`.

    `entries` and `read` are how many entries and articles it gave.
    """

    title: str
    health: str
    entries: int
    read: int

    @property
    def trouble(self) -> str | None:
        """One phrase, or None when all is well."""
        if self.health.startswith(("failing", "quiet", "came out empty")):
            return self.health
        return f"came out empty: none of its {self.entries} entries gave an article" if self.entries and not self.read else None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at. `queue` is as `monitor.store.outbox.standing` gives it; disk sizes in bytes."""

    sources: tuple[SourceFact, ...]
    queue: Mapping[str, Any]
    disk_free: int
    disk_total: int
    last_good_run_at: datetime | None
    first_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class Finding:
    """`key` stays the same while the trouble does; `says` holds the numbers of today."""

    key: str
    says: str


def findings(facts: Facts, error: str | None, *, now: datetime) -> tuple[Finding, ...]:
    """All that is wrong, the worst first. `error` is why the run failed, if it did."""
    found = [Finding("failed", f"The run failed: {wording.clean(error, 600)}")] if error else []
    since = facts.last_good_run_at or facts.first_run_at
    if since is not None and now - since > RUN_EVERY:
        found.append(Finding("missing", f"No run has ended well since {since:%d %b %Y, %H:%M} UTC."))
    if says := disk_trouble(facts.disk_free, facts.disk_total):
        found.append(Finding("disk", f"The {says}."))
    found += _queue_findings(facts.queue)
    troubles = ((s, s.trouble) for s in facts.sources)
    found += [Finding(f"source {s.title} {t.split(',')[0].split(':')[0]}", f"{s.title}: {t}") for s, t in troubles if t]
    return tuple(found)


def disk_trouble(free: int, total: int) -> str | None:
    """What is said of a disk of so many bytes when little of it is free, else None."""
    filling = free < max(LEAST_DISK_BYTES, LEAST_DISK_SHARE * total)
    return f"disk is filling: {free / 1e9:.1f} of {total / 1e9:.0f} GB are free" if filling else None


def _queue_findings(queue: Mapping[str, Any]) -> list[Finding]:
    found = []
    oldest = queue.get("oldest_queued_seconds")
    if oldest is not None and oldest > QUEUE_STANDS_AFTER.total_seconds():
        why = f" ({queue['last_error']})" if queue.get("last_error") else ""
        found.append(Finding("queue", f"{queue['queued']} messages wait to be sent, the oldest for {oldest / 3600:.0f} hours{why}."))
    for paused in queue.get("paused", ()):
        if str(paused["why"]).startswith("refused"):
            found.append(Finding(f"paused {paused['recipient']}", f"{paused['recipient']} is paused: {paused['why']}"))
    return found


def operator_message(
    found: Sequence[Finding], address: str, *, zone: str, now: datetime, before: Message | None = None, before_at: datetime | None = None
) -> Message | None:
    """The one message of the day in `zone`, or None when there is nothing (new) to say.

    `before` is the last one, queued at `before_at`. Failed runs have a message of their own, so that a broken feed in the morning does
    not silence a failure in the evening; each kind comes once a day at most.
    """
    if not found or not address:
        return None
    failed = any(f.key in {"failed", "missing"} for f in found)
    signature = hashlib.blake2b("\n".join(sorted(f.key for f in found)).encode("utf-8", "replace"), digest_size=8).hexdigest()
    repeated = before is not None and (FINDINGS_HEADER, signature) in before.headers
    if repeated and not failed and before_at is not None and now - before_at < SAY_AGAIN:
        return None
    local = now.astimezone(ZoneInfo(zone))
    lead = found[0].says if len(found) == 1 else f"{len(found)} things need a look"
    lines = [wording.wrap(f.says, 2, "* ") for f in found]
    advice = "`monitor status` and `monitor sources list --health` say more."
    return Message(
        key=f"{OPERATOR}-{local:%Y-%m-%d}-{'failed' if failed else 'health'}",
        recipient=OPERATOR,
        channel="email",
        address=address,
        subject=wording.clean(f"areawatch: {lead}", 100),
        text="\n".join([f"areawatch, {local:%d %b %Y, %H:%M} ({zone})", "", *lines, "", advice, ""]),
        html="",
        headers=(("Date", format_datetime(local)), ("Auto-Submitted", "auto-generated"), (FINDINGS_HEADER, signature)),
    )


def source_notes(sources: Sequence[SourceFact]) -> tuple[str, ...]:
    """What readers should know before they take silence for calm: the sources that fail."""
    failing = [s.title for s in sources if s.health.startswith("failing")]
    if not failing:
        return ()
    named = ", ".join(wording.clean(title, 60) for title in failing[:SOURCES_NAMED])
    more = f" and {len(failing) - SOURCES_NAMED} more" if len(failing) > SOURCES_NAMED else ""
    are = "is" if len(failing) == 1 else "are"
    return (f"{len(failing)} of {len(sources)} sources could not be read and {are} missing here: {named}{more}.",)


def coverage_notes(coverage: Sequence[Coverage]) -> tuple[str, ...]:
    """The days of which little was read, a sentence each."""
    poor = [c for c in coverage if c.due and c.read < LEAST_COVERAGE * c.due]
    return tuple(f"On {c.day.day} {c.day:%b %Y} only {c.read} of {c.due} sources were read." for c in poor)


def beat(url: str, *, seconds: float = BEAT_SECONDS) -> bool:
    """Asks `url`, which a dead man's switch watches; nothing for an empty one. Returns whether it answered well.

    Never raises. The URL is a secret: it is asked below the client, which would log it.
    """
    if not url:
        return False
    try:
        limits = httpx.Timeout(seconds).as_dict()
        with httpx.HTTPTransport() as transport:
            answer = transport.handle_request(httpx.Request("GET", url, extensions={"timeout": limits}))
            answer.close()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        log.warning("the heartbeat could not be sent (%s); check `heartbeat_url`", type(error).__name__)
        return False
    if answer.status_code >= 400:
        log.warning("the heartbeat was answered with status %s; check `heartbeat_url`", answer.status_code)
    return answer.status_code < 400
