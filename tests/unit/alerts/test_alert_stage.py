"""Whom the stage tells what, night after night: one story once, and none of what is no news."""

from __future__ import annotations

from datetime import timedelta

import pytest
from alert_desk import Desk, wish
from sqlalchemy import select, update

from monitor.errors import ConfigurationError, DeliveryError
from monitor.store import hits, outbox, recipients
from monitor.store.schema import alerted, articles
from tests import builders


def test_a_story_is_told_once_with_all_its_areas(desk: Desk) -> None:
    desk.subscribe(wish(), wish("bo", areas=["6g"]))
    story = desk.story("6g", "deep-sea", title="Cables listen to whales", words=["6G"])
    assert desk.alert() == {"due": 2, "stories": 2, "queued": 2, "sent": 2}
    to_ana, to_bo = desk.sent
    assert to_ana.subject.endswith("Cables listen to whales")
    assert to_ana.address == "ana@example.org"
    assert "also about" in to_ana.text
    assert "also about" not in to_bo.text
    assert "*6G*" in to_ana.text
    assert "<mark" in to_ana.html
    with desk.database.reading() as connection:
        rows = connection.execute(select(alerted.c.recipient, alerted.c.area, alerted.c.story)).all()
    assert sorted(rows) == [("ana", "6g", story), ("ana", "deep-sea", story), ("bo", "6g", story)]
    for _ in range(3):
        desk.later(minutes=5)
        assert desk.alert() == {"due": 2}


def test_no_file_nobody_is_told(desk: Desk) -> None:
    desk.story("6g")
    assert desk.alert() == {}


def test_a_late_syndication_is_no_news(desk: Desk) -> None:
    desk.subscribe(wish())
    first = desk.story("6g")
    desk.alert()
    desk.later(days=2)
    desk.story("6g", "deep-sea", story=first, source=desk.add_source("Example Post"))
    assert desk.alert() == {"due": 1}


def test_syndication_of_the_same_night_is_one_line(desk: Desk) -> None:
    desk.subscribe(wish())
    first = desk.story("6g", title="The first headline")
    desk.later(minutes=1)
    desk.story("6g", story=first, source=desk.add_source("Example Post"), title="Another headline")
    assert desk.alert() == {"due": 1, "stories": 1, "queued": 1, "sent": 1}
    assert "The first headline" in desk.sent[0].text
    assert "also in Example Post" in desk.sent[0].text
    assert "Another headline" not in desk.sent[0].text


def test_a_reader_of_one_source_is_told_when_that_source_has_it(desk: Desk) -> None:
    ministry = desk.add_source("Ministry")
    desk.subscribe(wish(), wish("min", sources=["Ministry"]))
    first = desk.story("6g")
    assert desk.alert()["queued"] == 1
    desk.later(days=1)
    desk.story("6g", story=first, source=ministry)
    assert desk.alert()["queued"] == 1
    assert desk.sent[-1].address == "min@example.org"


def test_an_edited_article_is_no_news(desk: Desk) -> None:
    desk.subscribe(wish())
    article = desk.story("6g")
    quiet = desk.story(title="Nothing of interest yet")
    desk.alert()
    desk.later(days=1)
    with desk.database.writing() as connection:
        for key in (article, quiet):
            paragraph = builders.add_paragraphs(connection, [f"A correction about 6G in {key}."])
            builders.link(connection, [(key, paragraph)], version=2)
            connection.execute(update(articles).where(articles.c.id == key).values(version=2, changed_at=desk.now))
    for key in (article, quiet):
        desk.look(key, "6g", version=2)
    assert desk.alert() == {"due": 1}


def test_a_new_matcher_tells_nothing_old(desk: Desk) -> None:
    desk.subscribe(wish())
    told, quiet = desk.story("6g"), desk.story(title="Nothing, says the first matcher")
    desk.alert()
    desk.later(days=1)
    second = desk.new_matcher()
    fresh = desk.story(title="Only the second matcher finds it", looked=False)
    for article in (told, quiet, fresh):
        desk.look(article, "deep-sea", matcher=second)
    with desk.database.writing() as connection:
        hits.go_live(connection, second, now=desk.now)
    assert desk.alert() == {"due": 1, "stories": 1, "queued": 1, "sent": 1}
    assert desk.told()[-1].endswith("Only the second matcher finds it")
    desk.later(days=1)
    assert desk.alert() == {"due": 1}


def test_a_late_copy_does_not_bring_up_what_only_the_new_matcher_finds(desk: Desk) -> None:
    desk.subscribe(wish())
    old = desk.story(title="Nothing, says the first matcher")
    desk.alert()
    desk.later(days=1)
    second = desk.new_matcher()
    copy = desk.story(title="A late copy", story=old, looked=False)
    for article in (old, copy):
        desk.look(article, "6g", matcher=second)
    with desk.database.writing() as connection:
        hits.go_live(connection, second, now=desk.now)
    assert desk.alert() == {"due": 1}


def test_what_is_matched_late_is_told_late(desk: Desk) -> None:
    desk.subscribe(wish())
    late = desk.story(looked=False, title="Matched two nights later")
    desk.later(minutes=5)
    desk.story("6g", title="Matched at once")
    desk.later(minutes=5)
    assert desk.alert()["stories"] == 1
    desk.later(days=2)
    assert desk.alert() == {"due": 1}
    desk.look(late, "6g")
    assert desk.alert()["stories"] == 1
    assert [subject.split(": ")[1] for subject in desk.told()] == ["Matched at once", "Matched two nights later"]


def test_an_article_stored_after_its_moment_is_told(desk: Desk) -> None:
    """The time of an article is taken before its transaction ends; a turn in between must not skip it."""
    desk.subscribe(wish())
    desk.alert()
    seen = desk.now - timedelta(minutes=3)
    now, desk.now = desk.now, seen
    desk.story("6g")
    desk.now = now + timedelta(minutes=1)
    assert desk.alert()["stories"] == 1


@pytest.mark.parametrize(
    ("case", "days", "told"), [("published today", 0, 1), ("published two weeks ago", 14, 1), ("a feed's old entries", 15, 0)]
)
def test_old_articles_of_a_new_source_are_no_news(desk: Desk, case: str, days: int, told: int) -> None:
    desk.subscribe(wish())
    desk.story("6g", day=desk.now.date() - timedelta(days=days))
    assert desk.alert().get("stories", 0) == told


def test_the_first_message_reaches_back_as_far_as_asked(desk: Desk) -> None:
    desk.story("6g", title="Three days ago")
    desk.later(days=3)
    desk.subscribe(wish(), wish("deep", reach_back_days=5), wish("none", reach_back_days=0))
    assert desk.alert()["stories"] == 1
    assert desk.sent[0].recipient == "deep"


def test_daily_and_weekly_readers_wait_for_their_hour(desk: Desk) -> None:
    desk.subscribe(wish("day", when="daily at 07:00"), wish("week", when="weekly on friday at 07:00", zone="Asia/Tokyo"))
    desk.story("6g", title="On Monday")
    assert desk.alert() == {}
    desk.later(hours=5)  # Monday 07:30 UTC
    assert desk.alert() == {"due": 1, "stories": 1, "queued": 1, "sent": 1}
    desk.later(days=1)
    desk.story("6g", title="On Tuesday")
    desk.later(minutes=1)
    assert desk.alert()["queued"] == 1
    desk.later(days=3)
    assert desk.alert() == {"due": 2, "stories": 2, "queued": 1, "sent": 1}
    assert desk.sent[-1].recipient == "week"
    assert "2 new stories" in desk.sent[-1].subject


def test_an_outage_is_caught_up_once_and_what_is_left_out_is_said(desk: Desk) -> None:
    desk.subscribe(wish(when="daily at 07:00"))
    desk.alert()
    for _ in range(20):
        desk.later(days=1)
        desk.story("6g", title=f"Story of {desk.now:%d %b}")
    desk.later(hours=6)
    counted = desk.alert()
    assert counted == {"due": 1, "stories": 14, "queued": 1, "sent": 1}
    assert "left out after the long pause" in desk.sent[0].text
    assert desk.alert() == {}


def test_beyond_the_limit_is_listed_and_told_too(desk: Desk) -> None:
    desk.subscribe(wish(most_items=2))
    for number in range(150):
        desk.story("6g", title=f"Headline {number}", probability=0.5 + number / 1000)
    assert desk.alert()["stories"] == 150
    [message] = desk.sent
    assert "150 new stories" in message.subject
    assert "ALSO NEW (148)" in message.text
    assert sum(f"Headline {n} " in message.text or f"Headline {n}\n" in message.text for n in range(150)) == 102
    assert "and further, by area: 6G mobile communications 48" in message.text
    assert desk.alert() == {"due": 1}


@pytest.mark.parametrize(
    ("case", "keys", "told"),
    [
        ("another area", {"areas": ["deep-sea"]}, 0),
        ("its facet", {"facets": ["technology"]}, 1),
        ("its language", {"languages": ["en", "de"]}, 1),
        ("another language", {"languages": ["de"]}, 0),
        ("its kind of source", {"source_kinds": ["newspaper"]}, 1),
        ("another kind", {"source_kinds": ["ministry"]}, 0),
        ("too unsure", {"least_probability": 0.95}, 0),
        ("a word it has", {"words": {"any": ["zebra", "HARBOUR"]}}, 1),
        ("part of a word", {"words": {"any": ["harb"]}}, 0),
        ("the beginning of a word", {"words": {"any": ["harb*"]}}, 1),
        ("one of two words it must have", {"words": {"all": ["harbour", "zebra"]}}, 0),
        ("a word that must not occur", {"words": {"none": ["whales"]}}, 0),
    ],
)
def test_what_a_reader_asked_for(desk: Desk, case: str, keys: dict[str, object], told: int) -> None:
    desk.subscribe(wish(**keys))
    desk.story("6g", title="Cables listen to whales")
    assert desk.alert().get("stories", 0) == told


def test_nothing_new_is_said_if_asked_for(desk: Desk) -> None:
    desk.subscribe(wish(nothing_new=True), wish("bo"))
    assert desk.alert()["queued"] == 1
    assert "nothing new" in desk.sent[0].subject
    assert "Nothing new" in desk.sent[0].html


def test_failing_sources_are_named_at_the_top(desk: Desk) -> None:
    desk.add_source("Example Wire", failures=3, last_error="404", last_success_at=desk.now)
    desk.subscribe(wish(areas=["6g"]))
    desk.story("6g", title="The headline")
    desk.alert()
    for part in (desk.sent[0].text, desk.sent[0].html):
        assert 0 < part.index("1 of 2 sources could not be read") < part.index("The headline", part.index("since"))


def test_one_recipient_that_cannot_be_told_does_not_stop_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from monitor.alerts import digest

    desk.subscribe(wish(), wish("bo"))
    desk.story("6g")
    headers = digest._headers
    monkeypatch.setattr(digest, "_headers", lambda d, s, t: 1 / 0 if d.wish.name == "ana" else headers(d, s, t))
    assert desk.alert() == {"due": 2, "stories": 1, "queued": 1, "sent": 1, "failed": 1}
    monkeypatch.setattr(digest, "_headers", headers)
    assert desk.alert() == {"due": 2, "stories": 1, "queued": 1, "sent": 1}
    assert [m.recipient for m in desk.sent] == ["bo", "ana"]


def test_a_refusal_for_now_is_tried_again_with_growing_waits(desk: Desk) -> None:
    desk.subscribe(wish())
    desk.refusals["ana@example.org"] = [DeliveryError("451 later", permanent=False)] * 3
    desk.story("6g")
    tries = [n for n in range(0, 90, 5) if n == 0 or desk.later(minutes=5) if {"failed", "sent"} & desk.alert().keys()]
    assert tries == [0, 5, 20, 65]
    assert len(desk.sent) == 1


def test_a_refusal_for_good_pauses_that_recipient_until_its_address_changes(desk: Desk) -> None:
    desk.subscribe(wish(), wish("bo"))
    desk.refusals["ana@example.org"] = [DeliveryError("550 no such user", permanent=True)]
    desk.story("6g")
    assert desk.alert() == {"due": 2, "stories": 2, "queued": 2, "sent": 1, "failed": 1}
    with desk.database.reading() as connection:
        [paused] = outbox.standing(connection, desk.now)["paused"]
    assert paused["recipient"] == "ana"
    assert "550 no such user" in paused["why"]
    desk.later(days=1)
    desk.story("6g")
    assert desk.alert()["due"] == 1
    desk.subscribe(wish(channels=[{"email": "new@example.org"}]), wish("bo"))
    assert desk.alert()["queued"] == 1
    assert desk.sent[-1].address == "new@example.org"


def test_a_subscription_that_is_gone_gets_nothing_and_goes_on_when_it_is_back(desk: Desk) -> None:
    desk.subscribe(wish(), wish("bo"))
    desk.alert()
    desk.subscribe(wish("bo"))
    desk.later(days=1)
    desk.story("6g")
    assert desk.alert()["queued"] == 1
    desk.subscribe(wish(), wish("bo"))
    assert desk.alert()["queued"] == 1
    assert [m.recipient for m in desk.sent] == ["bo", "ana"]


def test_a_pause_by_hand_survives(desk: Desk) -> None:
    desk.subscribe(wish())
    desk.alert()
    with desk.database.writing() as connection:
        assert recipients.pause(connection, "ana", recipients.BY_HAND, now=desk.now)
    desk.story("6g")
    assert desk.alert() == {}
    with desk.database.writing() as connection:
        assert recipients.resume(connection, "ana")
    assert desk.alert()["queued"] == 1


@pytest.mark.parametrize(
    ("case", "file", "text", "place"),
    [
        ("an unknown area", "subscriptions.yaml", "subscriptions: [{name: a, areas: [nope], channels: [{email: a@example.org}]}]", ":1:"),
        ("a bad template", "templates/digest.html", "<p>\n{{ digest.nope }}", "digest.html:2"),
        ("a template that is none", "templates/digest.txt", "{% if %}", "digest.txt:1"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_told(desk: Desk, case: str, file: str, text: str, place: str) -> None:
    desk.subscribe(wish())
    desk.story("6g")
    path = desk.parts.settings.home / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"\S") as caught:
        desk.alert()
    assert place in str(caught.value)
    assert str(path) in str(caught.value)
    with desk.database.reading() as connection:
        assert outbox.list_messages(connection) == ()


def test_a_server_that_is_down_is_asked_three_times_not_a_thousand(desk: Desk) -> None:
    from monitor.alerts.mail import Unavailable

    names = [f"reader{n}" for n in range(8)]
    desk.subscribe(*(wish(name) for name in names))
    for name in names:
        desk.refusals[f"{name}@example.org"] = [Unavailable("no route")]
    desk.story("6g")
    assert desk.alert()["failed"] == 3
    desk.refusals.clear()
    desk.later(minutes=6)
    assert desk.alert()["sent"] == 8
