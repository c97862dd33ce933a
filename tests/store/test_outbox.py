"""The outbox, its recipients and the news, on both databases: one turn is given once, one message goes to one sender."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from monitor.domain import Message
from monitor.store import news, outbox, recipients
from monitor.store.database import Database
from monitor.store.outbox import LEASE
from monitor.store.recipients import Recipient, Wanted
from monitor.store.schema import alerted, announced
from monitor.store.schema import outbox as table
from tests.builders import NOW, add_article, add_hit, add_source, live_matcher


def message(number: int = 1, recipient: str = "ana", channel: str = "email") -> Message:
    headers = (("References", "<a@example.org>"),)
    return Message(f"key-{number}", recipient, channel, f"{recipient}@example.org", "s ‹é›", "t", "<p>t</p>", headers)


def known(database: Database, *names: str) -> dict[str, Recipient]:
    with database.writing() as connection:
        wanted = [Wanted(name, {"name": name, "channels": [{"email": name}]}, timedelta(days=1)) for name in names]
        return recipients.sync_recipients(connection, wanted, now=NOW)


def fill(database: Database, number: int) -> None:
    with database.writing() as connection:
        for n in range(number):
            outbox.queue(connection, message(n), now=NOW)


def test_a_message_comes_back_as_it_was_put_in(database: Database) -> None:
    with database.writing() as connection:
        assert outbox.queue(connection, message(), now=NOW)
        assert not outbox.queue(connection, replace(message(), subject="another"), now=NOW)
        claimed = outbox.claim(connection, now=NOW)
    assert claimed is not None
    assert claimed.message == message()
    assert (claimed.attempts, claimed.retry_at, claimed.queued_at) == (1, NOW + LEASE, NOW)


def test_a_claim_holds_until_its_lease_is_over(database: Database) -> None:
    fill(database, 1)
    with database.writing() as connection:
        assert outbox.claim(connection, now=NOW) is not None
        assert outbox.claim(connection, now=NOW + LEASE - timedelta(seconds=1)) is None
        again = outbox.claim(connection, now=NOW + LEASE)
        assert again is not None
        assert again.attempts == 2
        outbox.mark_sent(connection, again, now=NOW + LEASE)
        assert outbox.claim(connection, now=NOW + timedelta(days=9)) is None


def test_several_senders_never_send_the_same(database: Database) -> None:
    fill(database, 60)
    sent: Counter[str] = Counter()
    lock, begin = threading.Lock(), threading.Barrier(4)

    def sender(_: int) -> None:
        begin.wait()
        misses = 0
        while misses < 3:
            with database.writing() as connection:
                claimed = outbox.claim(connection, now=NOW)
            if claimed is None:
                misses += 1
                continue
            with lock:
                sent[claimed.message.key] += 1
            with database.writing() as connection:
                outbox.mark_sent(connection, claimed, now=NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sender, range(4)))
    assert sent == {f"key-{n}": 1 for n in range(60)}


def test_a_message_that_another_holds_is_passed_over(database: Database) -> None:
    if database.dialect != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    fill(database, 2)
    with database.writing() as one, database.writing() as two:
        first, second = outbox.claim(one, now=NOW), outbox.claim(two, now=NOW)
    assert first is not None
    assert second is not None
    assert first.id != second.id


def test_those_that_failed_least_come_first(database: Database) -> None:
    fill(database, 3)
    order = []
    with database.writing() as connection:
        for n in range(6):
            claimed = outbox.claim(connection, now=NOW + timedelta(minutes=n))
            assert claimed is not None
            order.append((claimed.message.key, claimed.attempts))
            outbox.postpone(connection, claimed, "451 later", retry_at=NOW)
    assert order == [("key-0", 1), ("key-1", 1), ("key-2", 1), ("key-0", 2), ("key-1", 2), ("key-2", 2)]


def test_a_channel_can_be_left_alone(database: Database) -> None:
    with database.writing() as connection:
        outbox.queue(connection, message(1), now=NOW)
        outbox.queue(connection, message(2, channel="apprise"), now=NOW)
        claimed = outbox.claim(connection, now=NOW, without=["email"])
        assert claimed is not None
        assert claimed.message.key == "key-2"
        assert outbox.claim(connection, now=NOW, without=["email", "apprise"]) is None


def test_a_turn_is_given_once(database: Database) -> None:
    """Many processes that found the same news at once: one of them tells it."""
    ana = known(database, "ana")["ana"]
    begin = threading.Barrier(4)

    def process(number: int) -> bool:
        begin.wait()
        with database.writing() as connection:
            return outbox.tell(
                connection,
                ana,
                [message(number)],
                [(7, ("6g", "deep-sea"))],
                signals=[("6g", "burst 2026-11-22")],
                key=f"key-{number}",
                considered=7,
                now=NOW + timedelta(seconds=1),
            )

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(process, range(4)))
    assert sorted(done) == [False, False, False, True]
    with database.reading() as connection:
        assert len(outbox.list_messages(connection)) == 1
        rows = connection.execute(select(alerted.c.recipient, alerted.c.area, alerted.c.story, alerted.c.message)).all()
        assert sorted(rows) == [("ana", "6g", 7, f"key-{done.index(True)}"), ("ana", "deep-sea", 7, f"key-{done.index(True)}")]
        assert recipients.told_stories(connection, "ana", [6, 7, 8]) == {7}
        assert recipients.told_stories(connection, "bo", [6, 7, 8]) == frozenset()
        asked = [("6g", "burst 2026-11-22"), ("deep-sea", "burst 2026-11-22"), ("6g", "burst 2026-11-23")]
        assert recipients.told_signals(connection, "ana", asked) == {("6g", "burst 2026-11-22")}
        assert recipients.told_signals(connection, "ana", asked[1:]) == recipients.told_signals(connection, "bo", asked) == frozenset()
        after = recipients.all_recipients(connection)["ana"]
        assert (after.considered, after.turn_at) == (7, NOW + timedelta(seconds=1))


class PowerCut(BaseException):
    pass


def test_telling_is_all_or_nothing(database: Database) -> None:
    ana = known(database, "ana")["ana"]

    def broken_off() -> None:
        with database.writing() as connection:
            signals = [("6g", "burst 2026-11-22")]
            told = outbox.tell(
                connection, ana, [message()], [(7, ("6g",))], signals=signals, key="key", considered=7, now=NOW + timedelta(seconds=1)
            )
            assert told
            raise PowerCut

    with pytest.raises(PowerCut):
        broken_off()
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(table)) == 0
        assert connection.scalar(select(func.count()).select_from(alerted)) == 0
        assert connection.scalar(select(func.count()).select_from(announced)) == 0
        assert recipients.all_recipients(connection)["ana"] == ana


def test_a_paused_recipient_is_told_nothing_and_sent_nothing(database: Database) -> None:
    ana = known(database, "ana")["ana"]
    fill(database, 1)
    with database.writing() as connection:
        assert recipients.pause(connection, "ana", recipients.BY_HAND, now=NOW)
        assert not recipients.pause(connection, "ana", "again", now=NOW)
        assert outbox.claim(connection, now=NOW) is None
        assert not outbox.tell(connection, ana, [message(2)], [], key="k", considered=1, now=NOW + timedelta(seconds=1))
        standing = outbox.standing(connection, NOW + timedelta(hours=1))
        assert (standing["queued"], standing["held"], standing["oldest_queued_seconds"]) == (0, 1, None)
        assert standing["paused"] == [{"recipient": "ana", "since": NOW, "why": "paused by hand"}]
        assert recipients.resume(connection, "ana")
        assert not recipients.resume(connection, "ana")
        assert outbox.claim(connection, now=NOW) is not None


def test_how_the_queue_stands(database: Database) -> None:
    known(database, "ana", "bo")
    with database.writing() as connection:
        for number, recipient in enumerate(("ana", "bo", "bo", "bo")):
            outbox.queue(connection, message(number, recipient), now=NOW + timedelta(minutes=number))
        refused, postponed, sent, waiting = (outbox.claim(connection, now=NOW + timedelta(minutes=5)) for _ in range(4))
        assert refused
        assert postponed
        assert sent
        assert waiting
        outbox.refuse(connection, refused, "550 no such user", now=NOW)
        outbox.postpone(connection, postponed, "451 later", retry_at=NOW + timedelta(hours=1))
        outbox.mark_sent(connection, sent, now=NOW)
        standing = outbox.standing(connection, NOW + timedelta(hours=2))
    assert standing == {
        "queued": 2, "oldest_queued_seconds": 7140, "last_error": "451 later", "held": 0, "refused": 1,
        "paused": [{"recipient": "ana", "since": NOW, "why": "refused: 550 no such user"}],
    }  # fmt: skip


def test_retry_and_drop(database: Database) -> None:
    known(database, "ana", "bo")
    with database.writing() as connection:
        for number, recipient in enumerate(("ana", "bo", "bo")):
            outbox.queue(connection, message(number, recipient), now=NOW)
        refused, postponed, sent = (outbox.claim(connection, now=NOW) for _ in range(3))
        assert refused
        assert postponed
        assert sent
        outbox.refuse(connection, refused, "550", now=NOW)
        outbox.postpone(connection, postponed, "451", retry_at=NOW + timedelta(days=1))
        outbox.mark_sent(connection, sent, now=NOW)
        assert outbox.retry(connection, "key-2") == 0
        assert outbox.retry(connection) == 2
        again = outbox.claim(connection, now=NOW)
        assert again is not None
        assert again.message.key == "key-1"  # ana is paused still
        assert outbox.drop(connection, "key-0")
        assert not outbox.drop(connection, "key-0")
        assert not outbox.drop(connection, "key-2")
        states = {q.message.key: q.state for q in outbox.list_messages(connection)}
        assert states == {"key-0": "dropped", "key-1": "queued", "key-2": "sent"}
        assert [q.message.key for q in outbox.list_messages(connection, state="sent")] == ["key-2"]


def test_recipients_follow_the_file(database: Database) -> None:
    before = known(database, "ana", "bo")
    assert before["ana"].token != before["bo"].token
    assert known(database, "ana", "bo") == before
    assert list(known(database, "bo")) == ["bo"]
    with database.writing() as connection:
        assert recipients.all_recipients(connection)["ana"].paused_why == recipients.REMOVED
        outbox.queue(connection, message(1, "bo"), now=NOW)
        claimed = outbox.claim(connection, now=NOW)
        assert claimed is not None
        outbox.refuse(connection, claimed, "550", now=NOW)
    both = known(database, "ana", "bo")
    assert both["ana"].paused_why is None
    assert both["bo"].paused_why == "refused: 550"
    with database.writing() as connection:
        moved = Wanted("bo", {"name": "bo", "channels": [{"email": "new"}]}, timedelta(0))
        assert recipients.sync_recipients(connection, [moved], now=NOW)["bo"].paused_at is None


def test_a_token_pauses_its_recipient_and_no_other(database: Database) -> None:
    token = known(database, "ana", "bo")["ana"].token
    with database.writing() as connection:
        assert not recipients.pause_by_token(connection, "", "x", now=NOW)
        assert not recipients.pause_by_token(connection, token[:-1], "x", now=NOW)
        assert recipients.pause_by_token(connection, token, "left", now=NOW)
        assert recipients.pause_by_token(connection, token, "left", now=NOW)
        found = recipients.all_recipients(connection)
    assert (found["ana"].paused_why, found["bo"].paused_why) == ("left", None)


def test_a_newcomer_begins_with_the_days_asked_for(database: Database) -> None:
    with database.writing() as connection:
        source = add_source(connection, "S")
        ids = [add_article(connection, source, day=NOW.date(), seen_at=NOW - timedelta(days=back)).id for back in (3, 2, 1, 0)]
        for reach, first in ((0, 3), (1.5, 1), (9, -1)):
            found = recipients.newcomer(connection, Wanted("a", {}, timedelta(days=reach)), now=NOW)
            assert found.considered == (ids[first] if first >= 0 else 0)


def test_news_and_what_holds_it_up(database: Database) -> None:
    day, early = NOW.date(), NOW.date() - timedelta(days=20)
    with database.writing() as connection:
        matcher = live_matcher(connection)
        source = add_source(connection, "")
        texts = ("6G here.", "And 6G there.")
        old = add_article(connection, source, day=early, texts=texts, title="Old")
        first = add_article(connection, source, day=day, texts=texts, title="First")
        plain = add_article(connection, source, day=day, texts=["Nothing."])
        copy = add_article(connection, source, day=day, texts=["6G again."], story=first.id)
        late = add_article(connection, source, day=day, texts=["6G, unseen."])
        for paragraph, p in ((first.paragraphs[0], 0.6), (first.paragraphs[1], 0.8), (copy.paragraphs[0], 0.7)):
            add_hit(connection, matcher, paragraph, "6g", words=["6G"], probability=p)
        recent = day - timedelta(days=14)
        assert news.ready_up_to(connection, matcher, after=0, first_day=recent) == plain.id - 1
        add_hit(connection, matcher, plain.paragraphs[0], "deep-sea")
        assert news.ready_up_to(connection, matcher, after=0, first_day=recent) == late.id - 1
        assert news.ready_up_to(connection, matcher, after=late.id, first_day=recent) == late.id
        assert news.new_stories(connection, matcher, after=plain.id, first_day=recent) == (first.id,)
        assert set(news.new_stories(connection, matcher, after=0, first_day=early)) == {old.id, first.id, plain.id}
        found = news.sightings(connection, matcher, [first.id, late.id])
        assert sorted((s.article, s.story, s.area, s.probability) for s in found) == [
            (first.id, first.id, "6g", 0.8),
            (copy.id, first.id, "6g", 0.7),
        ]
        assert found[0].source == found[0].source_url  # a source without a title goes by its address
        text, hit = news.evidence(connection, matcher, [first.id])[first.id, "6g"]
        assert (text, hit.probability, hit.evidence.mentions[0].start) == ("And 6G there.", 0.8, 4)
        assert news.texts(connection, [first.id]) == {first.id: "First\n6G here.\nAnd 6G there."}
        assert news.sightings(connection, matcher, []) == ()


def test_of_paragraphs_alike_the_first_that_is_not_the_headline_is_quoted(database: Database) -> None:
    with database.writing() as connection:
        matcher = live_matcher(connection)
        texts = ("6G is here", "The 6G mast stands.", "A 6G mast hums.", "Some 6G.")
        article = add_article(connection, add_source(connection, "S"), day=NOW.date(), title="6G is here", texts=texts)
        for paragraph, p in zip(article.paragraphs, (0.999, 0.997, 0.998, 0.98), strict=True):
            add_hit(connection, matcher, paragraph, "6g", probability=p)
        add_hit(connection, matcher, article.paragraphs[0], "deep-sea")
        found = news.evidence(connection, matcher, [article.id])
    assert {area: text for (_, area), (text, _) in found.items()} == {"6g": texts[1], "deep-sea": texts[0]}
