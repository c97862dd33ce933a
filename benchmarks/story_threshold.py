"""Which share of common word sequences makes two articles one story: copies found and others joined, a threshold each.

    python -m benchmarks.story_threshold [articles]

An article is 4 to 12 of the labelled paragraphs of one language. Its copies are what becomes of a wire story: cut from the end, or
edited (a third each of the changed sentences is dropped, replaced by another, or has a fifth of its words exchanged), always under
another headline and lead-in. Against them: articles about anything, about the same area, about the same area with one sentence in
common (a quote), and with a quarter of the paragraphs in common (background that a newsroom repeats). The figures stand beside the
constants in `monitor/stories.py`.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.stories import shingles, similarity

THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7)
EDITS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
GOLD = Path("taxonomy/gold")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")


@dataclass(frozen=True, slots=True)
class Labelled:
    areas: tuple[str, ...]
    text: str


def pool() -> dict[str, list[Labelled]]:
    """The labelled paragraphs of each language."""
    found: dict[str, list[Labelled]] = defaultdict(list)
    for path in sorted(GOLD.glob("*/*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found[row["lang"]].append(Labelled(tuple(row["labels"]), row["text"]))
    return found


def pairs(paragraphs: list[Labelled], language: str, rng: random.Random) -> Iterator[tuple[str, str, str]]:
    """One article with its copies and the articles that are none: (kind of pair, text, other text)."""
    drawn = rng.sample(paragraphs, 36)
    own, other, spare = (
        drawn[: rng.randint(4, 12)],
        drawn[12 : 12 + rng.randint(4, 12)],
        [s for p in drawn[24:] for s in sentences(p.text)],
    )
    text = joined(own)
    for share in EDITS:
        yield f"edited {share:.0%}", text, edited(text, share, spare, language, rng)
        yield f"cut {share:.0%}", text, cut(text, share, spare, rng)
    yield "unrelated", text, joined(other)
    area = rng.choice([area for p in paragraphs for area in p.areas])
    about = [p for p in paragraphs if area in p.areas]
    rng.shuffle(about)
    half = min(12, len(about) // 2)
    one, two = about[:half], about[half : 2 * half]
    if half >= 4:
        yield "same area", joined(one), joined(two)
        yield "a quote in common", joined(one), joined(two) + " " + rng.choice(sentences(joined(one)))
        common = max(1, half // 4)
        yield "a quarter in common", joined(one), joined(two[common:] + one[:common])


def edited(text: str, share: float, spare: list[str], language: str, rng: random.Random) -> str:
    """`text` with `share` of its sentences changed, another headline and lead-in."""
    kept = []
    for sentence in sentences(text):
        chance = rng.random()
        if chance < share / 3:
            continue
        if chance < share * 2 / 3:
            kept.append(rng.choice(spare))
        elif chance < share:
            kept.append(reworded(sentence, spare, language, rng))
        else:
            kept.append(sentence)
    return " ".join([*rng.sample(spare, 2), *kept])


def reworded(sentence: str, spare: list[str], language: str, rng: random.Random) -> str:
    """A fifth of the words exchanged."""
    gap = "" if language in ("zh", "ja") else " "
    words = list(sentence) if gap == "" else sentence.split()
    other = list("".join(spare)) if gap == "" else " ".join(spare).split()
    return gap.join(rng.choice(other) if rng.random() < 0.2 else word for word in words)


def cut(text: str, share: float, spare: list[str], rng: random.Random) -> str:
    """The first of the sentences, under another headline and lead-in."""
    whole = sentences(text)
    return " ".join([*rng.sample(spare, 2), *whole[: max(3, round(len(whole) * (1 - share)))]])


def sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE.split(text) if sentence.strip()]


def joined(paragraphs: list[Labelled]) -> str:
    return "\n".join(p.text for p in paragraphs)


def main(articles: int = 2_000, seed: int = 20261123) -> None:
    """Prints a row a kind of pair: the share of its pairs that each threshold makes one story."""
    rng = random.Random(seed)
    by_language = pool()
    found: dict[str, list[float]] = defaultdict(list)
    for number in range(articles):
        language = sorted(by_language)[number % len(by_language)]
        for kind, one, other in pairs(by_language[language], language, rng):
            found[kind].append(similarity(shingles(one), shingles(other)))
    print(f"{'threshold':20}" + "".join(f"{threshold:8.2f}" for threshold in THRESHOLDS))
    for kind, shares in found.items():
        joined_at = [sum(share >= threshold for share in shares) / len(shares) for threshold in THRESHOLDS]
        print(f"{kind:20}" + "".join(f"{100 * share:7.1f}%" for share in joined_at) + f"   of {len(shares)}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
