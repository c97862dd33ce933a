"""Channels of Apprise: a webhook on localhost gets the message; the URL, which is a secret, is found nowhere else."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from alert_desk import Desk, stage, wish

from monitor.alerts.channels import open_channels, send_by_apprise
from monitor.domain import Message
from monitor.errors import DeliveryError
from monitor.store import outbox

SECRET = "T0KENT0KEN"


class Hook(ThreadingHTTPServer):
    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server_port}/{SECRET}"


class _Answer(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 200:
            self.server.posts.append(json.loads(body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def chat(address: str = "env:TEAM") -> Message:
    return Message("key-1", "ana", "apprise", address, "3 new stories", "• A headline https://news.example/1", "")


def test_from_a_variable_and_from_a_file(hook: Hook, tmp_path: Path) -> None:
    send_by_apprise(chat(), {"TEAM": hook.url}, tmp_path)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "team").write_text(f"{hook.url}\n")
    send_by_apprise(chat("file:secrets/team"), {}, tmp_path)
    assert [(p["title"], p["message"]) for p in hook.posts] == [("3 new stories", "• A headline https://news.example/1")] * 2


@pytest.mark.parametrize(
    ("case", "address", "value", "status", "said"),
    [
        ("no variable", "env:NOPE", "", 200, "env:NOPE: there is no Apprise URL"),
        ("no file", "file:nope", "", 200, "file:nope: there is no Apprise URL"),
        ("a service nobody knows", "env:TEAM", f"nope://{SECRET}/x", 200, "env:TEAM: holds no URL that Apprise knows"),
        ("no URL", "env:TEAM", SECRET, 200, "env:TEAM: holds no URL that Apprise knows"),
        ("the service says no", "env:TEAM", None, 500, "env:TEAM: the service did not take it"),
        ("nobody listens", "env:TEAM", f"json://127.0.0.1:1/{SECRET}", 200, "env:TEAM: the service did not take it"),
    ],
)
def test_what_goes_wrong_is_said_without_the_secret(
    case: str, address: str, value: str | None, status: int, said: str, hook: Hook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hook.status = status
    with pytest.raises(DeliveryError) as caught:
        send_by_apprise(chat(address), {"TEAM": hook.url if value is None else value}, tmp_path)
    assert str(caught.value).startswith(said)
    assert not caught.value.permanent
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("urllib3"))
    assert SECRET not in str(caught.value) + ours


def test_a_story_reaches_mail_and_chat_once(desk: Desk, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "open_channels", open_channels)
    monkeypatch.setenv("TEAM", hook.url)
    desk.subscribe(wish(channels=[{"email": "ana@example.org"}, {"apprise": "env:TEAM"}]))
    desk.story("6g", title="Cranes talk")
    hook.status = 503
    assert desk.alert() == {"due": 1, "stories": 1, "queued": 2, "sent": 1, "failed": 1}
    hook.status = 200
    desk.later(hours=1)
    assert desk.alert() == {"due": 1, "sent": 1}
    assert len(hook.posts) == 1
    assert "Cranes talk" in hook.posts[0]["message"]
    assert len(list(desk.parts.settings.home.glob("outbox/*.eml"))) == 1
    with desk.database.reading() as connection:
        assert SECRET not in str(outbox.list_messages(connection))
