"""New names and terms beside an area, in several scripts, and areas named together."""

from __future__ import annotations

import time
from datetime import date

import pytest

from monitor.trends import HitText, fresh_terms, named_together


def text(story: int, words: str, area: str = "quantum", language: str = "en") -> HitText:
    return HitText(area, story, language, words, f"Headline {story}", f"https://news.example/{story}")


HISTORY = [
    text(n, f"Number {n}: Corwen of Delft sells a quantum computer to the ministry. 代尔夫特的量子计算机。") for n in range(100, 160)
]


def terms(*week: HitText, history: list[HitText] = HISTORY, known: tuple[str, ...] = ("quantum computer", "量子计算机")) -> list[str]:
    return [f.term for f in fresh_terms(week, history, {"quantum": known}).get("quantum", ())]


@pytest.mark.parametrize(
    ("case", "first", "second", "found"),
    [
        ("a firm", "Now Brightwater Systems sells one.", "A rival, Brightwater Systems, has two.", "Brightwater Systems"),
        ("with an ampersand", "It is Halm & Voss again.", "The firm Halm & Voss denies it.", "Halm & Voss"),
        ("a product with a number", "They call it Heron 9 now.", "The chip Heron 9 is cold.", "Heron 9"),
        ("an acronym", "The body QTSA decides.", "Members of QTSA met.", "QTSA"),
        ("a single name inside a sentence", "It was built in Zwolle by four people.", "The mayor of Zwolle was glad.", "Zwolle"),
        ("accents", "La start-up Écrin Quantique naît.", "Pour Écrin Quantique, tout commence.", "Écrin Quantique"),
        ("Cyrillic", "Компания Светлые Воды открылась.", "Это сделали Светлые Воды сами.", "Светлые Воды"),
        ("Han", "光明水系统公司周二发布。", "昨天光明水系统公司表示", "光明水系统公司"),
        ("Latin letters in Chinese", "代尔夫特的Brightwater Systems周二展示。", "昨天Brightwater Systems表示", "Brightwater Systems"),
        ("Latin letters in Japanese", "デルフトのHeron9を公開", "このHeron9は冷たい", "Heron9"),
        ("katakana", "新会社ブライトウォーターが発表", "政府はブライトウォーターと契約", "ブライトウォーター"),
        ("Hangul", "어제 브라이트워터 발표", "정부는 브라이트워터 지원", "브라이트워터"),
    ],
)
def test_a_new_name_is_found(case: str, first: str, second: str, found: str) -> None:
    assert found in terms(text(1, first), text(2, second))


@pytest.mark.parametrize(
    ("case", "week"),
    [
        ("known from history", ["It is Corwen again.", "And so says Corwen too."]),
        ("one story only", ["It is Zwolle again.", "Nothing to say."]),
        ("the first word of a sentence", ["Perhaps it works.", "It does not. Perhaps later."]),
        ("a word of the area itself", ["The QUANTUM Computer is here.", "A QUANTUM Computer too."]),
        (
            "a whole sentence that two stories share",
            ["昨天公布的第二个项目由大学牵头并将于明年完成", "昨天公布的第二个项目由大学牵头并将于明年完成"],
        ),
    ],
)
def test_what_is_no_new_name_is_not_found(case: str, week: list[str]) -> None:
    assert terms(*(text(n, words) for n, words in enumerate(week, 1))) == []


def test_a_name_counts_in_longer_ones_too() -> None:
    week = [
        "Now Brightwater Systems sells one.",
        "A rival, Brightwater Systems, has two.",
        "For Brightwater Systems of Delft it is the third.",
    ]
    (found,) = fresh_terms([text(n, words) for n, words in enumerate(week)], HISTORY, {})["quantum"]
    assert (found.term, found.stories) == ("Brightwater Systems", 3)


def test_copies_of_one_story_count_once() -> None:
    assert terms(text(1, "It is Zwolle again."), text(1, "So it is Zwolle again.")) == []


def test_a_name_is_not_found_inside_a_longer_word() -> None:
    history = [text(n, "The Zwollese mayor has spoken.") for n in range(100, 160)]
    assert "Zwolle" in terms(text(1, "It is in Zwolle."), text(2, "The mayor of Zwolle."), history=history)


def test_what_a_fresh_term_shows_is_its_first_place() -> None:
    (found,) = fresh_terms([text(2, "They are in Zwolle."), text(1, "I was in Zwolle once.")], HISTORY, {})["quantum"]
    assert (found.stories, found.before, found.where.story) == (2, 0, 1)
    assert found.where.text[found.mention.start : found.mention.end] == "Zwolle"


def test_a_part_of_a_longer_name_is_not_shown_twice() -> None:
    assert terms(text(1, "Then Halm & Voss came, with Voss."), text(2, "Now Halm & Voss left; only Voss stays.")) in (
        ["Halm & Voss"],
        ["Voss"],
    )


def test_areas_do_not_mix() -> None:
    week = [text(1, "It is in Zwolle."), text(2, "Near Zwolle, chips.", area="chips")]
    assert fresh_terms(week, HISTORY, {}) == {"quantum": (), "chips": ()}


@pytest.mark.parametrize(
    "hostile",
    ["量" * 20_000, " A" * 20_000, " A & " * 10_000, "1" * 20_000 + "a" * 20_000, "a1-" * 15_000, "Aa" * 20_000, "A of " * 10_000],
)
def test_hostile_texts_take_no_longer(hostile: str) -> None:
    began = time.process_time()  # of this process: others may take the processor
    terms(*(text(n, hostile) for n in range(3)))
    assert time.process_time() - began < 3


def test_nothing_gives_nothing() -> None:
    assert fresh_terms([], [], {}) == {}


DAY = date(2026, 11, 1)


def test_areas_of_one_story_are_together_whatever_article_has_them() -> None:
    found = [(1, "a", date(2026, 9, 1)), (1, "b", date(2026, 9, 2)), (2, "a", DAY), (2, "b", DAY), (2, "c", DAY), (3, "a", DAY)]
    together = named_together(found, since=DAY)
    assert [(t.other, t.stories, t.recent, t.newest) for t in together["a"]] == [("b", 2, 1, 2), ("c", 1, 1, 2)]
    assert [(t.other, t.stories) for t in together["b"]] == [("a", 2), ("c", 1)]


def test_an_area_alone_has_no_companions() -> None:
    assert named_together([(1, "a", DAY), (1, "a", DAY)], since=DAY) == {}
