"""The fitted head: plain numbers in `taxonomy/calibration.json`, with the fingerprint of what it was fitted on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.domain import Vectors
from monitor.errors import CalibrationError
from monitor.match.features import NAMES, WITHOUT_PROBE, Array

FILE = "calibration.json"
FIRST_FACET = "technology"
FORMAT = 2


@dataclass(frozen=True, slots=True)
class Head:
    """A logistic model over the features `names`."""

    names: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float


@dataclass(frozen=True, slots=True)
class Heads:
    """What decides on the areas of one facet: those with a probe, and those without, which an analyst has added."""

    probed: Head
    unprobed: Head


@dataclass(frozen=True, slots=True)
class Probe:
    """A linear model of one area on the vector, less the mean."""

    weights: tuple[float, ...]
    bias: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What `monitor fit` made. `scale`: centre and spread of the cosines; `gold`: fingerprint of the paragraphs it was fitted on."""

    encoder: str
    gold: str
    scale: tuple[float, float]
    mean: tuple[float, ...]
    probes: dict[str, Probe]
    heads: dict[str, Heads]  # by facet
    threshold: float

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    def probe(self, vectors: Vectors, areas: tuple[str, ...]) -> Array:
        """Log-odds (paragraphs, areas); 0 for an area without a probe."""
        odds = np.zeros((len(vectors), len(areas)), dtype=np.float32)
        columns = [column for column, area in enumerate(areas) if area in self.probes]
        if columns:
            probes = [self.probes[areas[column]] for column in columns]
            weights = np.array([probe.weights for probe in probes], dtype=np.float32)
            centred = vectors - np.array(self.mean, dtype=np.float32)
            odds[:, columns] = centred @ weights.T + np.array([probe.bias for probe in probes], dtype=np.float32)
        return odds

    def probabilities(self, values: Array, facets: Mapping[str, str]) -> NDArray[np.float64]:
        """Calibrated probabilities (paragraphs, areas) from features (paragraphs, areas, features).

        `facets`: by area, in the order of the areas. A facet without labels is decided as technologies are.
        """
        probabilities = np.empty(values.shape[:2])
        for column, (area, facet) in enumerate(facets.items()):
            heads = self.heads.get(facet) or self.heads[FIRST_FACET]
            head = heads.probed if area in self.probes else heads.unprobed
            odds = values[:, column, : len(head.weights)] @ np.array(head.weights) + head.bias
            probabilities[:, column] = 1 / (1 + np.exp(-odds))
        return probabilities


def load_calibration(folder: Path) -> Calibration:
    """Raises CalibrationError when there is none or it was made by another version."""
    file = folder / FILE
    try:
        row: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if row.pop("format") != FORMAT:
            raise CalibrationError(f"{file}: was made by another version; run `monitor fit`")
        return Calibration(
            **{
                **row,
                "scale": tuple(row["scale"]),
                "mean": tuple(row["mean"]),
                "probes": {area: Probe(tuple(p["weights"]), p["bias"]) for area, p in row["probes"].items()},
                "heads": {
                    facet: Heads(_head(pair["probed"], NAMES), _head(pair["unprobed"], WITHOUT_PROBE))
                    for facet, pair in row["heads"].items()
                },
            }
        )
    except FileNotFoundError:
        raise CalibrationError(f"{file}: there is no such file; run `monitor fit`") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CalibrationError(f"{file}: cannot be read ({error}); run `monitor fit`") from None


def _head(row: dict[str, Any], names: tuple[str, ...]) -> Head:
    if tuple(row["names"]) != names:
        raise ValueError("its features are not this version's")
    return Head(tuple(row["names"]), tuple(row["weights"]), row["bias"])


def save_calibration(calibration: Calibration, folder: Path) -> Path:
    """Writes the file whole or not at all, and returns its path. Raises CalibrationError where it cannot be written."""
    file = folder / FILE
    partial = file.with_suffix(".partial")
    try:
        partial.write_text(json.dumps({"format": FORMAT, **asdict(calibration)}, ensure_ascii=False, indent=1), encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise CalibrationError(f"{file}: cannot be written ({error.strerror}); set `taxonomy` to a folder of your own") from None
    return file
