"""Stand-ins whose answers are exact: an encoder that needs no model, areas of a few words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from monitor.domain import Vectors
from monitor.taxonomy import Area, Taxonomy


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
        return _number(word) % (self.dimensions - 1)


@cache
def _number(word: str) -> int:
    return int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:4], "big")


def area(
    key: str,
    *strong: str,
    weak: Sequence[str] = (),
    negatives: Sequence[str] = (),
    exemplars: Sequence[str] = ("A model sentence.",),
    look_alikes: Sequence[str] = (),
) -> Area:
    """An area with these words, all English; what is not given is as short as it may be."""
    return Area.model_validate(
        {
            "id": key,
            "names": {"en": key},
            "definition": "An area.",
            "scope": {"in": ["the area"]},
            "aliases": {"en": strong},
            "weak": {"en": weak},
            "negatives": {"en": negatives},
            "exemplars": {"en": exemplars},
            "look_alikes": {"en": look_alikes},
        }
    )


def taxonomy(*areas: Area, folder: Path = Path()) -> Taxonomy:
    """The areas in the order of their ids, as loading gives them."""
    return Taxonomy(tuple(sorted(areas, key=lambda a: a.id)), (), "fingerprint", folder)
