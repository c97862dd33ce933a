"""What an analyst writes is checked whole: each problem with its file and its line."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from monitor.errors import TaxonomyError
from monitor.taxonomy import (
    LANGUAGES,
    area_schema,
    check_taxonomy,
    load_taxonomy,
    shipped_folder,
    template,
)

AREA = """\
id: {id}
names:
  en: An area
definition: An area of technology.
scope:
  in: [the area]
aliases:
  en:
    - first {id}
    - second {id}
exemplars:
  en: [A sentence of {id}.]
"""
OFFICIAL = """\
id: plan
title: The plan
publisher: The ministry
jurisdiction: Anywhere
version: '1'
valid_from: 2026-01-01
source: A paper
verified: memory
items:
  - {id: chips, name: Chips}
"""


def write(folder: Path, *, lists: str | None = OFFICIAL, **areas: str) -> Path:
    """A taxonomy folder with these files; `_` in a name stands for a hyphen."""
    (folder / "areas").mkdir()
    (folder / "lists").mkdir()
    for name, text in areas.items():
        (folder / "areas" / f"{name.replace('_', '-')}.yaml").write_text(text, encoding="utf-8")
    if lists:
        (folder / "lists" / "plan.yaml").write_text(lists, encoding="utf-8")
    return folder


def problems(folder: Path) -> list[tuple[str, int, str]]:
    return [(p.file.name, p.line, p.message) for p in check_taxonomy(folder)[1]]


one, two = AREA.format(id="one"), AREA.format(id="two")


@pytest.mark.parametrize(
    ("case", "one", "line", "message"),
    [
        ("an alias of another area", one + "entities:\n  - second alpha\n", 14, "'second alpha' is an alias of alpha too"),
        ("whatever the spelling", one + "entities:\n  - Second–ALPHA\n", 14, "'Second–ALPHA' is an alias of alpha too"),
        ("an alias that is a negative", one + "negatives:\n  en: [Second One]\n", 10, "'second one' is an alias and a negative"),
        ("an alias without a letter", one + "weak:\n  en: [agent, '*']\n", 14, "'*' holds no letter"),
        (
            "an item that is not listed",
            one + "links:\n  - {list: plan, item: ships, strength: direct}\n",
            14,
            "there is no item plan/ships",
        ),
        (
            "a list that is not there",
            one + "links:\n  - {list: plans, item: chips, strength: direct}\n",
            14,
            "there is no list plans/chips",
        ),
        ("no YAML", one + "weak: [a\n", 14, "is not valid YAML"),
        ("a tab", one + "weak:\n\ten: [a]\n", 14, "is not valid YAML"),
        ("an unknown language", one.replace("aliases:\n  en", "aliases:\n  xx"), 8, "`aliases.xx`"),
        ("a wrong type", one.replace("    - second one", "    - 6"), 10, "`aliases.en.1`: Input should be a valid string"),
        ("a mapping for a list", one.replace("[A sentence of one.]", "{a: b}"), 12, "`exemplars.en`"),
        ("an unknown key", one + "colour: red\n", 13, "`colour`: Extra inputs are not permitted"),
        ("a missing key", one.replace("definition: An area of technology.\n", ""), 1, "`definition`: Field required"),
        ("a key that stands twice", one + "weak: {}\nweak: {en: [agent]}\n", 14, "`weak` stands there twice"),
        ("a language that stands twice", one.replace("exemplars:", "  en: [third]\nexemplars:"), 11, "`en` stands there twice"),
        ("another id than the file's name", one.replace("id: one", "id: uno"), 1, "the id is not the file's name, 'one'"),
        ("an id with a space", one.replace("id: one", "id: o ne"), 1, "`id`: String should match pattern"),
        ("no English name", one.replace("  en: An area", "  de: Ein Gebiet"), 2, "`names`: the English name is missing"),
        ("an empty alias", one.replace("second one", "''"), 10, "`aliases.en.1`: String should have at least 1 character"),
        ("an alias without end", one.replace("second one", "x" * 300), 10, "`aliases.en.1`: String should have at most 200 characters"),
        ("a strength that is none", one + "links:\n  - list: plan\n    item: chips\n    strength: some\n", 16, "`links.0.strength`"),
        ("an empty file", "", 1, "Input should be a valid dictionary"),
        ("a list of areas", "- one\n", 1, "Input should be a valid dictionary"),
        ("a reference to itself", "id: &a [*a]\n", 1, ""),
        ("keys that are lists", "? [a, b]\n: c\n", 1, ""),
    ],
)
def test_problems_have_a_line(tmp_path: Path, case: str, one: str, line: int, message: str) -> None:
    found = problems(write(tmp_path, one=one, alpha=AREA.format(id="alpha")))
    assert any(file == "one.yaml" and at == line and message in said for file, at, said in found), found


def test_a_sound_folder(tmp_path: Path) -> None:
    link = "links:\n  - {list: plan, item: chips, strength: partial}\n"
    folder = write(tmp_path, two=two, one=one + link)
    taxonomy = load_taxonomy(folder)
    assert [area.id for area in taxonomy.areas] == ["one", "two"]
    assert taxonomy.area("two").name("de") == "An area"
    assert list(taxonomy.area("one").strong()) == ["first one", "second one"]
    assert taxonomy.lists[0].items[0].name == "Chips"


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    folder = write(tmp_path, one="id: [", two=two + "colour: red\n", lists="id: plan\n")
    assert {file for file, _, _ in problems(folder)} == {"one.yaml", "two.yaml", "plan.yaml"}
    with pytest.raises(TaxonomyError, match=r"one\.yaml:2: is not valid YAML.*and \d+ more; `monitor areas check` shows all"):
        load_taxonomy(folder)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    folder = write(tmp_path, two=two)
    (folder / "areas" / "one.yaml").write_bytes(b"id: \xff\xfe")
    assert problems(folder)[0][:2] == ("one.yaml", 1)


def test_a_folder_without_areas(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match="holds no area files"):
        load_taxonomy(tmp_path)


def test_an_unknown_area(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match=r"there is no area 'three'.*one, two"):
        load_taxonomy(write(tmp_path, one=one, two=two)).area("three")


@pytest.mark.parametrize(
    ("case", "changed", "differs"),
    [
        ("an alias", one.replace("second one", "third one"), True),
        ("a model sentence", one.replace("A sentence", "Another sentence"), True),
        ("a definition", one.replace("An area of technology", "Another text"), False),
        ("a link", one + "links:\n  - {list: plan, item: chips, strength: direct}\n", False),
        ("a comment", "# a comment\n" + one, False),
    ],
)
def test_the_fingerprint_changes_with_what_decides(tmp_path: Path, case: str, changed: str, differs: bool) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    before = load_taxonomy(write(tmp_path / "a", one=one, two=two)).fingerprint
    after = load_taxonomy(write(tmp_path / "b", one=changed, two=two)).fingerprint
    assert (before != after) is differs


def test_the_template_is_a_sound_area(tmp_path: Path) -> None:
    folder = write(tmp_path, solid_state_batteries=template("solid-state-batteries"))
    assert problems(folder) == []
    assert load_taxonomy(folder).areas[0].names["en"] == "solid state batteries"


def test_the_shipped_taxonomy_is_sound() -> None:
    taxonomy, found = check_taxonomy(shipped_folder())
    assert [str(problem) for problem in found] == []
    assert Counter(area.facet for area in taxonomy.areas) == {"technology": 13, "policy": 7}
    assert all(set(area.names) == set(LANGUAGES) for area in taxonomy.areas)


def test_the_schema_is_up_to_date() -> None:
    written = json.loads((shipped_folder() / "area.schema.json").read_text(encoding="utf-8"))
    assert written == area_schema(), (
        "write it anew: python -c 'import json; from monitor.taxonomy import *; "
        "print(json.dumps(area_schema(), ensure_ascii=False, indent=2))' > taxonomy/area.schema.json"
    )


@pytest.mark.parametrize("file", sorted((shipped_folder() / "areas").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_schema_takes_the_shipped_areas(file: Path) -> None:
    content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    jsonschema.validate(content, area_schema(), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("an unknown language", {"aliases": {"xx": ["a"]}}),
        ("an unknown key", {"colour": "red"}),
        ("a number for an alias", {"aliases": {"en": [6]}}),
        ("an id with capitals", {"id": "One"}),
    ],
)
def test_the_schema_refuses_what_loading_refuses(case: str, change: dict[str, Any]) -> None:
    content = {**yaml.safe_load(one), **change}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, area_schema(), cls=jsonschema.Draft202012Validator)
