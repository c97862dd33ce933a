"""`monitor digest`, `subscriptions` and `outbox`: what they show, what they change, and what they refuse."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
import typer
from alert_desk import Desk, stage, wish
from typer.testing import CliRunner

from monitor import app as composition
from monitor.alerts.channels import open_channels
from monitor.alerts.unsubscribe import UnsubscribeServer
from monitor.cli import tell
from monitor.domain import RunSummary
from monitor.errors import ConfigurationError, DeliveryError, InputError, MonitorError
from monitor.store import recipients, runs


class Command:
    """Calls `monitor …` against a desk."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk = desk
        monkeypatch.setattr(composition, "build", lambda settings: desk.parts)
        monkeypatch.setattr(tell, "load_settings", lambda: desk.parts.settings)
        monkeypatch.setattr(tell, "open_channels", desk.channels)
        self.app = typer.Typer()
        tell.register(self.app)
        self.app.add_typer(tell.subscriptions, name="subscriptions")
        self.app.add_typer(tell.outbox, name="outbox")
        monkeypatch.setenv("COLUMNS", "200")

    def __call__(self, *words: str) -> str:
        result = CliRunner().invoke(self.app, list(words))
        if isinstance(result.exception, MonitorError):
            raise result.exception
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))


@pytest.fixture
def monitor(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(desk, monkeypatch)


def test_add_list_check(monitor: Command, desk: Desk) -> None:
    with pytest.raises(InputError, match="subscriptions add"):
        monitor("subscriptions", "check")
    words = ["--email", "ana@example.org", "--area", "6g", "--when", "daily at 07:00", "--zone", "Europe/Berlin"]
    assert "is added to" in monitor("subscriptions", "add", "ana", *words)
    monitor("subscriptions", "add", "bo", "--apprise", "env:TEAM")
    assert "2 subscriptions, all of them good" in monitor("subscriptions", "check")
    ana, bo = monitor.json("subscriptions", "list")
    assert (ana["name"], ana["areas"], ana["zone"], ana["channels"]) == ("ana", ["6g"], "Europe/Berlin", ["email ana@example.org"])
    assert (bo["areas"], bo["channels"], bo["paused"]) == ("all", ["apprise env:TEAM"], None)
    assert "Europe/Berlin" in monitor("subscriptions", "list")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--email", "ana"], "'ana' is no e-mail address"),
        ([], "name at least one"),
        (["--email", "a@example.org", "--area", "7g"], "there is no area '7g'"),
        (["--email", "a@example.org", "--zone", "Mars"], "no time zone of the name 'Mars'"),
        (["--email", "a@example.org", "--when", "often"], "write «at once»"),
        (["--apprise", "slack://T0KEN"], "write env:NAME or file:PATH"),
    ],
)
def test_what_cannot_be_added(monitor: Command, desk: Desk, words: list[str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        monitor("subscriptions", "add", "ana", *words)
    assert said in str(caught.value)
    assert "T0KEN" not in str(caught.value)
    assert not desk.parts.settings.path(desk.parts.settings.subscriptions).exists()


def test_check_says_all_and_hints(monitor: Command, desk: Desk) -> None:
    desk.subscribe(wish(sources=["Example Times", "Example Times of Old"]))
    assert "ana: no source is called 'Example Times of Old' now" in monitor("subscriptions", "check")
    file = desk.parts.settings.path(desk.parts.settings.subscriptions)
    file.write_text("subscriptions:\n  - name: a\n    zone: Mars\n    when: often\n    channels: [{email: a@example.org}]\n")
    with pytest.raises(InputError, match="2 things to mend; nobody is told anything until then"):
        monitor("subscriptions", "check")


def test_a_dry_run_shows_and_tells_nobody(monitor: Command, desk: Desk) -> None:
    desk.subscribe(wish(when="weekly on friday at 07:00"), wish("bo", areas=["deep-sea"]))
    desk.story("6g", title="Cranes talk", words=["6G"])
    shown = monitor("digest", "ana", "--dry-run")
    assert "To: ana <ana@example.org>" in shown
    assert "*6G*" in shown
    assert "bo: nothing new." in monitor("digest", "--dry-run")
    [found] = monitor.json("digest", "--dry-run")
    assert found["recipient"] == "ana"
    assert [(s["title"], s["areas"], s["words"]) for s in found["stories"]] == [("Cranes talk", ["6g"], ["6G"])]
    assert desk.sent == []
    with desk.database.reading() as connection:
        assert recipients.all_recipients(connection) == {}


def test_telling_one_reader_now(monitor: Command, desk: Desk) -> None:
    desk.subscribe(wish(when="weekly on friday at 07:00"), wish("bo"))
    desk.story("6g")
    assert "1 stories told in 1 messages; 1 sent, 0 failed" in monitor("digest", "ana")
    assert [m.recipient for m in desk.sent] == ["ana"]
    assert monitor.json("digest") == {"due": 1, "stories": 1, "queued": 1, "sent": 1, "failed": 0}
    assert [m.recipient for m in desk.sent] == ["ana", "bo"]
    with pytest.raises(InputError, match=r"there is no subscription 'cy' in .*; there are ana, bo"):
        monitor("digest", "cy")


def test_the_operator_hears_of_a_wrong_file_and_of_a_night_that_did_not_happen(monitor: Command, desk: Desk) -> None:
    desk.set(operator="ops@example.org")
    desk.subscribe(wish())
    with desk.database.writing() as connection:
        runs.finish_run(connection, runs.start_run(connection, now=desk.now), RunSummary(), now=desk.now)
    monitor("digest")
    assert desk.sent == []
    desk.later(hours=37)
    monitor("digest")
    assert [m.subject for m in desk.sent] == ["areawatch: No run has ended well since 23 Nov 2026, 02:30 UTC."]
    desk.later(days=1)
    desk.parts.settings.path(desk.parts.settings.subscriptions).write_text("subscriptions: 1\n")
    with pytest.raises(ConfigurationError):
        monitor("digest")
    assert "subscriptions.yaml:1: `subscriptions`" in desk.sent[-1].text


def test_a_preview_counts_what_thirty_days_would_have_brought(monitor: Command, desk: Desk) -> None:
    desk.subscribe(wish(), wish("week", when="weekly on monday at 00:00"), wish("sure", least_probability=0.95))
    for back in (0, 1, 1, 5, 29, 31, 90):
        desk.story("6g", title=f"{back} days old", day=desk.now.date() - timedelta(days=back))
    found = monitor.json("subscriptions", "preview", "ana")
    assert [s["title"] for s in found["stories"]] == ["0 days old", "1 days old", "1 days old", "5 days old", "29 days old"]
    assert len(found["messages"]) == 4
    assert found["stories_a_week"] == pytest.approx(5 / 30 * 7)
    assert [turn["stories"] for turn in monitor.json("subscriptions", "preview", "week")["messages"]] == [1, 3, 1]
    assert monitor.json("subscriptions", "preview", "sure")["stories"] == []
    assert "about 1.2 stories in 0.9 messages a week" in monitor("subscriptions", "preview", "ana")
    assert len(monitor.json("subscriptions", "preview", "ana", "--days", "120")["stories"]) == 7


def test_pause_and_resume(monitor: Command, desk: Desk) -> None:
    desk.subscribe(wish())
    monitor("subscriptions", "pause", "ana")
    desk.story("6g")
    assert desk.alert() == {}
    assert monitor.json("subscriptions", "list")[0]["paused"] == "paused by hand"
    assert "paused already" in monitor("subscriptions", "pause", "ana")
    assert "is told again" in monitor("subscriptions", "resume", "ana")
    assert "is not paused" in monitor("subscriptions", "resume", "ana")
    assert desk.alert()["sent"] == 1


def test_the_outbox(monitor: Command, desk: Desk) -> None:
    desk.subscribe(wish(), wish("bo"))
    desk.refusals["ana@example.org"] = [DeliveryError("550 no such user", permanent=True)]
    desk.refusals["bo@example.org"] = [DeliveryError("451 later", permanent=False)] * 2
    desk.story("6g")
    desk.alert()
    found = {row["recipient"]: row for row in monitor.json("outbox", "list")}
    assert (found["ana"]["state"], found["ana"]["last_error"]) == ("refused", "550 no such user")
    assert (found["bo"]["state"], found["bo"]["attempts"]) == ("queued", 1)
    assert [row["recipient"] for row in monitor.json("outbox", "list", "--state", "refused")] == ["ana"]
    assert "550 no such user" in monitor("outbox", "list")
    assert "1 messages tried: 0 sent, 1 failed." in monitor("outbox", "retry", found["bo"]["key"])
    assert "2 messages tried: 1 sent, 0 failed. 1 wait for a paused reader" in monitor("outbox", "retry")
    assert "will not be sent" in monitor("outbox", "drop", found["ana"]["key"])
    for words in (("drop", "nope"), ("drop", found["bo"]["key"]), ("retry", "nope"), ("list", "--state", "lost")):
        with pytest.raises(InputError, match=r"nope|lost|bo-"):
            monitor("outbox", *words)


def test_the_link_in_a_message_unsubscribes(monitor: Command, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.set(mail=desk.parts.settings.mail.model_copy(update={"base_url": "http://127.0.0.1/aw"}))
    desk.subscribe(wish())
    desk.story("6g")
    desk.alert()
    link = dict(desk.sent[0].headers)["List-Unsubscribe"].strip("<>")
    answers: list[int] = []

    def click(server: UnsubscribeServer) -> None:
        url = link.replace("127.0.0.1", f"127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        answers.append(httpx.post(url, data={"List-Unsubscribe": "One-Click"}).status_code)
        thread.join()

    monkeypatch.setattr(UnsubscribeServer, "serve_forever", click)
    assert "Unsubscribe links are answered at" in monitor("subscriptions", "serve", "--port", "0")
    assert answers == [200]
    assert monitor.json("subscriptions", "list")[0]["paused"] == "unsubscribed by the link in a message"


def test_the_real_way_out_is_a_folder_of_files(monitor: Command, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "open_channels", open_channels)
    desk.subscribe(wish())
    desk.story("6g")
    desk.alert()
    [file] = desk.parts.settings.home.glob("outbox/*.eml")
    assert file.read_bytes().startswith(b"From: areawatch <areawatch@example.org>\r\nTo: ana@example.org\r\nSubject: 6G mobile")
