"""Who is let in, and on which addresses the server refuses to listen at all."""

from __future__ import annotations

import base64
import socket
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from monitor.cli import pages
from monitor.errors import ConfigurationError, InputError
from monitor.serve import access_of, listen
from monitor.settings import ServeSettings, load_settings
from monitor.store.database import upgrade

SECRET = "pässwörd: with a colon"


def basic(name: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"])
def test_this_machine_needs_no_password_and_goes_by_its_own_names(host: str) -> None:
    access = access_of(ServeSettings(), host)
    assert access.allows("127.0.0.1", {})
    assert access.is_called(f"{host}:8080" if ":" not in host else "[::1]:8080")
    assert access.is_called("LOCALHOST")
    for name in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080", "", "[::2]:80"):
        assert not access.is_called(name)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "pages.example", "localhost.example", ""])
def test_elsewhere_nothing_is_served_without_a_password_or_a_proxy(host: str) -> None:
    with pytest.raises(ConfigurationError, match="others can reach it; set a password"):
        access_of(ServeSettings(), host)
    access_of(ServeSettings(password=SECRET), host)
    access_of(ServeSettings(trusted_proxy=["10.0.0.1/32"]), host)


def test_name_and_password_are_both_compared() -> None:
    access = access_of(ServeSettings(password=SECRET, username="ana"), "0.0.0.0")
    assert access.allows("192.0.2.1", basic("ana", SECRET))
    for headers in ({}, basic("ana", ""), basic("", SECRET), basic("bo", SECRET), basic("ana", SECRET[:-1]), {"authorization": "Basic"}):
        assert not access.allows("127.0.0.1", headers)


def test_a_proxy_is_known_by_its_address_and_its_header() -> None:
    access = access_of(ServeSettings(trusted_proxy=["10.0.0.0/24", "fd00::/8"]), "0.0.0.0")
    said = {"x-forwarded-user": "ana"}
    for peer in ("10.0.0.9", "::ffff:10.0.0.9", "fd00::1%eth0"):
        assert access.allows(peer, said)
    for peer, headers in (("10.0.1.9", said), ("127.0.0.1", said), ("", said), ("nonsense", said), ("10.0.0.9", {})):
        assert not access.allows(peer, headers)


def test_with_both_either_lets_in() -> None:
    access = access_of(ServeSettings(trusted_proxy=["10.0.0.1/32"], password=SECRET), "127.0.0.1")
    assert access.allows("10.0.0.1", {"x-forwarded-user": "ana"})
    assert access.allows("192.0.2.1", basic("analyst", SECRET))
    assert not access.allows("127.0.0.1", {})


def test_a_password_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    chosen = ServeSettings(password_file=file)
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        access_of(chosen, "0.0.0.0")
    file.write_text(" \n")
    with pytest.raises(ConfigurationError, match="is empty"):
        access_of(chosen, "127.0.0.1")
    file.write_text(SECRET + "\n", encoding="utf-8")
    assert access_of(chosen, "0.0.0.0").allows("192.0.2.1", basic("analyst", SECRET))


def test_settings_from_variables() -> None:
    found = load_settings({"MONITOR_SERVE__TRUSTED_PROXY": "10.0.0.1/32,10.0.0.2/32", "MONITOR_SERVE__PASSWORD": SECRET}).serve
    assert [str(network) for network in found.trusted_proxy] == ["10.0.0.1/32", "10.0.0.2/32"]
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    "wrong", [{"MONITOR_SERVE__USERNAME": "a:b"}, {"MONITOR_SERVE__PROXY_HEADER": "X: y"}, {"MONITOR_SERVE__PORT": "70000"}]
)
def test_settings_that_cannot_be_meant(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="MONITOR_SERVE__"):
        load_settings(wrong)


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError, match="cannot be listened on"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_the_command_says_where_and_refuses_what_is_open_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(f"sqlite:///{tmp_path / 'monitor.db'}")
    monkeypatch.chdir(tmp_path)
    answered: list[Any] = []

    def answer(app: Any, listening: socket.socket) -> None:
        with listening:
            answered.append(listening.getsockname())

    monkeypatch.setattr(pages, "answer", answer)
    app = typer.Typer()
    pages.register(app)
    with pytest.raises(ConfigurationError, match=r"serve\.password_file"):
        CliRunner().invoke(app, ["serve", "--host", "0.0.0.0"], catch_exceptions=False)
    assert "http://127.0.0.1:" in CliRunner().invoke(app, ["serve", "--port", "0"], catch_exceptions=False).output
    monkeypatch.setenv("MONITOR_SERVE__PASSWORD", SECRET)
    said = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0", "--port", "0"], catch_exceptions=False).output
    assert "proxy with TLS" in said
    assert SECRET not in said
    assert [host for host, _ in answered] == ["127.0.0.1", "0.0.0.0"]
