"""Text from outside in a message: clean, of a bounded width, quoted around its mentions."""

from __future__ import annotations

import unicodedata

import pytest
import wcwidth
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts import wording
from monitor.domain import Mention

hostile = st.text(st.characters(codec=None) | st.sampled_from("\r\n\t\x00\x1b\u202e\u2066\ufeff\u200d👩‍🔬́ア中6 "), max_size=400)


@pytest.mark.parametrize(
    ("case", "text", "cleaned"),
    [
        ("a header that would be added", "News\r\nBcc: all@example.org", "News Bcc: all@example.org"),
        ("controls", "a\x00b\x1b[31mc\x7fd\x85e", "a b [31mc d e"),
        ("direction marks", "safe\u202eexe.gpj\u2066", "safeexe.gpj"),
        ("lines by other names", "a\u2028b\u2029c\vd", "a b c d"),
        ("a pile of marks", "x" + "\u0301" * 9 + "y\u0301", "x" + "\u0301" * 4 + "y\u0301"),
        ("a lone surrogate", "a\ud800b", "a b"),
        ("an emoji of several parts stays", "👩‍🔬 at work", "👩‍🔬 at work"),
        ("tags are text", "<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_clean(case: str, text: str, cleaned: str) -> None:
    assert wording.clean(text) == cleaned


@pytest.mark.parametrize(
    ("case", "text", "columns", "cut"),
    [
        ("fits", "a headline", 10, "a headline"),
        ("one too many", "a headline!", 10, "a headlin…"),
        ("wide characters count two", "第六代移动通信", 9, "第六代移…"),
        ("half of a wide one is left out", "第六代移动通信", 8, "第六代…"),
        ("marks on marks are bounded", "x" + "\u0301" * 10_000, 20, None),
        ("ten thousand characters", "word " * 2_000, 30, "word word word word word word…"),
    ],
)
def test_cut(case: str, text: str, columns: int, cut: str | None) -> None:
    found = wording.clean(text, columns)
    assert cut is None or found == cut
    assert wcwidth.width(found) <= columns
    assert len(found) <= 5 * columns


@given(hostile, st.integers(2, 120))
def test_clean_is_one_harmless_line(text: str, columns: int) -> None:
    found = wording.clean(text, columns)
    assert wcwidth.width(found) <= columns
    assert not [c for c in found if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert found == found.strip()
    found.encode()


TEXT = "The sixth generation of mobile networks will be tried in the harbour of Example City next spring, said the firm. " * 9


@pytest.mark.parametrize("start", [0, 4, 300, 700, len(TEXT) - 9])
def test_a_quote_holds_its_mention(start: int) -> None:
    text = TEXT.replace(".", ",")
    mention = Mention("x", start, start + 8)
    quoted, [moved] = wording.quote(text, [mention])
    assert quoted[moved.start : moved.end] == text[start : start + 8]
    assert len(quoted) < wording.QUOTE_CHARACTERS + 2 * wording.SNAP + 2
    assert quoted.startswith("…") == (start > 150)
    assert quoted.endswith("…") == (start < len(text) - 300)
    if quoted.startswith("…"):
        assert text[text.index(quoted[1:40]) - 1] == " "


@pytest.mark.parametrize(
    ("case", "text", "word", "quoted"),
    [
        ("the sentences around it", f"{'Rain fell all day. ' * 12}The 6G mast hums. {'It is tall. ' * 30}", "6G", "The 6G mast hums. " + "It is tall. " * 21),
        ("no cut in a number", f"The 6G mast is 1.68 metres tall and stood {'very ' * 60}long.", "6G", None),
        ("no cut after an abbreviation", f"The 6G mast of Dr. No {'stood very long there and ' * 12}fell.", "6G", None),
        ("a script without spaces", "第六代移动通信的太赫兹链路已经启用。" * 20, "第六代", "第六代移动通信的太赫兹链路已经启用。" * 7),
    ],
)  # fmt: skip
def test_a_quote_ends_with_a_sentence_where_one_ends(case: str, text: str, word: str, quoted: str | None) -> None:
    found, [moved] = wording.quote(text, [Mention(word, text.index(word), text.index(word) + len(word))])
    assert found[moved.start : moved.end] == word
    if quoted is None:
        assert found.endswith("…")
        assert len(found) > wording.QUOTE_CHARACTERS - 10
    else:
        assert found == quoted.strip()


@pytest.mark.parametrize(
    ("case", "text", "title", "rest"),
    [
        ("a headline before the text", "6G is here — The 6G mast hums.", "6G is here", "The 6G mast hums."),
        ("nothing but the headline", "6G is here", "6G is here", None),
        ("no word of it after the headline", "6G is here. The mast hums.", "6G is here", None),
        ("another beginning", "The 6G mast hums.", "6G is here", None),
        ("no headline", "The 6G mast hums.", "", None),
    ],
)
def test_a_quote_does_not_repeat_the_headline(case: str, text: str, title: str, rest: str | None) -> None:
    mentions = [Mention("6G", at, at + 2) for at in range(len(text)) if text.startswith("6G", at)]
    found, moved = wording.without_headline(text, mentions, title)
    assert found == (rest or text)
    assert [found[m.start : m.end] for m in moved] == ["6G"] * found.count("6G")


def test_a_quote_of_wide_characters_is_half_as_many() -> None:
    quoted, _ = wording.quote("第六代移动通信" * 100, ())
    assert len(quoted) == wording.QUOTE_CHARACTERS // 2 + 1


@given(hostile, st.lists(st.tuples(st.integers(-5, 420), st.integers(-5, 420)), max_size=6), st.integers(20, 500))
def test_a_quote_never_loses_its_place(text: str, spans: list[tuple[int, int]], characters: int) -> None:
    mentions = [Mention("x", start, end) for start, end in spans]
    quoted, moved = wording.quote(text, mentions, characters)
    assert all(0 <= m.start < m.end <= len(quoted) for m in moved)
    assert all(quoted[m.start : m.end] in text for m in moved)
    pieces = wording.segments(quoted, moved)
    assert wording.plain("".join(piece for piece, _ in pieces)) == wording.plain(quoted)


def test_overlapping_mentions_are_marked_once() -> None:
    mentions = [Mention("6G", 4, 6), Mention("6G trial", 4, 12), Mention("trial", 7, 12), Mention("off", 90, 93)]
    assert wording.segments("The 6G trial ends", mentions) == [("The ", False), ("6G trial", True), (" ends", False)]
    assert wording.starred("The 6G trial ends", mentions) == "The *6G trial* ends"


@pytest.mark.parametrize("text", [TEXT, "第六代移动通信的太赫兹通信新进展" * 20, "Überraschung " * 30, "x" * 500, "한국어 문장 " * 30])
def test_lines_are_no_wider_than_78_columns(text: str) -> None:
    lines = wording.wrap(text, 2, "* ").splitlines()
    assert lines[0].startswith("* ")
    assert all(line.startswith("  ") for line in lines[1:])
    assert all(wcwidth.width(line) <= 78 for line in lines)
    assert max(wcwidth.width(line) for line in lines) > 60
    assert "".join("".join(lines).split()) == "*" + "".join(text.split())


def test_columns_are_aligned_whatever_the_script() -> None:
    for text in ("6G", "第六代移动通信", "a" * 80, "👩‍🔬"):
        assert wcwidth.width(wording.aligned(text, 20)) == 20
        assert wcwidth.width(wording.aligned(text, 20, right=True)) == 20
