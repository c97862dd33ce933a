"""Home page → feeds."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from monitor.sources import discover_feeds, guess_feeds

PAGE = b"""<!DOCTYPE html><html><head><base href="https://www.lab.example/en/">
<link rel="alternate" type="application/rss+xml" title="Comments" href="comments/feed">
<LINK REL='alternate' TYPE="application/atom+xml; charset=utf-8" title=News href=atom.xml />
<link rel="alternate" type="application/feed+json" href="/feed.json?a=1&amp;b=2">
<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/1">
<link rel="alternate" hreflang="de" type="text/html" href="/de/">
<link rel="stylesheet" type="text/css" href="/rss.css"><link rel="feed" href="/hfeed">
</head><body><a href="/rss/press.xml">RSS</a> <a href="/topics/rss">x</a> <a href="/about-rss-feeds-here">no</a> <a href="javascript:rss">no</a>
<a type="application/rss+xml" href="/export?format=1">list</a><a href="atom.xml">again</a></body></html>"""


def test_declared_first_then_linked_comments_last() -> None:
    assert discover_feeds(PAGE, url="https://lab.example/") == (
        "https://www.lab.example/en/atom.xml",
        "https://www.lab.example/feed.json?a=1&b=2",
        "https://www.lab.example/hfeed",
        "https://www.lab.example/topics/rss",
        "https://www.lab.example/export?format=1",
        "https://www.lab.example/en/comments/feed",
    )


def test_guesses_begin_below_the_page() -> None:
    guesses = guess_feeds("https://e.org/news/index.html?x=1")
    assert guesses[0] == "https://e.org/news/feed"
    assert "https://e.org/rss.xml" in guesses
    assert guess_feeds("https://e.org")[0] == "https://e.org/feed"
    assert guess_feeds("mailto:x") == ()


def test_a_hostile_page_takes_no_time() -> None:
    page = b"<link " + b" ".join(b"a%d=1" % i for i in range(200_000)) + b">" + b"<a " * 300_000 + b"<base href='http://['>"
    started = time.process_time()
    assert discover_feeds(page, url="https://e.org/") == ()
    assert time.process_time() - started < 5


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=100).map(lambda text: f'<link rel="alternate" type="text/xml" href="{text}">'.encode()),
    )
)
def test_any_bytes_give_addresses(page: bytes) -> None:
    assert all(found.startswith(("http://", "https://")) for found in discover_feeds(page, url="https://e.org/"))
