"""The file of subscriptions: what it says, what is wrong with it, and that adding leaves it as people wrote it."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from alert_desk import wish
from pydantic import ValidationError

from monitor.alerts import demo_subscription
from monitor.alerts.subscriptions import Subscription, add_subscription, check_subscriptions, load_subscriptions
from monitor.errors import ConfigurationError, InputError
from monitor.taxonomy import Taxonomy

FULL = """\
# our readers
subscriptions:
  - name: ana           # policy desk
    areas: [6g, quantum-technology]
    facets: [technology]
    languages: [en, zh]
    sources: [Example Times, "https://feeds.example/a.xml"]
    source_kinds: [ministry, newspaper]
    words: {any: [harbour, 港], all: [trial*], none: [football]}
    least_probability: 0.7
    when: weekly on monday at 07:00
    zone: Europe/Berlin
    most_items: 10
    reach_back_days: 7
    nothing_new: true
    channels:
      - email: ana@example.org
      - apprise: env:TEAM_CHANNEL
  - name: Bo Li
    channels: [{email: bo@exämple.org}]
"""


def problems(text: str, taxonomy: Taxonomy) -> list[str]:
    return [str(p) for p in check_subscriptions(text, Path("s.yaml"), taxonomy)[1]]


def test_a_full_one(tmp_path: Path, taxonomy: Taxonomy) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(FULL, encoding="utf-8")
    ana, bo = load_subscriptions(file, taxonomy)
    assert ana.area_ids(taxonomy) == ("6g", "quantum-technology")
    assert [(c.kind, c.address) for c in ana.channels] == [("email", "ana@example.org"), ("apprise", "env:TEAM_CHANNEL")]
    assert len(bo.area_ids(taxonomy)) == len(taxonomy.areas) - len(taxonomy.policies)
    assert bo.channels[0].address == "bo@xn--exmple-cua.org"
    assert Subscription.model_validate(ana.model_dump(mode="json")) == ana


ONE = "subscriptions:\n  - name: ana\n    channels:\n      - email: ana@example.org\n"


@pytest.mark.parametrize(
    ("case", "text", "said"),
    [
        (
            "a bad address",
            ONE.replace("ana@example.org", "ana at example"),
            "s.yaml:4: `subscriptions.0.channels.0.email`: 'ana at example' is no e-mail",
        ),
        ("an address that adds a header", ONE.replace("ana@example.org", '"a@example.org\\nBcc: b@example.org"'), "s.yaml:4:"),
        (
            "an unknown area",
            ONE + "    areas: [6g, 7g]\n",
            "s.yaml:5: `subscriptions.0.areas` of 'ana': there is no area '7g'; there are 6g,",
        ),
        (
            "two of one name",
            ONE + ONE.split("\n", 1)[1].replace("ana", "Ana", 1),
            "s.yaml:5: `subscriptions.1.name` of 'Ana': there are two",
        ),
        (
            "no such zone",
            ONE + "    zone: Europe/Atlantis\n",
            "s.yaml:5: `subscriptions.0.zone`: no time zone of the name 'Europe/Atlantis'",
        ),
        ("no such hour", ONE + "    when: daily at 25:00\n", "s.yaml:5: `subscriptions.0.when`: write «at once»"),
        ("a wrong key", ONE + "    area: 6g\n", "s.yaml:5: `subscriptions.0.area`: there is no such key"),
        ("a key twice", ONE + "    name: bo\n", "s.yaml:5: is not valid: the key 'name' stands there twice"),
        ("no channel", "subscriptions:\n  - name: ana\n    channels: []\n", "s.yaml:3: `subscriptions.0.channels`:"),
        ("two in one channel", ONE + "        apprise: env:A\n", "s.yaml:4: `subscriptions.0.channels.0`: name one of"),
        ("the operator's name", ONE.replace("ana", "Operator", 1), "s.yaml:2: `subscriptions.0.name`: 'Operator' is taken"),
        ("a name with a line break", ONE.replace("name: ana", 'name: "a\\nb"'), "s.yaml:2: `subscriptions.0.name`:"),
        ("not YAML", "subscriptions: [", "s.yaml:2: is not valid:"),
        ("a list", "- 1", "s.yaml:1: ``: Input should be"),
        ("an unsure probability", ONE + "    least_probability: 70\n", "s.yaml:5: `subscriptions.0.least_probability`:"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_key(case: str, text: str, said: str, taxonomy: Taxonomy) -> None:
    assert problems(text, taxonomy)[0].startswith(said)


def test_everything_that_is_wrong_is_said(taxonomy: Taxonomy, tmp_path: Path) -> None:
    text = ONE + "    zone: Nowhere\n    when: never\n"
    assert len(problems(text, taxonomy)) == 2
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"s\.yaml:5: .*and 1 more; `monitor subscriptions check`"):
        load_subscriptions(tmp_path / "s.yaml", taxonomy)


@pytest.mark.parametrize("text", ["", "# nobody yet\n", "subscriptions:\n", "subscriptions: []\n"])
def test_nobody_is_no_error(text: str, taxonomy: Taxonomy) -> None:
    assert check_subscriptions(text, Path("s.yaml"), taxonomy) == ((), ())


@pytest.mark.parametrize("url", ["https://hooks.example.org/T0KEN", "slack://T0KEN/a/b", "file:///T0KEN", "T0KEN"])
def test_an_apprise_url_does_not_belong_there_and_is_not_repeated(url: str, taxonomy: Taxonomy) -> None:
    [said] = problems(ONE.replace("email: ana@example.org", f"apprise: {url}"), taxonomy)
    assert "write env:NAME or file:PATH" in said
    assert "T0KEN" not in said


@pytest.mark.parametrize("old", [None, FULL, "subscriptions:\n- name: cy\n  channels: [{email: c@example.org}]\n", "subscriptions:\n"])
def test_adding_keeps_what_is_there(old: str | None, tmp_path: Path, taxonomy: Taxonomy) -> None:
    file = tmp_path / "home" / "s.yaml"
    if old is not None:
        file.parent.mkdir()
        file.write_text(old, encoding="utf-8")
        file.chmod(0o600)
    before = load_subscriptions(file, taxonomy) if old else ()
    new = wish("dee", areas=["6g"], when="weekly on friday at 16:00", zone="Asia/Tokyo")
    add_subscription(file, new, taxonomy)
    assert load_subscriptions(file, taxonomy) == (*before, new)
    assert file.read_text(encoding="utf-8").startswith(old or "# Who is told what")
    assert [p.name for p in file.parent.iterdir()] == ["s.yaml"]
    assert old is None or stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(("case", "keys"), [("the name is there", {"name": "ANA"}), ("no such area", {"areas": ["7g"]})])
def test_adding_what_does_not_fit_changes_nothing(case: str, keys: dict[str, Any], tmp_path: Path, taxonomy: Taxonomy) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(FULL, encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(InputError, match=r"s\.yaml:\d+"):
        add_subscription(file, wish(**{"name": "dee", **keys}), taxonomy)
    assert file.read_text(encoding="utf-8") == FULL
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_flow_list_is_left_to_people(tmp_path: Path, taxonomy: Taxonomy) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("subscriptions: []\n")
    with pytest.raises(InputError):
        add_subscription(file, wish("dee"), taxonomy)
    assert file.read_text() == "subscriptions: []\n"


def test_the_demo_has_one_reader_and_is_written_once(tmp_path: Path, taxonomy: Taxonomy) -> None:
    file = tmp_path / "demo" / "subscriptions.yaml"
    demo_subscription(file)
    [reader] = load_subscriptions(file, taxonomy)
    assert (reader.areas, reader.when, [c.kind for c in reader.channels]) == ("all", "at once", ["email"])
    file.write_text("subscriptions:\n")
    demo_subscription(file)
    assert load_subscriptions(file, taxonomy) == ()


def test_facets_choose_among_the_areas(taxonomy: Taxonomy) -> None:
    technology = wish(facets=["technology"]).area_ids(taxonomy)
    assert set(technology) == {a.id for a in taxonomy.areas if a.facet == "technology"}


def test_a_name_is_no_path_and_no_header() -> None:
    for name in ("../etc", "a/b", "", " a", "a" * 81, "a<b>"):
        with pytest.raises(ValidationError):
            wish(name, channels=[{"email": "a@example.org"}])
