"""What the documents promise is there: commands, stages in order, settings, files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

import monitor
from monitor import pipeline
from monitor.cli import app
from monitor.cli.configuration import commented
from monitor.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
OURS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]


def commands() -> set[str]:
    """Every command, with its group: `run`, `sources add` …"""
    found = set()
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found |= {f"{name} {sub}" for sub in inner} if inner else {name}
    return found


def test_every_command_is_in_the_readme() -> None:
    missing = [c for c in sorted(commands()) if not re.search(rf"monitor {re.escape(c)}\b", README)]
    assert missing == []


def test_every_command_in_the_documents_is_there() -> None:
    known = commands() | {c.split()[0] for c in commands()}
    for file in OURS:
        for line in re.findall(r"^\s*(?:\.venv/bin/)?monitor ([a-z][a-z -]*)", file.read_text(encoding="utf-8"), re.MULTILINE):
            words = line.split()
            assert words[0] in known or " ".join(words[:2]) in known, f"{file.name}: monitor {line}"


def test_the_stages_stand_in_one_order_in_three_places() -> None:
    order = list(pipeline.STAGES)
    assert re.findall(r"^    (\w+) {2,}\S", pipeline.__doc__ or "", re.MULTILINE) == order
    assert re.findall(r"\b(\w+)\b(?= →|;)", (monitor.__doc__ or "").split("in order:")[1]) == order
    assert re.findall(r"^\| `(\w+)` \|", README.split("## How it works")[1].split("##")[0], re.MULTILINE) == order


def test_the_commented_configuration_names_every_setting_and_sets_none() -> None:
    text = commented()
    assert tomllib.loads(text) == {"fetch": {}, "mail": {}, "serve": {}, "retention": {}}
    for name in Settings.model_fields:
        assert name == "home" or re.search(rf"^(# {name} = |\[{name}\])", text, re.MULTILINE), name


def test_the_commented_configuration_loads_when_it_is_uncommented() -> None:
    lines = [re.sub(r"^# (?=\w+ = )", "", line) for line in commented().splitlines() if not line.endswith("# unset")]
    Settings.model_validate(tomllib.loads("\n".join(lines)))


@pytest.mark.parametrize("file", OURS, ids=lambda f: f.name)
def test_links_lead_somewhere(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)\)", text):
        assert target.startswith("http") or (file.parent / target).exists(), target
    heads = {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    for anchor in re.findall(r"\]\(#([^)]+)\)", text):
        assert anchor in heads, anchor
