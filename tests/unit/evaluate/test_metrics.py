"""Measures against examples counted by hand, and against scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from monitor.evaluate import metrics
from monitor.evaluate.gold import Labelled
from monitor.evaluate.metrics import Judged, calibration_bins, calibration_error, judge, measure, of_facet, published

AREAS = ("chips", "space")


def paragraph(number: int, labels: str = "", *, unsure: str = "", kind: str = "plain", language: str = "en") -> Labelled:
    return Labelled(str(number), f"text {number}", language, frozenset(labels.split()), frozenset(unsure.split()), kind, "writer")


def judged(rows: Sequence[tuple[Labelled, dict[str, float]]]) -> Judged:
    return judge([p for p, _ in rows], AREAS, [given for _, given in rows], {})


# Chips: hit 1 and 2, miss 3, false hit 4. Space: hit 3, false hit 1; 5 is not counted.
COUNTED = judged(
    [
        (paragraph(1, "chips", kind="list"), {"chips": 0.9, "space": 0.6}),
        (paragraph(2, "chips", language="zh"), {"chips": 0.8}),
        (paragraph(3, "chips space", language="de"), {"chips": 0.4, "space": 0.7}),
        (paragraph(4, kind="hard-negative"), {"chips": 0.55}),
        (paragraph(5, unsure="space", kind="hard-negative"), {"space": 0.95}),
        (paragraph(6, kind="negative"), {}),
    ]
)


def test_counted_by_hand() -> None:
    found = measure(COUNTED)
    assert found["areas"]["chips"] == pytest.approx({"paragraphs": 6, "positives": 3, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3})
    assert found["areas"]["space"] == pytest.approx({"paragraphs": 6, "positives": 1, "precision": 0.5, "recall": 1, "f1": 2 / 3})
    assert found["micro"] == pytest.approx({"paragraphs": 6, "positives": 4, "precision": 3 / 5, "recall": 3 / 4, "f1": 2 / 3})
    assert found["macro"] == pytest.approx({"precision": (2 / 3 + 1 / 2) / 2, "recall": (2 / 3 + 1) / 2, "f1": 2 / 3})
    assert found["languages"]["de"] == pytest.approx({"paragraphs": 1, "positives": 2, "precision": 1, "recall": 0.5, "f1": 2 / 3})
    assert set(found["kinds"]) == {"plain", "list"}, "kinds without any label have false hits only"
    assert found["false_hits"] == {
        "hard-negative": {"paragraphs": 2, "share": 0.5},
        "negative": {"paragraphs": 1, "share": 0.0},
    }


def test_false_hits_are_a_share_of_what_is_counted() -> None:
    mixed = judged([(paragraph(1, "chips"), {}), (paragraph(2), {"chips": 0.9}), (paragraph(3), {})])
    assert measure(mixed)["false_hits"]["plain"] == {"paragraphs": 2, "share": 0.5}


def test_nothing_to_find_and_nothing_found_is_right() -> None:
    assert measure(judged([(paragraph(1), {})]))["micro"] == {"paragraphs": 1, "positives": 0, "precision": 1, "recall": 1, "f1": 1}


def test_a_threshold_of_its_own() -> None:
    rows = judge([paragraph(1, "chips")], AREAS, [{"chips": 0.5, "space": 0.5}], {"space": 0.51})
    assert rows.fired.tolist() == [[True, False]]


def random_answers(seed: int, paragraphs: int = 300) -> Judged:
    rng = np.random.default_rng(seed)
    languages, kinds = ("en", "zh", "de"), ("plain", "list", "paraphrase")
    rows = []
    for number in range(paragraphs):
        labels = " ".join(area for area in AREAS if rng.random() < 0.4)
        given = {area: float(np.clip((area in labels) * 0.4 + rng.normal(0.3, 0.25), 0, 1)) for area in AREAS}
        kind = str(rng.choice(kinds)) if labels else str(rng.choice(["negative", "hard-negative"]))
        rows.append((paragraph(number, labels, kind=kind, language=str(rng.choice(languages))), given))
    return judged(rows)


@pytest.mark.parametrize("seed", [1, 2])
def test_as_scikit_learn_has_it(seed: int) -> None:
    answers = random_answers(seed)
    found = measure(answers)
    for name, ours in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        assert found["micro"][name] == pytest.approx(ours(answers.truth, answers.fired, average="micro"))
        assert found["macro"][name] == pytest.approx(ours(answers.truth, answers.fired, average="macro"))
        by_area = ours(answers.truth, answers.fired, average=None)
        assert [found["areas"][area][name] for area in AREAS] == pytest.approx(list(by_area))


def test_calibration_by_hand() -> None:
    rows = [(paragraph(n, "chips" if n < 6 else ""), {"chips": 0.82}) for n in range(10)]  # 0.82 said, 0.6 right
    rows += [(paragraph(10 + n, "chips" if n < 1 else ""), {"chips": 0.15}) for n in range(5)]  # 0.15 said, 0.2 right
    answers = judged(rows)
    assert [(b["answers"], round(b["mean"], 3), round(b["right"], 3)) for b in calibration_bins(answers)] == [
        (5, 0.15, 0.2),
        (10, 0.82, 0.6),
    ]
    assert calibration_error(answers) == pytest.approx((5 * 0.05 + 10 * 0.22) / 15)


def test_certainty_is_in_the_last_bin_and_sure_no_is_left_out() -> None:
    answers = judged([(paragraph(1, "chips"), {"chips": 1.0, "space": 0.009}), (paragraph(2, unsure="chips"), {"chips": 0.5})])
    assert [(b["from"], b["answers"]) for b in calibration_bins(answers)] == [(0.9, 1)]
    assert calibration_error(judged([(paragraph(1), {})])) == 0


def test_intervals_hold_the_value_and_shrink_with_more_paragraphs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "RESAMPLES", 200)
    few, many = published(random_answers(3, 100)), published(random_answers(3, 1_600))
    assert set(few) >= {"F1, micro, all", "F1, chips", "F1, English", "F1, the other eight", "recall, list", "false hits, negative"}
    for rows in (few, many):
        assert all(low <= value <= high for value, low, high in rows.values())
    for name in ("F1, micro, all", "recall, list"):
        assert (many[name][2] - many[name][1]) < 0.5 * (few[name][2] - few[name][1])


def test_intervals_are_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "RESAMPLES", 50)
    assert published(COUNTED) == published(COUNTED)


def test_the_interval_is_that_of_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a plain share, resampling must come near the normal approximation."""
    monkeypatch.setattr(metrics, "RESAMPLES", 500)
    rows = [(paragraph(n, kind="negative"), {"chips": 0.9} if n % 5 == 0 else {}) for n in range(400)]
    value, low, high = published(judged(rows))["false hits, negative"]
    spread = 1.96 * (0.2 * 0.8 / 400) ** 0.5
    assert (value, low, high) == pytest.approx((0.2, 0.2 - spread, 0.2 + spread), abs=0.012)


def test_a_facet_is_measured_alone() -> None:
    rows = [(paragraph(1, "chips", kind="hard-negative"), {"chips": 0.9}), (paragraph(2, "space", kind="negative"), {"chips": 0.8})]
    space = of_facet(judged(rows), {"chips": "technology", "space": "policy"}, "policy")
    assert (space.areas, measure(space)["micro"]["recall"]) == (("space",), 0.0)
    chips = measure(of_facet(judged(rows), {"chips": "technology", "space": "policy"}, "technology"))
    assert chips["micro"]["precision"] == 0.5
    assert chips["false_hits"] == {"negative": {"paragraphs": 1, "share": 1.0}}, "what carries areas of another facet carries none of this"
