"""Mail as bytes: nothing from outside adds a header, the same message gives the same bytes, files are written once and whole."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_alert_digest import HOSTILE, full, message

from monitor.alerts.digest import Sender
from monitor.alerts.mail import Folder, Unavailable, compose, message_id, parse_sender
from monitor.domain import Message
from monitor.errors import ConfigurationError

SENDER = parse_sender("areawatch <areawatch@example.org>")
EXPECTED = {"From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"}


def mail(subject: str = "s", address: str = "a@example.org", text: str = "t", headers: tuple[tuple[str, str], ...] = ()) -> Message:
    return Message("key-1", "ana", "email", address, subject, text, f"<p>{text}</p>", headers)


def parsed(sent: Message) -> EmailMessage:
    found = email.message_from_bytes(compose(sent, SENDER).as_bytes(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.mark.parametrize("case", HOSTILE)
def test_no_headline_adds_a_header(case: str) -> None:
    found = parsed(mail(subject=HOSTILE[case], headers=(("X-Note", HOSTILE[case]),)))
    assert set(found.keys()) <= EXPECTED | {"X-Note"}
    assert len(found.keys()) == len(set(found.keys()))
    text = found.get_body(("plain",))
    assert text is not None
    assert text.get_content().strip() == "t"


@given(st.text(max_size=300), st.text(max_size=100), st.text(max_size=300))
def test_no_text_adds_a_header(subject: str, value: str, text: str) -> None:
    found = parsed(mail(subject, "a@example.org", text, (("References", value), (value, subject))))
    assert {name for name in found if name not in EXPECTED} <= {"References", value}
    assert len(found.get_all("To", [])) == 1
    assert found["Bcc"] is None or value == "Bcc"


def test_an_address_with_a_line_break_reaches_nobody_else() -> None:
    found = parsed(mail(address="a@example.org\r\nBcc: everyone@example.org"))
    assert set(found.keys()) == EXPECTED
    assert [str(address) for address in found["To"].addresses] == ["a@example.org"]


def test_the_same_message_is_the_same_bytes() -> None:
    sent = message(full(), Sender("example.org", "https://example.org/" + "long/" * 30))
    one, two = (compose(sent, SENDER).as_bytes() for _ in range(2))
    assert one == two
    assert all(len(line) <= 998 for line in one.splitlines())
    assert one.isascii()
    found = parsed(sent)
    assert found["List-Unsubscribe"] == f"<https://example.org/{'long/' * 30}unsubscribe/T0KEN>"
    assert found["Message-ID"] == message_id(sent.key, "example.org")
    assert b"List-Unsubscribe: <https" in one


def test_ids_differ_by_key() -> None:
    assert len({message_id(f"key-{n}", "example.org") for n in range(100)}) == 100


@pytest.mark.parametrize(
    "text", ["", "areawatch", "a@", "@example.org", "a b@example.org", "x <a@example.org>\r\nBcc: b@example.org", "a@b@c"]
)
def test_a_sender_that_is_no_address(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"`mail\.sender`"):
        parse_sender(text)


@pytest.mark.parametrize("text", ["areawatch@example.org", "Überblick <a@example.org>", '"Watch, area" <a@example.org>'])
def test_a_sender(text: str) -> None:
    assert parse_sender(text).domain == "example.org"
    assert parsed(mail())["From"] == "areawatch <areawatch@example.org>"


def test_a_file_is_written_once_and_whole(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "outbox", SENDER)
    sent = mail()
    folder.send(sent)
    [file] = (tmp_path / "outbox").iterdir()
    assert file.name == "key-1.eml"
    assert file.read_bytes() == compose(sent, SENDER).as_bytes()
    file.write_text("moved by somebody")
    folder.send(sent)
    assert file.read_text() == "moved by somebody"


def test_a_key_is_no_path(tmp_path: Path) -> None:
    Folder(tmp_path / "outbox", SENDER).send(Message("../../etc/x y", "ana", "email", "a@example.org", "s", "t", ""))
    assert [p.name for p in tmp_path.rglob("*.eml")] == [".._.._etc_x_y.eml"]
    assert [p.name for p in (tmp_path / "outbox").iterdir()] == [".._.._etc_x_y.eml"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")
    with pytest.raises(Unavailable, match="cannot be written"):
        Folder(tmp_path / "outbox", SENDER).send(mail())
