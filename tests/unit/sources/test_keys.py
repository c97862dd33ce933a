"""No entry is lost to another's id, and none comes back under a new one."""

from __future__ import annotations

from dataclasses import replace

from monitor.domain import Entry
from monitor.sources.keys import MAX_KEY, with_keys


def entry(key: str = "", url: str | None = None, title: str = "T", summary: str = "") -> Entry:
    return Entry(source_url="https://e.org/feed", key=key, url=url, title=title, summary=summary)


def keys(*entries: Entry) -> list[str]:
    return [found.key for found in with_keys(entries)[0]]


def test_the_feeds_id_is_the_key() -> None:
    assert keys(entry("a"), entry("b", "https://e.org/1")) == ["a", "b"]


def test_without_id_the_address_serves_then_the_content() -> None:
    assert keys(entry(url="https://e.org/1")) == ["https://e.org/1"]
    first, second = keys(entry(title="A"), entry(title="B"))
    assert first != second


def test_shared_ids_are_told_apart_by_address_then_by_content() -> None:
    found, warnings = with_keys([entry("id", "https://e.org/1"), entry("id", "https://e.org/2"), entry("id", "https://e.org/2", title="U")])
    assert len({one.key for one in found}) == 3
    assert warnings == ("3 entries share their id with another",)


def test_a_newcomer_does_not_take_a_known_key() -> None:
    old = [entry("id", "https://e.org/1"), entry("id", "https://e.org/2")]
    before = keys(*old)
    after = keys(entry("id", "https://e.org/3"), *old)
    assert after[1:] == before
    assert after[0] not in before


def test_an_edited_title_keeps_its_key_where_addresses_differ() -> None:
    old = [entry("id", "https://e.org/1"), entry("id", "https://e.org/2")]
    assert keys(replace(old[0], title="edited"), old[1]) == keys(*old)


def test_exact_copies_are_left_out_and_told() -> None:
    found, warnings = with_keys([entry("a"), entry("a"), entry("b")])
    assert len(found) == 2
    assert warnings[-1] == "1 entries are exact copies of another and were left out"


def test_a_key_has_a_bounded_length() -> None:
    first, second = keys(entry("x" * 10_000), entry("x" * 9_999))
    assert len(first) < MAX_KEY
    assert first != second
