"""Hits explain themselves, do not depend on what else is asked, and bad input is answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitor.domain import Mention, Paragraph
from monitor.errors import CalibrationError
from monitor.match import Calibration, Exemplars, Judgement, Matcher, exemplar_sentences
from monitor.match.calibration import Head, Heads
from monitor.match.features import NAMES, WITHOUT_PROBE
from tests.fakes import FakeEncoder, area, taxonomy

ENCODER = FakeEncoder(256)
TAXONOMY = taxonomy(
    area(
        "chips",
        "semiconductor",
        weak=["chip"],
        negatives=["chip shop"],
        exemplars=["The foundry etches transistors on silicon wafers."],
        look_alikes=["The shop fries potato slices in hot oil."],
    ),
    area("space", "rocket", exemplars=["A launcher carried satellites to orbit."]),
)
# Log-odds: a strong alias 8, a weak one 1, nearness 1 for each spread over the centre, a nearer look-alike -0.3, less 3.
WEIGHTS = {"strong": 8.0, "weak": 1.0, "near": 1.0, "look-alike": -0.3}
HEAD = tuple(WEIGHTS.get(name, 0.0) for name in NAMES)
CALIBRATION = Calibration(
    encoder=ENCODER.name,
    gold="",
    scale=(0.3, 0.1),
    mean=(0.0,) * 256,
    probes={},
    heads={"technology": Heads(Head(NAMES, HEAD, -3.0), Head(WITHOUT_PROBE, HEAD[: len(WITHOUT_PROBE)], -3.0))},
    threshold=0.5,
)


def matcher(calibration: Calibration = CALIBRATION) -> Matcher:
    texts, columns = exemplar_sentences(TAXONOMY)
    return Matcher(TAXONOMY, calibration, Exemplars(texts, ENCODER.encode(texts), columns))


def judge(*texts: str) -> list[Judgement]:
    paragraphs = [Paragraph(str(number), text) for number, text in enumerate(texts)]
    return matcher().judge(paragraphs, ENCODER.encode(texts))


def areas(judgement: Judgement) -> list[str]:
    return [hit.area for hit in judgement.hits]


def test_a_hit_explains_itself() -> None:
    text = "A semiconductor foundry opens; the chip is of silicon."
    (hit,) = judge(text)[0].hits
    assert (hit.paragraph, hit.area) == ("0", "chips")
    assert hit.evidence.mentions == (Mention("semiconductor", 2, 15), Mention("chip", 35, 39, weak=True))
    assert hit.evidence.exemplar == "The foundry etches transistors on silicon wafers."
    assert 0 < hit.evidence.similarity < 1
    assert 0.5 <= hit.probability <= 1


def test_meaning_alone_is_enough() -> None:
    assert areas(judge("The launcher carried two satellites to a low orbit.")[0]) == ["space"]


def test_a_weak_alias_needs_support() -> None:
    shop, fab = judge("He has a chip on his shoulder.", "The chip: transistors on silicon, by the foundry.")
    assert areas(shop) == []
    assert areas(fab) == ["chips"]


def test_what_spoke_against() -> None:
    (found,) = judge("The semiconductor firm bought the chip shop: it fries potato slices in hot oil.")
    (hit,) = found.hits + found.near_misses
    assert hit.evidence.against == ("chip shop", "The shop fries potato slices in hot oil.")
    assert [m.alias for m in hit.evidence.mentions] == ["semiconductor"]


def test_the_most_probable_first() -> None:
    (found,) = judge("The rocket carried satellites to orbit; a semiconductor went along.")
    assert areas(found) == ["space", "chips"]
    assert found.hits[0].probability > found.hits[1].probability


def test_near_misses_are_under_the_threshold() -> None:
    strict = matcher(replace(CALIBRATION, threshold=0.999))
    text = "A rocket lifts off."
    (found,) = strict.judge([Paragraph("0", text)], ENCODER.encode([text]))
    assert found.hits == ()
    assert [hit.area for hit in found.near_misses] == ["space"]


def test_what_else_is_asked_changes_nothing() -> None:
    texts = ["A rocket lifts off.", "Nothing of it.", "semiconductor", "", "A chip shop."]
    together = judge(*texts)
    for place, text in enumerate(texts):
        (alone,) = judge(text)
        assert [(h.area, h.probability, h.evidence) for h in alone.hits] == [
            (h.area, h.probability, h.evidence) for h in together[place].hits
        ]


def test_no_paragraphs() -> None:
    assert matcher().judge([], np.empty((0, 256), dtype=np.float32)) == []
    assert matcher().match([], np.empty((0, 256), dtype=np.float32)) == []


@pytest.mark.parametrize(
    ("case", "text", "expected"),
    [
        ("one character", "6", []),
        ("nothing but space", " \n\t", []),
        ("a megabyte", "ordinary news of the day. " * 40_000 + " The rocket.", ["space"]),
        ("one endless word", "a" * 1_000_000, []),
        ("an endless word of a name", "rocket" * 100_000, []),
        ("lone surrogates", "\ud800 rocket \udfff", ["space"]),
        ("NUL", "a\x00rocket\x00", ["space"]),
        ("right-to-left marks", "\u202ea rocket\u202c", ["space"]),
        ("mixed scripts", "ракета rocket火箭", ["space"]),
        ("left-over HTML", "<p class='x'>A&nbsp;rocket</p>", ["space"]),
        ("a language nobody listed", "Roketi ilirushwa. שיגור טיל", []),
    ],
)
def test_bad_input_is_answered(case: str, text: str, expected: list[str]) -> None:
    (found,) = judge(text)
    assert areas(found) == expected
    for hit in found.hits:
        assert all(text[m.start : m.end].lower() == m.alias for m in hit.evidence.mentions)


def test_a_calibration_of_another_size_is_refused() -> None:
    with pytest.raises(CalibrationError, match="fitted for another encoder"):
        matcher(replace(CALIBRATION, mean=(0.0,) * 3))
