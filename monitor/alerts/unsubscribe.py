"""The answer to the unsubscribe link of a message: a page with a button, and the button's (or the mail program's) POST.

A GET changes nothing, since mail scanners follow links (RFC 8058). Only plain HTTP on one address: it belongs behind the web server
that publishes the report.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

# Everything that a browser or mail program sends with the button fits in less.
MOST_BYTES = 10_000
SECONDS = 10.0

_PAGE = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>areawatch</title>
<body style="font: 17px/1.5 sans-serif; max-width: 30em; margin: 15vh auto; padding: 0 1em">{}</body></html>"""
ASK = _PAGE.format('<p>No more messages from areawatch?</p><form method="post"><button style="font: inherit">Stop them</button></form>')
DONE = _PAGE.format("<p>Done: no more messages.</p>")
UNKNOWN = _PAGE.format("<p>This link is not known here.</p>")


class UnsubscribeServer(ThreadingHTTPServer):
    """Serves `/unsubscribe/TOKEN`; `pause` stops the messages of a token and says whether it is somebody's."""

    daemon_threads = True

    def __init__(self, host: str, port: int, pause: Callable[[str], bool]) -> None:
        self.pause = pause
        super().__init__((host, port), _Answer)


class _Answer(BaseHTTPRequestHandler):
    server: UnsubscribeServer
    timeout = SECONDS

    def do_GET(self) -> None:
        self._answer(HTTPStatus.OK if self._token() else HTTPStatus.NOT_FOUND, ASK if self._token() else UNKNOWN)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if length.isdecimal() and int(length) <= MOST_BYTES:
            self.rfile.read(int(length))
        token = self._token()
        known = bool(token) and self.server.pause(token)
        self._answer(HTTPStatus.OK if known else HTTPStatus.NOT_FOUND, DONE if known else UNKNOWN)

    def _token(self) -> str:
        """The last part of a path like /…/unsubscribe/TOKEN, or nothing."""
        parts = self.path.split("?", 1)[0].rsplit("/", 2)
        return unquote(parts[-1])[:100] if len(parts) == 3 and parts[1] == "unsubscribe" else ""

    def _answer(self, status: HTTPStatus, page: str) -> None:
        body = page.encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the path holds the token."""
