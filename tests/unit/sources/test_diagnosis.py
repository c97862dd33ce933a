"""What is wrong with a source is said in sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from monitor.domain import Entry, FailureKind, Feed, FeedFormat, Fetched, FetchFailed, NotModified, Validators
from monitor.sources import diagnose

FINE = Fetched(
    url="https://e.org/feed", final_url="https://e.org/feed", status=200, body=b"", content_type="application/rss+xml", charset=None,
    validators=Validators(etag='"1"'), max_age=None, moved_to=None, wire_bytes=10, seconds=0.1,
)  # fmt: skip
ENTRY = Entry("https://e.org/feed", "1", "https://e.org/1", "Title", datetime(2026, 11, 20, tzinfo=UTC), "A summary of it.")
FEED = Feed(FeedFormat.RSS, "News", "en", (ENTRY,))


def test_all_is_well() -> None:
    assert diagnose(FINE, FEED) == ()
    assert diagnose(NotModified("https://e.org/feed", Validators(), None, 0.1), None) == ()


def test_the_answer() -> None:
    moved = replace(
        FINE,
        final_url="http://e.org/new?token=abc",
        moved_to="http://e.org/new?token=abc",
        content_type="text/html",
        validators=Validators(),
    )
    assert diagnose(moved, FEED) == (
        "It has moved for good to http://e.org/new?token=….",
        "It redirects from https to http, so anyone on the way can change it.",
        "It is sent as text/html, which is no type for a feed.",
        "It sends neither ETag nor Last-Modified, so it is transferred whole each time.",
    )
    assert diagnose(replace(FINE, final_url="https://e.org/other"), None) == (
        "It redirects to https://e.org/other.",
        "No feed could be read from it.",
    )


def test_the_feed() -> None:
    bare = Entry("https://e.org/feed", "2", None, "", None, "")
    cut = replace(ENTRY, key="3", summary="The first words of […]")
    said = diagnose(
        FINE, replace(FEED, entries=(ENTRY, bare, cut), warnings=("is ill-formed XML", "2 entries share their id with another"))
    )
    assert said == (
        "It is ill-formed XML.",
        "2 entries share their id with another.",
        "1 of its 3 entries have no date.",
        "1 of its 3 entries have no link.",
        "1 of its 3 entries have no title.",
        "1 of its 3 entries have neither summary nor text.",
        "1 of its 3 entries give only the first words of their text.",
    )
    assert diagnose(FINE, replace(FEED, entries=tuple(replace(ENTRY, key=str(i)) for i in range(6)))) == (
        "All its entries link to the same page.",
    )


def test_a_failure() -> None:
    failed = FetchFailed("https://e.org/feed", FailureKind.DNS, "e.org has no address")
    assert diagnose(failed, None) == ("It could not be fetched (dns): e.org has no address. It will be tried again.",)
    assert diagnose(replace(failed, kind=FailureKind.GONE), None)[0].endswith("Trying again will hardly help.")
