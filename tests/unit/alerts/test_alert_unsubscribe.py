"""The unsubscribe link: a GET asks, a POST does, and the token is logged nowhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest

from monitor.alerts.unsubscribe import MOST_BYTES, UnsubscribeServer


class Readers:
    def __init__(self) -> None:
        self.stopped: list[str] = []

    def stop(self, token: str) -> bool:
        self.stopped.append(token)
        return token == "T0K/EN"


@pytest.fixture
def readers() -> Readers:
    return Readers()


@pytest.fixture
def url(readers: Readers) -> Iterator[str]:
    with UnsubscribeServer("127.0.0.1", 0, readers.stop) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_looking_changes_nothing(url: str, readers: Readers, capfd: pytest.CaptureFixture[str]) -> None:
    answer = httpx.get(f"{url}/areawatch/unsubscribe/T0K%2FEN")
    assert answer.status_code == 200
    assert '<form method="post">' in answer.text
    assert readers.stopped == []
    assert "T0K" not in answer.text + "".join(capfd.readouterr())


def test_one_click_is_enough(url: str, readers: Readers) -> None:
    answer = httpx.post(f"{url}/unsubscribe/T0K%2FEN", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert readers.stopped == ["T0K/EN"]


@pytest.mark.parametrize(
    "path", ["/", "/unsubscribe/", "/unsubscribe", "/elsewhere/T0KEN", "/unsubscribe/nobody", "/unsubscribe/a/b", "/../../etc"]
)
def test_what_is_not_known(path: str, url: str) -> None:
    answer = httpx.post(f"{url}{path}")
    assert answer.status_code == 404
    assert "not known" in answer.text


def test_a_large_body_is_not_read(url: str) -> None:
    """The answer comes, or the connection is cut; nothing is kept."""
    with httpx.Client() as client:
        try:
            answer = client.post(f"{url}/unsubscribe/nobody", content=b"x" * (MOST_BYTES * 200))
        except httpx.TransportError:
            return
        assert answer.status_code == 404
