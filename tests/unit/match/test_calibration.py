"""The fitted head is plain data: what is saved is what is read, and what does not fit is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.errors import CalibrationError
from monitor.match.calibration import FILE, Calibration, Head, Heads, Probe, load_calibration, save_calibration
from monitor.match.features import NAMES, WITHOUT_PROBE

CALIBRATION = Calibration(
    encoder="fake@1:full",
    gold="0123456789abcdef",
    scale=(0.8, 0.05),
    mean=(0.5, 0.0),
    probes={"chips": Probe((2.0, 1.0), -0.5)},
    heads={
        "technology": Heads(
            Head(NAMES, tuple(0.1 * n for n in range(len(NAMES))), -1.0), Head(WITHOUT_PROBE, (1.0,) * len(WITHOUT_PROBE), 0.0)
        ),
        "policy": Heads(Head(NAMES, (0.0,) * len(NAMES), 2.0), Head(WITHOUT_PROBE, (0.0,) * len(WITHOUT_PROBE), -2.0)),
    },
    threshold=0.5,
)


def test_saved_and_read_back(tmp_path: Path) -> None:
    save_calibration(CALIBRATION, tmp_path)
    found = load_calibration(tmp_path)
    assert found == CALIBRATION
    assert found.fingerprint == CALIBRATION.fingerprint
    assert [file.name for file in tmp_path.iterdir()] == [FILE], "nothing half written is left"


@pytest.mark.parametrize(
    "change",
    [{"threshold": 0.6}, {"scale": (0.8, 0.06)}, {"mean": (0.5, 0.1)}, {"probes": {}}, {"gold": "f"}, {"encoder": "other"}],
)
def test_the_fingerprint_changes_with_everything(change: dict[str, Any]) -> None:
    assert replace(CALIBRATION, **change).fingerprint != CALIBRATION.fingerprint


@pytest.mark.parametrize(
    ("case", "spoil", "message"),
    [
        ("another version", {"format": 0}, "was made by another version"),
        (
            "other features",
            {"heads": {"technology": {"probed": {"names": ["strong"], "weights": [1.0], "bias": 0.0}, "unprobed": {}}}},
            "its features are not this version's",
        ),
        ("a key less", {"probes": None}, "cannot be read"),
        ("a key more", {"colour": "red"}, "cannot be read"),
        ("a probe that is none", {"probes": {"chips": 5}}, "cannot be read"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, case: str, spoil: dict[str, Any], message: str) -> None:
    file = save_calibration(CALIBRATION, tmp_path)
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **spoil}), encoding="utf-8")
    with pytest.raises(CalibrationError, match=message):
        load_calibration(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}"])
def test_no_calibration_at_all(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CalibrationError, match="there is no such file; run `monitor fit`"):
        load_calibration(tmp_path)
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(CalibrationError, match="run `monitor fit`"):
        load_calibration(tmp_path)


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"calibration\.json: cannot be written"):
        save_calibration(CALIBRATION, tmp_path / "none")


def test_probes_by_hand() -> None:
    odds = CALIBRATION.probe(np.array([[1.0, 2.0], [0.5, 0.0]], dtype=np.float32), ("chips", "space"))
    assert odds.tolist() == [[pytest.approx(0.5 * 2 + 2 * 1 - 0.5), 0], [-0.5, 0]]


def test_an_area_without_a_probe_has_a_head_of_its_own() -> None:
    values = np.ones((1, 2, len(NAMES)), dtype=np.float32)
    found = CALIBRATION.probabilities(values, {"chips": "technology", "space": "technology"})
    with_probe = sum(0.1 * n for n in range(len(NAMES))) - 1
    assert found[0].tolist() == pytest.approx([1 / (1 + np.exp(-with_probe)), 1 / (1 + np.exp(-len(WITHOUT_PROBE)))])


def test_a_facet_has_heads_of_its_own_and_one_without_labels_those_of_technologies() -> None:
    values = np.ones((1, 2, len(NAMES)), dtype=np.float32)
    funding = CALIBRATION.probabilities(values, {"chips": "technology", "funding": "policy"})[0, 1]
    assert funding == pytest.approx(1 / (1 + np.exp(2)))
    without = replace(CALIBRATION, heads={"technology": CALIBRATION.heads["technology"]})
    assert without.probabilities(values, {"chips": "technology", "funding": "policy"})[0, 1] == pytest.approx(
        1 / (1 + np.exp(-len(WITHOUT_PROBE)))
    )
