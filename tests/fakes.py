"""Stand-ins whose answers are exact: an encoder that needs no model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from monitor.domain import Vectors


class FakeEncoder:
    """Unit vectors made of a text's words: each word adds one at a place given by its hash, so equal words are near.

    A text without words is at the last place, which no word has. `texts` is what was asked for, in order.
    """

    def __init__(self, dimensions: int = 64, name: str = "fake@1:full") -> None:
        self.dimensions = dimensions
        self.name = name
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, self.place(word)] += 1
            if not vectors[row].any():
                vectors[row, -1] = 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def place(self, word: str) -> int:
        """The dimension that a word adds to."""
        return int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:4], "big") % (self.dimensions - 1)
