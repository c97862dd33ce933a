"""One address for one page, and no secret in a message."""

from __future__ import annotations

import base64
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.urls import absolute_url, canonical_url, shown


@pytest.mark.parametrize(
    ("case", "url", "expected"),
    [
        ("host and scheme are lower-case", "HTTPS://WWW.Example.ORG/Path", "https://www.example.org/Path"),
        ("no path", "https://example.org", "https://example.org/"),
        ("default port", "https://example.org:443/a", "https://example.org/a"),
        ("default port of http", "http://example.org:80/a", "http://example.org/a"),
        ("another port", "http://example.org:8080/a", "http://example.org:8080/a"),
        ("fragment", "https://example.org/a#part", "https://example.org/a"),
        ("credentials", "https://me:secret@example.org/a", "https://example.org/a"),
        ("trailing dot of the host", "https://example.org./a", "https://example.org/a"),
        ("dot segments", "https://example.org/a/./b/../c/", "https://example.org/a/c/"),
        ("more dots than folders", "https://example.org/../../a", "https://example.org/a"),
        ("white space around", "\n  https://example.org/a \t", "https://example.org/a"),
        ("a line break within", "https://example.org/\n  a", "https://example.org/a"),
        ("a space in the path", "https://example.org/a b", "https://example.org/a%20b"),
        ("IDNA", "https://Bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("IDNA, Chinese full stop", "https://例子。测试/", "https://xn--fsqu00a.xn--0zwm56d/"),
        ("full-width digits", "http://\uff11\uff12\uff17.0.0.1/", "http://127.0.0.1/"),
        ("IPv6", "http://[2001:DB8:0:0::1]:80/a", "http://[2001:db8::1]/a"),
        ("escapes of one form", "https://example.org/%7eme/%e4%bd%a0", "https://example.org/~me/%E4%BD%A0"),
        ("a stray per cent sign", "https://example.org/100%", "https://example.org/100%25"),
        ("session in the path", "https://example.org/a;jsessionid=F00?x=1", "https://example.org/a?x=1"),
        ("feed scheme", "feed://example.org/rss", "http://example.org/rss"),
        ("feed before https", "feed:https://example.org/rss", "https://example.org/rss"),
        ("ampersand left escaped", "https://example.org/?a=1&amp;b=2", "https://example.org/?a=1&b=2"),
        ("trackers", "https://example.org/a?utm_source=rss&id=4&fbclid=x&UTM_medium=y", "https://example.org/a?id=4"),
        ("only trackers", "https://example.org/a?utm_source=rss", "https://example.org/a"),
        ("sorted query", "https://example.org/?b=2&a=1&b=1", "https://example.org/?a=1&b=2&b=1"),
        ("positional query keeps its order", "https://example.org/?b&12345", "https://example.org/?b&12345"),
        ("empty value", "https://example.org/?p=&q=1", "https://example.org/?p=&q=1"),
        ("a reader's mark", "https://example.org/a?ref=rss", "https://example.org/a"),
        ("a longer mark", "https://example.org/a?source=rss----abc---4", "https://example.org/a"),
        ("a meaningful ref", "https://example.org/a?ref=main", "https://example.org/a?ref=main"),
        ("names that only look like trackers", "https://e.org/?gallery=7&reference=1&uid=3&cid=9", "https://e.org/?cid=9&gallery=7&reference=1&uid=3"),
    ],
)  # fmt: skip
def test_canonical_url(case: str, url: str, expected: str) -> None:
    assert canonical_url(url) == expected, case
    assert canonical_url(expected) == expected, f"{case}: twice"


@pytest.mark.parametrize(
    "url",
    [
        "", "   ", "news/1", "//example.org/a", "mailto:me@example.org", "javascript:alert(1)", "ftp://example.org/a", "file:///etc/passwd",
        "data:text/html,x", "http://", "http:///a", "http://exa mple.org/", "http://example.org:99999/", "http://example.org:x/", "http://a..b/",
        "http://[::1", "http://[zz]/", "http://-/",
        "https://ex\uff06ample/", "http://" + "a" * 9_000, "http://example.org:0/", "magnet:?xt=urn",
    ],
)  # fmt: skip
def test_what_is_no_page(url: str) -> None:
    assert canonical_url(url) is None
    assert absolute_url(url) is None


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("../news/1.html", "https://example.org/feeds/rss.xml", "https://example.org/news/1.html"),
        ("//cdn.example.org/a", "https://example.org/feed", "https://cdn.example.org/a"),
        ("?id=7", "https://example.org/list?id=6", "https://example.org/list?id=7"),
        ("https://other.example/a", "not a base", "https://other.example/a"),
        ("a", "mailto:x", None),
        ("http://[", "https://example.org/", None),
        ("a", "http://[", None),
    ],
)
def test_relative_to_a_base(url: str, base: str, expected: str | None) -> None:
    assert canonical_url(url, base) == expected


TARGET = "https://paper.example/2026/chips?id=4"


@pytest.mark.parametrize(
    "wrapper",
    [
        "https://www.google.com/url?rct=j&sa=t&url={}&ct=ga&cd=CAIy&usg=AFQ",
        "https://www.google.de/url?q={}&sa=D",
        "https://news.google.com/news/url?sa=t&fd=R&url={}",
        "http://www.bing.com/news/apiclick.aspx?ref=FexRss&aid=&tid=5&url={}&c=1",
        "https://l.facebook.com/l.php?u={}&h=AT0",
        "https://link.zhihu.com/?target={}",
        "https://eur01.safelinks.protection.outlook.com/?url={}&data=05",
        "https://duckduckgo.com/l/?uddg={}&rut=1",
        "https://out.reddit.com/t3_1?url={}&token=AQ",
    ],
)
def test_wrappers_are_replaced_by_their_target(wrapper: str) -> None:
    once = wrapper.format(quote(TARGET + "&utm_source=x", safe=""))
    assert canonical_url(once) == TARGET
    assert canonical_url(wrapper.format(quote(once, safe=""))) == TARGET, "twice wrapped"


def test_other_wrappers() -> None:
    inner = b'\x08\x13"' + bytes([len(TARGET)]) + TARGET.encode() + b"\xd2\x01\x00"
    record = base64.urlsafe_b64encode(inner).decode().rstrip("=")
    assert canonical_url(f"https://news.google.com/rss/articles/{record}?oc=5") == TARGET
    opaque = "https://news.google.com/rss/articles/CBMiAU_yqLabc?oc=5"
    assert canonical_url(opaque) == opaque
    assert canonical_url("https://www.google.com/amp/s/paper.example/a") == "https://paper.example/a"
    assert canonical_url("https://paper-example.cdn.ampproject.org/c/s/paper.example/a") == "https://paper.example/a"
    assert canonical_url("https://www.google.com/url?q=javascript:alert(1)") == "https://www.google.com/url?q=javascript:alert(1)"
    assert canonical_url("https://example.org/url?q=https://other.example/") == "https://example.org/url?q=https://other.example/"


def test_absolute_url_keeps_what_the_server_may_need() -> None:
    assert absolute_url("/a?utm_source=rss&b=1#c", "https://example.org/feed") == "https://example.org/a?utm_source=rss&b=1"
    assert absolute_url("https://www.google.com/url?url=" + quote(TARGET, safe="")) == TARGET


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://me:pa55@example.org/feed", "https://example.org/feed"),
        ("https://example.org/feed?api_key=abc&page=2", "https://example.org/feed?api_key=…&page=2"),
        ("https://example.org/feed?x=Zk3jf93kfKDj39fjs0", "https://example.org/feed?x=…"),
        ("https://example.org/feed?Zk3jf93kfKDj39fjs0", "https://example.org/feed?…"),
        ("https://example.org/?feed=rss2", "https://example.org/?feed=rss2"),
        ("http://me:pa55@[broken/feed?token=abc", "http://[broken/feed"),
    ],
)
def test_shown_holds_no_secret(url: str, expected: str) -> None:
    assert shown(url) == expected


_words = st.text(max_size=12)
_queries = st.lists(st.tuples(st.sampled_from(["a", "utm_x", "url", "q", "ref", "ü", "%41"]), _words), max_size=4)
_hosts = st.sampled_from(
    [
        "example.org",
        "WWW.Google.com",
        "news.google.com",
        "l.facebook.com",
        "bücher.de",
        "[::1]",
        "x.cdn.ampproject.org",
        "href.li",
    ]
)


_paths = st.sampled_from(["/", "/url", "/a/../b/./c", "/c/s/e.org/x", "/amp/s/e.org/x", "/%7e%zz", "//x", "/rss/articles/CBMi"])
_wrapped = st.sampled_from(["", "https://www.google.com/url?url="])


@st.composite
def _likely_urls(draw: st.DrawFn) -> str:
    query = "&".join(f"{name}={draw(_wrapped)}{value}" for name, value in draw(_queries))
    scheme = draw(st.sampled_from(["http", "HTTPS", "feed"]))
    return f"{scheme}://{draw(_hosts)}{draw(_paths)}{draw(_words)}?{query}#{draw(_words)}"


@settings(max_examples=400)
@given(st.one_of(st.text(max_size=200), _likely_urls()), st.one_of(st.none(), st.text(max_size=40), _likely_urls()))
def test_any_text_gives_a_canonical_address_or_none(url: str, base: str | None) -> None:
    found = canonical_url(url, base)
    absolute_url(url, base)
    shown(url)
    if found is None:
        return
    parts = urlsplit(found)
    assert found.isascii()
    assert parts.scheme in ("http", "https")
    assert parts.hostname == (parts.hostname or "").lower()
    assert "#" not in found
    assert canonical_url(found) == found
