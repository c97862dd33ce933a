"""Aliases in every script's own way: what is found, what is not, and where."""

from __future__ import annotations

import gc
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_lexicon import found, quotes, words

from monitor.folding import fold
from monitor.match.lexical import Lexicon, Role, compile_alias
from tests.fakes import area, taxonomy


@pytest.mark.parametrize(
    ("case", "alias", "text", "expected"),
    [
        # English and what holds for all alphabets
        ("a word", "metaverse", "The metaverse is late.", ["metaverse"]),
        ("not within a word", "agent", "reagents and agentic", []),
        ("case is ignored", "quantum computer", "QUANTUM Computer", ["QUANTUM Computer"]),
        ("plural in -s", "humanoid robot", "Humanoid robots, a humanoid robot's arm", ["Humanoid robots", "humanoid robot"]),
        ("plural in -es", "wireless bus", "wireless buses", ["wireless buses"]),
        ("plural of capitals", "LLM", "LLMs and an LLM", ["LLMs", "LLM"]),
        ("capitals only as written", "AIS", "ais and AIS", ["AIS"]),
        ("no plural of capitals in capitals", "AI", "AIS data of ships", []),
        ("capitals with a digit", "6G", "6G, (6G), 6G's, 6g", ["6G", "6G", "6G"]),
        ("not within a number", "6G", "16G 6GB x6G 6G2", []),
        ("not after a decimal point", "6G", "2.6G and 1,6G, but: .6G", ["6G"]),
        ("exact case", "=Figure", "Figure and figure and FIGURE", ["Figure"]),
        ("exact case of capitals", "=IRON", "Iron, iron, IRON", ["IRON"]),
        ("a hyphen for a space", "brain computer interface", "brain-computer interfaces", ["brain-computer interfaces"]),
        ("an en dash for a space", "brain computer interface", "Brain–computer interface", ["Brain–computer interface"]),
        ("a line break for a space", "brain computer interface", "brain\n computer\r\n\tinterface", ["brain\n computer\r\n\tinterface"]),
        ("a soft hyphen within", "metaverse", "the meta\u00adverse", ["meta\u00adverse"]),
        ("no space where none is", "data centre", "datacentre", []),
        ("full width", "6G", "次世代の６Ｇ通信", ["６Ｇ"]),
        ("after an underscore", "6G", "report_6G_final", ["6G"]),
        ("a star ends a word", "quantum comput*", "quantum computing, quantum computers", ["quantum computing", "quantum computers"]),
        ("a star needs no letter", "qubit*", "one qubit, two qubits", ["qubit", "qubits"]),
        ("a star stays in the word", "quantum comput*", "quantum compute power", ["quantum compute"]),
        ("a star at the front", "*prozessor", "Quantenprozessor, Prozessor", ["Quantenprozessor", "Prozessor"]),
        ("stars in the middle", "interfaz* cerebr* máquina", "interfaces", []),
        ("two in one text, each at its place", "*prozessor", "Bildprozessor Tonprozessor", ["Bildprozessor", "Tonprozessor"]),
        ("punctuation of its own", "Plus.ai", "by Plus.ai.", ["Plus.ai"]),
        ("left-over markup", "humanoid robot", "<b>humanoid</b>&nbsp;robots", ["humanoid</b>&nbsp;robots"]),
        # German
        ("compound", "Quantencomputer*", "Quantencomputerentwicklung", ["Quantencomputerentwicklung"]),
        ("hyphenated compound", "6G Netz*", "das 6G-Netzwerk", ["6G-Netzwerk"]),
        ("inflected adjective", "autonome* Fahr*", "autonomes Fahren, autonomem Fahren", ["autonomes Fahren", "autonomem Fahren"]),
        ("umlaut decomposed", "Gedächtnis*", "Geda\u0308chtnisprothese", ["Geda\u0308chtnisprothese"]),
        ("ß", "Großrechner", "Großrechner, Grossrechner", ["Großrechner"]),
        # French, Spanish, Portuguese, Italian
        ("elision", "intelligence artificielle", "l’intelligence artificielle", ["intelligence artificielle"]),
        ("accents count", "métavers", "metavers métavers", ["métavers"]),
        ("accents decomposed", "métavers", "me\u0301tavers.", ["me\u0301tavers"]),
        ("both words inflected", "ordenador* cuántico*", "ordenadores cuánticos", ["ordenadores cuánticos"]),
        ("accent before the alias", "tica", "cuántica", []),
        ("Portuguese", "computaç* quântica", "a computação quântica", ["computação quântica"]),
        ("Italian", "guida autonoma", "Guida autonoma: i test", ["Guida autonoma"]),
        # Russian
        ("inflected", "квантов* компьютер*", "о квантовых компьютерах", ["квантовых компьютерах"]),
        ("not within a word", "робот", "работа, роботы, роботов", []),
        ("ё for е and back", "самолёт*", "самолеты и самолёты", ["самолеты", "самолёты"]),
        ("Latin beside Cyrillic", "6G", "сети 6G-связи", ["6G"]),
        # Chinese
        ("anywhere", "量子计算", "超导量子计算机", ["量子计算"]),
        ("traditional", "量子计算", "超導量子計算", ["量子計算"]),
        ("traditional alias", "人形機器人", "人形机器人", ["人形机器人"]),
        ("Latin beside Chinese", "6G", "6G技术与AI6G", ["6G"]),
        ("a space between Latin and Chinese", "AI大模型", "国产 AI 大模型", ["AI 大模型"]),
        ("no space between Latin and Chinese", "AI 大模型", "国产AI大模型", ["AI大模型"]),
        ("broken across lines", "脑机接口", "脑机\n接口", ["脑机\n接口"]),
        ("in quotation marks", "元宇宙", "“元宇宙”", ["元宇宙"]),
        # Japanese
        ("katakana", "メタバース", "メタバース空間", ["メタバース"]),
        ("half-width katakana", "ビヨンド5G", "ﾋﾞﾖﾝﾄﾞ5G", ["ﾋﾞﾖﾝﾄﾞ5G"]),
        ("a middle dot", "ブレイン・マシン", "ブレインマシン、ブレイン・マシン", ["ブレインマシン", "ブレイン・マシン"]),
        # Korean
        ("particle", "양자컴퓨터", "양자컴퓨터는 양자컴퓨터를", ["양자컴퓨터", "양자컴퓨터"]),
        ("an optional space", "양자 컴퓨터", "양자컴퓨터가, 양자 컴퓨터도", ["양자컴퓨터", "양자 컴퓨터"]),
        ("each space by itself", "5G 다음 세대", "5G다음 세대, 5G 다음세대", ["5G다음 세대", "5G 다음세대"]),
        ("from the start of a word", "반도체", "시스템반도체와 반도체", ["반도체"]),
        ("anywhere with a star", "*반도체", "시스템반도체와", ["반도체"]),
        ("after Latin", "반도체", "AI반도체", ["반도체"]),
        ("Latin before a particle", "6G", "6G를", ["6G"]),
        ("decomposed", "로봇", "\u1105\u1169\u1107\u1169\u11ba이", ["\u1105\u1169\u1107\u1169\u11ba"]),
        # Scripts nobody listed
        ("beside Arabic", "6G", "شبكات6G الجديدة", ["6G"]),
        ("between right-to-left marks", "6G", "\u200f6G\u200f", ["6G"]),
        ("beside Thai", "6G", "เครือข่าย6Gใหม่", ["6G"]),
        ("beside an astral character", "qubit", "😀 qubit 😀", ["qubit"]),
    ],
)
def test_where_an_alias_stands(case: str, alias: str, text: str, expected: list[str]) -> None:
    assert quotes(text, found(text, alias)) == expected


@pytest.mark.parametrize(
    ("case", "given", "text", "strong", "weak"),
    [
        ("the longest stands", {"strong": ["quantum", "quantum computer"]}, "a quantum computer", ["quantum computer"], []),
        (
            "each stands alone",
            {"strong": ["quantum", "quantum computer"]},
            "quantum, quantum computer",
            ["quantum", "quantum computer"],
            [],
        ),
        ("strong before weak of its length", {"strong": ["robot"], "weak": ["robot"]}, "a robot", ["robot"], []),
        ("also where it is found later", {"strong": ["*bot"], "weak": ["robot"]}, "a robot", ["robot"], []),
        ("a longer weak one softens", {"strong": ["chat bot"], "weak": ["shop chat bot"]}, "a shop chat bot", [], ["shop chat bot"]),
        ("weak beside strong", {"strong": ["qubit"], "weak": ["ion"]}, "ion, qubit", ["qubit"], ["ion"]),
        ("a look-alike takes out", {"strong": ["6G"], "negatives": ["stage 6G"]}, "Stage 6G", [], []),
        ("only what it overlaps", {"strong": ["6G"], "negatives": ["stage 6G"]}, "6G at stage 6G, 6G", ["6G", "6G"], []),
        ("overlap in part", {"strong": ["quantum leap year"], "negatives": ["the quantum"]}, "the quantum leap year", [], []),
        ("not a longer alias around it", {"strong": ["moon stage 6G"], "negatives": ["stage 6G"]}, "moon stage 6G", ["moon stage 6G"], []),
        ("one of its own length goes", {"strong": ["stage 6G"], "negatives": ["Stage 6G"]}, "stage 6G", [], []),
        ("weak ones too", {"weak": ["agent"], "negatives": ["estate agent"]}, "estate agent and agent", [], ["agent"]),
        (
            "two look-alikes, one far longer",
            {"strong": ["6G"], "negatives": ["a", "seat 6G by the window"]},
            "a seat 6G by the window 6G",
            ["6G"],
            [],
        ),
    ],
)
def test_what_overlaps(case: str, given: dict[str, Any], text: str, strong: list[str], weak: list[str]) -> None:
    what = found(text, *given.get("strong", ()), weak=given.get("weak", ()), negatives=given.get("negatives", ()))
    assert quotes(text, what) == strong
    assert [m.alias for m in what.weak] == weak
    assert all(m.weak for m in what.weak)


def test_look_alikes_are_named_even_where_nothing_is_taken_out() -> None:
    what = found("a quantum of solace", "qubit", negatives=["quantum of solace"])
    assert (what.strong, what.negatives) == ((), ("quantum of solace",))


def test_a_look_alike_of_one_area_leaves_the_others() -> None:
    text = "a quantum satellite"
    rows = Lexicon(taxonomy(area("quantum", "quantum satellite"), area("space", "satellite", negatives=["quantum satellite"]))).find(text)
    assert words(rows, text) == {"quantum": ["quantum satellite"]}


def test_one_alias_of_two_areas_is_found_for_both() -> None:
    text = "GPU"
    assert words(Lexicon(taxonomy(area("chips", "GPU"), area("compute", "GPU"))).find(text), text) == {"chips": ["GPU"], "compute": ["GPU"]}


def test_an_alias_without_a_letter_is_nowhere() -> None:
    assert not compile_alias("one", "=*-", Role.STRONG).anchor
    assert found("a - b * c", "=*", "-").strong == ()


def test_no_alias_at_all() -> None:
    assert Lexicon(taxonomy(area("one"))).find("text") == {}


PIECES = st.sampled_from(
    [
        *" -–*.,\n\u200f\u200b\u0301\x00",
        "\ud800",
        "6G",
        "６Ｇ",
        "qubit",
        "Qubits",
        "quantum",
        "leap",
        "computer",
        "量子",
        "計算",
        "计算",
        "机",
        "양자",
        "컴퓨터",
        "는",
        "квантов",
        "ого",
        "компьютер",
        "e\u0301",
        "ﬁ",
        "😀",
        "<b>",
        "&nbsp;",
        "שלום",
    ]
)


@given(st.lists(PIECES | st.characters(), max_size=30).map("".join))
def test_mentions_quote_the_original(text: str) -> None:
    lexicon = Lexicon(
        taxonomy(
            area("one", "6G", "qubit", "quantum comput*", "квантов* компьютер*", "量子计算", "양자 컴퓨터", negatives=["quantum leap"]),
            area("two", "*computer", weak=["量子", "leap"]),
        )
    )
    for what in lexicon.find(text).values():
        places = [(m.start, m.end) for m in (*what.strong, *what.weak)]
        for mention in (*what.strong, *what.weak):
            assert 0 <= mention.start < mention.end <= len(text)
            quote = text[mention.start : mention.end]
            assert fold(mention.alias.split("*")[0].split(" ")[0]).lower[:4] in fold(quote).lower
        for first, second in zip(sorted(places), sorted(places)[1:], strict=False):
            assert first[1] <= second[0], "mentions of one area do not overlap"


@pytest.mark.parametrize(
    ("case", "piece"),
    [
        ("one endless word", "a"),
        ("an endless word of anchors", "prozessor"),
        ("mentions", "6G "),
        ("look-alikes", "quantum leap "),
        ("mentions and look-alikes", "6G stage 6G quantum "),
        ("half a long alias", "квантов "),
        ("left-overs", "<b>6G</b>&nbsp;"),
        ("Chinese", "量子 计算，"),
        ("Korean", "양자 컴퓨터는 "),
        ("marks", "6\u0301"),
        ("lone surrogates", "\ud800"),
    ],
)
def test_time_grows_with_the_text_alone(case: str, piece: str) -> None:
    lexicon = Lexicon(
        taxonomy(
            area("one", "6G", "*prozessor", "квантов* компьютер*", "양자 컴퓨터", "量子计算", negatives=["stage 6G", "quantum leap*"]),
            area("two", "a*a", weak=["quantum", "leap"]),
        )
    )

    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        gc.disable()  # or it would look through all that other tests have left
        started = time.process_time()
        lexicon.find(text)
        spent = time.process_time() - started
        gc.enable()
        return spent

    seconds(1_000)
    assert seconds(40_000) < 10 * seconds(10_000) + 0.2


def test_a_large_taxonomy() -> None:
    areas = [area(f"area-{n:03}", *(f"term{n}x{k} of craft*" for k in range(34))) for n in range(300)]
    started = time.process_time()
    lexicon = Lexicon(taxonomy(*areas))
    assert time.process_time() - started < 10
    text = "Here is term7x3 of crafts, and term299x33 of crafting; term7x3 of draft."
    assert words(lexicon.find(text), text) == {"area-007": ["term7x3 of crafts"], "area-299": ["term299x33 of crafting"]}
