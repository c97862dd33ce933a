"""Markup → words, in time that grows with the length alone."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.sources.plaintext import one_line, plain_text


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("plain", "plain"),
        ("  two \n\n lines\xa0here ", "two\nlines here"),
        ("<p>One</p><p>Two <b>bo</b>ld</p>", "One\nTwo bold"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<script>x()</script><style>p{}</style>text<svg><text>y</text></svg>", "text"),
        ("AT&amp;T &#8211; &euro;5", "AT&T – €5"),
        ("a &lt;b&gt; c", "a <b> c"),
        ("a < b and c > d", "a < b and c > d"),
        ("Vec<T> is generic", "Vec<T> is generic"),
        ("R&D and Q&A", "R&D and Q&A"),
        ("<!-- note -->seen", "seen"),
        ("<img src='a' alt='b > c'>text", "text"),
        ("unclosed <a href=", "unclosed"),
        ("日本<br>語", "日本\n語"),
        ("<div><div>", ""),
        ("", ""),
    ],
)
def test_plain_text(markup: str, expected: str) -> None:
    assert plain_text(markup) == expected


def test_one_line() -> None:
    assert one_line("<p>One</p>\n<p>Two</p>") == "One Two"


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 100_000 + "x", "<a " * 200_000, "<a " + " ".join(f"a{i}=1" for i in range(100_000)) + ">x",
        "<a " + " ".join(f"a{i}='<'" for i in range(100_000)) + ">x", "&" * 500_000, "&#" * 300_000, "<" * 500_000, "</a" * 200_000,
        "<b>" * 200_000, " " * 500_000 + "<p>", "<table>" * 50_000, "<!--" * 200_000, "<p title='" + "x" * 500_000,
    ],
)  # fmt: skip
def test_hostile_markup_is_read_in_seconds(hostile: str) -> None:
    started = time.process_time()
    plain_text(hostile)
    assert time.process_time() - started < 5


@settings(max_examples=200)
@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(st.sampled_from(["<p>", "</p>", "<b", ">", "&amp;", "&#x", "<!--", "-->", "x", " ", "<![CDATA["])).map("".join),
    )
)
def test_any_text_gives_text(markup: str) -> None:
    text = plain_text(markup)
    assert "\n\n" not in text
    assert text == text.strip()
