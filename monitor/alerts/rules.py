"""Which stories are news for a reader. Pure.

A story is told to a reader once, ever. It is news when the first of its articles that meets the reader's wishes was stored after
those that were considered at the reader's last turn: so an edited article, a late syndication of a story that was there before,
and a new matcher's second look at old articles are no news. An article that was published long before it was first seen (a source
that was just added, a feed that came back) is none either.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from monitor.alerts.subscriptions import Subscription, Words
from monitor.folding import fold

# Published at most so long before it was first seen; also how far a message reaches back after an outage.
NEWS_FOR = timedelta(days=14)


class Sighting(Protocol):
    """An article of a story that carries an area; `probability` is its best paragraph's."""

    @property
    def story(self) -> int: ...
    @property
    def article(self) -> int: ...
    @property
    def area(self) -> str: ...
    @property
    def probability(self) -> float: ...
    @property
    def first_seen_at(self) -> datetime: ...
    @property
    def day(self) -> date: ...
    @property
    def language(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def source_url(self) -> str: ...
    @property
    def source_kind(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Chosen:
    """A story for a reader: its first article that fits, its areas with the surest first, and who else carries it."""

    lead: Sighting
    areas: tuple[str, ...]
    also_in: tuple[str, ...]


def by_story(sightings: Iterable[Sighting]) -> dict[int, tuple[Sighting, ...]]:
    """The sightings of each story, the first stored first."""
    stories: dict[int, list[Sighting]] = {}
    for sighting in sightings:
        stories.setdefault(sighting.story, []).append(sighting)
    return {story: tuple(sorted(group, key=lambda s: s.article)) for story, group in stories.items()}


def choose(
    wish: Subscription, stories: Mapping[int, Sequence[Sighting]], areas: Collection[str], *, after: int, since: datetime
) -> tuple[Chosen, ...]:
    """News for this reader, the most carried and surest first: articles after the id `after`, first seen since `since`.

    `stories` as `by_story` gives them. `wish.words` are not looked at, and neither is what the reader was told.
    """
    found = [
        chosen for group in stories.values() if group[-1].article > after and (chosen := _choose_one(wish, group, areas, after, since))
    ]
    return tuple(sorted(found, key=lambda c: (-len(c.also_in), -c.lead.probability, -c.lead.article)))


def _choose_one(wish: Subscription, group: Sequence[Sighting], areas: Collection[str], after: int, since: datetime) -> Chosen | None:
    fitting = [s for s in group if s.area in areas and _fits(wish, s)]
    if not fitting or not _is_news(fitting[0], after, since):
        return None
    lead = max((s for s in fitting if s.article == fitting[0].article), key=lambda s: s.probability)
    surest: dict[str, float] = {}
    for s in fitting:
        surest[s.area] = max(s.probability, surest.get(s.area, 0))
    rest = sorted(surest.keys() - {lead.area}, key=lambda area: (-surest[area], area))
    also_in = dict.fromkeys(s.source for s in group if s.source != lead.source)
    return Chosen(lead, (lead.area, *rest), tuple(also_in))


def _is_news(first: Sighting, after: int, since: datetime) -> bool:
    return first.article > after and first.first_seen_at >= since and first.day >= (first.first_seen_at - NEWS_FOR).date()


def _fits(wish: Subscription, s: Sighting) -> bool:
    return (
        s.probability >= wish.least_probability
        and (not wish.languages or s.language in wish.languages)
        and (not wish.source_kinds or s.source_kind in wish.source_kinds)
        and (not wish.sources or s.source in wish.sources or s.source_url in wish.sources)
    )


def words_allow(words: Words, text: str) -> bool:
    """Whether an article's headline and text hold what they must and not what they must not."""
    folded = fold(text).lower

    def has(word: str) -> bool:
        return _pattern(word).search(folded) is not None

    return (not words.any or any(map(has, words.any))) and all(map(has, words.all)) and not any(map(has, words.none))


@lru_cache(maxsize=4096)
def _pattern(word: str) -> re.Pattern[str]:
    """A whole word where the script has spaces; anywhere in Chinese, Japanese and Korean."""
    key = fold(word.removesuffix("*")).lower.strip()
    letter = r"[^\W\u2e80-\U0003ffff]"
    before = f"(?<!{letter})" if re.match(letter, key) else ""
    after = f"(?!{letter})" if re.search(f"{letter}$", key) and not word.endswith("*") else ""
    return re.compile(before + re.escape(key) + after)
