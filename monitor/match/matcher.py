"""Paragraphs with their vectors → hits that explain themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.domain import Evidence, Hit, Paragraph, Vectors
from monitor.errors import CalibrationError
from monitor.match.calibration import Calibration
from monitor.match.features import Exemplars, Meaning, features, meaning
from monitor.match.lexical import Found, Lexicon
from monitor.taxonomy import Taxonomy

# Changes when the code decides differently with the same taxonomy, encoder and calibration.
RULES = "4"
# An area that did not fire is shown as a near miss from this probability on.
NEAR_MISS = 0.1
# A hit carries its probability with four decimals, and it is those that are held against the threshold.
ROUNDING = 0.00005
NOTHING = Found((), (), ())


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was decided of one paragraph: the hits, and the areas that nearly fired."""

    hits: tuple[Hit, ...]
    near_misses: tuple[Hit, ...]


SILENT = Judgement((), ())


class Matcher:
    """Decides by words and meaning together. Pure: the same paragraphs and vectors give the same hits."""

    def __init__(self, taxonomy: Taxonomy, calibration: Calibration, exemplars: Exemplars) -> None:
        if exemplars.vectors.shape[1] != len(calibration.mean):
            raise CalibrationError("calibration.json was fitted for another encoder; run `monitor fit` with this one")
        self.facets = taxonomy.facets
        self.areas = tuple(self.facets)
        self.calibration = calibration
        self._taxonomy = taxonomy
        self._lexicon = Lexicon(taxonomy)
        self._exemplars = exemplars

    def __reduce__(self) -> tuple[type[Matcher], tuple[Taxonomy, Calibration, Exemplars]]:
        """A matcher pickles as what it is made of, so that other processes can match."""
        return Matcher, (self._taxonomy, self.calibration, self._exemplars)

    def match(self, paragraphs: Sequence[Paragraph], vectors: Vectors) -> list[tuple[Hit, ...]]:
        """The hits of each paragraph, the most probable first. `vectors`: (len(paragraphs), dimensions)."""
        return [judgement.hits for judgement in self.judge(paragraphs, vectors, shown_from=self.calibration.threshold - ROUNDING)]

    def judge(self, paragraphs: Sequence[Paragraph], vectors: Vectors, *, shown_from: float = NEAR_MISS) -> list[Judgement]:
        """The hits of each paragraph and its near misses, which have at least the probability `shown_from`."""
        if not paragraphs:
            return []
        found = [self._lexicon.find(p.text) for p in paragraphs]
        sense = meaning(vectors, self._exemplars, len(self.areas))
        values = features(found, sense, self.calibration.probe(vectors, self.areas), self.facets, self.calibration.scale)
        probabilities = self.calibration.probabilities(values, self.facets)
        judged = [SILENT] * len(paragraphs)
        for row in map(int, np.flatnonzero(probabilities.max(axis=1) >= shown_from)):
            shown = [c for c in probabilities[row].argsort()[::-1] if probabilities[row, c] >= shown_from]
            hits = [self._hit(paragraphs[row], c, float(probabilities[row, c]), found[row], sense, row) for c in shown]
            fired = tuple(h for h in hits if h.probability >= self.calibration.threshold)
            judged[row] = Judgement(fired, tuple(hits[len(fired) :]))
        return judged

    def _hit(self, paragraph: Paragraph, column: int, probability: float, found: dict[str, Found], sense: Meaning, row: int) -> Hit:
        area = self.areas[column]
        words = found.get(area, NOTHING)
        against = words.negatives
        if sense.look_alike[row, column] > sense.near[row, column]:
            against = (*against, self._exemplars.texts[sense.look_alike_nearest[row, column]])
        evidence = Evidence(
            mentions=words.strong + words.weak,
            similarity=round(float(sense.near[row, column]), 4),
            exemplar=self._exemplars.texts[sense.nearest[row, column]],
            against=against,
        )
        return Hit(paragraph.fingerprint, area, round(probability, 4), evidence)
