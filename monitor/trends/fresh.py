"""Names and terms that are new beside an area: in its stories of this week, and hardly ever in those before.

Candidates are taken from the week's paragraphs without any model: names written with capitals or digits where a script has them, runs
of katakana, and Han or Hangul sequences that several stories share. They are ranked by the log-odds ratio with an informative prior
(Monroe, Colaresi and Quinn, Political Analysis 16, 2008), counted in stories, the prior being all areas' stories before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt

from ahocorasick_rs import AhoCorasick

from monitor.domain import Mention

MIN_STORIES = 2
# Standard deviations of the log-odds ratio; two stories with a name that nobody wrote before have about 1.8.
MIN_Z = 1.64
# Weight of the prior, in stories.
PRIOR = 20.0
SHOWN = 8
LONGEST_HAN = 8
LONGEST_NAME = 60

# A letter or digit of a script that has spaces between words: a Latin name may stand right beside a Han character.
_LETTERS = r"[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
# A word with a capital or a digit, as names have; words that join such words to one name.
# Its length is bounded, so that no text makes the search long.
_WORD = (
    rf"(?:[A-ZÀ-ÖØ-ÞΑ-ΩЀ-Я](?:{_LETTERS}|[’'-]){{0,40}}"
    rf"|\d{{0,6}}[a-zа-я]{{0,12}}[A-Z0-9]{{1,12}}(?:{_LETTERS}|-){{0,20}}[A-Z0-9](?:{_LETTERS}|-){{0,20}})"
)
_JOINED = r"(?:\s(?:&|of|de|der|des|du|di|da|von|für)\s|\s)"
_NAME = re.compile(rf"(?<!{_LETTERS}){_WORD}(?:\s\d+\b)?(?:{_JOINED}{_WORD}(?:\s\d+\b)?){{0,4}}")
_FIRST_WORD = re.compile(rf"{_WORD}{_JOINED}")
_SENTENCE_START = re.compile(r"(?:^|[.!?…:»”\"\n]\s*|[–—-]\s)$")
_KATAKANA = re.compile(r"[ァ-ヺー]{3,}")
_HAN = re.compile(r"[\u3400-\u9fff\uac00-\ud7a3]{2,}")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_LETTER = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class HitText:
    """A paragraph with a hit of `area`, as an article of `story` has it."""

    area: str
    story: int
    language: str
    text: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class FreshTerm:
    """`stories` of the week have the term, `before` of the area's earlier ones; `z` is how surely that is more; shown in `where`."""

    term: str
    stories: int
    before: int
    z: float
    where: HitText
    mention: Mention


def fresh_terms(
    week: Sequence[HitText], history: Sequence[HitText], known: Mapping[str, Collection[str]], *, limit: int = SHOWN
) -> dict[str, tuple[FreshTerm, ...]]:
    """By area, the terms of the week that its history does not make likely, the surest first; `known` are words of the area itself."""
    found = {area: _candidates([t for t in week if t.area == area]) for area in {t.area for t in week}}
    before, everywhere = _look_back(history, {term for terms in found.values() for term in terms})
    stories = _stories(history)
    all_stories = len({t.story for t in history}) or 1
    fresh: dict[str, tuple[FreshTerm, ...]] = {}
    for area, terms in found.items():
        own = {word.casefold().strip("*=") for word in known.get(area, ())}
        size = len({t.story for t in week if t.area == area})
        ranked = []
        for term, where in terms.items():
            if any(word and (word in term.casefold() or term.casefold() in word) for word in own):
                continue
            seen = before.get((area, term), 0)
            usual = (everywhere.get(term, 0) + len(where)) / (all_stories + size)
            z = _z(len(where), size, seen, stories.get(area, 0), usual)
            if z >= MIN_Z:
                ranked.append(_fresh(term, where, seen, z))
        fresh[area] = _distinct(sorted(ranked, key=lambda f: (-f.z, -len(f.term), f.term)), limit)
    return fresh


def _z(count: int, size: int, before: int, size_before: int, usual: float) -> float:
    """The log-odds ratio over its standard deviation; `usual` is the part of all stories with the term."""
    prior = PRIOR * min(usual, 0.99)  # what every story has leaves no odds
    odds = log((count + prior) / (size - count + PRIOR - prior)) - log((before + prior) / (size_before - before + PRIOR - prior))
    return odds / sqrt(1 / (count + prior) + 1 / (before + prior))


def _stories(texts: Iterable[HitText]) -> dict[str, int]:
    found: dict[str, set[int]] = {}
    for t in texts:
        found.setdefault(t.area, set()).add(t.story)
    return {area: len(stories) for area, stories in found.items()}


def _fresh(term: str, where: Mapping[int, HitText], before: int, z: float) -> FreshTerm:
    first = where[min(where)]
    start = first.text.find(term)
    return FreshTerm(term, len(where), before, round(z, 2), first, Mention(term, start, start + len(term)))


def _distinct(ranked: Iterable[FreshTerm], limit: int) -> tuple[FreshTerm, ...]:
    """Without terms that lie inside a better one, or hold one."""
    kept: list[FreshTerm] = []
    for fresh in ranked:
        if not any(fresh.term in other.term or other.term in fresh.term for other in kept):
            kept.append(fresh)
        if len(kept) == limit:
            break
    return tuple(kept)


def _candidates(texts: Sequence[HitText]) -> dict[str, dict[int, HitText]]:
    """Terms that at least two stories have, each with one paragraph a story.

    A name that two stories have by itself also counts where it is a part of a longer one, as it does in the history.
    """
    names: dict[str, set[int]] = {}
    for t in texts:
        for term in _names(t.text):
            names.setdefault(term, set()).add(t.story)
    shared: dict[str, dict[int, HitText]] = {}
    for term, t in _standing([name for name, stories in names.items() if len(stories) >= MIN_STORIES], texts):
        shared.setdefault(term, {}).setdefault(t.story, t)
    return shared | _shared_han(texts)


def _names(text: str) -> Iterator[str]:
    for match in _NAME.finditer(text):
        name = match.group()
        if 3 <= len(name) <= LONGEST_NAME:
            if not _SENTENCE_START.search(text[max(0, match.start() - 3) : match.start()]):
                yield name
                continue
            # The first word of a sentence is written large whatever it is: it may belong to the name or not.
            if " " in name or not name[1:].islower():
                yield name
            if (rest := _FIRST_WORD.sub("", name, count=1)) != name and len(rest) >= 3 and not rest.isdigit():
                yield rest
    yield from (match.group() for match in _KATAKANA.finditer(text))


def _shared_han(texts: Sequence[HitText]) -> dict[str, dict[int, HitText]]:
    """Sequences of two to eight Han or Hangul characters that several stories share, none of them a mere part of a longer one.

    They grow by a character a round from those that were shared before, so that a long text costs no more than what it shares. What is
    still shared at nine characters is a repeated sentence, not a term.
    """
    runs = [(match.group(), t) for t in texts for match in _HAN.finditer(t.text)]
    kept: dict[str, dict[int, HitText]] = {}
    shorter: dict[str, dict[int, HitText]] | None = None
    for length in range(2, LONGEST_HAN + 2):
        found: dict[str, dict[int, HitText]] = {}
        for run, t in runs:
            for start in range(len(run) - length + 1):
                piece = run[start : start + length]
                if shorter is None or (piece[:-1] in shorter and piece[1:] in shorter):
                    found.setdefault(piece, {}).setdefault(t.story, t)
        shared = {piece: where for piece, where in found.items() if len(where) >= MIN_STORIES}
        for piece, where in shared.items():
            for part in (piece[:-1], piece[1:]):
                if part in kept and kept[part].keys() == where.keys():
                    del kept[part]
        if not shared:
            break
        if length <= LONGEST_HAN:
            kept |= shared
        shorter = shared
    return {piece: where for piece, where in kept.items() if len(piece) > 2}


def _look_back(history: Sequence[HitText], terms: Collection[str]) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """In how many earlier stories each term stands: by area and term, and in all."""
    by_area: dict[tuple[str, str], set[int]] = {}
    for term, t in _standing(terms, history, write=str.casefold):
        by_area.setdefault((t.area, term), set()).add(t.story)
    everywhere: dict[str, set[int]] = {}
    for (_, term), stories in by_area.items():
        everywhere.setdefault(term, set()).update(stories)
    return {key: len(s) for key, s in by_area.items()}, {term: len(s) for term, s in everywhere.items()}


def _standing(terms: Collection[str], texts: Iterable[HitText], write: Callable[[str], str] = str) -> Iterator[tuple[str, HitText]]:
    """Each term with each text in which it stands as a whole, both as `write` has them."""
    ordered = sorted(terms)
    automaton = AhoCorasick([write(term) for term in ordered])
    for t in texts if ordered else ():
        text = write(t.text)
        for number, start, end in automaton.find_matches_as_indexes(text, overlapping=True):
            if _whole(text, start, end):
                yield ordered[number], t


def _whole(text: str, start: int, end: int) -> bool:
    """Whether a find is not a part of a longer word, where words have spaces between them."""
    if _UNSPACED.match(text[start]):
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    return not any(c and _LETTER.match(c) and not _UNSPACED.match(c) for c in (before, after))
