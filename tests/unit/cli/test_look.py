"""`monitor hits`, `trends` and `moves` over a stored past: what people see of it, and of an area that is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from monitor.cli import app
from monitor.errors import TaxonomyError
from monitor.store.counts import replace_counts
from monitor.store.database import Database, upgrade
from monitor.store.schema import taxonomies
from tests.builders import add_article, add_hit, add_source, live_matcher

NOW = datetime.now(UTC)
AREAS = ["6g", "policy-funding", "policy-standards", "quantum-technology"]
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, over an article of quantum technology and of funding in each of three days, and one of 6G."""
    url = f"sqlite:///{tmp_path / 'monitor.db'}"
    monkeypatch.setenv("MONITOR_HOME", str(tmp_path))
    monkeypatch.setenv("MONITOR_DATABASE_URL", url)
    upgrade(url)
    with Database(url).writing() as connection:
        source, matcher = add_source(connection, "Wire"), live_matcher(connection)
        for ago in (1, 2, 3):
            day = NOW.date() - timedelta(ago)
            (paragraph,) = add_article(connection, source, day=day, texts=[f"400 million for qubits, {ago}"]).paragraphs
            for area in ("quantum-technology", "policy-funding"):
                add_hit(connection, matcher, paragraph, area, words=["qubits"])
        (paragraph,) = add_article(connection, source, day=NOW.date() - timedelta(1), texts=["6G"]).paragraphs
        add_hit(connection, matcher, paragraph, "6g")
        replace_counts(connection, matcher, AREAS, NOW.date() - timedelta(30), NOW.date(), beside=AREAS[1:3])
        old = {"fingerprint": "old", "body": {"areas": [{"id": "telepathy"}]}, "first_used_at": datetime(2026, 5, 4, tzinfo=UTC)}
        connection.execute(taxonomies.insert(), old)
    return lambda *words: CliRunner().invoke(app, list(words))


def first_words(shown: str) -> list[str]:
    return [line.split("  ")[0].strip() for line in shown.splitlines()]


def test_trends_show_technologies_first_and_policies_apart(run: Run) -> None:
    shown = first_words(run("trends", "--since", "7d").stdout)
    assert shown[2:] == ["quantum-technology", "6g", "policies", "policy-funding", "policy-standards"]


def test_a_heading_stands_only_between_two_groups(run: Run) -> None:
    assert "policies" not in run("trends", "--area", "policy-funding").stdout
    assert "policies" not in run("trends", "--area", "6g").stdout


def test_moves_show_policies_apart(run: Run) -> None:
    technologies, policies = run("moves").stdout.split("\npolicies ")
    assert "6g" in technologies
    assert "policy-" not in technologies
    assert policies.count("\npolicy-") == 7


def test_scripts_get_all_areas_in_one_list(run: Run) -> None:
    assert {row["area"] for row in json.loads(run("trends", "--json").stdout)} == set(AREAS)


@pytest.mark.parametrize("command", ["hits", "trends"])
def test_an_area_that_is_gone_and_one_that_never_was(run: Run, command: str) -> None:
    assert run(command, "--area", "6g").exit_code == 0
    never = run(command, "--area", "telepathist").exception
    assert isinstance(never, TaxonomyError)
    assert str(never).startswith("there is no area 'telepathist'; ")
    gone = run(command, "--area", "telepathy").exception
    assert isinstance(gone, TaxonomyError)
    assert str(gone).startswith(
        "the area 'telepathy' is not in the taxonomy any more; the last version with it was taken into use on 2026-05-04. "
    )
