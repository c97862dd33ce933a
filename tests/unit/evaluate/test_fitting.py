"""The head is fitted from labelled paragraphs, the same each time, and decides on areas it has not seen."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch

from monitor.domain import Paragraph
from monitor.errors import InputError
from monitor.evaluate.fit import fit
from monitor.evaluate.metrics import measure
from monitor.evaluate.tune import examples_of_taxonomy, mean_of
from monitor.evaluate.unseen import leave_each_out
from monitor.match import Calibration, Exemplars, Matcher, exemplar_sentences
from monitor.taxonomy import Taxonomy
from tests.fakes import FakeEncoder, area, taxonomy

ENCODER = FakeEncoder(512)
WORDS = {
    "chips": ["foundry", "transistors", "silicon", "etching", "wafers", "lithography"],
    "robots": ["walking", "joints", "gripper", "torso", "limbs", "balance"],
    "space": ["orbit", "launcher", "payload", "booster", "capsule", "satellites"],
}
NAMES = {"chips": "semiconductor", "robots": "humanoid", "space": "rocket"}
ORDINARY = [
    "council",
    "voted",
    "budget",
    "rain",
    "match",
    "museum",
    "harvest",
    "strike",
    "court",
    "school",
    "bridge",
    "prices",
    "film",
    "festival",
    "tram",
]
SEED = 7


def write_gold(file: Path, seed: int, paragraphs: int) -> None:
    """Paragraphs whose labels are what they are made of: half with a name, half by the subject's words alone."""
    rng = random.Random(seed)
    rows = []
    for number in range(paragraphs):
        labels = [key for key in WORDS if rng.random() < 0.3]
        said = rng.sample(ORDINARY, 4)
        for key in labels:
            said += [NAMES[key], *rng.sample(WORDS[key], 2)] if rng.random() < 0.5 else rng.sample(WORDS[key], 4)
        rng.shuffle(said)
        rows.append({"id": str(number), "text": " ".join(said), "lang": "en", "labels": labels, "kind": "plain" if labels else "negative"})
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Taxonomy:
    """A taxonomy folder with labelled paragraphs."""
    folder = tmp_path_factory.mktemp("taxonomy")
    for part, seed, paragraphs in (("train", 1, 300), ("head", 2, 150), ("held-out", 3, 150)):
        write_gold(folder / "gold" / part / "a.jsonl", seed, paragraphs)
    areas = [area(key, NAMES[key], exemplars=[" ".join(words)]) for key, words in WORDS.items()]
    return taxonomy(*areas, folder=folder)


def exemplars(of: Taxonomy) -> Exemplars:
    texts, columns = exemplar_sentences(of)
    return Exemplars(texts, ENCODER.encode(texts), columns)


@pytest.fixture(scope="module")
def calibration(owned: Taxonomy) -> Calibration:
    return fit(owned, ENCODER, exemplars(owned))


def hits(owned: Taxonomy, calibration: Calibration, text: str) -> set[str]:
    matcher = Matcher(owned, calibration, exemplars(owned))
    return {hit.area for hit in matcher.match([Paragraph("0", text)], ENCODER.encode([text]))[0]}


def test_what_it_was_fitted_on_is_written_down(calibration: Calibration) -> None:
    assert calibration.encoder == ENCODER.name
    assert set(calibration.probes) == set(WORDS)
    assert len(calibration.mean) == 512


@pytest.mark.parametrize(
    ("when", "text", "expected"),
    [
        ("a name", "the rocket and the rain", {"space"}),
        ("the subject's words", "wafers of silicon for the foundry etching", {"chips"}),
        ("two", "humanoid balance limbs; rocket launcher payload", {"robots", "space"}),
        ("ordinary news", "council voted on the budget of the museum", set()),
    ],
)
def test_it_decides(owned: Taxonomy, calibration: Calibration, when: str, text: str, expected: set[str]) -> None:
    assert hits(owned, calibration, text) == expected


def test_the_same_each_time(owned: Taxonomy, calibration: Calibration) -> None:
    assert fit(owned, ENCODER, exemplars(owned)) == calibration


def test_an_area_left_out_gets_no_probe_and_is_found_by_name(owned: Taxonomy) -> None:
    unseen = fit(owned, ENCODER, exemplars(owned), without=frozenset({"space"}))
    assert set(unseen.probes) == {"chips", "robots"}
    assert hits(owned, unseen, "the rocket launcher with its payload") == {"space"}


def test_leaving_each_out(owned: Taxonomy) -> None:
    judged = leave_each_out(owned, ENCODER, exemplars(owned))
    assert len(judged.gold) == 300
    found = measure(judged)
    assert found["micro"]["precision"] > 0.9
    assert found["micro"]["recall"] > 0.5
    alone = fit(owned, ENCODER, exemplars(owned), without=frozenset({"chips"}))
    texts = [p.text for p in judged.gold]
    matcher = Matcher(owned, alone, exemplars(owned))
    found_alone = [any(h.area == "chips" for h in hits) for hits in matcher.match([Paragraph("", t) for t in texts], ENCODER.encode(texts))]
    assert judged.fired[:, 0].tolist() == found_alone, "an area's answers are those of a fit that never saw its labels"


def test_unsure_labels_are_not_learned_from(owned: Taxonomy, calibration: Calibration) -> None:
    file = owned.folder / "gold" / "train" / "b.jsonl"
    row = {"text": "semiconductor wafers silicon foundry", "labels": [], "unsure": ["chips"]}
    try:
        file.write_text("\n".join([json.dumps(row)] * 300), encoding="utf-8")
        assert "chips" in hits(owned, fit(owned, ENCODER, exemplars(owned)), "wafers of silicon for the foundry etching")
        file.write_text("\n".join([json.dumps({**row, "unsure": []})] * 300), encoding="utf-8")
        assert "chips" not in hits(owned, fit(owned, ENCODER, exemplars(owned)), "wafers of silicon for the foundry etching")
    finally:
        file.unlink()


def test_an_area_without_any_label_yet(owned: Taxonomy) -> None:
    new = area("tides", "tidal turbine", exemplars=["A tidal turbine turns with ebb and flood."])
    wider = taxonomy(*owned.areas, new, folder=owned.folder)
    found = fit(wider, ENCODER, exemplars(wider))
    assert set(found.probes) == set(WORDS), "a probe without labels would only learn to say no"
    assert hits(wider, found, "silicon wafers from the foundry") == {"chips"}
    assert hits(wider, found, "a tidal turbine turns with the ebb") == {"tides"}


def test_paragraphs_that_are_missing(tmp_path: Path) -> None:
    lonely = taxonomy(area("chips", "chip"), folder=tmp_path)
    with pytest.raises(InputError, match="no file of labelled paragraphs"):
        fit(lonely, ENCODER, exemplars(lonely))


def test_too_few_to_fit_on(owned: Taxonomy, tmp_path: Path) -> None:
    for part in ("train", "head"):
        write_gold(tmp_path / "gold" / part / "a.jsonl", 1, 20)
    few = taxonomy(*owned.areas, folder=tmp_path)
    with pytest.raises(InputError, match="no area has 20 labelled paragraphs"):
        fit(few, ENCODER, exemplars(few))


def test_model_sentences_say_nothing_of_other_areas() -> None:
    of = taxonomy(area("chips", look_alikes=["crisps"], exemplars=["wafers"]), area("space", exemplars=["orbit"]))
    rows = {p.text: (set(p.labels), set(p.unsure)) for p in examples_of_taxonomy(of)}
    assert rows == {"wafers": ({"chips"}, {"space"}), "crisps": (set(), {"space"}), "orbit": ({"space"}, {"chips"})}


def test_the_mean_of_two_tunings_adds_the_mean_of_what_they_add() -> None:
    torch.manual_seed(0)
    tuned = [{"layer": (torch.randn(2, 5), torch.randn(4, 2))} for _ in range(2)]
    mean = mean_of(tuned)
    assert mean["layer.a"].shape == (4, 5)
    added = sum(thin["layer"][1] @ thin["layer"][0] for thin in tuned) / 2
    assert torch.allclose(mean["layer.b"].float() @ mean["layer.a"].float(), added, atol=0.01)
