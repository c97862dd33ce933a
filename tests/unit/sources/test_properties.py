"""Whatever bytes arrive: a feed or our own error, soon, and with records that keep their promises."""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.domain import Feed
from monitor.errors import FeedError
from monitor.sources import read_feed

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SEEDS = [
    '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>N</title><item><title>A &amp; B</title>'
    "<link>https://e.org/1</link><guid>1</guid><pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate><dc:creator>x@y.z (X)</dc:creator>"
    "<description><![CDATA[<p>Text</p>]]></description><content:encoded>&lt;p&gt;More</content:encoded></item></channel></rss>",
    '<feed xmlns="http://www.w3.org/2005/Atom"><title type="html">N</title><entry><id>1</id><title type="xhtml"><div '
    'xmlns="http://www.w3.org/1999/xhtml">A <b>B</b></div></title><link rel="alternate" href="/1"/><updated>2026-11-20T10:00:00Z</updated>'
    '<author><name>X</name></author><content type="text/plain" mode="base64">QQ==</content></entry></feed>',
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel><title>N</title></channel>'
    '<item rdf:about="https://e.org/1"><title>A</title><link>https://e.org/1</link></item></rdf:RDF>',
    '<urlset><url><loc>https://e.org/1</loc><news:news xmlns:news="n"><news:title>T</news:title></news:news></url></urlset>',
    "<sitemapindex><sitemap><loc>https://e.org/1</loc><lastmod>2026</lastmod></sitemap></sitemapindex>",
    json.dumps({"items": [{"id": "1", "url": "https://e.org", "content_html": "<p>x", "date_published": "2026-11-20"}]}),
]  # fmt: skip
TAGS = ["rss", "channel", "item", "title", "link", "guid", "pubDate", "description", "content:encoded", "dc:creator", "dc:date", "entry", "feed", "id",
        "author", "name", "links", "title_detail", "published_parsed", "tags", "content", "summary", "media:group", "media:description", "source",
        "image", "textinput", "category", "enclosure", "itunes:summary", "georss:point", "psc:chapter", "svg", "div", "updated"]  # fmt: skip


def holds(feed: Feed) -> None:
    assert len({entry.key for entry in feed.entries}) == len(feed.entries)
    for entry in feed.entries:
        assert entry.key
        assert entry.url is None or entry.url.startswith(("http://", "https://"))
        assert entry.published_at is None or entry.published_at.tzinfo is UTC
        assert "\n" not in entry.title
        json.dumps([entry.title, entry.summary, entry.content, entry.author]).encode("utf-8")
        "".join([entry.title, entry.summary, entry.content or "", entry.author or ""]).encode("utf-8")


def attempt(body: bytes) -> None:
    try:
        feed = read_feed(body, url="https://e.org/feed", now=NOW)
    except FeedError:
        return
    holds(feed)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"<rss>", b"<?xml version='1.0'?>", b"{", b"\xff\xfe", b"\x1f\x8b", b"<!DOCTYPE x ["]),
)
def test_any_bytes(body: bytes, start: bytes) -> None:
    attempt(start + body)


@st.composite
def _broken(draw: st.DrawFn) -> bytes:
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = (
            text[:start]
            + draw(
                st.sampled_from(["", "<", ">", "&", '"', "]]>", "<![CDATA[", "<!--", "</item>", "<item>", "\x00", "\ud800", "&#x0;", "é"])
            )
            + text[end:]
        )
    return text.encode(draw(st.sampled_from(["utf-8", "utf-16", "latin-1"])), "replace")


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_broken())
def test_a_feed_with_a_few_wounds(body: bytes) -> None:
    attempt(body)


_trees = st.recursive(
    st.text(st.sampled_from("ab <&]\u00e9\u4e2d0123-:/."), max_size=20).map(
        lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "")
    ),
    lambda inner: st.builds(
        lambda tag, attributes, children: f"<{tag} {attributes}>{''.join(children)}</{tag}>",
        st.sampled_from(TAGS),
        st.sampled_from(
            [
                "",
                'type="xhtml"',
                'type="html"',
                'href="/x"',
                'rel="via" href="//["',
                'a="b"',
                'isPermaLink="false"',
                'xml:base="//["',
                'mode="base64"',
            ]
        ),
        st.lists(inner, max_size=6),
    ),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_trees, st.sampled_from(["rss", "feed", "channel", "entry", "item"]))
def test_any_tree_of_known_elements(tree: str, root: str) -> None:
    declared = " ".join(f'xmlns:{prefix}="urn:{prefix}"' for prefix in ("content", "itunes", "georss", "psc", "media"))
    attempt(f'<{root} {declared} xmlns:dc="http://purl.org/dc/elements/1.1/">{tree}</{root}>'.encode())


@settings(max_examples=150, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12), lambda inner: st.lists(inner, max_size=4)
       | st.dictionaries(st.sampled_from(["items", "id", "url", "title", "content_html", "authors", "author", "name", "date_published", "summary"]), inner, max_size=5)))  # fmt: skip
def test_any_json(document: object) -> None:
    attempt(json.dumps({"items": document if isinstance(document, list) else [document]}).encode())


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("one name without end", b"<rss><channel><item><author>" + b"a" * 2_000_000 + b"</author></item></channel></rss>"),
        ("one date without end", b"<rss><channel><item><pubDate>" + b"1" * 2_000_000 + b"</pubDate></item></channel></rss>"),
        ("one id without end", b"<rss><channel><item><guid>" + b"a" * 2_000_000 + b"</guid></item></channel></rss>"),
        ("unclosed CDATA", b"<rss><channel>" + b"<item><title><![CDATA[" * 100_000),
        ("unclosed comments", b"<rss><channel>" + b"<!--" * 300_000),
        ("only openings", b"<rss><channel>" + b"<item>" * 40_000),
        ("only <", b"<rss>" + b"<" * 1_000_000),
        ("only &", b"<rss>" + b"&" * 1_000_000),
        ("ill-formed, with a first tag without end", b"<rss " + b" ".join(b"a%d='%d'" % (i, i) for i in range(50_000)) + b">" + b"<item></b>" * 10_000),
        ("many ill-formed entries", b"<rss><channel>" + b"<item><title>a<br>b</title><link>https://e.org</link></item>" * 5_000),
        ("small elements", b"<rss><channel><item>" + b"<x/>" * 300_000 + b"</item></channel></rss>"),
        ("prefixes", b"<rss><channel>" + b"".join(b"<item><p%d:x/></item>" % i for i in range(5_000)) + b"</channel></rss>"),
        ("attributes in a summary", b"<rss><channel><item><description>&lt;a " + b" ".join(b"a%d=1" % i for i in range(100_000)) + b"&gt;x</description></item></channel></rss>"),
        ("a document type without end", b"<!DOCTYPE rss [" + b"<!ENTITY a 'b'>" * 100_000),
        ("HTML comments before", b"<!-- x -->" * 100_000 + b"<html>"),
    ],
)  # fmt: skip
def test_hostile_documents_are_done_with_in_seconds(case: str, body: bytes) -> None:
    started = time.process_time()
    attempt(body)
    assert time.process_time() - started < 40, case


def test_cut_anywhere() -> None:
    whole = SEEDS[0].encode()
    for end in random.Random(7).sample(range(len(whole)), 80):
        attempt(whole[:end])
