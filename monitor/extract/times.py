"""When an article was published, and the day it counts for.

Who is believed: the page's own time, where it carries a zone; then the feed's (feeds move their times at every correction, and
some stamp every entry with the time of their last build, so the page comes first); then a time or day of the page without a zone;
last a day found in the page's text or address. A page's day that lies more than two days before the feed's time wins over it: the
feed has taken up an old article again. A time without a zone is taken as UTC: nothing better is known, and its day stays the day
that the page shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from monitor.extract.blocks import Block

EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)  # nothing on the web is older; zeros and the epoch are
AHEAD = timedelta(days=1)  # clocks are off, and zones are forgotten
# Longer before it was first seen, an article counts for the day it was seen: an archive that was put on line, or a wrong date.
# More than a year, so that last year's report linked again keeps its day; feeds hardly ever reach back further.
COUNTS_FOR = timedelta(days=400)
DAY_ALONE = 24  # characters of a block up to which a day in it is not told about
OLD_ARTICLE = timedelta(days=2)

_EAST_ASIAN = re.compile(
    r"(\d{4})\s*[年년.\-/]\s*(\d{1,2})\s*[月월.\-/]\s*(\d{1,2})\s*[日일.]?(?:\D{0,12}?(\d{1,2})\s*[:：时時시点]\s*(\d{1,2}))?"
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:?\d\d(:?\d\d([.,]\d{1,9})?)?)?\s*(Z|UTC|GMT|[+-]\d\d(:?\d\d)?)?\Z", re.I)
_NUMERIC = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:\D{1,4}(\d{1,2}):(\d\d))?")
_DAY = r"(?<!\d)(?:19|20)\d\d\s*[年년.\-/]\s*\d{1,2}\s*[月월.\-/]\s*\d{1,2}(?:\s*[日일])?"
_SHOWN = re.compile(_DAY + r"[\s,T|]{0,6}\d{1,2}[:：时時]\d\d")
_SHOWN_DAY = re.compile(_DAY)
_COMPACT = re.compile(r"(19|20)\d{6}(T\d{6}Z?)?")
_MAIL = re.compile(r"([A-Za-z]{3,9},? )?(\d{1,2} [A-Za-z]{3}|[A-Za-z]{3} \d)")
_SCRIPT_DATE = re.compile(r"(GMT|UTC)([+-]\d{4}).*")  # what JavaScript makes of a date: «GMT+0200 (CEST)»


def parse_time(text: str) -> tuple[datetime, bool] | None:
    """The time in `text`, in UTC, and whether it carried a zone; None where there is none. Never raises."""
    text = _SCRIPT_DATE.sub(r"\2", " ".join(text.split()))
    if not 6 <= len(text) <= 80 or not re.search(r"\d{4}|\d\d", text):
        return None
    for read in (_iso, _number, _mail, _east_asian, _day_first):
        try:
            found = read(text)
        except (ValueError, OverflowError, TypeError, AttributeError):
            continue
        if found is not None:
            # midnight in a zone is a day that a program has written as a time
            zoned = found.tzinfo is not None and (found.hour, found.minute, found.second) != (0, 0, 0)
            try:
                return (found if zoned else found.replace(tzinfo=UTC)).astimezone(UTC), zoned
            except (ValueError, OverflowError):
                return None
    return None
    return None


def published(page: Iterable[str], feed: datetime | None, guessed: str | None, first_seen_at: datetime) -> tuple[datetime | None, date]:
    """(the time of publication where a believable one is known, the day the article counts for).

    `page`: what the page says, best first; `guessed`: a day found without mark-up.
    """
    said = [found for text in page if (found := parse_time(text)) and believable(found[0], first_seen_at)]
    zoned = next((time for time, has_zone in said if has_zone), None)
    bare = next((time for time, _ in said), None)
    if zoned is None and feed is not None and believable(feed, first_seen_at):
        zoned = bare if bare is not None and feed - bare > OLD_ARTICLE else feed
    time = zoned or bare
    if time is None and guessed and (found := parse_time(guessed)) and believable(found[0], first_seen_at):
        time = found[0]
    if time is None or first_seen_at - time > COUNTS_FOR:
        return time, first_seen_at.astimezone(UTC).date()
    return time, time.date()


def shown_time(blocks: Sequence[Block], lines: Sequence[str]) -> str | None:
    """The time that the page shows by the headline, as «2026-04-05 06:40 来源：…»: day and time, or a day alone, before the text."""
    first = next((line for line in lines if len(line) > 30), "").removeprefix("- ")[:20]
    start = next((at for at, block in enumerate(blocks) if first and first in block.text), None)
    near = blocks[:60] if start is None else (*reversed(blocks[max(0, start - 20) : start]), *blocks[start : start + 3])
    for block in near:
        match = _SHOWN.search(block.text[:160]) or (_SHOWN_DAY.search(block.text) if len(block.text) <= DAY_ALONE else None)
        if match:
            return match[0]
    return None


def believable(time: datetime, first_seen_at: datetime) -> bool:
    """Whether an article first seen then can have been published at `time`."""
    return EARLIEST <= time <= first_seen_at + AHEAD


def _iso(text: str) -> datetime | None:
    if not _ISO.match(text) and not _COMPACT.fullmatch(text):
        return None
    text = re.sub(r"\s*(UTC|GMT|Z)\Z", "+00:00", text, flags=re.I)
    return datetime.fromisoformat(re.sub(r"\s+([+-]\d\d:?\d\d)\Z", r"\1", text).replace(",", "."))


def _number(text: str) -> datetime | None:
    """Seconds or milliseconds since 1970."""
    if not re.fullmatch(r"\d{10}(\d{3})?", text):
        return None
    return datetime.fromtimestamp(int(text[:10]), UTC)


def _mail(text: str) -> datetime | None:
    return parsedate_to_datetime(text) if _MAIL.match(text) else None


def _east_asian(text: str) -> datetime | None:
    match = _EAST_ASIAN.match(text)
    if not match or re.search(r"[+-]\d\d:?\d\d\Z|Z\Z", text):
        return None
    year, month, day, hour, minute = (int(part or 0) for part in match.groups())
    return datetime(year, month, day, hour, minute)


def _day_first(text: str) -> datetime | None:
    match = _NUMERIC.match(text)
    if not match:
        return None
    first, separator, second = int(match[1]), match[2], int(match[3])
    if separator != "." and first <= 12 and second <= 12 and first != second:
        return None  # 4/5/2026 is a day in April or in May
    day, month = (first, second) if separator == "." or first > 12 else (second, first)
    return datetime(int(match[4]), month, day, int(match[5] or 0), int(match[6] or 0))
