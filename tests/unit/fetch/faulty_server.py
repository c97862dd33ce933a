"""A real HTTP server on this machine that can do everything wrong that servers do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from time import monotonic
from typing import Any

from monitor.fetch import Client
from monitor.settings import FetchSettings

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    connection: int
    started: float


Route = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def respond(body: bytes | str = b"", status: str = "200 OK", **headers: str) -> Route:
    """A route that answers properly; `content_type=…` becomes `Content-Type`."""

    async def route(_: Request, writer: asyncio.StreamWriter) -> None:
        await answer(writer, body, status, **headers)

    return route


async def answer(writer: asyncio.StreamWriter, body: bytes | str = b"", status: str = "200 OK", **headers: str) -> None:
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if "content_length" not in headers and not status.startswith("304"):
        lines.append(f"Content-Length: {len(data)}")
    writer.write("\r\n".join([*lines, "", ""]).encode() + data)
    await writer.drain()


@dataclass
class Server:
    """Routes by path. `requests` is what arrived, `busy` the most requests that were under way at once."""

    routes: dict[str, Route] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"
    connections: int = 0
    busy: int = 0
    ended: list[float] = field(default_factory=list)
    _now: int = 0

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
                request = Request(first.split(" ")[1], headers, connection, monotonic())
                self.requests.append(request)
                self._now += 1
                self.busy = max(self.busy, self._now)
                try:
                    await self.routes.get(request.path.partition("?")[0], respond("no such page", "404 Not Found"))(request, writer)
                finally:
                    self._now -= 1
                    self.ended.append(monotonic())
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    routes: dict[str, Route], host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[Server]:
    server = Server(routes, scheme="https" if tls else "http")
    listening = await asyncio.start_server(server.serve, host, port, ssl=tls, limit=2**20)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


def quick(**changes: Any) -> FetchSettings:
    """Settings for this machine: its own networks allowed, short patience."""
    usual = {"allow_networks": LOOPBACK, "delay": 0.0, "connect_timeout": 2, "read_timeout": 2, "deadline": 4}
    return FetchSettings.model_validate({**usual, **changes})


def client(**changes: Any) -> Client:
    return Client(quick(**changes), version="1.2", proxies={})
