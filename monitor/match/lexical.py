"""Words: where the aliases of all areas stand in a text, in one pass of an Aho-Corasick automaton.

The grammar of an alias, the same in all languages:

- a space stands for a space, a hyphen or dash, or a line break; in Chinese and Japanese there are none, in Korean it is optional;
- `*` at the end of a word stands for any further letters of it, at the beginning for any before it;
- alphabets are matched in whole words, and an alias may have the plural's -s or -es; Chinese and Japanese anywhere; Korean from the
  start of a word, any particle after it;
- case is ignored, but for an alias without a small letter (6G, BCI) and one that begins with `=`, which match only as written.

The automaton finds the longest fixed piece of each alias; what is around it is then checked at that place alone, so time is linear
in the text however many aliases there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ahocorasick_rs import AhoCorasick, MatchKind

from monitor.domain import Mention
from monitor.folding import Folded, fold
from monitor.taxonomy import Taxonomy

# Letters and digits of the alphabets that are matched in whole words.
LETTER = r"[0-9A-Za-zªµºÀ-ÖØ-öø-\u02afͰ-ϿЀ-ԯḀ-ỿ]"
HANGUL = r"[가-힣ㄱ-ㆎ]"
IS_LETTER = re.compile(LETTER)
IS_HANGUL = re.compile(HANGUL)
# Letters that a `*` can take in.
REACH = 60


class Role(Enum):
    STRONG = "strong"
    WEAK = "weak"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True)
class _Pattern:
    area: str
    alias: str
    role: Role
    cased: bool
    spelling: str  # folded, in the case that is compared
    anchor: str
    leads: bool  # the anchor begins the alias
    whole: re.Pattern[str] | None  # checked at the anchor; None: the anchor is the whole
    before: re.Pattern[str] | None  # may not stand before
    after: re.Pattern[str] | None  # may not stand after


@dataclass(frozen=True, slots=True)
class Found:
    """Mentions of an area in one text, strong ones first by place; `negatives` are the look-alike phrases that stood there."""

    strong: tuple[Mention, ...]
    weak: tuple[Mention, ...]
    negatives: tuple[str, ...]


class Lexicon:
    """All aliases of a taxonomy, ready to be looked for. Building 10,000 takes about half a second."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._patterns: dict[str, list[_Pattern]] = {}
        for area in taxonomy.areas:
            for alias in area.strong():
                self._add(area.id, alias, Role.STRONG)
            for phrases in area.weak.values():
                for alias in phrases:
                    self._add(area.id, alias, Role.WEAK)
            for phrases in area.negatives.values():
                for alias in phrases:
                    self._add(area.id, alias, Role.NEGATIVE)
        self._anchors = list(self._patterns)
        self._automaton = AhoCorasick(self._anchors, matchkind=MatchKind.Standard)

    def _add(self, area: str, alias: str, role: Role) -> None:
        for pattern in compile_alias(area, alias, role):
            group = self._patterns.setdefault(pattern.anchor, [])
            if pattern not in group:
                group.append(pattern)

    def find(self, text: str) -> dict[str, Found]:
        """What was found, by area; places are those of `text`. Never raises."""
        folded = fold(text)
        spans: dict[str, list[tuple[int, int, _Pattern]]] = {}
        for index, start, end in self._automaton.find_matches_as_indexes(folded.lower, overlapping=True):
            for pattern in self._patterns[self._anchors[index]]:
                if span := _check(pattern, folded, start, end):
                    spans.setdefault(pattern.area, []).append((*span, pattern))
        return {area: _settle(group, folded) for area, group in spans.items()}


def compile_alias(area: str, alias: str, role: Role) -> Iterable[_Pattern]:
    """The patterns of one alias: one, or two for a Korean one with spaces."""
    exact = alias.startswith("=")
    folded = fold(alias.removeprefix("=")).cased.strip()
    cased = exact or (folded.upper() == folded and folded.lower() != folded and not IS_HANGUL.search(folded))
    spellings = {folded, folded.replace(" ", "")} if IS_HANGUL.search(folded) else {folded}
    for spelling in sorted(spellings):
        yield _compile(area, alias, role, spelling, cased=cased)


def _compile(area: str, alias: str, role: Role, folded: str, *, cased: bool) -> _Pattern:
    pieces = folded.split("*")
    anchor = max(pieces, key=len)
    first = pieces.index(anchor)
    whole = None
    if len(pieces) > 1:
        body = f"{LETTER}*".join(re.escape(piece if cased else piece.lower()) for piece in pieces)
        whole = re.compile(body)
    head, tail = folded.strip("*")[:1], folded.strip("*")[-1:]
    before = _edge(head, "start") if not folded.startswith("*") else None
    after = _edge(tail, "end") if not folded.endswith("*") else None
    spelling = folded if cased else folded.lower()
    return _Pattern(area, alias, role, cased, spelling, anchor.lower(), first == 0, whole, before, after)


def _edge(character: str, side: str) -> re.Pattern[str] | None:
    if IS_LETTER.match(character):
        return IS_LETTER
    if side == "start" and IS_HANGUL.match(character):
        return IS_HANGUL
    return None


def _check(pattern: _Pattern, folded: Folded, start: int, end: int) -> tuple[int, int] | None:
    text = folded.cased if pattern.cased else folded.lower
    if pattern.whole is not None:
        look = pattern.whole.match if pattern.leads else pattern.whole.search
        found = look(text, start if pattern.leads else _rewind(text, start, len(pattern.spelling)), end + REACH)
        if found is None:
            return None
        start, end = found.span()
    elif pattern.cased and folded.cased[start:end] != pattern.spelling:
        return None
    if pattern.before is not None and start and pattern.before.match(text, start - 1):
        return None
    if pattern.after is not None and end < len(text) and pattern.after.match(text, end):
        end = _plural(folded.lower, end)
        if end < 0:
            return None
    return start, end


def _rewind(text: str, start: int, length: int) -> int:
    """Where an alias of `length` that has its anchor at `start` may begin: a word's start, bounded."""
    at = bound = max(0, start - length - REACH)
    while at > 0 and at < start and at == bound and IS_LETTER.match(text, at - 1):
        at += 1
        bound += 1
    return at


def _plural(text: str, end: int) -> int:
    for ending in ("s", "es"):
        after = end + len(ending)
        if text.startswith(ending, end) and (after >= len(text) or not IS_LETTER.match(text, after)):
            return after
    return -1


def _settle(group: list[tuple[int, int, _Pattern]], folded: Folded) -> Found:
    """The longest mentions that do not overlap, without those that a look-alike phrase takes out."""
    negatives = [(start, end, p) for start, end, p in group if p.role is Role.NEGATIVE]
    kept: list[tuple[int, int, _Pattern]] = []
    taken: set[int] = set()
    for start, end, pattern in sorted(group, key=lambda g: (g[0] - g[1], g[2].role is Role.WEAK, g[0])):
        if pattern.role is Role.NEGATIVE or any(_takes_out(n, (start, end)) for n in negatives) or taken & {start, end - 1}:
            continue
        taken.update(range(start, end))
        kept.append((start, end, pattern))
    mentions = [Mention(p.alias, *folded.span(start, end), p.role is Role.WEAK) for start, end, p in sorted(kept, key=lambda k: k[0])]
    return Found(
        tuple(m for m in mentions if not m.weak), tuple(m for m in mentions if m.weak), tuple(sorted({p.alias for *_, p in negatives}))
    )


def _takes_out(negative: tuple[int, int, _Pattern], span: tuple[int, int]) -> bool:
    """A look-alike phrase takes out what it overlaps, but not a longer alias that has it inside."""
    inside = span[0] <= negative[0] and negative[1] <= span[1] and span[1] - span[0] > negative[1] - negative[0]
    return negative[0] < span[1] and span[0] < negative[1] and not inside
