"""The newsroom's server: the rendered pages on 127.0.0.1, with validators, compression and a record of what was asked."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from monitor.demo.outlets import load_content
from monitor.demo.render import Edition, Page, feed_path, render
from monitor.domain import SourceKind

HOST = "127.0.0.1"
NOT_FOUND = Page(b"<!DOCTYPE html><title>404</title><h1>Not found</h1>", "text/html; charset=utf-8", datetime.min, status=404)
# An idle kept-alive connection is dropped after so many seconds.
IDLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class DemoSource:
    """A feed of the newsroom, ready to be subscribed to. `language` is ISO 639-1."""

    url: str
    title: str
    kind: SourceKind
    language: str


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """One request the newsroom answered. `path` keeps its query."""

    method: str
    path: str
    status: int


class Newsroom:
    """`with Newsroom(now) as room:` serves the newsroom of that UTC day at `room.url` until the block ends.

    `edition` 2 is the same day after a correction was made. `port` 0 takes any free port; feeds and links hold the address, so a
    run that shall meet the same URLs as an earlier one must be given the same port. Raises OSError if the port is taken.
    """

    def __init__(self, now: datetime, edition: Edition = 1, *, port: int = 0) -> None:
        self._now = now
        self._edition = edition
        self._port = port
        self._lock = Lock()
        self._requests: list[DemoRequest] = []
        self._server: _Server | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """The address, without a slash at its end. Raises RuntimeError outside the `with` block."""
        if self._server is None:
            raise RuntimeError("the newsroom is closed: use `with Newsroom(now) as room:`")
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def sources(self) -> tuple[DemoSource, ...]:
        """Every feed of the newsroom, the broken, missing and quiet ones among them."""
        return tuple(
            DemoSource(self.url + feed_path(each), each.outlet.name, each.outlet.kind, each.outlet.language.partition("-")[0])
            for each in load_content().outlets
        )

    @property
    def requests(self) -> tuple[DemoRequest, ...]:
        """What was asked so far, in the order of the answers."""
        with self._lock:
            return tuple(self._requests)

    def __enter__(self) -> Self:
        self._server = _Server((HOST, self._port), self._record)
        self._server.pages = render(self._now, self.url, self._edition)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None

    def _record(self, request: DemoRequest) -> None:
        with self._lock:
            self._requests.append(request)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], record: Callable[[DemoRequest], None]) -> None:
        super().__init__(address, _Desk)
        self.record = record
        self.pages: Mapping[str, Page] = {}


class _Desk(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server_version = "Newsroom"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True  # headers and body go out apart; together with delayed ACKs that costs 40 ms an answer
    server: _Server

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `Newsroom.requests` is the log."""

    def _answer(self, *, with_body: bool) -> None:
        page = self.server.pages.get(urlsplit(self.path).path, NOT_FOUND)
        tag = f'W/"{hashlib.sha256(page.body).hexdigest()[:20]}"'
        unchanged = page.status == HTTPStatus.OK and _held(self.headers.get("If-None-Match"), tag, self._since(), page)
        status = HTTPStatus.NOT_MODIFIED if unchanged else page.status
        self.server.record(DemoRequest(self.command, self.path, int(status)))
        self.send_response(status)
        if page.status == HTTPStatus.OK:
            self.send_header("ETag", tag)
            self.send_header("Last-Modified", format_datetime(page.modified_at.astimezone(UTC), usegmt=True))
        self.send_header("Vary", "Accept-Encoding")
        body = b"" if unchanged else self._encoded(page)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _since(self) -> datetime | None:
        try:
            return parsedate_to_datetime(self.headers.get("If-Modified-Since", ""))
        except ValueError:
            return None

    def _encoded(self, page: Page) -> bytes:
        """The body as it goes over the wire; sends the headers that describe it."""
        self.send_header("Content-Type", page.content_type)
        body = page.body
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        return body


def _held(tags: str | None, tag: str, since: datetime | None, page: Page) -> bool:
    """Whether the client holds this very page. Tags go before dates (RFC 9110, 13.2.2)."""
    if tags is not None:
        return tags.strip() == "*" or tag in {each.strip() for each in tags.split(",")}
    return since is not None and since.tzinfo is not None and page.modified_at.replace(microsecond=0) <= since
