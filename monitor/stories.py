"""Near-duplicate articles → one story: sketches of the word sequences of a text, and an index that finds the most alike.

A sketch is a MinHash (Broder 1997) of all sequences of three words, or five characters of Chinese and Japanese. Two sketches tell
how much of the shorter text stands in the longer one: a wire story is cut, given another headline and lead-in, and mended here and
there, but what is left of it is left word for word. The share of both texts together (Jaccard) would lose the stories that are cut.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

PERMUTATIONS = 128
# Words, or characters of Chinese and Japanese, in a sequence. Three found more of the edited copies than four or five at the same
# error on other articles about the same thing.
WORDS, CHARACTERS = 3, 5
# Share of the shorter text that must stand in the longer one. From benchmarks/story_threshold.py, 2,000 articles of 4 to 12
# paragraphs in ten languages; per cent made one story. «edited»: so many of the sentences dropped, replaced or reworded; «cut»: from
# the end; both under another headline and lead-in. Of unrelated articles and of others about the same area: none, at any threshold.
#                edited 20 %    40 %    50 %    60 %   cut 60 %   a quote in common   a quarter of the text in common
#     0.35          100.0       98.1    95.8    89.0     99.9            0.0                      4.2
#     0.40           99.9       96.5    91.8    82.1     99.6            0.0                      1.2
#     0.45           99.6       94.0    86.6    71.0     98.6            0.0                      0.2
#     0.50           99.2       88.9    77.5    59.1     96.2            0.0                      0.1
# A newsroom's background and a firm's «about us» are up to a quarter of a text, so at 0.40 different news would become one story.
THRESHOLD = 0.45
# A text this many times longer is a round-up that holds the story among others.
ROUND_UP = 4
# Sequences up to which a text is too short for an estimate, about 30 words: only the same text is the same story.
SHORT = 28
# Permutations by which candidates are looked up: two texts that share a fifth of their sequences meet in one of them 99 times of 100.
LOOKED_UP = 20
SEED = 1

_WORD = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\\W_]+")
_CHARACTER = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
# The first byte of a sketch: what follows it, and the version of the hashing that made it.
_ESTIMATE, _EXACT = bytes([16 + RMinHash.ALGORITHM_VERSION]), b"\1"

Digest = NDArray[np.uint32]


def shingles(text: str) -> bytes:
    """The sketch of a text: 517 bytes, or 17 where the text is so short that only the same text is like it. Never raises."""
    units = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    east = not text.isascii() and 2 * sum(1 for unit in units if _CHARACTER.match(unit)) > len(units)
    length = CHARACTERS if east else WORDS
    sequences = set(map(" ".join, zip(*(units[start:] for start in range(length)), strict=False)))
    if len(sequences) < SHORT:
        return _EXACT + hashlib.blake2b(" ".join(units).encode("utf-8", "replace"), digest_size=16).digest()
    sketch = RMinHash(PERMUTATIONS, SEED)
    sketch.update([sequence.encode("utf-8", "replace") for sequence in sequences])
    digest = np.array(sketch.digest(), dtype="<u4").tobytes()
    return _ESTIMATE + len(sequences).to_bytes(4, "little") + digest


def similarity(a: bytes, b: bytes) -> float:
    """The share of the shorter text that stands in the longer one, 0..1; of both, where one is a round-up of many."""
    if a[:1] != _ESTIMATE or b[:1] != _ESTIMATE:
        return float(a == b)
    sizes = np.array([_size(b)])
    return float(_shares(_digest(a), _size(a), _digest(b)[None, :], sizes)[0])


class StoryIndex:
    """Stories by the sketches of their articles; only articles within `reach` of one another are compared."""

    def __init__(self, reach: timedelta) -> None:
        self._reach = reach.days
        self._stories: list[int] = []
        self._days = array("l")  # ordinals
        self._digests: Digest = np.zeros((1024, PERMUTATIONS), dtype=np.uint32)
        self._sizes = np.zeros(1024, dtype=np.int64)
        # The last row a value of a permutation was seen in, and for each row and permutation the row before it, or -1.
        self._last: dict[int, int] = {}
        self._before = array("l")
        self._exact: dict[bytes, list[int]] = {}

    def add(self, story: int, day: date, shingles: bytes) -> None:
        """Makes an article of `story` known."""
        row = len(self._stories)
        self._stories.append(story)
        self._days.append(day.toordinal())
        if shingles[:1] != _ESTIMATE:
            self._before.extend([-1] * LOOKED_UP)
            self._exact.setdefault(shingles, []).append(row)
            return
        digest = _digest(shingles)
        if row >= len(self._sizes):
            self._digests = np.resize(self._digests, (2 * row, PERMUTATIONS))
            self._sizes = np.resize(self._sizes, 2 * row)
        self._digests[row], self._sizes[row] = digest, _size(shingles)
        for key in _keys(digest):
            self._before.append(self._last.get(key, -1))
            self._last[key] = row

    def nearest(self, day: date, shingles: bytes) -> int | None:
        """The story of the most similar article within reach, the first of several; None where none is similar enough."""
        if shingles[:1] != _ESTIMATE:
            rows = self._within(self._exact.get(shingles, ()), day)
            return self._stories[rows[0]] if rows else None
        digest = _digest(shingles)
        candidates: set[int] = set()
        for place, key in enumerate(_keys(digest)):
            row = self._last.get(key, -1)
            while row >= 0:
                candidates.add(row)
                row = self._before[row * LOOKED_UP + place]
        rows = self._within(sorted(candidates), day)
        if not rows:
            return None
        shares = _shares(digest, _size(shingles), self._digests[rows], self._sizes[rows])
        best = int(np.argmax(shares))
        return self._stories[rows[best]] if shares[best] >= THRESHOLD else None

    def _within(self, rows: list[int] | tuple[int, ...], day: date) -> list[int]:
        today = day.toordinal()
        return [row for row in rows if abs(self._days[row] - today) <= self._reach]


def _shares(digest: Digest, size: int, others: Digest, sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Similarity of one sketch to each of `others`, (rows, PERMUTATIONS)."""
    both: NDArray[np.float64] = np.mean(others == digest, axis=1)
    shorter, longer = np.minimum(sizes, size), np.maximum(sizes, size)
    contained = both * (shorter + longer) / ((1 + both) * shorter)
    return np.asarray(np.where(longer <= ROUND_UP * shorter, np.minimum(contained, 1.0), both), dtype=np.float64)


def _keys(digest: Digest) -> list[int]:
    """A number for each of the permutations that are looked up, and its value."""
    return [(value << 8) | place for place, value in enumerate(digest[:LOOKED_UP].tolist())]


def _size(sketch: bytes) -> int:
    return int.from_bytes(sketch[1:5], "little")


def _digest(sketch: bytes) -> Digest:
    return np.frombuffer(sketch, dtype="<u4", offset=5)
