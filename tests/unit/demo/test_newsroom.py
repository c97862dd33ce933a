"""The newsroom as a client meets it: feeds, pages, validators, encodings, editions."""

from __future__ import annotations

import io
import json
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlsplit
from xml.etree import ElementTree

import feedparser
import httpx
import pytest
from protego import Protego
from pypdf import PdfReader

from monitor.demo import DemoSource, Newsroom
from monitor.demo.outlets import EntryDetail, FeedState, Outlet, load_content
from monitor.demo.render import FEED_TYPES, article_path, feed_path, render
from monitor.domain import FeedFormat

NOW = datetime(2026, 5, 4, 13, 20, tzinfo=UTC)
BASE = "http://127.0.0.1:8000"
NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
EDITED = "/meridian-wire/robot-bus-trial.html"


@pytest.fixture(scope="module")
def room() -> Iterator[Newsroom]:
    with Newsroom(NOW) as room:
        yield room


@pytest.fixture(scope="module")
def client(room: Newsroom) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=room.url) as client:
        yield client


def source_named(room: Newsroom, name: str) -> DemoSource:
    (found,) = (source for source in room.sources if name in source.url)
    return found


def test_every_format_is_served() -> None:
    assert {outlet.outlet.format for outlet in load_content().outlets} == set(FeedFormat) - {FeedFormat.SITEMAP_INDEX}
    assert {outlet.outlet.entries for outlet in load_content().outlets} == set(EntryDetail)


@pytest.mark.parametrize("case", [o for o in load_content().outlets if o.outlet.feed is FeedState.OK], ids=lambda case: case.id)
def test_a_feed_lists_every_article_with_its_time(client: httpx.Client, case: Outlet) -> None:
    answer = client.get(feed_path(case))
    assert answer.headers["Content-Type"] == FEED_TYPES[case.outlet.format]
    listed = sum(2 if article.tracking else 1 for article in case.articles)
    if case.outlet.format is FeedFormat.JSON_FEED:
        times = [datetime.fromisoformat(item["date_published"]) for item in answer.json()["items"]]
        assert all(item["id"] and (item.get("content_html") or item.get("content_text")) for item in answer.json()["items"])
    elif case.outlet.format is FeedFormat.SITEMAP:
        tree = ElementTree.fromstring(answer.content)
        times = [datetime.fromisoformat(each.text or "") for each in tree.iter(f"{NEWS}publication_date")]
    else:
        feed = feedparser.parse(answer.content)
        assert not feed.bozo
        assert feed.feed.title == case.outlet.name
        assert all(entry.title and entry.link for entry in feed.entries)
        times = [datetime.fromtimestamp(timegm(each.get("published_parsed") or each.updated_parsed), UTC) for each in feed.entries]
    assert len(times) == listed
    assert times == sorted(times, reverse=True)
    assert all(NOW - timedelta(days=44) < when <= NOW.replace(hour=0, minute=0) for when in times)


@pytest.mark.parametrize("name", ["jingwei-keji", "wafer-and-wire"])
def test_a_full_text_feed_carries_the_text(client: httpx.Client, room: Newsroom, name: str) -> None:
    feed = feedparser.parse(client.get(source_named(room, name).url).content)
    assert all(entry.content[0].value.count("<p>") >= 3 for entry in feed.entries)


def test_a_title_feed_carries_titles_alone(client: httpx.Client, room: Newsroom) -> None:
    feed = feedparser.parse(client.get(source_named(room, "observatoire-reseaux").url).content)
    assert not any("summary" in entry or "content" in entry for entry in feed.entries)


def test_the_broken_feed_gives_nothing(client: httpx.Client, room: Newsroom) -> None:
    answer = client.get(source_named(room, "radio-plateau").url)
    feed = feedparser.parse(answer.content)
    assert answer.status_code == 200
    assert feed.bozo
    assert feed.entries == []


def test_the_missing_feed_answers_404(client: httpx.Client, room: Newsroom) -> None:
    assert client.get(source_named(room, "tidewater").url).status_code == 404


def test_every_source_speaks_a_plain_language_code(room: Newsroom) -> None:
    assert len(room.sources) >= 19
    assert all(len(source.language) == 2 for source in room.sources)


@pytest.mark.parametrize("case", load_content().outlets, ids=lambda case: case.id)
def test_a_page_holds_its_text_in_the_charset_it_declares(client: httpx.Client, room: Newsroom, case: Outlet) -> None:
    for article in case.articles:
        path = article_path(case, article)
        answer = client.get(path)
        assert answer.status_code == (410 if article.gone else 200)
        if article.gone or article.file:
            continue
        text = unescape(answer.content.decode(article.encoding))
        assert answer.charset_encoding == (article.encoding if article.charset_in_header else None)
        assert f'<meta charset="{article.encoding}">' in text
        assert f'<link rel="canonical" href="{room.url}{path}">' in text
        assert all(f"<p>{paragraph}</p>" in text for paragraph in article.paragraphs)


@pytest.mark.parametrize(
    ("path", "charset", "words", "in_header"),
    [
        ("/jianghai-wanbao/weilai-chanye.html", "gb18030", "原子级制造、深海空天开发", False),
        ("/kowan-gijutsu/kaigo-humanoid.html", "shift_jis", "人型ロボット二台が夜勤", True),
        ("/hanbit-gisul/hbm-jeungseol.html", "euc-kr", "고대역폭메모리", True),
    ],
)
def test_pages_in_old_encodings(client: httpx.Client, path: str, charset: str, words: str, in_header: bool) -> None:
    answer = client.get(path)
    assert words in answer.content.decode(charset)
    assert words.encode() not in answer.content
    assert (charset in answer.headers["Content-Type"]) is in_header


def test_a_page_describes_itself(client: httpx.Client) -> None:
    text = client.get("/northgate-courier/robots-clock-on.html", params={"utm_source": "newsletter"}).text
    linked = json.loads(text.partition('<script type="application/ld+json">')[2].partition("</script>")[0])
    assert linked["@type"] == "NewsArticle"
    assert linked["datePublished"] == "2026-05-03T07:20:00+01:00"
    assert 'property="og:title"' in text
    assert '<time datetime="2026-05-03T07:20:00+01:00">' in text
    assert "utm_source" not in text


@pytest.mark.parametrize(
    ("path", "sign"),
    [("/northgate-courier/council-inquiry.html", "Subscribe to read on"), ("/courrier-du-ponant/video-tempete.html", "<video ")],
)
def test_pages_without_an_article(client: httpx.Client, path: str, sign: str) -> None:
    text = client.get(path).text
    assert sign in text
    assert text.partition("<article>")[2].count("<p>") <= 3


def test_the_strategy_paper_has_two_pages_of_text(client: httpx.Client, room: Newsroom) -> None:
    feed = feedparser.parse(client.get(source_named(room, "far-horizons").url).content)
    (link,) = (entry.link for entry in feed.entries if entry.link.endswith(".pdf"))
    answer = client.get(link)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages]
    assert answer.headers["Content-Type"] == "application/pdf"
    assert len(pages) == 2
    assert "Quantum technology." in pages[0]
    assert "Deep-sea technology." in pages[1]


def test_robots_keep_out_of_private(client: httpx.Client) -> None:
    robots = Protego.parse(client.get("/robots.txt").text)
    assert robots.can_fetch("/", "areawatch")
    assert not robots.can_fetch("/private/drafts.html", "areawatch")
    assert client.get("/private/drafts.html").status_code == 200


@pytest.mark.parametrize("path", ["/meridian-wire/atom.xml", EDITED, "/far-horizons-ministry/far-horizons-paper.pdf"])
@pytest.mark.parametrize(("validator", "question"), [("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")])
def test_unchanged_answers_304(client: httpx.Client, path: str, validator: str, question: str) -> None:
    first = client.get(path)
    again = client.get(path, headers={question: first.headers[validator]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": 'W/"other"', "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
        {"If-Modified-Since": "Thu, 01 Jan 1998 00:00:00 GMT"},
        {"If-Modified-Since": "yesterday"},
    ],
)
def test_what_the_client_does_not_hold_is_sent(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.get("/meridian-wire/atom.xml", headers=headers).status_code == 200


def test_gzip_only_when_asked(client: httpx.Client) -> None:
    packed = client.get(EDITED, headers={"Accept-Encoding": "gzip"})
    bare = client.get(EDITED, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in bare.headers
    assert packed.content == bare.content
    assert int(packed.headers["Content-Length"]) < int(bare.headers["Content-Length"])


def test_requests_are_recorded_and_head_has_no_body() -> None:
    with Newsroom(NOW) as room, httpx.Client(base_url=room.url) as client:
        assert client.head("/robots.txt").content == b""
        client.get("/nowhere?x=1")
        assert [(each.method, each.path, each.status) for each in room.requests] == [
            ("HEAD", "/robots.txt", 200),
            ("GET", "/nowhere?x=1", 404),
        ]


def test_a_closed_newsroom_has_no_address() -> None:
    room = Newsroom(NOW)
    with room:
        address = room.url
    with pytest.raises(RuntimeError, match="closed"):
        _ = room.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_a_port_can_be_asked_for_and_may_be_taken() -> None:
    with Newsroom(NOW) as room:
        port = urlsplit(room.url).port or 0
        with pytest.raises(OSError, match="in use"), Newsroom(NOW, port=port):
            pass
    with Newsroom(NOW, port=port) as again:
        assert again.url.endswith(f":{port}")


def test_the_same_day_gives_the_same_bytes() -> None:
    assert render(NOW, BASE) == render(NOW.replace(hour=23, minute=59), BASE)


def test_another_day_moves_every_date() -> None:
    today, tomorrow = render(NOW, BASE), render(NOW + timedelta(days=1), BASE)
    assert today.keys() == tomorrow.keys()
    assert b"2026-05-03T07:20" in today["/northgate-courier/robots-clock-on.html"].body
    assert b"2026-05-04T07:20" in tomorrow["/northgate-courier/robots-clock-on.html"].body


def test_nothing_is_dated_in_the_future_at_midnight() -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    assert all(page.modified_at <= midnight for edition in (1, 2) for page in render(midnight, BASE, edition).values())


def test_the_second_edition_changes_one_article_and_its_feed() -> None:
    first, second = render(NOW, BASE, 1), render(NOW, BASE, 2)
    assert {path for path in first if first[path] != second[path]} == {EDITED, "/meridian-wire/atom.xml"}
    assert b"A supervisor sits on board" in second[EDITED].body
    assert b"A supervisor sits on board" not in first[EDITED].body
    assert all(second[path].modified_at > first[path].modified_at for path in (EDITED, "/meridian-wire/atom.xml"))


def test_links_stay_inside_the_newsroom() -> None:
    pages = render(NOW, BASE)
    for outlet in load_content().outlets:
        feed = feedparser.parse(pages[feed_path(outlet)].body) if feed_path(outlet) in pages else feedparser.FeedParserDict()
        for entry in feed.get("entries", []):
            assert urlsplit(entry.link).path in pages
