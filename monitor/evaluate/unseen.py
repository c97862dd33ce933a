"""How right the matcher is on an area it has no labels for: what an analyst gets who adds one.

Each area in turn is taken out of the fit: it gets no probe, and the head without probes that decides it is fitted on the other areas
alone. Only its names, exemplars, look-alikes and negatives are left to it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from monitor.domain import Paragraph, Vectors
from monitor.embed import Encoder
from monitor.evaluate.fit import fit, training_files, with_heads
from monitor.evaluate.gate import held_out_files
from monitor.evaluate.gold import Labelled, load_gold
from monitor.evaluate.metrics import Judged
from monitor.match import Exemplars, Matcher
from monitor.taxonomy import Taxonomy


def leave_each_out(taxonomy: Taxonomy, encoder: Encoder, exemplars: Exemplars) -> Judged:
    """Answers on `gold/head` and `gold/held-out`, each area's by a calibration that has not seen its labels.

    Raises InputError where paragraphs are missing or malformed.
    """
    keys = tuple(taxonomy.facets)
    for_head = load_gold(training_files(taxonomy.folder)[1], taxonomy.facets)
    gold = (*for_head, *load_gold(held_out_files(taxonomy.folder), taxonomy.facets))
    vectors = encoder.encode([p.text for p in gold])
    whole = fit(taxonomy, encoder, exemplars)
    probability = np.zeros((len(gold), len(keys)))
    limit = np.zeros(len(keys))
    for column, key in enumerate(keys):
        draft = replace(whole, probes={area: probe for area, probe in whole.probes.items() if area != key})
        calibration = with_heads(draft, taxonomy, for_head, vectors[: len(for_head)], exemplars)
        probability[:, column] = _answers(Matcher(taxonomy, calibration, exemplars), gold, vectors, key)
        limit[column] = calibration.threshold
    truth = np.array([[key in p.labels for key in keys] for p in gold])
    counted = np.array([[key not in p.unsure for key in keys] for p in gold])
    return Judged(gold, keys, truth, counted, (probability >= limit) & counted, probability)


def _answers(matcher: Matcher, gold: tuple[Labelled, ...], vectors: Vectors, key: str) -> list[float]:
    judged = matcher.judge([Paragraph(p.id, p.text) for p in gold], vectors)
    return [next((h.probability for h in (*j.hits, *j.near_misses) if h.area == key), 0.0) for j in judged]
