"""Copies of a story are found whatever was done to them; other stories are left alone."""

from __future__ import annotations

import random
import time
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories import THRESHOLD, StoryIndex, shingles, similarity

DAY = date(2026, 11, 20)
WEEK = timedelta(days=7)

WIRE = {
    "en": """The ministry said on Tuesday that it would pay half of the cost of a new test bed for quantum repeaters on the western
coast. Four laboratories have signed, and a cable operator lends two of its dark fibres between the islands. The first link is to
carry keys by the end of next year, officials said, and the grid operator wants to be its first customer. Critics ask why a relay
station costs three million. A spokeswoman answered that half of that is cooling. The opposition wants the money for broadband in
the villages instead, and has asked for a hearing in December. Two neighbouring states have sent observers to the talks.""",
    "de": """Das Ministerium bezahlt die Hälfte einer neuen Teststrecke für Quantenrepeater an der Westküste, wie es am Dienstag
mitteilte. Vier Labore haben unterschrieben, ein Kabelbetreiber leiht zwei unbeleuchtete Fasern zwischen den Inseln. Die erste
Verbindung soll Ende kommenden Jahres Schlüssel übertragen, und der Netzbetreiber möchte der erste Kunde sein. Kritiker fragen, warum
eine Zwischenstation drei Millionen kostet. Eine Sprecherin antwortete, die Hälfte davon sei Kühlung. Die Opposition will das Geld
lieber für schnelles Internet in den Dörfern und hat für Dezember eine Anhörung beantragt.""",
    "zh": """工信部门周二表示，将承担西海岸量子中继试验线一半的费用。四家实验室已经签约，一家海缆企业借出岛屿之间的两根暗光纤。官员说，首条链路明年底
开始分发密钥，电网公司希望成为第一个用户。有人质疑一座中继站为何要三百万元，发言人回答说其中一半用于制冷。另有议员主张把这笔钱用于乡村宽带，并要求
在十二月举行听证会。两个邻省已派观察员参加会谈，预计春节前公布结果。试验线沿途设有五座机房，由当地高校负责值守，故障时可以切换到备用线路。""",
    "ja": """経済産業省は火曜日、西海岸に設ける量子中継の試験線について費用の半分を負担すると発表した。四つの研究所が契約し、海底ケーブル会社が島の
間の未使用の光ファイバー二本を貸し出す。最初の回線は来年末に鍵の配送を始める見通しで、電力会社が最初の利用者になることを望んでいる。中継局一つに三億円
かかる理由を問う声もあるが、広報担当者は半分は冷却の費用だと答えた。野党は農村の通信網に使うべきだとして、十二月の公聴会を求めている。""",
    "ko": """산업부는 서해안 양자 중계 시험망 비용의 절반을 부담하겠다고 화요일 밝혔다. 연구소 네 곳이 서명했고 해저 케이블 회사가 섬 사이의 사용하지 않는
광섬유 두 가닥을 빌려준다. 첫 회선은 내년 말부터 암호 키를 보내고 전력 회사가 첫 고객이 되기를 바란다고 관계자는 말했다. 중계국 하나에 왜 삼십억 원이
드는지 묻는 사람도 있으나 대변인은 절반이 냉각 비용이라고 답했다. 야당은 농촌 통신망에 써야 한다며 십이월 공청회를 요구했다.""",
}
OTHER = {
    "en": """A court in the capital has fined three dairies for agreeing on the price of butter over six years. The judges called the
meetings in a motorway inn a cartel of the old school, with numbered envelopes and a table for late-comers. Consumers may claim back
what they paid too much, the office said, if they have kept their receipts, which lawyers think unlikely. Shares of the largest dairy
fell by a tenth. The farmers, who had complained first, get nothing, but hope for better contracts in the spring.""",
    "de": """Ein Gericht in der Hauptstadt hat drei Molkereien verurteilt, weil sie sechs Jahre lang den Preis der Butter absprachen.
Die Richter nannten die Treffen in einem Rasthof ein Kartell der alten Schule, mit nummerierten Umschlägen und einem Tisch für
Nachzügler. Verbraucher können zurückverlangen, was sie zu viel zahlten, sofern sie die Belege behalten haben, was Anwälte für
unwahrscheinlich halten. Die Aktie der größten Molkerei fiel um ein Zehntel. Die Bauern gehen leer aus.""",
    "zh": """首都一家法院因三家乳品企业六年间合谋操纵黄油价格而对其处以罚款。法官称这些企业在高速公路旅店举行的会面是老派的卡特尔，信封编号，迟到者另设一桌。
主管部门说，消费者只要保留收据就可以要求退还多付的钱，不过律师认为这不大可能。最大一家企业的股价下跌一成。最早投诉的奶农一无所得，只盼春天能签到更好的
合同。行业协会表示将在一个月内提交整改方案，并欢迎媒体监督，同时呼吁超市公开进货价格。""",
    "ja": """首都の裁判所は、六年にわたりバターの価格を申し合わせたとして乳業三社に罰金を科した。判事は高速道路沿いの宿での会合を昔ながらのカルテルと呼び、
封筒には番号が振られ遅刻者の席まであったと述べた。当局によれば消費者は領収書があれば払い過ぎた分を取り戻せるが、弁護士は難しいとみる。最大手の株価は一割
下がった。最初に訴えた酪農家は何も得られないが、春にはよりよい契約を望んでいる。""",
    "ko": """수도의 한 법원이 육 년 동안 버터 값을 담합한 유업체 세 곳에 벌금을 물렸다. 판사들은 고속도로 여관에서 열린 모임을 옛날식 카르텔이라고 불렀고 봉투에는
번호가 있었으며 늦게 온 사람을 위한 자리도 따로 있었다고 했다. 당국은 영수증을 가진 소비자가 더 낸 돈을 돌려받을 수 있다고 말했으나 변호사들은 어렵다고 본다.
가장 큰 업체의 주가는 십 분의 일 떨어졌다. 먼저 불만을 낸 농민은 아무것도 얻지 못했다.""",
}


def _without_words(text: str, every: int) -> str:
    words = list(text) if "。" in text else text.split()
    return ("" if "。" in text else " ").join("—" if number % every == every - 1 else word for number, word in enumerate(words))


COPIES = {
    "the same": lambda text, other: text,
    "other case and spaces": lambda text, other: "  ".join(text.upper().split(" ")),
    "another headline and lead-in": lambda text, other: other[: len(other) // 6] + "\n" + text,
    "cut to half": lambda text, other: text[: len(text) // 2],
    "the second half": lambda text, other: text[len(text) // 2 :],
    "one word of twenty changed": lambda text, other: _without_words(text, 20),
    "with background behind it": lambda text, other: text + "\n" + other[: len(other) // 2],
}


@pytest.mark.parametrize("language", WIRE)
@pytest.mark.parametrize("when", COPIES)
def test_a_copy_is_the_same_story(when: str, language: str) -> None:
    index = StoryIndex(WEEK)
    index.add(7, DAY, shingles(OTHER[language]))
    index.add(5, DAY, shingles(WIRE[language]))
    copy = COPIES[when](WIRE[language], OTHER[language])
    assert index.nearest(DAY, shingles(copy)) == 5


@pytest.mark.parametrize("language", WIRE)
def test_other_news_is_another_story(language: str) -> None:
    index = StoryIndex(WEEK)
    index.add(5, DAY, shingles(WIRE[language]))
    assert index.nearest(DAY, shingles(OTHER[language])) is None
    assert similarity(shingles(WIRE[language]), shingles(OTHER[language])) < 0.1


def test_a_quote_in_common_makes_no_story() -> None:
    quote = WIRE["en"].split(". ")[3] + ". " + WIRE["en"].split(". ")[4] + "."
    assert similarity(shingles(WIRE["en"]), shingles(OTHER["en"] + " " + quote)) < THRESHOLD


def test_a_round_up_that_holds_the_story_among_many_is_not_it() -> None:
    brief = " ".join(WIRE["en"].split()[:50])
    filler = " ".join(f"word{number} and another{number} or so" for number in range(200))
    assert similarity(shingles(brief), shingles(f"{filler} {brief} {filler}")) < THRESHOLD


@pytest.mark.parametrize(
    ("when", "days", "found"),
    [
        ("the same day", 0, True),
        ("a week later", 7, True),
        ("a week before", -7, True),
        ("eight days later", 8, False),
        ("a year later", 365, False),
    ],
)
def test_only_within_reach(when: str, days: int, found: bool) -> None:
    index = StoryIndex(WEEK)
    index.add(5, DAY, shingles(WIRE["en"]))
    assert (index.nearest(DAY + timedelta(days=days), shingles(WIRE["en"])) == 5) is found


def test_the_nearest_of_several_wins_and_the_first_of_equals() -> None:
    index = StoryIndex(WEEK)
    index.add(1, DAY, shingles(WIRE["en"][: len(WIRE["en"]) * 2 // 3] + OTHER["en"][:200]))
    index.add(2, DAY, shingles(WIRE["en"]))
    index.add(3, DAY, shingles(WIRE["en"]))
    assert index.nearest(DAY, shingles(WIRE["en"])) == 2


SHORT_TEXT = "The ministry will decide on Tuesday whether to pay for the test bed."


@pytest.mark.parametrize(
    ("when", "other", "same"),
    [
        ("the same words", "the ministry will decide  on Tuesday, whether to pay for the test bed", True),
        ("one word more", SHORT_TEXT + " Probably.", False),
        ("a longer text with it", SHORT_TEXT + " " + WIRE["en"], False),
    ],
)
def test_a_short_text_is_the_same_or_another(when: str, other: str, same: bool) -> None:
    index = StoryIndex(WEEK)
    index.add(5, DAY, shingles(SHORT_TEXT))
    assert (index.nearest(DAY, shingles(other)) == 5) is same


def test_sketches_are_small_and_do_not_change() -> None:
    assert len(shingles(WIRE["de"])) == 517
    assert len(shingles("")) == 17
    # stored sketches are compared with new ones: a change of these bytes would split stories
    assert shingles(WIRE["de"])[:9].hex() == "1251000000e2b0e93f"


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_has_a_sketch(one: str, other: str) -> None:
    first, second = shingles(one), shingles(other)
    assert similarity(first, first) == 1.0
    assert similarity(first, second) == similarity(second, first)
    assert 0.0 <= similarity(first, second) <= 1.0


@pytest.mark.parametrize("text", ["\0" * 1000, "\ud800" * 1000, "a" * 1_000_000, "词" * 200_000, "́" * 100_000, "a b " * 100_000])
def test_hostile_text_is_sketched_in_time(text: str) -> None:
    begun = time.perf_counter()
    assert similarity(shingles(text), shingles(text)) == 1.0
    assert time.perf_counter() - begun < 10


def test_a_window_of_articles_is_searched_fast() -> None:
    rng = random.Random(3)
    index = StoryIndex(WEEK)
    sketches = [shingles(" ".join(f"w{rng.randrange(4000)}" for _ in range(150))) for _ in range(3_000)]
    begun = time.perf_counter()
    for number, sketch in enumerate(sketches):
        assert index.nearest(DAY, sketch) is None
        index.add(number, DAY, sketch)
    assert [index.nearest(DAY, sketch) for sketch in sketches[:50]] == list(range(50))
    assert time.perf_counter() - begun < 15  # a second on a quiet machine
