"""Precision, recall, F1, false hits and calibration, from labelled paragraphs and the probabilities given to them.

Micro-averaged F1 and its parts as in Manning, Raghavan and Schütze, Introduction to Information Retrieval, ch. 13.6; expected
calibration error with ten bins of equal width (Guo et al., 2017); confidence intervals by bootstrap over paragraphs (percentiles).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.evaluate.gold import Labelled

BINS = 10
RESAMPLES = 1_000
SEED = 20240705

Table = NDArray[np.float64]  # (paragraphs, areas)


@dataclass(frozen=True, slots=True)
class Judged:
    """Truth and answers as tables (paragraphs, areas); `counted` is false where a label is unsure."""

    gold: tuple[Labelled, ...]
    areas: tuple[str, ...]
    truth: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    fired: NDArray[np.bool_]
    probability: Table


def judge(
    gold: Sequence[Labelled], areas: Sequence[str], probabilities: Sequence[Mapping[str, float]], thresholds: Mapping[str, float]
) -> Judged:
    """`probabilities[i]` gives paragraph i's probability by area, 0 where none is given."""
    probability = np.array([[given.get(area, 0.0) for area in areas] for given in probabilities], dtype=np.float64)
    truth = np.array([[area in p.labels for area in areas] for p in gold], dtype=bool)
    counted = np.array([[area not in p.unsure for area in areas] for p in gold], dtype=bool)
    limits = np.array([thresholds.get(area, 0.5) for area in areas])
    return Judged(tuple(gold), tuple(areas), truth, counted, (probability >= limits) & counted, probability)


def of_facet(judged: Judged, facets: Mapping[str, str], facet: str) -> Judged:
    """The same paragraphs, with the areas of one facet alone."""
    columns = [column for column, area in enumerate(judged.areas) if facets[area] == facet]
    return Judged(
        gold=judged.gold,
        areas=tuple(judged.areas[column] for column in columns),
        truth=judged.truth[:, columns],
        counted=judged.counted[:, columns],
        fired=judged.fired[:, columns],
        probability=judged.probability[:, columns],
    )


def score(tp: float, fp: float, fn: float) -> dict[str, float]:
    """Precision, recall and F1; 1 where there was nothing to find and nothing was found."""
    precision = tp / (tp + fp) if tp + fp else 1.0
    recall = tp / (tp + fn) if tp + fn else 1.0
    return {"precision": precision, "recall": recall, "f1": 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 1.0}


def _tally(judged: Judged, rows: NDArray[Any], columns: NDArray[Any] | slice = slice(None)) -> dict[str, float]:
    truth = (judged.truth[rows] & judged.counted[rows])[:, columns]
    fired = judged.fired[rows][:, columns]
    tp, fp, fn = (truth & fired).sum(), (~truth & fired).sum(), (truth & ~fired).sum()
    return {"paragraphs": len(rows), "positives": int(truth.sum()), **score(float(tp), float(fp), float(fn))}


def measure(judged: Judged) -> dict[str, Any]:
    """Everything that is published: micro, macro, by area, language and kind, false hits and calibration."""
    everything = np.arange(len(judged.gold))
    languages = np.array([p.language for p in judged.gold])
    kinds = np.array([p.kind for p in judged.gold])
    empty = _carries_nothing(judged)
    by_area = {area: _tally(judged, everything, np.array([column])) for column, area in enumerate(judged.areas)}
    present = [s for s in by_area.values() if s["positives"]]
    return {
        "paragraphs": len(judged.gold),
        "micro": _tally(judged, everything),
        "macro": {name: float(np.mean([s[name] for s in present])) if present else 1.0 for name in ("precision", "recall", "f1")},
        "areas": by_area,
        "languages": {language: _tally(judged, np.flatnonzero(languages == language)) for language in sorted(set(languages))},
        "kinds": {kind: _tally(judged, np.flatnonzero(kinds == kind)) for kind in sorted(set(kinds)) if not empty[kinds == kind].all()},
        "false_hits": {kind: _false_hits(judged, kind) for kind in sorted({str(kind) for kind in kinds[empty]})},
        "calibration_error": calibration_error(judged),
    }


def _carries_nothing(judged: Judged) -> NDArray[np.bool_]:
    return np.asarray(~judged.truth.any(axis=1), dtype=bool)


def _false_hits(judged: Judged, kind: str) -> dict[str, float]:
    """Of the paragraphs of a kind that carry none of the areas: how many there are, and the share with a hit."""
    nothing = _carries_nothing(judged)
    chosen = [row for row, p in enumerate(judged.gold) if p.kind == kind and nothing[row]]
    return {"paragraphs": len(chosen), "share": float(judged.fired[chosen].any(axis=1).mean())}


def calibration_bins(judged: Judged) -> list[dict[str, float]]:
    """Answers in bins of probability: how many, the mean probability and the share that was right.

    Pairs with a probability under 0.01 are left out: the thousands of sure «no» would make any method look calibrated.
    """
    chosen = judged.counted & (judged.probability >= 0.01)
    given, truth = judged.probability[chosen], judged.truth[chosen]
    bins = np.minimum((given * BINS).astype(int), BINS - 1)
    return [
        {
            "from": b / BINS,
            "answers": int((bins == b).sum()),
            "mean": float(given[bins == b].mean()),
            "right": float(truth[bins == b].mean()),
        }
        for b in range(BINS)
        if (bins == b).any()
    ]


def calibration_error(judged: Judged) -> float:
    """Expected calibration error, 0..1."""
    bins = calibration_bins(judged)
    answers = sum(b["answers"] for b in bins)
    return sum(b["answers"] * abs(b["mean"] - b["right"]) for b in bins) / answers if answers else 0.0


# The rows of the published table: name, which paragraphs, what is measured.
def published(judged: Judged) -> dict[str, tuple[float, float, float]]:
    """Each row of the README's table with its 95 % confidence interval: (value, low, high)."""
    rng = np.random.default_rng(SEED)
    samples = [rng.integers(0, len(judged.gold), len(judged.gold)) for _ in range(RESAMPLES)]
    values = _rows(judged, np.arange(len(judged.gold)))
    resampled = [_rows(judged, sample) for sample in samples]
    result = {}
    for name, value in values.items():
        spread = [r[name] for r in resampled if name in r]
        low, high = np.percentile(spread, [2.5, 97.5])
        result[name] = (value, float(low), float(high))
    return result


def _rows(judged: Judged, sample: NDArray[Any]) -> dict[str, float]:
    languages = np.array([p.language for p in judged.gold])[sample]
    kinds = np.array([p.kind for p in judged.gold])[sample]
    empty = _carries_nothing(judged)[sample]
    fired = judged.fired[sample].any(axis=1)
    rows = {"F1, micro, all": _tally(judged, sample)["f1"]}
    for column, area in enumerate(judged.areas):
        rows[f"F1, {area}"] = _tally(judged, sample, np.array([column]))["f1"]
    others = ~np.isin(languages, ["en", "zh"])
    for name, chosen in {"English": languages == "en", "Chinese": languages == "zh", "the other eight": others}.items():
        if chosen.any():
            rows[f"F1, {name}"] = _tally(judged, sample[chosen])["f1"]
    for kind in ("list", "paraphrase", "plain"):
        if (kinds == kind).any():
            rows[f"recall, {kind}"] = _tally(judged, sample[kinds == kind])["recall"]
    for kind in ("hard-negative", "negative"):
        if (empty & (kinds == kind)).any():
            rows[f"false hits, {kind}"] = float(fired[empty & (kinds == kind)].mean())
    return rows
