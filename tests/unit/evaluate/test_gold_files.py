"""Labelled paragraphs are read line by line; what is wrong is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.errors import InputError
from monitor.evaluate.gold import gold_fingerprint, load_gold

AREAS = {"chips": "technology", "space": "technology", "funding": "policy"}


def write(folder: Path, *lines: str, name: str = "a.jsonl") -> Path:
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_files_in_order(tmp_path: Path) -> None:
    first = write(
        tmp_path, '{"id": "1", "text": "Chips\u2028and space", "lang": "en", "labels": ["chips"], "unsure": ["space"], "kind": "list"}', ""
    )
    second = write(tmp_path, '{"text": "none"}', '{"text": "lone \\ud800", "labels": null}', name="b.jsonl")
    gold = load_gold([first, second], AREAS)
    assert [(p.id, p.kind, p.writer, p.language) for p in gold] == [
        ("1", "list", "a", "en"),
        ("1", "negative", "b", "und"),
        ("2", "negative", "b", "und"),
    ]
    assert (gold[0].text, gold[0].labels, gold[0].unsure) == ("Chips\u2028and space", {"chips"}, {"space", "funding"})
    assert len(gold_fingerprint(gold)) == 16


@pytest.mark.parametrize(
    ("case", "line", "message"),
    [
        ("no JSON", "{", "a.jsonl:2: is not JSON"),
        ("no object", "[]", "a.jsonl:2: has no `text`"),
        ("no text", '{"id": 1}', "a.jsonl:2: has no `text`"),
        ("an unknown area", '{"text": "t", "labels": ["ships"]}', "a.jsonl:2: unknown area 'ships'"),
        ("labels that are no list", '{"text": "t", "labels": "chips"}', "a.jsonl:2: `labels` is no list"),
        ("labels that are numbers", '{"text": "t", "unsure": [6]}', "a.jsonl:2: `unsure` is no list"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, case: str, line: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        load_gold([write(tmp_path, '{"text": "fine"}', line)], AREAS)


def test_a_line_is_labelled_for_technologies_unless_it_says_more(tmp_path: Path) -> None:
    lines = (
        '{"text": "t"}',
        '{"text": "t", "facets": ["technology", "policy"]}',
        '{"text": "t", "labels": ["funding"], "facets": ["policy"]}',
    )
    gold = load_gold([write(tmp_path, *lines)], AREAS)
    assert [p.unsure for p in gold] == [{"funding"}, frozenset(), {"chips", "space"}]


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file of labelled paragraphs"):
        load_gold([], AREAS)
    with pytest.raises(InputError, match="holds no labelled paragraphs"):
        load_gold([write(tmp_path, "")], AREAS)
    with pytest.raises(InputError, match="cannot be read"):
        load_gold([tmp_path / "none.jsonl"], AREAS)


def test_the_fingerprint_changes_with_text_and_labels(tmp_path: Path) -> None:
    lines = [
        '{"text": "t"}',
        '{"text": "u"}',
        '{"text": "t", "labels": ["chips"]}',
        '{"text": "t", "unsure": ["chips"]}',
        '{"text": "t", "kind": "list"}',
    ]
    prints = [gold_fingerprint(load_gold([write(tmp_path, line)], AREAS)) for line in lines]
    assert len(set(prints[:4])) == 4
    assert prints[4] == prints[0], "the kind decides nothing"
