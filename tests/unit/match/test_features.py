"""Words and meaning as numbers: which ones, and that they do not know which area they speak of."""

from __future__ import annotations

import numpy as np
import pytest
from small_lexicon import NOTHING

from monitor.domain import Mention, Vectors
from monitor.match.features import NAMES, WITHOUT_PROBE, Exemplars, exemplar_sentences, features, meaning
from monitor.match.lexical import Found
from tests.fakes import area, taxonomy

SCALE = (0.5, 0.1)
BOTH = {"chips": "technology", "space": "technology"}
TWO = taxonomy(
    area("chips", exemplars=["chip one", "chip two"], look_alikes=["potato chip"]),
    area("space", exemplars=["rocket"]),
)


def vectors(*rows: tuple[float, float]) -> Vectors:
    """Unit vectors in the plane."""
    found = np.array(rows, dtype=np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def exemplars() -> Exemplars:
    texts, columns = exemplar_sentences(TWO)
    return Exemplars(texts, vectors((1, 0), (1, 1), (1, 2), (0, 1)), columns)


def named(values: np.ndarray) -> dict[str, float]:
    return {name: round(float(value), 3) for name, value in zip(NAMES, values, strict=True)}


def test_sentences_and_their_columns() -> None:
    texts, columns = exemplar_sentences(TWO)
    assert texts == ("chip one", "chip two", "potato chip", "rocket")
    assert columns.tolist() == [0, 0, -1, 1]


def test_the_nearest_of_each_area() -> None:
    sense = meaning(vectors((1, 0), (1, 1.9)), exemplars(), 2)
    assert sense.near[0].tolist() == pytest.approx([1, 0])
    assert sense.nearest.tolist() == [[0, 3], [1, 3]]
    assert sense.look_alike[0].tolist() == pytest.approx([1 / 5**0.5, -1]), "space has no look-alike"
    assert sense.look_alike_nearest[1, 0] == 2


def test_what_each_number_says() -> None:
    mention, other, weak = Mention("chip", 0, 4), Mention("wafer", 5, 10), Mention("fab", 11, 14, weak=True)
    found = [{"chips": Found((mention, other), (weak,), ("chip shop",)), "space": Found((mention,), (), ())}]
    sense = meaning(vectors((1, 0)), exemplars(), 2)
    values = features(found, sense, np.array([[20.0, -2.0]], dtype=np.float32), BOTH, SCALE)
    assert values.shape == (1, 2, len(NAMES))
    assert named(values[0, 0]) == {
        "strong": 1,
        "several": 1,
        "weak": 1,
        "weak, near": 5,
        "negative": 1,
        "others": 1,
        "near": 5,
        "look-alike": -3,
        "margin": 10,
        "probe": 4,
        "strong, probe": 4,
        "weak, probe": 4,
    }
    assert named(values[0, 1])["margin"] == -10
    assert named(values[0, 1])["strong, probe"] == -1


def test_one_alias_twice_is_not_several() -> None:
    found = [{"chips": Found((Mention("chip", 0, 4), Mention("chip", 9, 13)), (), ())}]
    values = features(found, meaning(vectors((1, 0)), exemplars(), 2), np.zeros((1, 2), np.float32), BOTH, SCALE)
    assert named(values[0, 0])["several"] == 0


def test_the_order_of_areas_says_nothing() -> None:
    found = [{"chips": Found((Mention("chip", 0, 4),), (), ()), "space": NOTHING}]
    odds = np.array([[1.0, 2.0]], dtype=np.float32)
    sense = meaning(vectors((1, 0.3)), exemplars(), 2)
    values = features(found, sense, odds, BOTH, SCALE)
    texts, _ = exemplar_sentences(TWO)
    swapped = Exemplars(texts, exemplars().vectors, np.array([1, 1, -2, 0]))
    mirrored = features(found, meaning(vectors((1, 0.3)), swapped, 2), odds[:, ::-1], {"space": "technology", "chips": "technology"}, SCALE)
    assert values[0, 0] == pytest.approx(mirrored[0, 1])
    assert values[0, 1] == pytest.approx(mirrored[0, 0])


def test_areas_of_another_facet_are_no_rivals() -> None:
    found = [{"chips": Found((Mention("chip", 0, 4),), (), ()), "space": Found((Mention("grant", 5, 10),), (), ())}]
    sense = meaning(vectors((1, 0.9)), exemplars(), 2)
    values = features(found, sense, np.zeros((1, 2), np.float32), {"chips": "technology", "space": "policy"}, SCALE)
    assert [named(values[0, column])["others"] for column in (0, 1)] == [0, 0]
    assert named(values[0, 1])["margin"] == pytest.approx(float(sense.near[0, 1] + 1) / SCALE[1], abs=1e-2)


def test_one_area_alone_has_a_margin() -> None:
    sense = meaning(vectors((1, 0)), Exemplars(("a",), vectors((1, 0)), np.array([0])), 1)
    assert np.isfinite(features([{}], sense, np.zeros((1, 1), np.float32), {"one": "technology"}, SCALE)).all()


def test_an_area_without_a_probe_uses_the_first_numbers() -> None:
    assert NAMES[: len(WITHOUT_PROBE)] == WITHOUT_PROBE
    assert not any("probe" in name for name in WITHOUT_PROBE)
