"""Paragraphs a second for the words, the vectors and the decision, each beside the way one would write first.

    python -m benchmarks.match_speed [--json]

| stage | here | the naive way |
|---|---|---|
| words | one automaton over all aliases | one compiled regular expression an alias, each searched for |
| vectors | int8, one text a call, a thread a core | SentenceTransformer.encode in single precision, one paragraph at a time |
| decision | all paragraphs and areas as one array | scikit-learn's predict_proba, a paragraph at a time |

Both ways work on the same labelled paragraphs of the shipped taxonomy and take turns, so that a busy machine slows both; medians of the
rounds, and the median of the rounds' ratios. The decisions of both ways are compared before they are timed.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.table import Row
from monitor.app import exemplars_for
from monitor.embed import adapter_of, open_encoder
from monitor.evaluate.fit import training_files
from monitor.evaluate.gold import load_gold
from monitor.match import Calibration, load_calibration
from monitor.match.features import features, meaning
from monitor.match.lexical import Lexicon
from monitor.taxonomy import Taxonomy, load_taxonomy

ROUNDS = 5
# Paragraphs a round: many for what is quick, few for what is slow.
MANY, FEW = 500, 12


@dataclass(frozen=True, slots=True)
class Speed:
    """Paragraphs a second, medians; `ratio` is the median of the rounds' ratios."""

    stage: str
    here: float
    naive: float
    ratio: float


def compare(stage: str, here: Callable[[], object], here_paragraphs: int, naive: Callable[[], object], naive_paragraphs: int) -> Speed:
    """Times both ways in turn."""
    pairs = [(_rate(here, here_paragraphs), _rate(naive, naive_paragraphs)) for _ in range(ROUNDS)]
    return Speed(
        stage,
        round(statistics.median(a for a, _ in pairs), 1),
        round(statistics.median(b for _, b in pairs), 1),
        round(statistics.median(a / b for a, b in pairs), 1),
    )


def _rate(run: Callable[[], object], paragraphs: int) -> float:
    started = time.perf_counter()
    run()
    return paragraphs / (time.perf_counter() - started)


def words(taxonomy: Taxonomy, texts: Sequence[str]) -> Speed:
    lexicon = Lexicon(taxonomy)
    aliases = {phrase for area in taxonomy.areas for phrase in _phrases(area)}
    each = [re.compile(_naive(alias), re.IGNORECASE) for alias in aliases]
    return compare(
        "words",
        lambda: [lexicon.find(text) for text in texts[:MANY]],
        len(texts[:MANY]),
        lambda: [[m.span() for one in each for m in one.finditer(text)] for text in texts[:FEW]],
        FEW,
    )


def _phrases(area: Any) -> list[str]:
    grouped = [phrase for group in (area.weak, area.negatives) for phrases in group.values() for phrase in phrases]
    return [*area.strong(), *grouped]


def _naive(alias: str) -> str:
    escaped = re.escape(alias.removeprefix("=")).replace(r"\*", r"\w*").replace(r"\ ", r"[\s-]+")
    return rf"\b{escaped}s?\b" if alias.isascii() else escaped


def vectors(taxonomy: Taxonomy, texts: Sequence[str]) -> Speed:
    adapter = adapter_of(taxonomy.folder)
    here, naive = (open_encoder("e5-small", precision, adapter=adapter) for precision in ("int8", "full"))
    assert (here.encode(texts[:2]) * naive.encode(texts[:2])).sum(axis=1).min() > 0.95
    return compare("vectors", lambda: here.encode(texts[: 2 * FEW]), 2 * FEW, lambda: [naive.encode([text]) for text in texts[:FEW]], FEW)


def decision(taxonomy: Taxonomy, texts: Sequence[str]) -> Speed:
    calibration = load_calibration(taxonomy.folder)
    encoder = open_encoder("e5-small", adapter=adapter_of(taxonomy.folder))
    keys = tuple(area.id for area in taxonomy.areas)
    lexicon, exemplars = Lexicon(taxonomy), exemplars_for(taxonomy, encoder)
    few = texts[: 4 * FEW]
    found = [lexicon.find(text) for text in few] * (MANY // len(few))
    given = np.tile(encoder.encode(few), (MANY // len(few), 1))

    def here() -> Any:
        sense = meaning(given, exemplars, len(keys))
        values = features(found, sense, calibration.probe(given, keys), taxonomy.facets, calibration.scale)
        return calibration.probabilities(values, taxonomy.facets)

    def naive(paragraphs: int = 4 * FEW) -> Any:
        rows = []
        for row in range(paragraphs):
            vector = given[row : row + 1]
            odds = np.array([[model.decision_function(vector - mean)[0] for model in probes]], dtype=np.float32)
            values = features(found[row : row + 1], meaning(vector, exemplars, len(keys)), odds, taxonomy.facets, calibration.scale)
            rows.append(head.predict_proba(values[0])[:, 1])
        return np.array(rows)

    mean = np.array(calibration.mean, dtype=np.float32)
    probes, head = _as_sklearn(calibration, keys)
    assert np.abs(here()[: 2 * FEW] - naive(2 * FEW)).max() < 1e-3
    return compare("decision", here, len(found), naive, 4 * FEW)


def _as_sklearn(calibration: Calibration, keys: Sequence[str]) -> tuple[list[LogisticRegression], LogisticRegression]:
    probes = [_model(calibration.probes[key].weights, calibration.probes[key].bias) for key in keys]
    return probes, _model(calibration.heads["technology"].probed.weights, calibration.heads["technology"].probed.bias)


def _model(weights: Sequence[float], bias: float) -> LogisticRegression:
    model = LogisticRegression()
    model.classes_, model.coef_, model.intercept_ = np.array([False, True]), np.array([weights]), np.array([bias])
    return model


def rows(found: dict[str, Any]) -> list[Row]:
    """The lines of the table."""
    return [
        Row(f"matching, {s['stage']}", "paragraphs a second", s["here"], s["naive"], s["ratio"])
        for s in found["speeds"]
        if s["stage"] != "vectors"
    ]


def main() -> None:
    whole = load_taxonomy()
    texts = [p.text for p in load_gold(training_files(whole.folder)[1], whole.facets)]
    taxonomy = replace(whole, areas=tuple(area for area in whole.areas if area.facet == "technology"))
    speeds = [stage(taxonomy, texts) for stage in (words, vectors, decision)]
    if "--json" in sys.argv[1:]:
        print(
            json.dumps(
                {"cores": os.cpu_count(), "aliases": sum(len(_phrases(a)) for a in taxonomy.areas), "speeds": [asdict(s) for s in speeds]}
            )
        )
        return
    print(f"{'':10}{'here':>12}{'naive':>12}{'ratio':>10}   paragraphs a second, {os.cpu_count()} cores")
    for speed in speeds:
        print(f"{speed.stage:10}{speed.here:12,.1f}{speed.naive:12,.1f}{speed.ratio:10,.1f}")


if __name__ == "__main__":
    main()
