"""The Atom feeds, as a feed reader sees them."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import feedparser

from monitor.report import Site
from monitor.report.pages import feed
from tests.unit.report.sites import MADE_AT, area, hostile, site, story


def read(shown: Site) -> feedparser.FeedParserDict:
    text = feed(shown, shown.areas[-1])
    ElementTree.fromstring(text.encode())
    found = feedparser.parse(text.encode())
    assert not found.bozo
    return found


def test_a_feed_has_the_stories_with_their_quotes() -> None:
    found = read(site())
    first = found.entries[0]
    assert found.feed.title == "Quantum technology: new stories"
    assert (first.title, first.link, first.author) == ("Headline 1", "https://news.example/1", "Wafer & Wire")
    assert "A quantum computer with many qubits was shown." in first.content[0].value
    assert first.tags[0].term == "quantum"
    assert len(found.entries) == 2


def test_ids_last_when_stories_are_numbered_anew() -> None:
    before = [e.id for e in read(site()).entries]
    after = read(site(areas=(area(stories=(story(1), replace(story(2), id=99, title="Corrected"))),)))
    assert [e.id for e in after.entries] == before
    assert len({*before, after.feed.id}) == 3


def test_the_same_story_in_two_areas_has_two_ids() -> None:
    shown = site()
    ids = [{e.id for e in feedparser.parse(feed(shown, area).encode()).entries} for area in shown.areas]
    assert not ids[0] & ids[1]


def test_a_feed_names_its_own_address_where_it_is_known() -> None:
    links = {link.rel: link.href for link in read(site(base_url="https://watch.example/report/")).feed.links}
    assert links["self"] == "https://watch.example/report/area-quantum.atom"
    assert links["alternate"] == "https://watch.example/report/area-quantum.html"


def test_a_feed_without_stories_is_a_feed() -> None:
    found = read(site(areas=(area(stories=()),)))
    assert found.entries == []
    assert found.feed.updated == MADE_AT.isoformat()


def test_hostile_stories_make_a_harmless_feed() -> None:
    without, with_link = read(hostile()).entries
    assert not without.get("links")
    assert with_link.link == "https://news.example/2"
    assert "<script" not in without.content[0].value


def test_the_quote_is_text_to_xml() -> None:
    root = ElementTree.fromstring(feed(site(), site().areas[-1]))
    assert not [child for content in root.iter("{http://www.w3.org/2005/Atom}content") for child in content]
