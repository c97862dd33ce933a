"""A page → an article or the reason why there is none: whatever bytes come, in whatever encoding, and soon."""

from __future__ import annotations

import json
import pickle
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.domain import Article, Entry, Fetched, NoArticle, ReadOutcome, Unread, Validators
from monitor.extract import read_entry, read_page

SEEN = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
URL = "https://news.example/2026/harbour"
ENGLISH = (
    "The harbour council met on Monday evening to speak about the new bridge, which is to be finished in the spring of next year.",
    "Two engineers showed how the old piers are to be taken away, and what the traffic will look like in the meantime.",
    "The market on the south bank will be moved for the winter, said the mayor, who asked for patience from all who live there.",
)
CHINESE = (
    "港口委员会周一晚上开会讨论新桥的建设，这座桥计划于明年春天完工，届时南北两岸的交通将更加方便。",
    "两位工程师介绍了旧桥墩的拆除方案，以及施工期间的交通安排，并回答了居民们提出的许多问题。",
    "市长表示，南岸的市场将在冬季搬迁，请附近居民给予理解和耐心，市政府会提供必要的帮助。",
)
JAPANESE = (
    "港湾委員会は月曜日の夜に会合を開き、来年の春に完成する予定の新しい橋について話し合いました。",
    "技術者二人が古い橋脚の撤去方法と、工事中の交通について説明し、住民の質問に答えました。",
)
KOREAN = (
    "항만위원회는 월요일 저녁에 회의를 열어 내년 봄에 완공될 예정인 새 다리에 대해 논의했습니다.",
    "두 명의 기술자가 오래된 교각을 철거하는 방법과 공사 기간의 교통에 대해 설명했습니다. 주민들은 많은 질문을 했습니다. 시장은 남쪽 시장이 겨울 동안 이전할 것이라고 말했습니다.",
)
RUSSIAN = (
    "Портовый совет собрался в понедельник вечером, чтобы обсудить новый мост, который должен быть построен весной будущего года.",
    "Два инженера показали, как будут убраны старые опоры и каким будет движение на время работ.",
)
GREEK = (
    "Το λιμενικό συμβούλιο συνεδρίασε τη Δευτέρα το βράδυ για τη νέα γέφυρα, που πρόκειται να ολοκληρωθεί την άνοιξη του επόμενου έτους.",
    "Δύο μηχανικοί έδειξαν πώς θα απομακρυνθούν οι παλιοί στύλοι και πώς θα κινείται η κυκλοφορία στο μεταξύ διάστημα.",
)
NAVIGATION = "".join(f'<li><a href="/s{n}">Section {n} of this paper</a></li>' for n in range(40))


def html(
    texts: tuple[str, ...] = ENGLISH, head: str = "", title: str = "The new bridge will open in spring", around: str = NAVIGATION
) -> str:
    body = "".join(f"<p>{text}</p>" for text in texts)
    return (
        f"<!DOCTYPE html><html><head><title>{title} - News Example</title>{head}</head><body><nav><ul>{around}</ul></nav>"
        f"<main><article><h1>{title}</h1>{body}</article></main><footer>© News Example. All rights reserved.</footer></body></html>"
    )


def linked(**facts: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@context": "https://schema.org", "@type": "NewsArticle", **facts})}</script>'


def read(body: str | bytes, *, charset: str | None = None, kind: str = "text/html", final_url: str = URL, **entry: Any) -> ReadOutcome:
    whole = body.encode() if isinstance(body, str) else body
    fetched = Fetched(URL, final_url, 200, whole, kind, charset, Validators(), None, None, len(whole), 0.1)
    asked = replace(Entry("https://news.example/feed", "1", URL, "Harbour"), **entry)
    return read_page(fetched, asked, source_language=None, first_seen_at=SEEN)


def article(body: str | bytes, **facts: Any) -> Article:
    found = read(body, **facts)
    assert isinstance(found, Article), found
    return found


def test_an_article_is_its_text_and_nothing_around_it() -> None:
    found = article(html(head=linked(headline="The new bridge", datePublished="2026-11-20T18:00:00+09:00", author={"name": "A. Writer"})))
    assert [p.text for p in found.paragraphs] == [f"The new bridge will open in spring: {ENGLISH[0]}", *ENGLISH[1:]]
    assert "Section" not in found.text
    assert "rights" not in found.text
    assert (found.language, found.author, found.url) == ("en", "A. Writer", URL)
    assert (found.published_at, found.day) == (datetime(2026, 11, 20, 9, tzinfo=UTC), date(2026, 11, 20))
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("when", "head", "feed", "published", "day"),
    [
        ("the page says it with a zone", linked(datePublished="2026-11-20T23:30:00-05:00"), SEEN, datetime(2026, 11, 21, 4, 30), 21),
        ("only the feed says it", "", datetime(2026, 11, 19, 8, tzinfo=UTC), datetime(2026, 11, 19, 8), 19),
        ("a day alone", '<meta property="article:published_time" content="2026-11-18">', None, datetime(2026, 11, 18), 18),
        ("in the future", linked(datePublished="2031-01-01T00:00:00Z"), None, None, 23),
        ("the epoch", linked(datePublished="1970-01-01T00:00:00Z"), None, None, 23),
        ("the page is far older than the feed says", linked(datePublished="2026-11-02"), SEEN, datetime(2026, 11, 2), 2),
        ("nobody says it", "", None, None, 23),
        ("nonsense", linked(datePublished="yesterday"), None, None, 23),
    ],
)  # fmt: skip
def test_the_time_of_publication(when: str, head: str, feed: datetime | None, published: datetime | None, day: int) -> None:
    found = article(html(head=head), published_at=feed)
    assert found.published_at == (published.replace(tzinfo=UTC) if published else None), when
    assert found.day == date(2026, 11, day), when


def test_a_report_of_years_ago_counts_for_the_day_it_was_seen() -> None:
    found = article(html(head=linked(datePublished="2019-05-04T10:00:00Z")))
    assert (found.published_at, found.day) == (datetime(2019, 5, 4, 10, tzinfo=UTC), SEEN.date())


@pytest.mark.parametrize(
    ("texts", "language", "codec", "declared"),
    [
        (ENGLISH, "en", "utf-8", None),
        (CHINESE, "zh", "gb18030", "gb2312"),
        (CHINESE, "zh", "gb18030", None),
        (CHINESE, "zh", "gb18030", "utf-8"),
        (CHINESE, "zh", "utf-8", "iso-8859-1"),
        (tuple(text.replace("会", "會").replace("桥", "橋") for text in CHINESE), "zh", "big5hkscs", "big5"),
        (JAPANESE, "ja", "cp932", "shift_jis"),
        (JAPANESE, "ja", "euc_jp", None),
        (JAPANESE, "ja", "iso2022_jp", None),
        (KOREAN, "ko", "cp949", "euc-kr"),
        (RUSSIAN, "ru", "cp1251", "windows-1251"),
        (RUSSIAN, "ru", "cp1251", None),
        (GREEK, "el", "cp1253", "iso-8859-7"),
        (RUSSIAN, "ru", "utf-16", None),
    ],
)  # fmt: skip
def test_every_encoding_whatever_is_declared(texts: tuple[str, ...], language: str, codec: str, declared: str | None) -> None:
    if codec == "big5hkscs":  # simplified characters have no place there
        texts = tuple("".join(c for c in text if c.encode(codec, "ignore")) for text in texts)
    head = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if declared else ""
    found = article(html(texts, head=head, title=texts[0][:12]).encode(codec, "xmlcharrefreplace"))
    assert texts[0] in found.text
    assert texts[-1][-20:] in found.text
    assert found.language == language


@pytest.mark.parametrize(
    ("when", "body", "reason", "transient"),
    [
        ("empty", "", Unread.ERROR, True),
        ("blank", "  \n ", Unread.ERROR, True),
        ("hardly a word", html(("Hello.",), around=""), Unread.TOO_SHORT, False),
        ("said to be gone", html(("Sorry.",), title="404 Not Found", around=""), Unread.GONE, False),
        ("gone in Chinese", html(("您访问的页面不存在。",), title="页面不存在", around=""), Unread.GONE, False),
        ("a challenge", html(("Enable JavaScript and cookies to continue",), title="Just a moment...", around=""), Unread.BLOCKED, True),
        ("a teaser that is not free", html(ENGLISH[:1], head=linked(headline="A", isAccessibleForFree=False)), Unread.PAYWALL, False),
        ("a teaser, then an offer", html((ENGLISH[0], "Subscribe to continue reading this article."), around=""), Unread.PAYWALL, False),
        ("an index of links", html((), around=NAVIGATION * 4), Unread.NOT_AN_ARTICLE, False),
        ("a video", html((ENGLISH[0],), head='<meta property="og:type" content="video.other">'), Unread.NOT_AN_ARTICLE, False),
        ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(200), Unread.NOT_AN_ARTICLE, False),
        ("an archive", b"PK\x03\x04" + bytes(200), Unread.NOT_AN_ARTICLE, False),
        ("a feed", '<?xml version="1.0"?><rss version="2.0"><channel></channel></rss>', Unread.NOT_AN_ARTICLE, False),
        ("a broken PDF", b"%PDF-1.7\n" + b"x" * 400, Unread.ERROR, False),
    ],
)  # fmt: skip
def test_what_is_no_article_is_typed(when: str, body: str | bytes, reason: Unread, transient: bool) -> None:
    found = read(body)
    assert isinstance(found, NoArticle), when
    assert (found.reason, found.transient) == (reason, transient), (when, found.message)
    assert found.message


def test_an_address_that_led_home_is_gone() -> None:
    found = read(html(), final_url="https://news.example/")
    assert isinstance(found, NoArticle)
    assert found.reason is Unread.GONE


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("https://news.example/2026/harbour", URL),
        ("/2026/harbour?utm_source=x", URL),
        ("https://news.example/", URL),
        ("https://news.example/2026", URL),
        ("https://elsewhere.example/other", URL),
        ("https://news.example/story/harbour#top", "https://news.example/story/harbour"),
        ("javascript:alert(1)", URL),
        ("//[", URL),
    ],
)
def test_the_canonical_link_is_believed_where_it_can_be(said: str, expected: str) -> None:
    assert article(html(head=f'<link rel="canonical" href="{said}">')).url == expected


def test_an_article_loaded_behind_the_pages_own_is_none_of_it() -> None:
    other = f"<article><h1>Another thing altogether</h1><p>{'It was cold on the hill, and nobody came to see it. ' * 20}</p></article>"
    for where in ("</main>", "<main>"):
        text = html(head=linked(headline="The new bridge will open in spring")).replace(
            where, where[:-1] + ">" + other if where == "<main>" else other + where
        )
        found = article(text)
        assert ENGLISH[1] in found.text
        assert "hill" not in found.text


@pytest.mark.parametrize(
    ("headline", "site", "expected"),
    [
        ("The bridge opens - News Example", "News Example", "The bridge opens"),
        ("The bridge opens - at last", "News Example", "The bridge opens - at last"),
        ("新しい橋が春に開通 - 毎日新聞", "毎日新聞", "新しい橋が春に開通"),
    ],
)
def test_the_name_of_the_site_is_no_part_of_a_headline(headline: str, site: str, expected: str) -> None:
    assert article(html(head=linked(headline=headline) + f'<meta property="og:site_name" content="{site}">')).title == expected


def test_what_the_page_lacks_is_taken_from_structured_data_or_the_feed() -> None:
    structured = html(("Loading",), head=linked(headline="Bridge", articleBody="\n".join(ENGLISH * 2)))
    assert ENGLISH[1] in article(structured).text
    carried = article(html(("Loading",), around=""), content="".join(f"<p>{text}</p>" for text in ENGLISH))
    assert carried.extractor == "entry"
    assert ENGLISH[2] in carried.text


@pytest.mark.parametrize(
    ("case", "content", "url", "is_article"),
    [
        ("a full text", "".join(f"<p>{text}</p>" for text in (*ENGLISH, *RUSSIAN)), URL, True),
        ("a teaser with a page", f"<p>{ENGLISH[0]}</p>", URL, False),
        ("the same without a page", f"<p>{ENGLISH[0]} {ENGLISH[1]}</p>", None, True),
        ("nothing", "", None, False),
        ("nothing but mark-up", "<p><img src=x><br></p>", None, False),
    ],
)
def test_a_text_in_the_feed(case: str, content: str, url: str | None, is_article: bool) -> None:
    entry = Entry("https://news.example/feed", "1", url, "Harbour", content=content)
    found = read_entry(entry, source_language=None, first_seen_at=SEEN)
    assert isinstance(found, Article) == is_article, (case, found)
    if isinstance(found, NoArticle):
        assert found.reason is Unread.TOO_SHORT


# --- whatever comes -------------------------------------------------------------------------------------------------


def holds(found: ReadOutcome) -> None:
    pickle.dumps(found)
    if isinstance(found, NoArticle):
        assert found.message
        return
    assert found.paragraphs
    assert found.day <= (SEEN + timedelta(days=1)).date()
    assert found.published_at is None or found.published_at.tzinfo is UTC
    assert found.url.startswith(("http://", "https://"))
    for text in (found.title, found.author or "", found.text):
        assert "\x00" not in text
        text.encode("utf-8")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=600),
    st.sampled_from([b"", b"<html>", b"%PDF-1.4\n", b"\xff\xfe", b"<?xml version='1.0'?>", b"\x1b$B"]),
    st.sampled_from(["", "text/html", "application/pdf", "text/plain"]),
)
def test_any_bytes(body: bytes, start: bytes, kind: str) -> None:
    holds(read(start + body, kind=kind))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_page_with_a_few_wounds(data: st.DataObject) -> None:
    text = html(
        data.draw(st.sampled_from([ENGLISH, CHINESE, RUSSIAN])),
        head=linked(headline="A", datePublished="2026-11-20", articleBody=ENGLISH[0]),
    )
    for _ in range(data.draw(st.integers(1, 5))):
        at, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 30))
        wound = data.draw(
            st.sampled_from(
                ["", "<", ">", '"', "</", "<!--", "<script>", "</article>", "<table><td>", "\x00", "\ud800", "&#0;", "<p " * 30]
            )
        )
        text = text[:at] + wound + text[at + length :]
    holds(read(text.encode(data.draw(st.sampled_from(["utf-8", "utf-16", "gb18030", "latin-1"])), "replace")))


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("elements in elements", b"<html><body>" + b"<div>" * 60_000 + b"text"),
        ("tables in tables", b"<html><body>" + b"<table><tr><td>" * 3_000 + b"text"),
        ("one word without end", b"<html><body><p>" + b"a" * 3_000_000),
        ("one attribute without end", b'<html><body><p title="' + b"a" * 3_000_000),
        ("attributes without number", b"<html><body><p " + b" ".join(b"a%d=1" % n for n in range(40_000)) + b">text"),
        ("paragraphs without number", b"<html><body><article>" + b"<p>A sentence, of a few words, that ends here.</p>" * 10_000),
        ("only openings", b"<" * 1_000_000),
        ("structured data in structured data", b'<html><script type="application/ld+json">' + b"[" * 100_000 + b"</script><body>"),
        ("spaces", b"<html><body><p>" + b" \xc2\xa0" * 1_000_000 + b"x"),
        ("a script without end", b"<html><body><script>" + b"\\u003cp>" * 200_000),
        ("links without number", b"<html><body>" + b'<a href="/x">one two three</a> ' * 15_000),
    ],
)  # fmt: skip
def test_hostile_pages_are_done_with_in_seconds(case: str, body: bytes) -> None:
    started = time.process_time()
    holds(read(body))
    assert time.process_time() - started < 25, case
