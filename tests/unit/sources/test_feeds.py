"""Every kind of feed document, as it is and as it should not be."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest

from monitor.domain import Entry, Feed, FeedFormat
from monitor.errors import FeedError
from monitor.sources import read_feed

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "https://ministry.example/feeds/news.xml"


def read(body: str | bytes, **more: str) -> Feed:
    return read_feed(body.encode() if isinstance(body, str) else body, url=URL, now=NOW, **more)


def rss(items: str, head: str = "<title>News</title>", attributes: str = "") -> str:
    return f'<?xml version="1.0"?><rss version="2.0" {attributes}><channel>{head}{items}</channel></rss>'


def only(feed: Feed) -> Entry:
    assert len(feed.entries) == 1
    return feed.entries[0]


RSS_20 = rss(
    """<item>
      <title>Chips &amp;amp; <![CDATA[<b>fabs</b>]]></title>
      <link>https://ministry.example/news/1</link>
      <guid isPermaLink="false">news-1</guid>
      <pubDate>Fri, 20 Nov 2026 10:00:00 +0100</pubDate>
      <dc:creator>Ada L.</dc:creator>
      <description>&lt;p&gt;First.&lt;/p&gt;&lt;p&gt;Second.&lt;/p&gt;</description>
      <content:encoded><![CDATA[<p>The <em>whole</em> text.</p>]]></content:encoded>
      <media:group><media:title>A picture</media:title><media:description>Of a fab</media:description></media:group>
    </item>""",
    head="<title>News</title><language>de-DE</language><ttl>60</ttl><image><title>Logo</title><url>x</url></image>",
    attributes='xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:media="http://search.yahoo.com/mrss/"',
)
ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr" xml:base="https://agence.example/">
  <title>Nouvelles</title><updated>2026-11-20T10:00:00Z</updated>
  <entry>
    <title type="html">L&amp;#8217;hydrogène</title>
    <link rel="enclosure" href="https://agence.example/a.mp3"/><link href="actu/1"/><id>tag:agence.example,2026:1</id>
    <published>2026-11-20T10:00:00+01:00</published><updated>2026-11-21T10:00:00Z</updated>
    <author><name>Agence</name><email>a@agence.example</email></author>
    <summary>a &lt; b</summary>
    <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Un <b>texte</b> &amp; plus</p></div></content>
  </entry>
</feed>"""
RDF = """<?xml version="1.0" encoding="utf-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
  <channel rdf:about="https://kagaku.example/"><title>科学</title><dc:language>ja</dc:language>
  <sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>
  <items><rdf:Seq><rdf:li rdf:resource="https://kagaku.example/1"/></rdf:Seq></items></channel>
  <item rdf:about="https://kagaku.example/1"><title>量子</title><link>https://kagaku.example/1</link>
  <dc:date>2026-11-20T10:00:00+09:00</dc:date><description>概要</description></item>
</rdf:RDF>"""


def test_rss() -> None:
    feed = read(RSS_20)
    assert (feed.format, feed.title, feed.language, feed.ttl, feed.warnings) == (FeedFormat.RSS, "News", "de-de", 3600, ())
    assert only(feed) == Entry(
        source_url=URL,
        key="news-1",
        url="https://ministry.example/news/1",
        title="Chips & fabs",
        published_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
        summary="First.\nSecond.",
        content="<p>The <em>whole</em> text.</p>",
        author="Ada L.",
    )


def test_atom() -> None:
    feed = read(ATOM)
    entry = only(feed)
    assert (feed.format, feed.title, feed.language) == (FeedFormat.ATOM, "Nouvelles", "fr")
    assert (entry.url, entry.key) == ("https://agence.example/actu/1", "tag:agence.example,2026:1")
    assert (entry.title, entry.author, entry.summary) == ("L\u2019hydrogène", "Agence (a@agence.example)"[:6], "a < b")
    assert entry.published_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert "<b>texte</b> &amp; plus" in (entry.content or "")


def test_rdf() -> None:
    feed = read(RDF)
    assert (feed.format, feed.title, feed.language, feed.ttl) == (FeedFormat.RDF, "科学", "ja", 21_600)
    assert only(feed).published_at == datetime(2026, 11, 20, 1, tzinfo=UTC)
    assert (only(feed).title, only(feed).summary) == ("量子", "概要")


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("RSS 0.91", '<rss version="0.91"><channel><title>t</title><item><title>T</title><link>https://e.org/1</link></item></channel></rss>'),
        ("a Netscape document type", '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">'
         '<rss version="0.91"><channel><item><title>T</title><link>https://e.org/1</link></item></channel></rss>'),
        ("RSS 0.90", '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/">'
         "<channel><title>t</title></channel><item><title>T</title><link>https://e.org/1</link></item></rdf:RDF>"),
        ("Atom 0.3", '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title>T</title>'
         '<link rel="alternate" type="text/html" href="https://e.org/1"/></entry></feed>'),
        ("an entry alone", '<entry xmlns="http://www.w3.org/2005/Atom"><title>T</title><link href="https://e.org/1"/></entry>'),
        ("a namespace nobody knows", '<rss xmlns="http://intranet.example/ns"><channel><item><title>T</title><link>https://e.org/1</link></item></channel></rss>'),
        ("blank lines first", "\n\n \ufeff" + rss("<item><title>T</title><link>https://e.org/1</link></item>")),
        ("a warning first", "<br />\n<b>Warning</b>: mysql\n" + rss("<item><title>T</title><link>https://e.org/1</link></item>")),
        ("something after", rss("<item><title>T</title><link>https://e.org/1</link></item>") + "<!-- 0.1 s --><script>x</script>"),
        ("a bare ampersand", rss("<item><title>T</title><link>https://e.org/1</link><category>R&D</category></item>")),
        ("HTML entities", rss("<item><title>T</title><link>https://e.org/1</link><description>a&nbsp;b&hellip;</description></item>")),
        ("an undeclared prefix", rss("<item><title>T</title><link>https://e.org/1</link><dc:date>2026-11-20</dc:date></item>")),
        ("control characters", rss("<item><title>T\x08\x00</title><link>https://e.org/1</link></item>")),
        ("unescaped markup", rss("<item><title>T</title><link>https://e.org/1</link><description>a<br>b</description></item>")),
        ("a stray <", rss("<item><title>T</title><link>https://e.org/1</link><description>3 < 4</description></item>")),
        ("a bad number", rss("<item><title>T&#0;&#xFFFFFFF;</title><link>https://e.org/1</link></item>")),
        ("a wrong end tag", rss("<item><title>T</title><link>https://e.org/1</link></itme>")[:-16] + "</item></channel></rss>"),
        ("cut off in the second entry", rss("<item><title>T</title><link>https://e.org/1</link></item><item><link>https://e.org/12")[:-16]),
        ("inside an HTML page", "<html><body>" + rss("<item><title>T</title><link>https://e.org/1</link></item>").partition("?>")[2] + "</body></html>"),
        ("gzip", gzip.compress(rss("<item><title>T</title><link>https://e.org/1</link></item>").encode())),
        ("a link that FeedBurner wrapped", rss("<item><title>T</title><link>http://feedproxy.google.com/~r/x/1</link>"
         "<feedburner:origLink>https://e.org/1</feedburner:origLink></item>", attributes='xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"')),
        ("an address as id alone", rss("<item><title>T</title><guid>https://e.org/1</guid></item>")),
        ("an address as an id that is no permalink", rss('<item><title>T</title><guid isPermaLink="false">https://e.org/1</guid></item>')),
        ("a redirecting wrapper", rss("<item><title>T</title><link>https://www.google.com/url?rct=j&amp;url=https://e.org/1&amp;ct=ga</link></item>")),
    ],
)  # fmt: skip
def test_one_entry_in_any_dress(case: str, body: str | bytes) -> None:
    entry = only(read(body))
    assert (entry.title, entry.url) == ("T", "https://e.org/1"), case


def test_repairs_are_told() -> None:
    assert read(rss("<item><title>R&D</title></item>")).warnings[0].startswith("is ill-formed XML")
    assert read("junk" + rss("<item><title>T</title></item>")).warnings == ("has something before its first element",)


def test_a_bad_entry_does_not_spoil_the_others() -> None:
    items = [f"<item><title>T{i}</title><link>https://e.org/{i}</link><description><p>x<br></description></item>" for i in range(50)]
    items[20] = "<item><title>T20</b></title><link>https://e.org/20</link><x><y></item>"
    feed = read(rss("".join(items)))
    assert [entry.title for entry in feed.entries] == [f"T{i}" for i in range(50)]
    assert [entry.url for entry in feed.entries] == [f"https://e.org/{i}" for i in range(50)]


def test_entries_without_anything_but_a_title() -> None:
    feed = read(rss("<item><title>A</title></item><item><title>B</title></item><item/>"))
    assert [entry.title for entry in feed.entries] == ["A", "B"]
    assert len({entry.key for entry in feed.entries}) == 2
    assert all(entry.url is None and entry.published_at is None for entry in feed.entries)
    assert feed.warnings == ("1 entries say nothing and were left out",)


def test_relative_links_follow_the_address_or_the_base() -> None:
    assert only(read(rss("<item><title>T</title><link>/a/1</link></item>"))).url == "https://ministry.example/a/1"
    based = rss("<item><title>T</title><link>1.html</link></item>", attributes='xml:base="https://other.example/b/"')
    assert only(read(based)).url == "https://other.example/b/1.html"
    assert only(read(rss("<item><title>T</title><link>mailto:x@y.z</link></item>"))).url is None


def test_dates_that_nobody_believes_are_dropped() -> None:
    feed = read(rss("".join(f"<item><title>{i}</title><pubDate>{text}</pubDate></item>" for i, text in enumerate(
        ["Thu, 01 Jan 1970 00:00:00 GMT", "2026-11-24T12:00:00Z", "2026-11-26T12:00:00Z", "gibberish", "0000-00-00"]))))  # fmt: skip
    assert [entry.published_at for entry in feed.entries] == [None, datetime(2026, 11, 24, 12, tzinfo=UTC), None, None, None]
    assert feed.warnings == ("2 dates could not be read", "2 dates lie in the future or before 1990 and were dropped")


def test_a_text_in_the_description_is_kept_as_content() -> None:
    text = "<p>" + "A sentence of some length. " * 50 + "</p>"
    entry = only(read(rss(f"<item><title>T</title><description><![CDATA[{text}]]></description></item>")))
    assert entry.content == text
    assert entry.summary.startswith("A sentence of some length. A")
    long = only(read(rss(f"<item><title>T</title><description><![CDATA[{text * 10}]]></description></item>")))
    assert len(long.summary) <= 5_002
    assert len(long.content or "") == len(text) * 10


@pytest.mark.parametrize(
    ("case", "body", "said"),
    [
        ("nothing", b"", "is empty"),
        ("white space", b" \n\t\0", "is empty"),
        ("a page", b"<!DOCTYPE html>\n<html><head><title>Sign in &amp; go</title></head><body></body></html>", "is an HTML page, not a feed: 'Sign in & go'"),
        ("an XHTML page", b'<?xml version="1.0"?><!-- x --><html xmlns="http://www.w3.org/1999/xhtml"><head/></html>', "is an HTML page"),
        ("JSON", b'{"posts": [], "total": 3}', "is JSON without items, not a JSON feed: an object with posts, total"),
        ("a JSON list", b"[1, 2]", "is JSON without items"),
        ("broken JSON", b'{"items": [', "is broken JSON"),
        ("deep JSON", b"[" * 100_000, "is nested too deep"),
        ("text", b"Service unavailable", "is plain text, not a feed: 'Service unavailable'"),
        ("a PDF", b"%PDF-1.7 ...", "is a PDF"),
        ("other XML", b"<catalog><book/></catalog>", "is XML, but no feed: its first element is <catalog>"),
        ("OPML", b"<opml version='2.0'><body/></opml>", "is an OPML list"),
        ("entities of entities", b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><channel><title>&b;</title></channel></rss>', "an entity bomb"),
        ("a long entity", b'<!DOCTYPE r [<!ENTITY a "' + b"a" * 1_000 + b'">]><rss><channel><title>&a;</title></channel></rss>', "an entity bomb"),
        ("an entity used without end", b'<!DOCTYPE r [<!ENTITY a "' + b"a" * 199 + b'">]><rss><channel><title>' + b"&a;" * 6_000
         + b"</title></channel></rss>", "an entity bomb"),
        ("100,000 levels", b"<rss>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</rss>", "is nested too deep"),
        ("too many entries", b"<rss><channel>" + b"<item/>" * 50_001 + b"</channel></rss>", "has 50001 entries"),
        ("a gzip bomb", gzip.compress(b"\0" * 60_000_000), "more than 50 MB"),
    ],
)  # fmt: skip
def test_what_is_no_feed_is_named(case: str, body: bytes, said: str) -> None:
    with pytest.raises(FeedError, match=r"ministry\.example/feeds/news\.xml: ") as caught:
        read(body, content_type="text/html")
    assert said in str(caught.value), case
    assert "sent as text/html" in str(caught.value)


def test_no_file_is_read_through_an_entity() -> None:
    body = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + rss("<item><title>T &x;</title></item>").partition("?>")[2]
    assert only(read(body)).title == "T &x;"


def test_a_harmless_entity_is_read() -> None:
    body = '<!DOCTYPE r [<!ENTITY eur "&#8364;"><!ENTITY % more SYSTEM "x">]>' + rss("<item><title>5 &eur;</title></item>")[21:]
    assert only(read(body)).title == "5 €"


def test_a_message_holds_no_secret() -> None:
    with pytest.raises(FeedError) as caught:
        read_feed(b"", url="https://me:hidden@e.org/feed?token=hidden", now=NOW)
    assert "hidden" not in str(caught.value)


def test_a_video_has_its_own_title_and_text() -> None:
    media = 'xmlns:media="http://search.yahoo.com/mrss/"'
    group = "<media:group><media:title>M</media:title><media:description>About it</media:description></media:group>"
    alone = only(read(rss(f"<item><guid>1</guid>{group}</item>", attributes=media)))
    assert (alone.title, alone.summary) == ("M", "About it")
    named = only(read(rss(f"<item>{group}<title>T</title><description>D</description></item>", attributes=media)))
    assert (named.title, named.summary) == ("T", "D")


def test_an_empty_feed_is_a_feed() -> None:
    feed = read(rss(""))
    assert (feed.entries, feed.warnings) == ((), ("has no entries",))


def test_ten_thousand_entries_are_read_whole() -> None:
    body = rss("".join(f"<item><title>Entry {i}</title><link>https://e.org/{i}</link><guid>{i}</guid></item>" for i in range(10_000)))
    feed = read(body)
    assert [entry.key for entry in feed.entries] == [str(i) for i in range(10_000)]


def test_json_feed() -> None:
    document = {
        "version": "https://jsonfeed.org/version/1.1", "title": "Lab", "language": "en-US", "authors": [{"name": "Lab"}],
        "items": [
            {"id": 7, "url": "/p/7", "title": "A &amp; B", "content_html": "<p>One</p><p>Two</p>", "date_published": "2026-11-20T10:00:00+02:00",
             "author": {"name": "Ada"}},
            {"id": "https://lab.example/8", "content_text": "Plain <text>\n\nand more", "external_url": "https://e.org/", "summary": "S"},
            {"title": "no id", "date_modified": "2026-11-19T00:00:00Z"},
            "rubbish", {"id": None, "title": 5, "content_html": ["x"], "authors": [3], "date_published": {}},
        ],
    }  # fmt: skip
    feed = read("\ufeff" + json.dumps(document))
    first, second, third = feed.entries
    assert (feed.format, feed.title, feed.language) == (FeedFormat.JSON_FEED, "Lab", "en-us")
    assert (first.key, first.url, first.title, first.summary) == ("7", "https://ministry.example/p/7", "A & B", "One\nTwo")
    assert (first.author, first.published_at) == ("Ada", datetime(2026, 11, 20, 8, tzinfo=UTC))
    assert (second.url, second.content, second.author) == ("https://e.org/", "<p>Plain &lt;text&gt;</p><p>and more</p>", "Lab")
    assert third.published_at == datetime(2026, 11, 19, tzinfo=UTC)
    assert feed.warnings == ("1 entries say nothing and were left out", "1 items are no objects")


def test_news_sitemap() -> None:
    feed = read(
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
        "<url><loc>https://zeitung.example/1</loc><lastmod>2026-11-22</lastmod><news:news><news:publication><news:name>Zeitung</news:name>"
        "<news:language>de</news:language></news:publication><news:publication_date>2026-11-20T10:00:00+01:00</news:publication_date>"
        "<news:title>Erste &amp;amp; beste</news:title></news:news></url><url><loc> /2 </loc><lastmod>2026-11-21</lastmod></url><url/></urlset>"
    )
    first, second = feed.entries
    assert (feed.format, feed.title, feed.language) == (FeedFormat.SITEMAP, "Zeitung", "de")
    assert (first.key, first.title, first.published_at) == (
        "https://zeitung.example/1",
        "Erste & beste",
        datetime(2026, 11, 20, 9, tzinfo=UTC),
    )
    assert (second.url, second.title, second.published_at) == (
        "https://ministry.example/2",
        "",
        datetime(2026, 11, 21, tzinfo=UTC),
    )


def test_sitemap_index_names_its_children_newest_first() -> None:
    feed = read(
        "<sitemapindex><sitemap><loc>https://e.org/old.xml</loc><lastmod>2026-01-01</lastmod></sitemap><sitemap><loc>https://e.org/undated.xml</loc>"
        "</sitemap><sitemap><loc>https://e.org/new.xml.gz</loc><lastmod>2026-11-22T10:00:00Z</lastmod></sitemap></sitemapindex>"
    )
    assert feed.format is FeedFormat.SITEMAP_INDEX
    assert feed.children == ("https://e.org/new.xml.gz", "https://e.org/old.xml", "https://e.org/undated.xml")
    assert feed.warnings == ()
