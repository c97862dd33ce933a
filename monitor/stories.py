"""Near-duplicate articles → one story: MinHash of shingles, looked up by bands (Broder 1997; Leskovec et al., ch. 3)."""

from __future__ import annotations

import re
from datetime import date, timedelta

import numpy as np
from datasketch import MinHash, MinHashLSH

PERMUTATIONS = 96
THRESHOLD = 0.45
SEED = 1
SCHEME = "affine32"
_WORD = re.compile(r"[぀-ヿ㐀-鿿]|\w+")


def shingles(text: str) -> bytes:
    """The MinHash of `text`: PERMUTATIONS numbers of 32 bits."""
    words = _WORD.findall(text.lower())
    pieces = {" ".join(words[i : i + 4]) for i in range(max(1, len(words) - 3))}
    sketch = MinHash(PERMUTATIONS, seed=SEED, scheme=SCHEME)
    sketch.update_batch([p.encode("utf-8", "replace") for p in pieces])
    return bytes(np.asarray(sketch.hashvalues, dtype="<u4").tobytes())


class StoryIndex:
    """Stories by their shingles; only articles within `reach` of one another are compared."""

    def __init__(self, reach: timedelta) -> None:
        self._reach = reach
        self._lsh = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
        self._known: list[tuple[int, date, MinHash]] = []

    def add(self, story: int, day: date, sketch: bytes) -> None:
        found = _sketch(sketch)
        self._lsh.insert(len(self._known), found)
        self._known.append((story, day, found))

    def nearest(self, day: date, sketch: bytes) -> int | None:
        """The story of the most similar article within reach, if it is similar enough."""
        mine = _sketch(sketch)
        best, story = THRESHOLD, None
        for row in self._lsh.query(mine):
            other, when, theirs = self._known[row]
            if abs(when - day) <= self._reach and mine.jaccard(theirs) >= best:
                best, story = mine.jaccard(theirs), other
        return story


def _sketch(sketch: bytes) -> MinHash:
    return MinHash(PERMUTATIONS, seed=SEED, scheme=SCHEME, hashvalues=np.frombuffer(sketch, "<u4").copy())
