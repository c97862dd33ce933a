"""Texts are compared in one form, and every place in it leads back to the original."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.folding import fold

PIECES = st.sampled_from(
    [
        *"aZéß 6G\t\n-–·_/’<>&;#",
        "６Ｇ",
        "ﬁ",
        "e\u0301",
        "\u0301",
        "İ",
        "ё",
        "\u200b",
        "\u200f",
        "\u00ad",
        "\ud800",
        "\x00",
        "量子",
        "機器",
        "ガ",
        "ｶﾞ",
        "로봇",
        "\u1112\u1161\u11ab",
        "𝟞",
        "😀",
        "שלום",
        "ﷺ",
        "&nbsp;",
        "<b>",
        "</p>",
        "&#8211;",
    ]
)
TEXTS = st.lists(PIECES | st.characters(), max_size=40).map("".join)


@pytest.mark.parametrize(
    ("case", "text", "cased"),
    [
        ("full width", "６Ｇ", "6G"),
        ("dashes of every kind", "a-b–c—d−e－f‑g", "a b c d e f g"),
        ("spaces of every kind", "a\u00a0b\u2009c\u3000d\te\nf", "a b c d e f"),
        ("several spaces are one", "a - \n b", "a b"),
        ("invisible marks", "quan\u00adtum\u200b \u200fcomputer", "quantum computer"),
        ("traditional Chinese", "類腦晶片與量子計算", "类脑晶片与量子计算"),
        ("a space within Chinese", "量子\n计算", "量子计算"),
        ("a space between Latin and Chinese", "6G 技术 和 AI", "6G技术和AI"),
        ("a dot between katakana", "ビヨンド・ファイブ", "ビヨンドファイブ"),
        ("half-width katakana with voicing", "ﾋﾞﾖﾝﾄﾞ5G", "ビヨンド5G"),
        ("Korean keeps its spaces", "양자 컴퓨터", "양자 컴퓨터"),
        ("decomposed Korean", unicodedata.normalize("NFD", "양자"), "양자"),
        ("decomposed accents", unicodedata.normalize("NFD", "métavers"), "métavers"),
        ("ё is written е", "самолёт Ёлка", "самолет Елка"),
        ("a curly apostrophe", "l’IA", "l'IA"),
        ("a tag that was left over", "<b>brain</b><i>computer</i>", " brain computer "),
        ("entities that were left over", "brain&ndash;computer&nbsp;interface &amp; &#54;G", "brain computer interface & 6G"),
        ("no tag and no entity", "a < b & c; x>y", "a < b & c; x>y"),
        ("a lone surrogate", "a\ud800b", "a\ufffdb"),
        ("NUL", "a\x00b", "a b"),
        ("nothing", "", ""),
        ("invisible alone", "\u200b", ""),
    ],
)
def test_fold(case: str, text: str, cased: str) -> None:
    folded = fold(text)
    assert folded.cased == cased
    assert folded.lower == cased.lower()


@given(TEXTS)
def test_every_place_leads_back(text: str) -> None:
    folded = fold(text)
    assert len(folded.lower) == len(folded.cased)
    last = (0, 0)
    for at in range(len(folded.cased)):
        start, end = folded.span(at, at + 1)
        assert 0 <= start < end <= len(text)
        assert (start, end) >= last, "places go forward"
        last = (start, end)


@given(TEXTS)
def test_what_is_folded_once_stays(text: str) -> None:
    once = fold(text).cased
    if "<" not in text and "&" not in text:
        assert fold(once).cased == once


@given(TEXTS)
def test_what_a_span_quotes_folds_to_the_same(text: str) -> None:
    folded = fold(text)
    if "<" not in text and "&" not in text:
        for at, character in enumerate(folded.cased):
            assert character in fold(text[slice(*folded.span(at, at + 1))]).cased


@pytest.mark.parametrize(
    "piece", ["ab &x ", "６Ｇ 的", "e\u0301", "\u0301", "<a", "&amp", "&a;", "</", "<a " + "b" * 299, "\u1161", "  ", "\ud800", "ﷺ"]
)
def test_time_grows_with_the_text_alone(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        started = time.process_time()
        fold(text)
        return time.process_time() - started

    seconds(1_000)
    assert seconds(20_000) < 10 * seconds(5_000) + 0.1
