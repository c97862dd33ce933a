"""Areas named together in a story."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import permutations


@dataclass(frozen=True, slots=True)
class Together:
    """`stories`: how many tell of `area` and of `other`; `recent`: of those, how many are of `since` or later; `newest`: the last."""

    area: str
    other: str
    stories: int
    recent: int
    newest: int


def named_together(found: Iterable[tuple[int, str, date]], *, since: date) -> dict[str, tuple[Together, ...]]:
    """`found`: (story, area, day) with ascending days, repeats allowed. By area, the most frequent companion first."""
    areas: dict[int, set[str]] = {}
    began: dict[int, date] = {}
    for story, area, day in found:
        areas.setdefault(story, set()).add(area)
        began.setdefault(story, day)
    pairs: dict[tuple[str, str], list[int]] = {}
    for story in sorted(areas, key=lambda s: (began[s], s)):
        for pair in permutations(sorted(areas[story]), 2):
            pairs.setdefault(pair, []).append(story)
    together: dict[str, list[Together]] = {}
    for (area, other), stories in pairs.items():
        recent = sum(1 for story in stories if began[story] >= since)
        together.setdefault(area, []).append(Together(area, other, len(stories), recent, stories[-1]))
    return {area: tuple(sorted(those, key=lambda t: (-t.stories, t.other))) for area, those in together.items()}
