"""Lists of sources, in and out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain import Source, SourceKind
from monitor.errors import FeedError
from monitor.sources import read_opml, starter_list, write_opml

LIST = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<opml version="1.1"><head><title>Mine</title></head>
<body>
  <outline text="Ministries">
    <outline type="rss" text="M\xfcnster" xmlUrl="https://m.example/rss?a=1&amp;b=2" htmlUrl="https://m.example/" language="DE"/>
    <outline text="deeper"><outline text="Agency A" title="A" xmlurl="http://a.example/feed" category="/News/Agency"/></outline>
  </outline>
  <outline text="trade press"><outline type="rss" url="feed://t.example/rss"/></outline>
  <outline text="No feed" htmlUrl="https://x.example/"/>
  <outline text="again" xmlUrl="http://a.example/feed"/>
  <outline text="with a password" xmlUrl="https://me:pw@p.example/feed"/>
</body></opml>"""


def test_read() -> None:
    assert read_opml(LIST, name="mine.opml") == (
        Source("https://m.example/rss?a=1&b=2", "Münster", SourceKind.MINISTRY, "de"),
        Source("http://a.example/feed", "A", SourceKind.AGENCY),
        Source("http://t.example/rss", "", SourceKind.TRADE_PRESS),
        Source("https://me:pw@p.example/feed", "with a password", SourceKind.OTHER),
    )


@pytest.mark.parametrize(
    ("case", "body", "said"),
    [
        ("not closed", b"<opml>\n<body>\n<outline text='a'>\n</body></opml>", "f.opml:4: is not well-formed XML"),
        ("a bare ampersand", b"<opml><body>\n<outline xmlUrl='https://e.org/?a&b=1'/></body></opml>", "f.opml:2: is not well-formed XML"),
        ("empty", b"", "f.opml:1: is not well-formed XML"),
        ("a feed", b"<rss/>", "f.opml:1: is no OPML: its first element is <rss>"),
        ("another scheme", b"<opml><body>\n\n<outline text='x' xmlUrl='ftp://e.org/a'/></body></opml>", "f.opml:3: 'ftp://e.org/a' is no http"),
        ("a bomb", b'<!DOCTYPE o [<!ENTITY a "' + b"a" * 100 + b'">' + b"".join(
            b'<!ENTITY %c "' % (98 + i) + (b"&%c;" % (97 + i)) * 10 + b'">' for i in range(9)) + b"]><opml><body><outline text='&j;'/></body></opml>",
         "f.opml:1: "),
    ],
)  # fmt: skip
def test_what_is_broken_is_named_with_its_line(case: str, body: bytes, said: str) -> None:
    with pytest.raises(FeedError) as caught:
        read_opml(body, name="f.opml")
    assert str(caught.value).startswith(said), case


_titles = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=30
)
_sources = st.builds(
    Source,
    url=st.integers(0, 10_000).map("https://e.org/feed?a=1&n={}".format),
    title=_titles,
    kind=st.sampled_from(SourceKind),
    language=st.sampled_from([None, "de", "zh-tw"]),
)


@given(st.lists(_sources, max_size=8, unique_by=lambda source: source.url))
def test_what_is_written_is_read_back(sources: list[Source]) -> None:
    assert set(read_opml(write_opml(sources), name="x")) == set(sources)


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"<opml><body>{text}</body></opml>".encode("utf-8", "replace")))
def test_any_bytes_give_sources_or_our_error(body: bytes) -> None:
    try:
        read_opml(body, name="x")
    except FeedError:
        return


def test_the_starter_list_is_broad() -> None:
    sources = read_opml(starter_list(), name="starter.opml")
    assert len(sources) >= 70
    assert {source.language for source in sources} == {"en", "zh", "de", "fr", "es", "ja", "ko", "ru", "pt", "it"}
    assert {source.kind for source in sources} == set(SourceKind) - {SourceKind.OTHER}
    assert all(source.title for source in sources)
    assert len({source.url.partition("://")[2].rstrip("/") for source in sources}) == len(sources)
