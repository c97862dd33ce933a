"""Through a real mail server in all its moods: exactly the right messages arrive, each once."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alert_desk import Desk, stage, wish
from mail_server import PASSWORD, USER, MailServer
from pydantic import SecretStr

from monitor.alerts.channels import open_channels
from monitor.settings import MailSettings
from monitor.store import outbox

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


def mail_settings(server: MailServer, **changes: Any) -> MailSettings:
    given = {"host": "127.0.0.1", "port": server.port, "username": USER, "password": SecretStr(PASSWORD), "timeout": 2.0}
    return MailSettings(sender="Überblick <areawatch@example.org>", **{**given, **changes})


def through(desk: Desk, server: MailServer, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """The desk's mail goes to this server."""
    desk.set(mail=mail_settings(server, **changes))
    monkeypatch.setattr(stage, "open_channels", partial(open_channels, context=server.context))


def nights(desk: Desk, number: int) -> None:
    for _ in range(number):
        desk.alert()
        desk.later(hours=7)


READERS = ("plain", "later", "never", "spam", "busy", "hang", "drop", "lost", "shutdown")


def test_every_mood_brings_each_message_once(desk: Desk, server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    through(desk, server, monkeypatch)
    server.moods.of = {f"{mood}@example.org": [mood] for mood in READERS if mood != "plain"}
    desk.subscribe(*(wish(mood) for mood in READERS))
    desk.story("6g", title="第六代移动通信 — «ναι» 📡")
    nights(desk, 4)
    taken = server.taken()
    assert {name.split("@")[0]: len(set(ids)) for name, ids in taken.items()} == {m: 1 for m in READERS if m not in {"never", "spam"}}
    assert [name for name, ids in taken.items() if len(ids) > 1] == ["lost@example.org"]  # taken, but the answer was lost: the same mail
    with desk.database.reading() as connection:
        standing = outbox.standing(connection, desk.now)
    assert (standing["queued"], standing["refused"]) == (0, 2)
    assert {p["recipient"]: p["why"].split(": ", 3)[-1] for p in standing["paused"]} == {
        "never": "550 5.1.1 no such user here",
        "spam": "554 5.7.1 no thanks",
    }
    assert server.moods.asked["never@example.org"] == 1


def test_what_arrives(desk: Desk, server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    through(desk, server, monkeypatch, base_url="https://intranet.example.org/a/rather/long/place/where/the/report/is/areawatch/")
    desk.subscribe(wish())
    desk.story("6g", title="第六代移动通信 📡", words=["6G"])
    desk.alert()
    [mail] = server.mails
    assert mail["From"] == "Überblick <areawatch@example.org>"
    assert mail["Subject"] == "6G mobile communications: 第六代移动通信 📡"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].startswith("Mon, 23 Nov 2026 02:30")
    assert mail["References"] == mail["In-Reply-To"]
    assert mail["List-Unsubscribe"].startswith("<https://intranet.example.org/a/rather/long/place/where/the/report/is/areawatch/unsub")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "第六代移动通信 📡" in text.get_content()
    assert ">6G</mark>" in html.get_content()
    assert not mail.defects


def test_a_thousand_readers_take_one_connection(desk: Desk, server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    through(desk, server, monkeypatch)
    desk.subscribe(*(wish(f"r{n}") for n in range(30)))
    desk.story("6g")
    assert desk.alert()["sent"] == 30
    assert server.logins == [True]


def test_the_password_comes_from_a_file_and_is_shown_nowhere(
    desk: Desk, server: MailServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "password"
    through(desk, server, monkeypatch, password=SecretStr(""), password_file=file)
    desk.subscribe(wish())
    desk.story("6g")
    assert desk.alert()["failed"] == 1
    file.write_text("wrong but secret\n")
    desk.later(hours=1)
    assert desk.alert()["failed"] == 1
    file.write_text(f"{PASSWORD}\n")
    desk.later(hours=1)
    assert desk.alert()["sent"] == 1
    assert server.logins[-1]
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name != "mail.log")  # the server's own
    assert "password_file" in logged
    assert "535" in logged
    for secret in (PASSWORD, "wrong but secret"):
        assert secret not in logged


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
def test_each_kind_of_security(desk: Desk, monkeypatch: pytest.MonkeyPatch, security: str) -> None:
    with MailServer(security=security) as server:
        through(desk, server, monkeypatch, security=security)
        desk.subscribe(wish())
        desk.story("6g")
        assert desk.alert()["sent"] == 1
        assert server.logins == [True]


@pytest.mark.parametrize(
    ("case", "security", "trusted", "said"),
    [
        ("the certificate is unknown", "starttls", False, "CERTIFICATE_VERIFY_FAILED"),
        ("no STARTTLS is offered", "none", True, "STARTTLS extension not supported"),
    ],
)
def test_nothing_is_sent_in_the_clear(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, case: str, security: str, trusted: bool, said: str
) -> None:
    with MailServer(security=security) as server:
        through(desk, server, monkeypatch)
        context = server.context if trusted else ssl.create_default_context()
        monkeypatch.setattr(stage, "open_channels", partial(open_channels, context=context))
        desk.subscribe(wish())
        desk.story("6g")
        assert desk.alert()["failed"] == 1
        assert server.mails == []
        assert server.logins == []
    with desk.database.reading() as connection:
        [queued] = outbox.list_messages(connection)
    assert queued.state == "queued"
    assert said in str(queued.last_error)


def test_no_server_at_all(desk: Desk, server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    through(desk, server, monkeypatch, port=1)
    desk.subscribe(wish())
    desk.story("6g")
    assert desk.alert()["failed"] == 1
    with desk.database.reading() as connection:
        standing = outbox.standing(connection, desk.now)
    assert standing["queued"] == 1
    assert "127.0.0.1:1" in standing["last_error"]
    assert standing["paused"] == []
