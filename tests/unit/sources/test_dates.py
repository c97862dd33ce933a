"""Dates as feeds write them: aware, in UTC, believable."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.sources.dates import EARLIEST, MAX_AHEAD, DateReader

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(day: int, hour: int = 0, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "language", "expected"),
    [
        ("2026-11-20T10:00:00+09:00", None, at(20, 1)),
        ("2026-11-20T10:00:00.123456789Z", None, at(20, 10) + timedelta(microseconds=123_456)),
        ("2026-11-20 10:00", None, at(20, 10)),
        ("2026/11/20 8:05:00 +0800", None, at(20, 0, 5)),
        ("2026-11-20 10:00:00 CET", None, at(20, 9)),
        ("2026-11-20", None, at(20)),
        ("20261120T100000Z", None, at(20, 10)),
        ("1795168800", None, datetime.fromtimestamp(1_795_168_800, UTC)),
        ("Fri, 20 Nov 2026 10:00:00 GMT", None, at(20, 10)),
        ("Fri, 20 Nov 2026 10:00:00 +0100", None, at(20, 9)),
        ("Mon, 20 Nov 2026 10:00:00 EST", None, at(20, 15)),
        ("Fri, 20 Nov 2026 10:00:00 JST", None, at(20, 1)),
        ("Fri, 20 Nov 2026 10:00:00 MSK", None, at(20, 7)),
        ("Fri, 20 Nov 2026 10:00:00 GMT+0800", None, at(20, 2)),
        ("Fri, 20 Nov 26 10:00 +0000", None, at(20, 10)),
        ("November 20, 2026 5:00 pm", None, at(20, 17)),
        ("ven., 20 nov. 2026 10:00:00 +0100", "fr", at(20, 9)),
        ("Mi, 04 Mär 2026 10:00:00 +0100", "de-de", at(4, 9, month=3)),
        ("Пт, 20 ноя 2026 10:00:00 +0300", "ru", at(20, 7)),
        ("Sex, 20 Nov 2026 10:00:00 -0300", "pt-br", at(20, 13)),
        ("Seg, 24 Set 2026 19:00:00 -0300", None, at(24, 22, month=9)),
        ("2026年11月20日 08:05", "zh", at(20, 8, 5)),
        ("2026年11月20日(金) 10時05分", "ja", at(20, 10, 5)),
        ("2026년 11월 20일", "ko", at(20)),
        ("20.11.2026 10:00", "de", at(20, 10)),
        ("05/06/2026", "fr", at(5, month=6)),
        ("05/06/2026", "en-us", at(6, month=5)),
        ("11/20/2026", None, at(20)),
        ("Fri, 11/06/2026 - 15:21", None, at(6, 15, 21)),
        ("Thu, 11/06/2026 - 15:21", None, at(11, 15, 21, month=6)),
        ("2026", None, None),
        ("2026-11", None, None),
        ("yesterday", "en", None),
        ("2026-13-45", None, None),
        ("2026-02-31T10:00:00Z", None, None),
        ("0001-01-01T00:00:00Z", None, None),
        ("1989-12-31T23:59:59Z", None, None),
        ("1990-01-01T00:00:00Z", None, EARLIEST),
        ("2026-11-25T12:00:00Z", None, NOW + MAX_AHEAD),
        ("2026-11-25T12:00:01Z", None, None),
        ("9999-12-31T23:59:59-12:00", None, None),
        ("", None, None),
    ],
)
def test_dates(when: str, language: str | None, expected: datetime | None) -> None:
    assert DateReader(NOW, language).first([(when, None)]) == expected


def test_the_first_believable_of_several() -> None:
    reader = DateReader(NOW)
    assert reader.first([("nonsense", None), ("1970-01-01", None), ("2026-11-20", None), ("2026-11-19", None)]) == at(20)
    assert reader.warnings() == ("1 dates could not be read", "1 dates lie in the future or before 1990 and were dropped")


def test_what_feedparser_read_counts_where_we_cannot() -> None:
    parsed = time.strptime("2026-11-20 10:00", "%Y-%m-%d %H:%M")
    assert DateReader(NOW).first([("a spelling of its own", parsed)]) == at(20, 10)
    assert DateReader(NOW).first([({"a": "b"}, "no struct")]) is None


def test_a_document_full_of_odd_dates_costs_little() -> None:
    reader = DateReader(NOW)
    started = time.process_time()
    for number in range(2_000):
        reader.first([(f"some {number} words, 20 mumble 2026 and more", None)])
    assert time.process_time() - started < 10


_parts = st.sampled_from(
    [
        "2026",
        "20",
        "Nov",
        "nov.",
        "Fri,",
        "10:00:00",
        "+0100",
        "-9999",
        "年",
        "月",
        "日",
        "/",
        "-",
        "T",
        "Z",
        "CET",
        "pm",
        "24:00",
        "\u0660",
    ]
)


@settings(max_examples=300, deadline=None)
@example("2026-11-20T10:00:00+99:99")
@example("Fri, 20 Nov 2026 10:00:00 +99999999999")
@example("20 Nov 99999999999999999999 10:00:00 GMT")
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(_parts, max_size=8).map(" ".join),
        st.datetimes().map(str),
        st.datetimes().map(datetime.isoformat),
    )
)
def test_any_text_gives_a_believable_time_or_none(text: str) -> None:
    found = DateReader(NOW).first([(text, None)])
    assert found is None or (found.tzinfo is UTC and EARLIEST <= found <= NOW + MAX_AHEAD)
