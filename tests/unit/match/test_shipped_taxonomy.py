"""The shipped words and the shipped matcher: lists are found whole, and what merely looks alike is left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_lexicon import words

from monitor.app import open_matcher
from monitor.domain import Paragraph
from monitor.embed import Encoder
from monitor.match import Matcher
from monitor.match.lexical import Lexicon
from monitor.settings import Settings
from monitor.taxonomy import load_taxonomy

# What China's industry ministry named in July 2024, in the order of its list.
NINE = {
    "humanoid-robots",
    "brain-machine-interfaces",
    "metaverse",
    "next-generation-internet",
    "6g",
    "quantum-technology",
    "atomic-level-manufacturing",
    "deep-sea",
    "aerospace",
}
LISTS = [
    "Priority, said the minister, goes to humanoid robots, brain–machine interfaces, the metaverse, the next-generation internet, 6G, "
    "quantum technology, atomic-level manufacturing, and to development in the deep sea and aerospace.",
    "部长说，重点是人形机器人、脑机接口、元宇宙、下一代互联网、６Ｇ、量子科技、原子级制造和深海空天开发。",
    "部長表示，重點是人形機器人、腦機介面、元宇宙、下一代網際網路、6G、量子科技、原子級製造與深海空天開發。",
]


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    whole = load_taxonomy()
    return Lexicon(replace(whole, areas=tuple(area for area in whole.areas if area.facet == "technology")))


@pytest.fixture(scope="module")
def shipped() -> tuple[Matcher, Encoder]:
    return open_matcher(Settings())


@pytest.mark.parametrize("text", LISTS)
def test_a_list_of_nine_is_found_by_its_words(lexicon: Lexicon, text: str) -> None:
    assert set(words(lexicon.find(text), text)) == NINE


@pytest.mark.parametrize("text", LISTS)
def test_a_list_of_nine_has_nine_hits(shipped: tuple[Matcher, Encoder], text: str) -> None:
    matcher, encoder = shipped
    (hits,) = matcher.match([Paragraph("0", text)], encoder.encode([text]))
    technologies = [hit for hit in hits if matcher.facets[hit.area] == "technology"]
    assert {hit.area for hit in technologies} == NINE
    for hit in technologies:
        assert hit.evidence.mentions, "each is found by name"


@pytest.mark.parametrize(
    ("instrument", "text"),
    [
        ("policy-export-control", "Washington put two more makers of lithography tools on the Entity List and tightened export controls."),
        ("policy-strategy", "工信部等七部门印发实施意见，提出到2027年培育一批未来产业先导区。"),
        ("policy-procurement", "Das Beschaffungsamt der Bundeswehr hat den Auftrag über zwölf Satelliten öffentlich ausgeschrieben."),
        ("policy-standards", "La norma fue aprobada por el comité de ISO e IEC tras cuatro años de trabajo."),
    ],
)
def test_what_is_being_done_is_found(shipped: tuple[Matcher, Encoder], instrument: str, text: str) -> None:
    matcher, encoder = shipped
    (hits,) = matcher.match([Paragraph("0", text)], encoder.encode([text]))
    assert instrument in {hit.area for hit in hits}


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("a unit of length", "The ark was three hundred cubits long."),
        ("biscuits", "ウエハースとチョコレートの新商品が発売された。"),
        ("an author", "アイザック・アシモフの小説が映画になる。"),
        ("a room", "Residents may book the rec room on Sundays."),
        ("ordinary Chinese", "当时的科技水平还不高。"),
        ("naval mines", "Deux mines sous-marines de la guerre ont été détruites au large."),
        ("walking on two legs", "The fossil settles when bipedal locomotion began."),
        ("assistants to directors", "A assistente de direção do filme recebeu o prêmio."),
        ("an astronomer", "The Vera Rubin Observatory saw first light."),
        ("a game theorem", "The minimax theorem is a century old."),
        ("to scale", "Few firms manage to scale AI beyond a pilot."),
        ("a model based on something", "데이터 기반 모델을 활용해 수요를 예측한다."),
        ("a stage", "Stage 6G of the rally, seat 6G of the train, 2.6G of memory."),
        ("a leap", "A quantum leap for the club, said its coach."),
    ],
)
def test_what_merely_looks_alike(lexicon: Lexicon, case: str, text: str) -> None:
    assert words(lexicon.find(text), text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "The council voted on Tuesday to raise the price of a tram ticket by ten cents from January.",
        "Nach dem Sturm blieben in der Altstadt zwei Straßen gesperrt, verletzt wurde niemand.",
        "警方提醒市民，近期有人冒充快递员行骗，请勿泄露验证码。",
        "",
        "6",
        "\ud800\x00\u202e",
    ],
)
def test_ordinary_news_has_no_hit(shipped: tuple[Matcher, Encoder], text: str) -> None:
    matcher, encoder = shipped
    (hits,) = matcher.match([Paragraph("0", text)], encoder.encode([text]))
    assert [hit.area for hit in hits if matcher.facets[hit.area] == "technology"] == []
