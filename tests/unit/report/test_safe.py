"""Quotes with their words marked, addresses that may be links, text without tricks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain import Mention
from monitor.report.formats import few, share, times, words
from monitor.report.safe import QUOTE_CHARACTERS, clean, language_tag, pieces, web_address
from tests.unit.report.sites import story


def marked(text: str, *spans: tuple[int, int], limit: int = QUOTE_CHARACTERS) -> str:
    found = pieces(text, [Mention("w", start, end) for start, end in spans], limit)
    return "".join(f"[{p.text}]" if p.marked else p.text for p in found)


@pytest.mark.parametrize(
    ("case", "spans", "shown"),
    [
        ("one", [(2, 9)], "A [quantum] computer"),
        ("none", [], "A quantum computer"),
        ("at both ends", [(0, 1), (10, 18)], "[A] quantum [computer]"),
        ("overlapping", [(2, 9), (2, 18)], "A [quantum][ computer]"),
        ("beside each other", [(2, 9), (9, 18)], "A [quantum][ computer]"),
        ("outside", [(50, 60), (-4, 1)], "[A] quantum computer"),
        ("backwards", [(9, 2)], "A quantum computer"),
    ],
)
def test_words_are_marked(case: str, spans: list[tuple[int, int]], shown: str) -> None:
    assert marked("A quantum computer", *spans) == shown


def test_a_long_quote_is_cut_around_its_first_word() -> None:
    text = "word " * 400 + "quantum " + "word " * 400
    shown = marked(text, (2000, 2007))
    assert "[quantum]" in shown
    assert len(shown) < QUOTE_CHARACTERS + 10
    assert shown.startswith("… word")
    assert shown.endswith(" …")


def test_a_long_quote_without_spaces_is_cut_too() -> None:
    shown = marked("字" * 900 + "量子" + "字" * 900, (900, 902))
    assert "[量子]" in shown


@given(st.text(max_size=80), st.lists(st.tuples(st.integers(-5, 90), st.integers(-5, 90)), max_size=6), st.integers(5, 90))
def test_nothing_of_a_short_quote_is_lost(text: str, spans: list[tuple[int, int]], limit: int) -> None:
    found = pieces(text, [Mention("w", *span) for span in spans], limit)
    if len(text) <= limit:
        assert "".join(p.text for p in found) == clean(text)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://news.example/a?b=c#d", True),
        ("HTTP://NEWS.example/", True),
        ("https://例え.jp/記事", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("\x01javascript:alert(1)", False),
        ("data:text/html,<script>", False),
        ("file:///etc/passwd", False),
        ("//news.example/a", False),
        ("https:///nowhere", False),
        ("https://[::1", False),
        ("https://news.example/\u202egnp.exe", False),
        ("", False),
        (None, False),
    ],
)
def test_only_web_addresses_are_links(url: str | None, safe: bool) -> None:
    assert (web_address(url) is not None) == safe


@pytest.mark.parametrize(
    ("code", "tag"), [("en", "en"), ("zh-Hant-TW", "zh-Hant-TW"), ("und", ""), ("", ""), ('en"><script>', ""), ("english", "")]
)
def test_a_language_is_a_tag_or_unknown(code: str, tag: str) -> None:
    assert language_tag(code) == tag


def test_clean_text_keeps_what_scripts_need() -> None:
    assert clean("می‌خواهم 👩‍🔬 e\u0301") == "می‌خواهم 👩‍🔬 e\u0301"
    assert clean("a\u202eb\x07c\nd\u2067e\ud800") == "abc de"


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0\u202f%"), (0.004444, "0.44\u202f%"), (0.0444, "4.4\u202f%"), (0.444, "44\u202f%"), (1.0, "100\u202f%")],
)
def test_a_share_has_two_digits(value: float, written: str) -> None:
    assert share(value) == written


@pytest.mark.parametrize(("value", "written"), [(0.434, "0.43×"), (0.96, "1.0×"), (2.74, "2.7×"), (12.4, "12×")])
def test_times(value: float, written: str) -> None:
    assert times(value) == written


def test_a_mean_has_a_digit_where_it_is_small() -> None:
    assert (few(1.25), few(1234.5)) == ("1.2", "1\u202f234")


def test_a_word_is_named_once_and_strong_if_it_is_anywhere() -> None:
    told = story(quote="chip and chip", mentions=(Mention("chip", 0, 4, weak=True), Mention("chip", 9, 13)))
    assert words(told) == (("chip", False),)
