"""`monitor match`, `evaluate`, `fit`, `gate` and `areas` as they are typed: what is shown, and the exit status."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor import app as composition
from monitor import cli
from monitor.cli import fit as fit_commands
from monitor.evaluate import metrics
from monitor.taxonomy import Area
from tests.fakes import FakeEncoder, area

AREAS = (
    area("chips", "semiconductor", weak=["chip"], negatives=["chip shop"], exemplars=["The foundry etches transistors on silicon wafers."]),
    area("space", "rocket", "=Orion", exemplars=["A launcher carried satellites to orbit."]),
)
ORDINARY = ("The council voted on trams.", "Rain stopped the match.", "A museum opens in May.", "Bread prices rose.")
SUBJECTS = {
    "chips": ("Foundry wafers of silicon with transistors", "A semiconductor firm etches silicon", "The chip has transistors on silicon"),
    "space": ("The launcher took satellites to orbit", "A rocket goes to orbit", "Orion and a rocket with satellites"),
}


def write_area(folder: Path, one: Area) -> None:
    content = one.model_dump(mode="json", by_alias=True)
    (folder / "areas" / f"{one.id}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def write_gold(file: Path, repeats: int) -> None:
    rows = [{"text": f"{text} {n}", "lang": "en", "labels": []} for n in range(repeats) for text in ORDINARY]
    rows += [
        {"text": f"{text}, {n}.", "lang": "zh", "labels": [key]}
        for n in range(repeats)
        for key, texts in SUBJECTS.items()
        for text in texts
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A taxonomy of two areas with labelled paragraphs, an encoder that needs no model, and a cache of the test's own."""
    owned = tmp_path / "taxonomy"
    (owned / "areas").mkdir(parents=True)
    for one in AREAS:
        write_area(owned, one)
    for part, repeats in (("train", 8), ("head", 3), ("held-out", 4)):
        write_gold(owned / "gold" / part / "a.jsonl", repeats)
    encoder = FakeEncoder(256)
    monkeypatch.setattr(composition, "open_encoder", lambda *args, **kinds: encoder)
    monkeypatch.setattr(fit_commands, "open_encoder", lambda *args, **kinds: encoder)
    monkeypatch.setattr(metrics, "RESAMPLES", 20)
    monkeypatch.setenv("MONITOR_TAXONOMY", str(owned))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return owned


class Terminal:
    """Runs a command in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *words: str, typed: bytes = b"") -> tuple[int, str, str]:
        """Exit status, standard output and standard error."""
        self._monkeypatch.setattr(sys, "argv", ["monitor", *words])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed)))
        try:
            cli.main()
            status = 0
        except SystemExit as done:
            status = int(done.code or 0)
        out, err = self._capsys.readouterr()
        return status, out, err

    def shows(self, *words: str, typed: bytes = b"") -> str:
        status, out, err = self(*words, typed=typed)
        assert (status, err) == (0, "")
        return out

    def refuses(self, *words: str, typed: bytes = b"") -> str:
        """The one line on standard error."""
        status, _, err = self(*words, typed=typed)
        assert status == 1
        assert err.startswith("monitor: ")
        assert err.count("\n") == 1
        return err

    def rows(self, *words: str, typed: bytes = b"") -> list[Any]:
        return [json.loads(line) for line in self.shows(*words, typed=typed).splitlines()]


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)


@pytest.fixture
def fitted(monitor: Terminal) -> Terminal:
    monitor.shows("fit")
    return monitor


def areas(row: dict[str, Any]) -> list[str]:
    return [hit["area"] for hit in row["hits"]]


def test_matching_needs_a_calibration(monitor: Terminal) -> None:
    assert "calibration.json: there is no such file; run `monitor fit`" in monitor.refuses("match", typed=b"text")


def test_fit_says_what_it_did(monitor: Terminal, folder: Path) -> None:
    shown = monitor.shows("fit")
    assert "2 areas, on 80 paragraphs of gold/train" in shown
    assert "on 30 paragraphs of gold/head" in shown
    assert "fake@1:full" in shown
    done = json.loads(monitor.shows("fit", "--json"))
    assert (done["train"], done["head"], done["probes"], done["file"]) == (80, 30, 2, str(folder / "calibration.json"))


def test_match_for_people(fitted: Terminal) -> None:
    text = b"The rocket reached orbit; rocket parts fell.\n\nThe council voted.\n"
    shown = fitted.shows("match", typed=text)
    assert "space  “rocket”\n" in shown
    assert "near 0." in shown
    assert "The council voted." in shown


def test_match_explains(fitted: Terminal) -> None:
    shown = fitted.shows("match", "--explain", typed=b"The chip shop fries; a semiconductor foundry, silicon wafers.")
    assert "against: chip shop" in shown


def test_match_as_json(fitted: Terminal) -> None:
    (row,) = fitted.rows("match", "--json", typed="Die Rakete: «Orion», a rocket to orbit".encode())
    (hit,) = row["hits"]
    assert hit["area"] == "space"
    assert [(m["alias"], row["text"][m["start"] : m["end"]], m["weak"]) for m in hit["mentions"]] == [
        ("=Orion", "Orion", False),
        ("rocket", "rocket", False),
    ]
    assert 0.5 <= hit["probability"] <= 1
    assert set(hit) == {"area", "probability", "similarity", "mentions", "exemplar"}
    (row,) = fitted.rows("match", "--json", "--explain", typed=b"a rocket")
    assert set(row) == {"id", "text", "hits", "policies", "near_misses"}
    assert "against" in (row["hits"] + row["near_misses"])[0]


@pytest.mark.parametrize(
    ("case", "typed", "texts"),
    [
        ("blank lines part paragraphs", b"one\nmore\n\ntwo\n", ["one\nmore", "two"]),
        ("a paragraph a line", b"one\ntwo\n", ["one", "two"]),
        ("Windows line ends", b"one\r\n\r\ntwo", ["one", "two"]),
        ("a byte order mark", b"\xef\xbb\xbfone", ["one"]),
        ("bytes that are no UTF-8", b"one \xff", ["one \ufffd"]),
        ("nothing", b"", []),
    ],
)
def test_texts_are_taken_apart(fitted: Terminal, case: str, typed: bytes, texts: list[str]) -> None:
    assert [row["text"] for row in fitted.rows("match", "--json", typed=typed)] == texts


def test_lines_of_json(fitted: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text('{"id": "a", "text": "A rocket in orbit"}\n\n{"text": "lone \\ud800 surrogate"}\n', encoding="utf-8")
    rows = fitted.rows("match", "--jsonl", "--json", str(file))
    assert [(row["id"], areas(row)) for row in rows] == [("a", ["space"]), ("3", [])]


@pytest.mark.parametrize("line", ["{", "[]", "null", '{"id": 1}', '{"text": 5}', '"text"', "[" * 100_000])
def test_a_wrong_line_is_named(fitted: Terminal, line: str) -> None:
    assert '-:2: is not a line of {"id", "text"}' in fitted.refuses("match", "--jsonl", "--json", typed=f'{{"text": "t"}}\n{line}'.encode())


def test_a_file_that_is_not_there(fitted: Terminal) -> None:
    assert "none.txt: cannot be read" in fitted.refuses("match", "none.txt")


def test_control_characters_do_not_reach_the_terminal(fitted: Terminal) -> None:
    shown = fitted.shows("match", typed="A rocket \x1b[31m to [bold]orbit[/bold] \u202e\x07".encode())
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert "[bold]orbit[/bold]" in shown


def test_evaluate(fitted: Terminal, folder: Path, tmp_path: Path) -> None:
    file = str(folder / "gold" / "held-out" / "a.jsonl")
    shown = fitted.shows("evaluate", file, "--html", str(tmp_path / "page.html"))
    assert "40 paragraphs" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    measured = json.loads(fitted.shows("evaluate", file, "--json", "--intervals"))
    assert measured["micro"]["positives"] == 24
    assert measured["micro"]["f1"] > 0.9
    assert len(measured["published"]["F1, micro, all"]) == 3
    assert "F1, micro, all" in fitted.shows("evaluate", file, "--intervals")
    assert "<h1>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "cannot be written" in fitted.refuses("evaluate", file, "--html", str(tmp_path))


def test_leaving_one_out_writes_nothing(fitted: Terminal, folder: Path) -> None:
    before = (folder / "calibration.json").read_bytes()
    shown = fitted.shows("fit", "--leave-one-out")
    assert "Each area as if just added: 70 paragraphs" in shown
    measured = json.loads(fitted.shows("fit", "--leave-one-out", "--untuned", "--json"))
    assert set(measured["areas"]) == {"chips", "space"}
    assert (folder / "calibration.json").read_bytes() == before


def test_the_gate(fitted: Terminal, folder: Path) -> None:
    assert "there is no such file; run `monitor gate --pin`" in fitted.refuses("gate")
    assert "baseline.json is written" in fitted.shows("gate", "--pin")
    assert "No row is below its floor." in fitted.shows("gate")
    rows = json.loads(fitted.shows("gate", "--json"))["rows"]
    assert all(row["floor"] <= row["value"] or row["name"].startswith("false") for row in rows)


def test_the_gate_holds(fitted: Terminal, folder: Path) -> None:
    fitted.shows("gate", "--pin")
    file = folder / "baseline.json"
    pinned = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**pinned, "floors": {**pinned["floors"], "F1, chips": 1.01}}), encoding="utf-8")
    assert "1 of " in (said := fitted.refuses("gate"))
    assert "F1, chips: " in said
    assert "would lower F1, chips; if that is meant, add --lower" in fitted.refuses("gate", "--pin")
    fitted.shows("gate", "--pin", "--lower")
    fitted.shows("gate")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gate", "--lower"], "--lower goes with --pin"),
        (["fit", "--untuned"], "--untuned goes with --leave-one-out"),
    ],
)
def test_options_that_do_not_go_together(fitted: Terminal, words: Sequence[str], said: str) -> None:
    assert said in fitted.refuses(*words)


def test_only_the_shipped_model_can_be_tuned(fitted: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_ENCODER", "org/model")
    assert "only the shipped model can be tuned" in fitted.refuses("fit", "--encoder")


def test_a_calibration_for_another_model_is_refused(fitted: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    other = FakeEncoder(256, "other@1:full")
    monkeypatch.setattr(composition, "open_encoder", lambda *args, **kinds: other)
    assert "was fitted for fake@1:full, not for other@1:full; run `monitor fit`" in fitted.refuses("match", typed=b"text")
    same = FakeEncoder(256, "fake@1:int8")
    monkeypatch.setattr(composition, "open_encoder", lambda *args, **kinds: same)
    fitted.shows("match", typed=b"text")


def test_an_analyst_adds_an_area(fitted: Terminal, folder: Path) -> None:
    """One file and no code: names decide before there is any label, and before anything is fitted anew."""
    fitted.shows("areas", "new", "tidal-power")
    file = folder / "areas" / "tidal-power.yaml"
    assert fitted.shows("areas", "check") == "The taxonomy is sound.\n"
    file.write_text(
        file.read_text(encoding="utf-8").replace("    - tidal power\n", "    - tidal power\n    - tidal turbine*\n"), encoding="utf-8"
    )
    (row,) = fitted.rows("match", "--json", typed=b"A tidal turbine was moored off Orkney, the first working system of tidal power.")
    assert areas(row) == ["tidal-power"]
    fitted.shows("fit")
    (row,) = fitted.rows("match", "--json", typed=b"A tidal turbine was moored off Orkney, the first working system of tidal power.")
    assert areas(row) == ["tidal-power"]


def test_areas_are_shown(monitor: Terminal) -> None:
    shown = monitor.shows("areas")
    assert "2 areas of" in shown
    assert [row["id"] for row in json.loads(monitor.shows("areas", "--json"))] == ["chips", "space"]


def test_areas_check_names_file_and_line(monitor: Terminal, folder: Path) -> None:
    file = folder / "areas" / "space.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "colour: red\n", encoding="utf-8")
    status, out, err = monitor("areas", "check")
    assert status == 1
    assert "space.yaml:" in out.replace("\n", "")
    assert "1 problem in the taxonomy" in err
    status, out, _ = monitor("areas", "check", "--json")
    assert (status, json.loads(out)[0]["line"]) == (1, len(file.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("chips", "is there already"),
        ("Tidal Power", "is no id"),
        ("../evil", "is no id"),
        ("ünïcode", "is no id"),
        ("a--b", "is no id"),
        ("-a", "is no id"),
    ],
)
def test_areas_new_refuses(monitor: Terminal, folder: Path, name: str, said: str) -> None:
    before = sorted(folder.rglob("*"))
    assert said in monitor.refuses("areas", "new", "--", name)
    assert sorted(folder.rglob("*")) == before
