"""Labelled paragraphs → the head: probes on the vectors, a logistic model over words and meaning, and a threshold.

The linear probes are fitted on the paragraphs that the encoder was tuned on too; the head, which must learn how far to trust them, on
paragraphs of other writers. So the head sees probes as they behave on new text. Deterministic; seconds on two cores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.domain import Vectors
from monitor.embed import Encoder
from monitor.errors import InputError
from monitor.evaluate.gold import Labelled, gold_fingerprint, load_gold
from monitor.match.calibration import Calibration, Head, Heads, Probe
from monitor.match.features import NAMES, WITHOUT_PROBE, Exemplars, features, meaning
from monitor.match.lexical import Lexicon
from monitor.taxonomy import Taxonomy

# Inverse regularisation, chosen by leaving a writer out: F1 is flat from half to four times these.
PROBE_C = 0.3
HEAD_C = 1.0
PROBE_SCALE = 10.0
# An area with fewer labelled paragraphs gets no probe, which would only learn to say no; names, exemplars and negatives decide it.
FEWEST = 20
DIGITS = 5


def training_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """The paragraphs for the probes and those for the head: `gold/train` and `gold/head` of a taxonomy folder."""
    return sorted((folder / "gold" / "train").glob("*.jsonl")), sorted((folder / "gold" / "head").glob("*.jsonl"))


def fit(taxonomy: Taxonomy, encoder: Encoder, exemplars: Exemplars, *, without: frozenset[str] = frozenset()) -> Calibration:
    """A calibration for this taxonomy and encoder. Areas of `without` get no probe, as if an analyst had just added them.

    Areas with fewer than FEWEST labelled paragraphs get none either.

    Raises InputError where the training paragraphs are missing or malformed.
    """
    keys = tuple(taxonomy.facets)
    for_probes, for_head = (load_gold(files, taxonomy.facets) for files in training_files(taxonomy.folder))
    vectors = encoder.encode([p.text for p in for_probes])
    mean = vectors.mean(axis=0)
    labelled = [key for key in keys if key not in without and sum(key in p.labels for p in for_probes) >= FEWEST]
    if not labelled:
        raise InputError(f"{taxonomy.folder / 'gold' / 'train'}: no area has {FEWEST} labelled paragraphs, the fewest to fit on")
    probes = {key: _probe(vectors - mean, *_labels(for_probes, key)) for key in labelled}
    draft = Calibration(
        encoder=encoder.name,
        gold=gold_fingerprint([*for_probes, *for_head]),
        scale=_scale(vectors, exemplars, len(keys)),
        mean=tuple(round(float(x), DIGITS) for x in mean),
        probes=probes,
        heads={},
        threshold=0.5,
    )
    return with_heads(draft, taxonomy, for_head, encoder.encode([p.text for p in for_head]), exemplars)


def with_heads(
    draft: Calibration,
    taxonomy: Taxonomy,
    gold: Sequence[Labelled],
    vectors: Vectors,
    exemplars: Exemplars,
) -> Calibration:
    """`draft` with the heads of each facet fitted on the areas it has probes for. `gold`'s vectors are (len(gold), dimensions)."""
    keys, facets = tuple(taxonomy.facets), taxonomy.facets
    lexicon = Lexicon(taxonomy)
    odds = draft.probe(vectors, keys)
    values = features([lexicon.find(p.text) for p in gold], meaning(vectors, exemplars, len(keys)), odds, facets, draft.scale)
    heads: dict[str, Heads] = {}
    for facet in dict.fromkeys(facets.values()):
        kept = [column for column, key in enumerate(keys) if key in draft.probes and facets[key] == facet]
        if kept:
            truth, counted = (np.stack(table, axis=1) for table in zip(*(_labels(gold, keys[column]) for column in kept), strict=True))
            rows, answers = values[:, kept][counted], truth[counted]
            heads[facet] = Heads(_head(rows, answers, NAMES), _head(rows[:, : len(WITHOUT_PROBE)], answers, WITHOUT_PROBE))
    return replace(draft, heads=heads)


def _labels(gold: Sequence[Labelled], key: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    return np.array([key in p.labels for p in gold]), np.array([key not in p.unsure for p in gold])


def _probe(centred: Vectors, truth: NDArray[np.bool_], counted: NDArray[np.bool_]) -> Probe:
    weights, bias = _logistic(centred[counted] * PROBE_SCALE, truth[counted], PROBE_C)
    return Probe(tuple(round(w * PROBE_SCALE, DIGITS) for w in weights), round(bias, DIGITS))


def _head(rows: NDArray[Any], answers: NDArray[np.bool_], names: tuple[str, ...]) -> Head:
    weights, bias = _logistic(rows, answers, HEAD_C)
    return Head(names, tuple(round(w, DIGITS) for w in weights), round(bias, DIGITS))


def _logistic(rows: NDArray[Any], answers: NDArray[np.bool_], strength: float) -> tuple[list[float], float]:
    from sklearn.linear_model import LogisticRegression

    if answers.all() or not answers.any():  # nothing to tell apart
        return [0.0] * rows.shape[1], 4.0 if answers.any() else -4.0
    model = LogisticRegression(C=strength, max_iter=5_000).fit(rows.astype(np.float64), answers)
    return [float(w) for w in model.coef_[0]], float(model.intercept_[0])


def _scale(vectors: Vectors, exemplars: Exemplars, areas: int) -> tuple[float, float]:
    near = meaning(vectors, exemplars, areas).near
    return round(float(near.mean()), DIGITS), round(float(near.std()), DIGITS)
