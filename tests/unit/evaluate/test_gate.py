"""Floors are pinned a little below what was measured, and only go down when that is said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from monitor.errors import InputError
from monitor.evaluate import gate
from monitor.evaluate.gold import Labelled

GOLD = (Labelled("1", "text", "en", frozenset({"chips"}), frozenset(), "plain", "a"),)
OTHER = (Labelled("1", "another text", "en", frozenset(), frozenset(), "plain", "a"),)
Rows = Mapping[str, tuple[float, float, float]]


def rows(f1: float = 0.9, false_hits: float = 0.05) -> dict[str, tuple[float, float, float]]:
    return {"F1, micro, all": (f1, f1 - 0.02, f1 + 0.02), "false hits, negative": (false_hits, false_hits - 0.02, false_hits + 0.02)}


def test_pinned_floors_are_read_back(tmp_path: Path) -> None:
    gate.pin(tmp_path, GOLD, rows(), lower=False)
    pinned = gate.load_baseline(tmp_path, GOLD)
    assert pinned == {"F1, micro, all": 0.885, "false hits, negative": 0.065}
    assert gate.below(pinned, rows()) == []


def test_a_row_of_few_paragraphs_may_move_by_a_third_of_its_interval() -> None:
    wide = {"F1, chips": (0.9, 0.8, 0.95), "false hits, few": (0.1, 0.0, 0.15)}
    assert gate.floors(wide) == {"F1, chips": 0.85, "false hits, few": 0.15}


@pytest.mark.parametrize(
    ("case", "now", "said"),
    [
        ("as good", rows(), []),
        ("better", rows(0.95, 0.0), []),
        ("within the slack", rows(0.8855, 0.0645), []),
        ("F1 went down", rows(0.884), ["F1, micro, all: 0.8840, pinned at 0.8850"]),
        ("false hits went up", rows(false_hits=0.066), ["false hits, negative: 0.0660, pinned at 0.0650"]),
        ("a row went missing", {"F1, micro, all": (0.9, 0, 1)}, ["false hits, negative: is not measured any more"]),
        ("a new row has no floor", {**rows(), "F1, new": (0.1, 0, 1)}, []),
    ],
)
def test_below_a_floor(tmp_path: Path, case: str, now: Rows, said: list[str]) -> None:
    gate.pin(tmp_path, GOLD, rows(), lower=False)
    assert gate.below(gate.load_baseline(tmp_path, GOLD), now) == said


@pytest.mark.parametrize(
    ("case", "now"),
    [("F1", rows(0.88)), ("false hits", rows(false_hits=0.07)), ("a row less", {"F1, micro, all": (0.9, 0.88, 0.92)})],
)
def test_no_floor_goes_down_unsaid(tmp_path: Path, case: str, now: Rows) -> None:
    gate.pin(tmp_path, GOLD, rows(), lower=False)
    before = (tmp_path / gate.FILE).read_bytes()
    with pytest.raises(InputError, match=r"would lower (F1, micro, all|false hits, negative); if that is meant, add --lower"):
        gate.pin(tmp_path, GOLD, now, lower=False)
    assert (tmp_path / gate.FILE).read_bytes() == before
    gate.pin(tmp_path, GOLD, now, lower=True)
    assert gate.below(gate.load_baseline(tmp_path, GOLD), now) == []


def test_other_paragraphs_are_no_measure(tmp_path: Path) -> None:
    gate.pin(tmp_path, GOLD, rows(), lower=False)
    with pytest.raises(InputError, match="measured on other paragraphs"):
        gate.load_baseline(tmp_path, OTHER)


def test_nothing_pinned_yet(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file; run `monitor gate --pin`"):
        gate.load_baseline(tmp_path, GOLD)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"floors": [], "gold": "x"}', '{"floors": {"F1": "high"}, "gold": "x"}', "\x00"])
def test_a_broken_file_is_named_and_kept(tmp_path: Path, content: str) -> None:
    (tmp_path / gate.FILE).write_text(content, encoding="utf-8")
    for attempt in (lambda: gate.load_baseline(tmp_path, GOLD), lambda: gate.pin(tmp_path, GOLD, rows(), lower=False)):
        with pytest.raises(InputError, match=r"baseline\.json: cannot be read"):
            attempt()
    assert (tmp_path / gate.FILE).read_text(encoding="utf-8") == content


def test_the_file_is_for_people_too(tmp_path: Path) -> None:
    written = json.loads(gate.pin(tmp_path, GOLD, rows(), lower=False).read_text(encoding="utf-8"))
    assert set(written) == {"gold", "floors"}
