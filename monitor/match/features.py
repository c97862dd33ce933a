"""What speaks for an area in a paragraph, as numbers: words and meaning side by side.

The features of an area do not depend on which area it is, so that a head fitted on some areas decides on others, too. Areas are compared
with those of their own facet alone: a policy instrument is no rival of a technology.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.domain import Vectors
from monitor.match.lexical import Found
from monitor.taxonomy import Taxonomy

Array = NDArray[np.float32]

NAMES = (
    "strong",  # an alias stands there
    "several",  # two different ones or more
    "weak",  # a weak alias stands there
    "weak, near",  # the same times how near the meaning is
    "negative",  # a look-alike phrase stands there
    "others",  # other areas of its facet of which an alias stands there, up to three
    "near",  # cosine with the nearest exemplar
    "look-alike",  # by how much the nearest look-alike is nearer than the nearest exemplar
    "margin",  # by how much its nearest exemplar is nearer than that of any other area of its facet
    "probe",  # log-odds of the linear probe on the vector
    "strong, probe",
    "weak, probe",
)
# An area without a probe, one that an analyst has added, is decided by these alone.
WITHOUT_PROBE = NAMES[:-3]


@dataclass(frozen=True, slots=True)
class Exemplars:
    """Unit vectors of the model sentences: `areas[i]` is the column of the area that row i belongs to, `-1 - column` for a look-alike."""

    texts: tuple[str, ...]
    vectors: Vectors  # (sentences, dimensions)
    areas: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Meaning:
    """How near a batch of paragraphs is to each area: all (paragraphs, areas)."""

    near: Array
    nearest: NDArray[np.int64]  # row of the exemplar
    look_alike: Array
    look_alike_nearest: NDArray[np.int64]


def exemplar_sentences(taxonomy: Taxonomy) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """All model sentences and look-alikes, with their areas as `Exemplars` has them."""
    texts: list[str] = []
    columns: list[int] = []
    for column, area in enumerate(taxonomy.areas):
        for sentences, value in ((area.exemplars, column), (area.look_alikes, -1 - column)):
            for group in sentences.values():
                texts += group
                columns += [value] * len(group)
    return tuple(texts), np.array(columns, dtype=np.int64)


def meaning(vectors: Vectors, exemplars: Exemplars, areas: int) -> Meaning:
    """Cosines of (paragraphs, dimensions) with the nearest exemplar and the nearest look-alike of each area."""
    cosines = vectors @ exemplars.vectors.T
    shape = (len(vectors), areas)
    near, far = np.full(shape, -1, np.float32), np.full(shape, -1, np.float32)
    nearest, far_nearest = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for column in range(areas):
        for value, best, where in ((column, near, nearest), (-1 - column, far, far_nearest)):
            rows = np.flatnonzero(exemplars.areas == value)
            if len(rows):
                top = cosines[:, rows].argmax(axis=1)
                best[:, column] = cosines[np.arange(len(vectors)), rows[top]]
                where[:, column] = rows[top]
    return Meaning(near, nearest, far, far_nearest)


def features(
    found: Sequence[dict[str, Found]], sense: Meaning, probe: Array, facets: Mapping[str, str], scale: tuple[float, float]
) -> Array:
    """(paragraphs, areas, len(NAMES)). `probe`: log-odds (paragraphs, areas), 0 for an area without one. `facets`: by area, in order.

    `scale`: the centre and the spread of the cosines of this encoder, which lie in a narrow band.
    """
    strong, several, weak, negative = (np.zeros(sense.near.shape, np.float32) for _ in range(4))
    columns = {key: column for column, key in enumerate(facets)}
    for row, areas in enumerate(found):
        for key, words in areas.items():
            column = columns[key]
            strong[row, column] = bool(words.strong)
            several[row, column] = len({m.alias for m in words.strong}) > 1
            weak[row, column] = bool(words.weak)
            negative[row, column] = bool(words.negatives)
    near = (sense.near - scale[0]) / scale[1]
    look_alike = np.maximum((sense.look_alike - sense.near) / scale[1], -3)
    others, margin = np.empty_like(near), np.empty_like(near)
    for same in _by_facet(facets):
        others[:, same] = np.minimum(strong[:, same].sum(axis=1, keepdims=True) - strong[:, same], 3)
        margin[:, same] = (sense.near[:, same] - _best_other(sense.near[:, same])) / scale[1]
    odds = np.clip(probe, -8, 8) / 2
    columns_in_order = [
        strong,
        several,
        weak,
        weak * near,
        negative,
        others,
        near,
        look_alike,
        margin,
        odds,
        strong * odds,
        weak * odds,
    ]
    return np.stack(columns_in_order, axis=2).astype(np.float32)


def _by_facet(facets: Mapping[str, str]) -> list[list[int]]:
    """The columns of each facet."""
    return [[column for column, own in enumerate(facets.values()) if own == facet] for facet in dict.fromkeys(facets.values())]


def _best_other(near: Array) -> Array:
    if near.shape[1] < 2:
        return np.full_like(near, -1)
    ordered = np.sort(near, axis=1)
    best, second = ordered[:, -1:], ordered[:, -2:-1]
    return np.where(near == best, second, best)
