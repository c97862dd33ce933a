"""Words: where the aliases of all areas stand in a text, in one pass of an Aho-Corasick automaton.

The grammar of an alias, the same in all languages:

- a space stands for a space, a hyphen or dash, or a line break; beside Chinese, Japanese and Korean characters it is optional;
- `*` at the end of a word stands for any further letters of it, at the beginning for any before it;
- alphabets are matched in whole words, and an alias may have the plural's -s or -es; Chinese and Japanese anywhere; Korean from the
  start of a word, any particle after it;
- case is ignored, but for an alias without a small letter (6G, BCI) and one that begins with `=`, which match only as written;
- of mentions of one area that overlap, the longest stands, a strong one before a weak one of its length;
- a look-alike phrase takes out what it overlaps, but not a longer alias that has it inside.

The automaton finds the longest fixed piece of each alias; what is around it is then checked at that place alone, so time is linear
in the text however many aliases there are.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
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
# Where an alias may give way: a `*`, or in Korean a space.
STAR = re.compile(r"(\*)")
STAR_OR_SPACE = re.compile(r"([* ])")
GAPS = {"*": f"{LETTER}*", " ": " ?"}
# No word begins in the middle of another, no number after its decimal point.
STARTS_WORD = re.compile(f"(?<!{LETTER})")
STARTS_NUMBER = re.compile(f"(?<!{LETTER})(?<![0-9][.,])")
STARTS_KOREAN = re.compile(f"(?<!{HANGUL})")
ENDS_WORD = re.compile(f"(?!{LETTER})")
PLURAL = re.compile(f"e?s(?!{LETTER})")


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
    anchor: str  # the longest fixed piece, in the case that is compared
    reach: int  # how far the rest of the alias can be from it
    left: re.Pattern[str] | None  # what stands before the anchor, spelled backwards
    right: re.Pattern[str] | None  # what stands after it
    start: re.Pattern[str] | None  # holds where the mention starts
    end: re.Pattern[str] | None  # holds where it ends, but for a plural


@dataclass(frozen=True, slots=True)
class Found:
    """Mentions of an area in one text, strong ones first by place; `negatives` are the look-alike phrases that stood there."""

    strong: tuple[Mention, ...]
    weak: tuple[Mention, ...]
    negatives: tuple[str, ...]


_Span = tuple[int, int, _Pattern]  # places in the folded text


class Lexicon:
    """All aliases of a taxonomy, ready to be looked for. Building 10,000 takes about half a second."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._patterns: dict[str, dict[_Pattern, None]] = {}
        for area in taxonomy.areas:
            for alias in area.strong():
                self._add(area.id, alias, Role.STRONG)
            for role, groups in ((Role.WEAK, area.weak), (Role.NEGATIVE, area.negatives)):
                for phrases in groups.values():
                    for alias in phrases:
                        self._add(area.id, alias, role)
        self._anchors = list(self._patterns)
        self._automaton = AhoCorasick(self._anchors, matchkind=MatchKind.Standard)

    def _add(self, area: str, alias: str, role: Role) -> None:
        pattern = compile_alias(area, alias, role)
        if pattern.anchor:
            self._patterns.setdefault(pattern.anchor.lower(), {})[pattern] = None

    def find(self, text: str) -> dict[str, Found]:
        """What was found, by area; places are those of `text`. Never raises."""
        folded = fold(text)
        spans: dict[str, list[_Span]] = {}
        for index, start, end in self._automaton.find_matches_as_indexes(folded.lower, overlapping=True):
            for pattern in self._patterns[self._anchors[index]]:
                if span := _check(pattern, folded, start, end):
                    spans.setdefault(pattern.area, []).append((*span, pattern))
        return {area: _settle(group, folded) for area, group in spans.items()}


def compile_alias(area: str, alias: str, role: Role) -> _Pattern:
    """The pattern of one alias. Its anchor is empty where the alias holds no letter at all."""
    exact = alias.startswith("=")
    folded = fold(alias.removeprefix("=")).cased.strip()
    korean = bool(IS_HANGUL.search(folded))
    cased = exact or (folded.upper() == folded and folded.lower() != folded and not korean)
    spelling = folded if cased else _lower_like(folded)
    parts = (STAR_OR_SPACE if korean else STAR).split(spelling)
    at = max(range(0, len(parts), 2), key=lambda i: len(parts[i]))
    fixed = spelling.strip("*")
    return _Pattern(
        area=area,
        alias=alias,
        role=role,
        cased=cased,
        anchor=parts[at],
        reach=len(spelling) + REACH * spelling.count("*"),
        left=_regex([part[::-1] for part in reversed(parts[:at])]),
        right=_regex(parts[at + 1 :]),
        start=None if spelling.startswith("*") else _start(fixed[:1]),
        end=ENDS_WORD if not spelling.endswith("*") and IS_LETTER.match(fixed[-1:]) else None,
    )


def _lower_like(folded: str) -> str:
    """In small letters, as the text that it is looked for in."""
    return fold(folded).lower


def _regex(parts: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("".join(GAPS.get(part, re.escape(part)) for part in parts)) if any(parts) else None


def _start(character: str) -> re.Pattern[str] | None:
    if character.isdigit() and IS_LETTER.match(character):
        return STARTS_NUMBER
    if IS_LETTER.match(character):
        return STARTS_WORD
    return STARTS_KOREAN if IS_HANGUL.match(character) else None


def _check(pattern: _Pattern, folded: Folded, start: int, end: int) -> tuple[int, int] | None:
    """The mention whose anchor is at `[start:end]`, if the rest of the alias is there too."""
    text = folded.cased if pattern.cased else folded.lower
    if pattern.cased and text[start:end] != pattern.anchor:
        return None
    if pattern.right is not None:
        after = pattern.right.match(text, end, end + pattern.reach)
        if after is None:
            return None
        end = after.end()
    if pattern.left is not None:
        before = pattern.left.match(text[max(0, start - pattern.reach) : start][::-1])
        if before is None:
            return None
        start -= before.end()
    if pattern.start is not None and not pattern.start.match(text, start):
        return None
    if pattern.end is not None and not pattern.end.match(text, end):
        plural = PLURAL.match(text, end)
        if plural is None:
            return None
        end = plural.end()
    return start, end


def _settle(group: list[_Span], folded: Folded) -> Found:
    """The mentions that stand, in the order of their places."""
    negatives = sorted({(start, end) for start, end, p in group if p.role is Role.NEGATIVE})
    longest = max((end - start for start, end in negatives), default=0)
    kept: list[_Span] = []
    taken: set[int] = set()
    for start, end, pattern in sorted(group, key=lambda g: (g[0] - g[1], g[2].role is Role.WEAK, g[0])):
        if pattern.role is Role.NEGATIVE or start in taken or end - 1 in taken or _taken_out((start, end), negatives, longest):
            continue
        taken.update(range(start, end))
        kept.append((start, end, pattern))
    mentions = [Mention(p.alias, *folded.span(start, end), p.role is Role.WEAK) for start, end, p in sorted(kept, key=lambda k: k[0])]
    return Found(
        tuple(m for m in mentions if not m.weak),
        tuple(m for m in mentions if m.weak),
        tuple(sorted({p.alias for *_, p in group if p.role is Role.NEGATIVE})),
    )


def _taken_out(span: tuple[int, int], negatives: Sequence[tuple[int, int]], longest: int) -> bool:
    """Whether a look-alike phrase overlaps, and is not inside a longer alias. `negatives` are sorted; none is over `longest`."""
    first = bisect_left(negatives, (span[0] - longest, 0))
    last = bisect_left(negatives, (span[1], 0))
    return any(
        end > span[0] and not (span[0] <= start and end <= span[1] and end - start < span[1] - span[0])
        for start, end in negatives[first:last]
    )
