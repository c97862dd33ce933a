"""What the newsroom promises to hold: areas, languages, look-alikes, stories told twice."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher

import pytest

from monitor.demo.outlets import DemoArticle, FeedState, load_content

AREAS = frozenset(
    {
        "6g",
        "brain-machine-interfaces",
        "quantum-technology",
        "humanoid-robots",
        "metaverse",
        "next-generation-internet",
        "atomic-level-manufacturing",
        "deep-sea",
        "aerospace",
        "generative-ai",
        "computing-power",
        "advanced-chips",
        "autonomous-driving",
    }
)
# Words that a paraphrase must do without, in the languages the newsroom paraphrases in.
USUAL_NAMES = {
    "6g": ["6g", "terahertz", "imt-2030"],
    "brain-machine-interfaces": ["brain-computer", "brain-machine", "neuroprosthe", "neural", "脑机", "植入"],
    "quantum-technology": ["quant", "qubit"],
    "humanoid-robots": ["humanoid", "robot", "humanoïde"],
    "metaverse": ["metavers", "realidad virtual", "avatar", "inmersiv"],
    "next-generation-internet": ["web3", "décentralis", "ipv6", "internet", "fediverse", "fédivers"],
    "atomic-level-manufacturing": ["atom", "rastertunnel"],
    "deep-sea": ["submersível", "mar profundo", "oceano profundo", "submarin", "rov "],
    "aerospace": ["satellit", "razz", "spazial", "lanciator", "orbita"],
    "generative-ai": ["modello linguistic", "chatgpt", "chatbot", "intelligenza artificiale", "generativ"],
    "computing-power": ["data cent", "gpu", "cluster", "comput", "cloud"],
    "advanced-chips": ["chip", "semiconductor", "lithograph", "euv", "wafer"],
    "autonomous-driving": ["self-driving", "driverless", "autonom", "robotaxi", "lidar"],
}


def every_article() -> list[DemoArticle]:
    return [article for outlet in load_content().outlets for article in outlet.articles]


def readable_articles() -> list[DemoArticle]:
    return [article for article in every_article() if article.readable]


def article(path: str) -> DemoArticle:
    outlet_id, slug = path.split("/")
    (outlet,) = (each for each in load_content().outlets if each.id == outlet_id)
    (found,) = (each for each in outlet.articles if each.slug == slug)
    return found


def test_enough_of_everything() -> None:
    outlets = load_content().outlets
    languages = {outlet.outlet.language.partition("-")[0] for outlet in outlets if outlet.articles}
    assert sum(outlet.outlet.feed is FeedState.OK for outlet in outlets) >= 16
    assert {outlet.outlet.feed for outlet in outlets} == set(FeedState)
    assert {"en", "zh", "de", "fr", "es", "ja", "ko", "ru", "pt", "it"} <= languages
    assert len({outlet.outlet.kind for outlet in outlets}) >= 6
    assert len(readable_articles()) >= 76
    assert max(each.days_ago for each in every_article()) >= 36


@pytest.mark.parametrize("case", readable_articles(), ids=lambda case: case.slug)
def test_an_article_is_prose(case: DemoArticle) -> None:
    assert 3 <= len(case.paragraphs) <= 6
    assert all(len(paragraph) >= 20 for paragraph in case.paragraphs)
    assert set(case.areas) <= AREAS
    assert set(case.paraphrased) <= set(case.areas)


@pytest.mark.parametrize("area", sorted(AREAS))
def test_an_area_occurs_by_name_paraphrased_and_in_a_list(area: str) -> None:
    carrying = [each for each in readable_articles() if area in each.areas]
    assert len(carrying) >= 4
    assert any(area in each.paraphrased for each in carrying)
    assert any(area not in each.paraphrased for each in carrying)
    assert any(len(each.areas) >= 3 for each in carrying)


@pytest.mark.parametrize("area", sorted(AREAS))
def test_a_paraphrase_does_without_the_usual_names(area: str) -> None:
    for each in readable_articles():
        if area in each.paraphrased:
            text = " ".join((each.title, each.summary, *each.paragraphs)).lower()
            assert [name for name in USUAL_NAMES[area] if name in text] == [], each.slug


def test_a_fifth_carries_no_area() -> None:
    articles = readable_articles()
    assert 0.18 <= sum(not each.areas for each in articles) / len(articles) <= 0.25


@pytest.mark.parametrize("area", ["humanoid-robots", "quantum-technology"])
def test_two_areas_rise_in_the_last_ten_days(area: str) -> None:
    carrying = [each.days_ago for each in readable_articles() if area in each.areas]
    recent = sum(days_ago <= 10 for days_ago in carrying)
    assert recent / 10 > 5 * (len(carrying) - recent) / 32


def test_no_other_area_rises_as_much() -> None:
    recent = Counter(area for each in readable_articles() if each.days_ago <= 10 for area in each.areas)
    assert {area for area, _ in recent.most_common(2)} == {"humanoid-robots", "quantum-technology"}


@pytest.mark.parametrize(
    "words", ["quantum leap", "deep-sea fishing", "5G plans", "potato chips", "《阿凡達》", "Airline strike", "Kartoffelchips"]
)
def test_look_alikes_occur_where_no_area_is(words: str) -> None:
    bare = ["\n".join((each.title, *each.paragraphs)) for each in readable_articles() if not each.areas]
    assert any(words in text for text in bare)


@pytest.mark.parametrize("case", [each for each in readable_articles() if each.syndicated_from], ids=lambda case: case.slug)
def test_syndicated_text_is_nearly_the_agencys(case: DemoArticle) -> None:
    original = article(case.syndicated_from or "")
    ours, theirs = "\n".join(case.paragraphs), "\n".join(original.paragraphs)
    assert 0.85 < SequenceMatcher(None, theirs, ours, autojunk=False).ratio() < 1
    assert case.title != original.title
    assert len(case.paragraphs) > len(original.paragraphs)


def test_two_stories_are_syndicated_one_also_under_two_urls() -> None:
    syndicated = [each for each in readable_articles() if each.syndicated_from]
    assert len({each.syndicated_from for each in syndicated}) >= 2
    assert any(each.tracking and each.tracking.startswith("utm_source=") for each in syndicated)


def test_one_story_is_told_in_other_words() -> None:
    ours = " ".join(article("meridian-wire/pelican-launch").paragraphs)
    theirs = " ".join(article("ocean-and-orbit/third-time-lucky").paragraphs)
    assert "four" in ours
    assert "four" in theirs
    assert SequenceMatcher(None, ours, theirs, autojunk=False).ratio() < 0.4


def test_the_quiet_feed_is_five_weeks_past_its_habit() -> None:
    (quiet,) = (outlet for outlet in load_content().outlets if outlet.articles and min(a.days_ago for a in outlet.articles) > 30)
    days = sorted(each.days_ago for each in quiet.articles)
    habit = (days[-1] - days[0]) / (len(days) - 1)
    assert days[0] - habit >= 34
