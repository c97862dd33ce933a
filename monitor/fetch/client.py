"""The one place that asks the network: conditional, polite, bounded, and never anywhere but at public addresses."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote_to_bytes, urljoin

import httpcore
import httpx

from monitor.domain import FailureKind, Fetched, FetchFailed, FetchOutcome, NotModified, Validators
from monitor.fetch import headers as said
from monitor.fetch.bodies import ACCEPTED, Body, TooLarge
from monitor.fetch.connections import CheckedBackend, GuardedTransport, Resolve
from monitor.fetch.failures import NETWORK_ERRORS, Failed, failure_of, failure_of_status
from monitor.fetch.politeness import ROBOTS_BYTES, Robots, Turns
from monitor.settings import FetchSettings
from monitor.urls import shown

AGENT = "areawatch"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
UNUSED_BYTES = 100_000  # of an answer nobody reads, that are taken off the wire to keep its connection
FEED_TYPES = "application/atom+xml,application/rss+xml,application/feed+json,application/xml;q=0.9,text/xml;q=0.9,*/*;q=0.5"
_HOST = re.compile(rb"[A-Za-z0-9._~:-]+")  # names in ASCII and addresses; httpx lets escapes through
PAGE_TYPES = "text/html,application/xhtml+xml,application/pdf;q=0.9,*/*;q=0.5"


@dataclass(frozen=True, slots=True)
class _Answer:
    """One response: its body is decompressed, and empty unless its status is 2xx."""

    status: int
    headers: httpx.Headers
    body: bytes
    wire_bytes: int


@dataclass(slots=True)
class _Journey:
    """One request with its redirects. `left` is what remains of the deadline, in seconds of asking, not of waiting for a turn."""

    asked: str
    url: httpx.URL
    userinfo: bytes
    secret: bool  # it was asked with credentials
    sent: Validators
    page: bool
    polite: bool
    left: float
    max_bytes: int
    cut: bool = False
    seen: list[str] = field(default_factory=list)
    moved_to: str | None = None
    only_permanent: bool = True
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)


class Client:
    """Fetches feeds and pages; used as `async with Client(settings, version=…) as client`, in one event loop.

    `resolve` and `proxies` (scheme → address, and `no`) are for tests; by default the system and the environment are asked.
    """

    def __init__(
        self, settings: FetchSettings, *, version: str, resolve: Resolve | None = None, proxies: dict[str, str] | None = None
    ) -> None:
        self._settings = settings
        self._agent = f"{AGENT}/{version}" + (f" (+{settings.contact})" if settings.contact else "")
        self._backend = CheckedBackend(settings.allow_networks, resolve)
        self._transport = GuardedTransport(self._backend, _tls(), proxies)
        self._turns = Turns(settings.delay, exempt=self._backend.is_in_allowed_network)
        self._robots = Robots(self._ask_robots, AGENT, self._turns)
        self._places = asyncio.Semaphore(settings.concurrency)

    async def __aenter__(self) -> Self:
        for name in ("httpcore", "httpx", "hpack"):  # at lower levels they write whole addresses and headers, secrets included
            logging.getLogger(name).setLevel(logging.WARNING)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._transport.aclose()
        self._backend.close()

    async def fetch(
        self,
        url: str,
        validators: Validators = Validators(),  # noqa: B008 (frozen)
        *,
        politely: bool = True,
        page: bool = False,
    ) -> FetchOutcome:
        """What `url` has now; whatever the network does is a value, never an exception.

        `validators` of the last answer make the request conditional. `politely` waits for the host's turn. `page` asks robots.txt
        first, for each redirect too. Credentials in `url` go to its own origin only.
        """
        journey = self._begin(url, validators, page=page and self._settings.robots, polite=politely)
        return await self._travel(url, journey) if isinstance(journey, _Journey) else journey

    async def _ask_robots(self, url: str) -> FetchOutcome:
        journey = self._begin(url, Validators(), page=False, polite=True)
        if isinstance(journey, FetchFailed):
            return journey
        journey.max_bytes, journey.cut = ROBOTS_BYTES, True
        return await self._travel(url, journey)

    def _begin(self, url: str, validators: Validators, *, page: bool, polite: bool) -> _Journey | FetchFailed:
        try:
            parsed = _parsed(url)
        except Failed as failed:
            return FetchFailed(url, failed.kind, failed.message)
        return _Journey(
            asked=url,
            url=parsed.copy_with(userinfo=b"") if parsed.userinfo else parsed,
            userinfo=parsed.userinfo,
            secret=bool(parsed.userinfo),
            sent=validators,
            page=page,
            polite=polite,
            left=self._settings.deadline,
            max_bytes=self._settings.max_bytes,
        )

    async def _travel(self, url: str, journey: _Journey) -> FetchOutcome:
        started = time.monotonic()
        try:
            while True:
                answer = await self._hop(journey)
                if answer.status not in REDIRECTS:
                    return _outcome(journey, answer, time.monotonic() - started)
                self._turn_to(journey, answer)
        except Failed as failed:
            return FetchFailed(url, failed.kind, failed.message, failed.status, failed.retry_after, time.monotonic() - started)

    async def _hop(self, journey: _Journey) -> _Answer:
        """One request and its answer. Raises Failed."""
        if journey.page:
            refusal = await self._robots.refusal(_origin(journey.url), journey.url.host, str(journey.url))
            if refusal is not None:
                raise Failed(refusal.kind, refusal.message, status=refusal.status, retry_after=refusal.retry_after)
        async with self._turn(journey):
            started = time.monotonic()
            try:
                async with asyncio.timeout(journey.left):
                    return await self._exchange(journey)
            except TimeoutError:
                raise Failed(FailureKind.TIMEOUT, f"the whole took longer than {self._settings.deadline:g} s") from None
            except NETWORK_ERRORS as error:
                raise failure_of(error) from error
            finally:
                journey.left -= time.monotonic() - started

    @asynccontextmanager
    async def _turn(self, journey: _Journey) -> AsyncIterator[None]:
        if not journey.polite:
            async with self._places:
                yield
            return
        async with self._turns.at(journey.url.host), self._places:
            yield

    async def _exchange(self, journey: _Journey) -> _Answer:
        response = await self._send(self._request(journey))
        try:
            journey.cookies.extract_cookies(response)
            if response.is_success:
                body = Body(
                    response.headers.get("content-encoding", ""), max_wire=self._settings.max_wire_bytes, max_bytes=journey.max_bytes
                )
                whole = await _read(response, body, cut=journey.cut)
                return _Answer(response.status_code, response.headers, whole, body.wire_bytes)
            await _drain(response)
            return _Answer(response.status_code, response.headers, b"", 0)
        finally:
            await response.aclose()

    def _request(self, journey: _Journey) -> httpx.Request:
        wanted = PAGE_TYPES if journey.page else FEED_TYPES
        fields = {"user-agent": self._agent, "accept": wanted, "accept-encoding": ACCEPTED, **said.conditional(journey.sent)}
        if journey.userinfo:
            fields["authorization"] = _basic(journey.userinfo)
        times = {"connect": self._settings.connect_timeout, "read": self._settings.read_timeout, "write": self._settings.read_timeout}
        request = httpx.Request("GET", journey.url, headers=fields, extensions={"timeout": {**times, "pool": None}})
        journey.cookies.set_cookie_header(request)
        return request

    async def _send(self, request: httpx.Request) -> httpx.Response:
        """The response's head. A kept connection that the server had dropped meanwhile is replaced, once."""
        fresh = False

        async def watch(event: str, _: Any) -> None:
            nonlocal fresh
            fresh = fresh or event == "connection.connect_tcp.started"

        request.extensions["trace"] = watch
        try:
            response = await self._transport.handle_async_request(request)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            if fresh:
                raise
            response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    def _turn_to(self, journey: _Journey, answer: _Answer) -> None:
        """Points `journey` at where a redirect leads. Raises Failed where that may not be followed."""
        location = answer.headers.get("location", "").strip()
        if not location:
            raise Failed(FailureKind.REDIRECTS, f"the server answered {answer.status} without saying where to", status=answer.status)
        journey.seen.append(str(journey.url))
        target = _parsed(_joined(str(journey.url), location)).copy_with(userinfo=b"", fragment=None)
        if len(journey.seen) > self._settings.max_redirects:
            raise Failed(FailureKind.REDIRECTS, f"more than {self._settings.max_redirects} redirects", status=answer.status)
        if str(target) in journey.seen and not journey.cookies:
            raise Failed(FailureKind.REDIRECTS, f"the redirects go round in a circle, at {shown(str(target))}", status=answer.status)
        if _origin(target) != _origin(journey.url):
            journey.userinfo = b""
        downgraded = journey.url.scheme == "https" and target.scheme == "http"
        journey.only_permanent = journey.only_permanent and answer.status in PERMANENT and not downgraded
        if journey.only_permanent:
            journey.moved_to = str(target)
        journey.url = target


def _outcome(journey: _Journey, answer: _Answer, seconds: float) -> FetchOutcome:
    now = datetime.now(UTC)
    if answer.status == 304:
        if not said.conditional(journey.sent):
            message = "the server answered «not modified» although nothing was asked conditionally"
            return FetchFailed(journey.asked, FailureKind.SERVER, message, 304, seconds=seconds)
        found = said.validators(answer.headers)
        kept = Validators(found.etag or journey.sent.etag, found.last_modified or journey.sent.last_modified)
        return NotModified(journey.asked, kept, said.max_age(answer.headers, now), seconds)
    if not 200 <= answer.status < 300:
        raise failure_of_status(answer.status, said.retry_after(answer.headers, now))
    media, charset = said.content_type(answer.headers)
    return Fetched(
        url=journey.asked,
        final_url=str(journey.url) if journey.seen or journey.secret else journey.asked.strip(),
        status=answer.status,
        body=answer.body,
        content_type=media,
        charset=charset,
        validators=said.validators(answer.headers),
        max_age=said.max_age(answer.headers, now),
        # an address with a password does not follow a move by itself: the new one would have none
        moved_to=None if journey.secret else journey.moved_to,
        wire_bytes=answer.wire_bytes,
        seconds=seconds,
    )


async def _read(response: httpx.Response, body: Body, *, cut: bool) -> bytes:
    """The whole body; with `cut`, what fits."""
    try:
        async for chunk in response.aiter_raw():
            body.feed(chunk)
    except TooLarge:
        if cut:
            return body.so_far()
        raise
    return body.finish()


async def _drain(response: httpx.Response) -> None:
    """Takes a short body off the wire, so that its connection can be used again; a long or broken one costs the connection."""
    size = 0
    try:
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > UNUSED_BYTES:
                return
    except NETWORK_ERRORS:
        return


def _parsed(url: str) -> httpx.URL:
    """`url` for asking. Raises Failed where it is no http or https address."""
    try:
        parsed = httpx.URL(url.strip())
        usable = parsed.scheme in ("http", "https") and _HOST.fullmatch(parsed.raw_host) is not None and parsed.port != 0
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise Failed(FailureKind.BAD_URL, f"{shown(url)!r} is no address") from None
    if not usable:
        raise Failed(FailureKind.BAD_URL, f"{shown(url)!r} is no http or https address")
    return parsed.copy_with(fragment=None) if "#" in url else parsed


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:
        raise Failed(FailureKind.BAD_URL, f"it redirects to {shown(location)!r}, which is no address") from None


def _origin(url: httpx.URL) -> str:
    port = f":{url.port}" if url.port else ""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}{port}"


def _basic(userinfo: bytes) -> str:
    name, _, password = userinfo.partition(b":")
    return "Basic " + base64.b64encode(unquote_to_bytes(name) + b":" + unquote_to_bytes(password)).decode("ascii")


def _tls() -> ssl.SSLContext:
    """Certificates are checked; SSL_CERT_FILE and SSL_CERT_DIR name other authorities than the usual."""
    return httpx.create_ssl_context()
