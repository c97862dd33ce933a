"""What the network does, good and bad, becomes a value."""

from __future__ import annotations

import asyncio
import gzip
import logging
import ssl
import time
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import brotli
import pytest
import trustme
import zstandard
from faulty_server import Request, Route, answer, client, quick, respond, serving

from monitor.domain import FailureKind, Fetched, FetchFailed, NotModified, Validators
from monitor.fetch import Client

pytestmark = pytest.mark.anyio

FEED = b"<rss><channel><title>News</title></channel></rss>"


async def fetched(routes: dict[str, Route], path: str = "/feed", **settings: object) -> Fetched:
    async with serving(routes) as server, client(**settings) as http:
        outcome = await http.fetch(server.url(path))
    assert isinstance(outcome, Fetched), outcome
    return outcome


async def failed(routes: dict[str, Route], path: str = "/feed", **settings: object) -> FetchFailed:
    async with serving(routes) as server, client(**settings) as http:
        outcome = await http.fetch(server.url(path))
        again = await http.fetch(server.url("/fine"))
    assert isinstance(outcome, FetchFailed), outcome
    assert isinstance(again, Fetched) or "/fine" not in routes, "the client is of no more use after the failure"
    return outcome


async def test_a_plain_answer() -> None:
    route = respond(
        FEED, content_type='Application/RSS+XML; charset="ISO-8859-1"', etag='W/"1"', last_modified="Fri", cache_control="max-age=600"
    )
    async with serving({"/feed": route}) as server, client(contact="https://watch.example") as http:
        outcome = await http.fetch(server.url("/feed#part"))
    assert isinstance(outcome, Fetched)
    assert (outcome.status, outcome.body, outcome.content_type, outcome.charset) == (200, FEED, "application/rss+xml", "ISO-8859-1")
    assert (outcome.validators, outcome.max_age, outcome.moved_to) == (Validators('W/"1"', "Fri"), 600, None)
    assert (outcome.url, outcome.final_url, outcome.wire_bytes) == (server.url("/feed#part"), server.url("/feed#part"), len(FEED))
    assert server.requests[0].path == "/feed"
    assert server.requests[0].headers["user-agent"] == "areawatch/1.2 (+https://watch.example)"
    assert server.requests[0].headers["host"] == f"127.0.0.1:{server.port}"


async def test_conditional_requests() -> None:
    async def route(request: Request, writer: asyncio.StreamWriter) -> None:
        same = request.headers.get("if-none-match") == '"1"' and request.headers.get("if-modified-since") == "then"
        await (
            answer(writer, status="304 Not Modified", etag='"2"', expires="0")
            if same
            else answer(writer, FEED, etag='"1"', last_modified="then")
        )

    async with serving({"/feed": route}) as server, client() as http:
        first = await http.fetch(server.url("/feed"))
        assert isinstance(first, Fetched)
        second = await http.fetch(server.url("/feed"), first.validators)
        third = await http.fetch(server.url("/feed"), Validators('"0"'))
    assert isinstance(second, NotModified)
    assert second.validators == Validators('"2"', "then")
    assert isinstance(third, Fetched)
    assert server.connections == 1


async def test_not_modified_without_being_asked_is_a_failure() -> None:
    outcome = await failed({"/feed": respond(status="304 Not Modified")})
    assert (outcome.kind, outcome.status, outcome.transient) == (FailureKind.SERVER, 304, True)


async def test_validators_that_cannot_be_a_header_are_not_sent() -> None:
    async with serving({"/feed": respond(FEED)}) as server, client() as http:
        assert isinstance(await http.fetch(server.url("/feed"), Validators("a\r\nX-Evil: 1", "é")), Fetched)
    assert not {"if-none-match", "if-modified-since", "x-evil"} & server.requests[0].headers.keys()


@pytest.mark.parametrize(
    ("status", "kind", "transient"),
    [
        ("401 Unauthorized", FailureKind.BLOCKED, False),
        ("403 Forbidden", FailureKind.BLOCKED, False),
        ("429 Too Many Requests", FailureKind.BLOCKED, True),
        ("451 Unavailable", FailureKind.BLOCKED, False),
        ("404 Not Found", FailureKind.GONE, False),
        ("410 Gone", FailureKind.GONE, False),
        ("400 Bad Request", FailureKind.CLIENT, False),
        ("408 Request Timeout", FailureKind.TIMEOUT, True),
        ("500 Oops", FailureKind.SERVER, True),
        ("503 Busy", FailureKind.SERVER, True),
        ("521 Cloud", FailureKind.SERVER, True),
        ("300 Choose", FailureKind.CLIENT, False),
        ("302 Found", FailureKind.REDIRECTS, False),
    ],
)
async def test_statuses(status: str, kind: FailureKind, transient: bool) -> None:
    outcome = await failed({"/feed": respond(b"x" * 10_000, status), "/fine": respond(FEED)})
    assert (outcome.kind, outcome.transient, outcome.status) == (kind, transient, int(status[:3]))
    assert status[:3] in outcome.message


@pytest.mark.parametrize(
    ("case", "headers", "expected"),
    [
        ("seconds", {"retry_after": "120"}, 120.0),
        ("a date", {"retry_after": format_datetime(datetime.now(UTC) + timedelta(days=2), usegmt=True)}, 172_800.0),
        ("by the server's clock", {"retry_after": "Fri, 20 Nov 2026 10:10:00 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 600.0),
        ("a date gone by", {"retry_after": "Fri, 20 Nov 2020 10:10:00 GMT"}, 0.0),
        ("nonsense", {"retry_after": "soon"}, None),
        ("negative", {"retry_after": "-5"}, None),
        ("none", {}, None),
    ],
)
async def test_retry_after(case: str, headers: dict[str, str], expected: float | None) -> None:
    outcome = await failed({"/feed": respond(b"", "503 Busy", **headers)})
    assert outcome.retry_after == (expected if expected is None else pytest.approx(expected, rel=0.02)), case


# --- redirects ---------------------------------------------------------------------------------------------------------


async def test_a_permanent_redirect_is_told() -> None:
    async with (
        serving({"/feed": respond(status="301 Moved", location="/new"), "/new": respond(FEED, etag='"n"')}) as server,
        client() as http,
    ):
        outcome = await http.fetch(server.url("/feed"), Validators('"o"'))
    assert isinstance(outcome, Fetched)
    assert (outcome.final_url, outcome.moved_to) == (server.url("/new"), server.url("/new"))


@pytest.mark.parametrize(
    ("chain", "moved"), [((302,), None), ((307,), None), ((308, 302), "/1"), ((302, 301), None), ((301, 308), "/2"), ((303, 301), None)]
)
async def test_only_permanent_redirects_from_the_start_count(chain: tuple[int, ...], moved: str | None) -> None:
    routes = {f"/{step}": respond(status=f"{status} Moved", location=f"{step + 1}") for step, status in enumerate(chain)}
    async with serving({**routes, f"/{len(chain)}": respond(FEED)}) as server, client() as http:
        outcome = await http.fetch(server.url("/0"))
    assert isinstance(outcome, Fetched)
    assert outcome.moved_to == (server.url(moved) if moved else None)
    assert outcome.final_url == server.url(f"/{len(chain)}")


@pytest.mark.parametrize(
    ("case", "location", "kind"),
    [
        ("a circle", "/feed", FailureKind.REDIRECTS),
        ("nowhere", "", FailureKind.REDIRECTS),
        ("a file", "file:///etc/passwd", FailureKind.BAD_URL),
        ("data", "data:text/html,x", FailureKind.BAD_URL),
        ("FTP", "ftp://127.0.0.1/x", FailureKind.BAD_URL),
        ("no address", "http://[::1", FailureKind.BAD_URL),
        ("cloud metadata", "http://169.254.169.254/latest/", FailureKind.FORBIDDEN_ADDRESS),
        ("a private network", "http://10.0.0.1/", FailureKind.FORBIDDEN_ADDRESS),
        ("this machine in decimal", "http://167772161/", FailureKind.FORBIDDEN_ADDRESS),
    ],
)
async def test_redirects_that_are_not_followed(case: str, location: str, kind: FailureKind) -> None:
    outcome = await failed({"/feed": respond(status="302 Found", location=location), "/fine": respond(FEED)})
    assert outcome.kind is kind, case


async def test_redirects_without_end() -> None:
    async def route(request: Request, writer: asyncio.StreamWriter) -> None:
        await answer(writer, status="302 Found", location=f"/feed?{len(request.path)}{request.path[-20:]}")

    async with serving({"/feed": route}) as server, client(max_redirects=3) as http:
        outcome = await http.fetch(server.url("/feed"))
    assert isinstance(outcome, FetchFailed)
    assert (outcome.kind, len(server.requests)) == (FailureKind.REDIRECTS, 4)


async def test_credentials_stay_with_their_origin() -> None:
    async with serving({"/other": respond(FEED)}, host="127.0.0.2") as other:
        routes = {
            "/feed": respond(status="301 Moved", location="/same"),
            "/same": respond(status="301 Moved", location=other.url("/other", "127.0.0.2")),
        }
        async with serving(routes) as server, client() as http:
            outcome = await http.fetch(server.url("/feed").replace("http://", "http://me:p%40ss@"))
    assert isinstance(outcome, Fetched)
    assert [request.headers.get("authorization") for request in server.requests] == ["Basic bWU6cEBzcw=="] * 2
    assert "authorization" not in other.requests[0].headers
    assert outcome.moved_to is None
    assert "me" not in outcome.final_url


async def test_a_cookie_wall_is_passed_and_forgotten() -> None:
    async def route(request: Request, writer: asyncio.StreamWriter) -> None:
        known = "seen=1" in request.headers.get("cookie", "")
        await (answer(writer, FEED) if known else answer(writer, status="302 Found", location="/feed", set_cookie="seen=1; Path=/"))

    async with serving({"/feed": route}) as server, client() as http:
        assert isinstance(await http.fetch(server.url("/feed")), Fetched)
        assert isinstance(await http.fetch(server.url("/feed")), Fetched)
    assert ["cookie" in request.headers for request in server.requests] == [False, True, False, True]


# --- bodies ------------------------------------------------------------------------------------------------------------


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


LONG = bytes(range(256)) * 2_000


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(LONG)),
        ("x-gzip", gzip.compress(LONG[:1_000]) + gzip.compress(LONG[1_000:])),
        ("gzip", gzip.compress(LONG) + b"\0" * 20),
        ("deflate", zlib.compress(LONG)),
        ("deflate", raw_deflate(LONG)),
        ("br", brotli.compress(LONG)),
        ("zstd", zstandard.compress(LONG)),
        ("zstd", zstandard.compress(LONG[:1_000]) + zstandard.compress(LONG[1_000:])),
        ("gzip, br", brotli.compress(gzip.compress(LONG))),
        ("identity", LONG),
        ("GZIP", LONG),
        ("zstd", LONG),
    ],
)
async def test_every_coding_and_some_lies(coding: str, body: bytes) -> None:
    outcome = await fetched({"/feed": respond(body, content_encoding=coding)})
    assert outcome.body == LONG
    assert outcome.wire_bytes == len(body)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
async def test_an_empty_body_may_claim_any_coding(coding: str) -> None:
    assert (await fetched({"/feed": respond(b"", content_encoding=coding)})).body == b""


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", half(gzip.compress(LONG))),
        ("deflate", half(zlib.compress(LONG))),
        ("br", half(brotli.compress(LONG))),
        ("zstd", half(zstandard.compress(LONG))),
        ("gzip", gzip.compress(LONG)[:200] + b"\xff" * 300),
        ("zstd", zstandard.compress(LONG)[:200] + b"\xff" * 300),
        ("compress", b"\x1f\x9d"),
        ("gzip, gzip, gzip", gzip.compress(gzip.compress(gzip.compress(LONG)))),
    ],
)
async def test_damaged_bodies(coding: str, body: bytes) -> None:
    outcome = await failed({"/feed": respond(body, content_encoding=coding), "/fine": respond(FEED)})
    assert (outcome.kind, outcome.transient) == (FailureKind.DECODING, True)


BOMB = b"\0" * 30_000_000


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(BOMB)),
        ("deflate", zlib.compress(BOMB)),
        ("br", brotli.compress(BOMB, quality=5)),
        ("zstd", zstandard.compress(BOMB)),
        ("gzip, gzip", gzip.compress(gzip.compress(BOMB))),
        ("identity", BOMB[:2_000_000]),
    ],
)
async def test_bombs_are_stopped_while_decoding(coding: str, body: bytes) -> None:
    outcome = await failed({"/feed": respond(body, content_encoding=coding), "/fine": respond(FEED)}, max_bytes=1_000_000)
    assert (outcome.kind, outcome.message) == (FailureKind.TOO_LARGE, "the answer is too large: more than 1 MB after decompression")


async def test_the_limit_on_the_wire() -> None:
    async def endless(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await writer.drain()

    outcome = await failed({"/feed": endless, "/fine": respond(FEED)}, max_wire_bytes=500_000)
    assert (outcome.kind, outcome.message) == (FailureKind.TOO_LARGE, "the answer is too large: more than 0.5 MB on the wire")


# --- faults ------------------------------------------------------------------------------------------------------------


async def test_a_slow_drip_ends_at_the_deadline() -> None:
    async def drip(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    started = time.monotonic()
    outcome = await failed({"/feed": drip, "/fine": respond(FEED)}, deadline=0.4)
    assert (outcome.kind, outcome.transient) == (FailureKind.TIMEOUT, True)
    assert time.monotonic() - started < 3


async def test_silence_ends_at_the_read_time_out() -> None:
    async def silent(_: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    outcome = await failed({"/feed": silent, "/fine": respond(FEED)}, read_timeout=0.2)
    assert (outcome.kind, outcome.message) == (FailureKind.TIMEOUT, "the server sent nothing for too long")


@pytest.mark.parametrize(
    ("case", "sent"),
    [
        ("closed at once", b""),
        ("closed in the body", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"),
        ("no HTTP", b"SSH-2.0-OpenSSH_9.0\r\n\r\n"),
        ("a chunk that is none", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
        ("closed in the chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        ("a negative length", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        ("headers without end", b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 300_000),
        ("a broken header", b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"),
    ],
)
async def test_broken_connections(case: str, sent: bytes) -> None:
    async def route(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        writer.close()

    outcome = await failed({"/feed": route, "/fine": respond(FEED)})
    assert (outcome.kind, outcome.transient) == (FailureKind.CONNECTION, True), case


async def test_a_dropped_kept_connection_is_replaced_at_once() -> None:
    drops: list[int] = []

    async def route(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.connection == 1 and len(server.requests) > 1:
            drops.append(request.connection)
            writer.close()
            return
        await answer(writer, FEED)

    async with serving({"/feed": route}) as server, client() as http:
        assert isinstance(await http.fetch(server.url("/feed")), Fetched)
        assert isinstance(await http.fetch(server.url("/feed")), Fetched)
    assert drops == [1]
    assert server.connections == 2


async def test_a_new_connection_that_drops_is_not_tried_again() -> None:
    async def route(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with serving({"/feed": route}) as server, client() as http:
        assert isinstance(await http.fetch(server.url("/feed")), FetchFailed)
    assert len(server.requests) == 1


async def test_nobody_listens_and_nobody_is_there() -> None:
    async with serving({}) as server:
        port = server.port
    async with client() as http:
        refused = await http.fetch(f"http://127.0.0.1:{port}/")
        unknown = await http.fetch("http://no-such-host.invalid/")
        odd = await http.fetch("http://" + "a" * 70 + ".example/")
    assert isinstance(refused, FetchFailed)
    assert (refused.kind, refused.message) == (FailureKind.CONNECTION, "no connection could be made")
    assert isinstance(unknown, FetchFailed)
    assert (unknown.kind, unknown.transient) == (FailureKind.DNS, True)
    assert isinstance(odd, FetchFailed)


@pytest.mark.parametrize("url", ["", "feed", "ftp://example.org/", "file:///etc/passwd", "data:text/html,x", "http://", "http://[::1", "http://a:b:c/", "https://exa mple.org/", "javascript:x", "http://example.org:0/", "gopher://x", "http://\x00/"])  # fmt: skip
async def test_what_is_no_address(url: str) -> None:
    async with client() as http:
        outcome = await http.fetch(url)
    assert isinstance(outcome, FetchFailed)
    assert (outcome.kind, outcome.transient) == (FailureKind.BAD_URL, False)


async def test_many_failures_leave_the_client_fit() -> None:
    async def half(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        await asyncio.sleep(3)

    async with serving({"/half": half, "/fine": respond(FEED)}) as server, client(deadline=0.05, concurrency=4) as http:
        await asyncio.gather(*(http.fetch(server.url("/half"), politely=False) for _ in range(12)))
        outcome = await http.fetch(server.url("/fine"))
    assert isinstance(outcome, Fetched)


# --- TLS, HTTP/2, logs -----------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> trustme.CA:
    made = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    made.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return made


def server_tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


async def test_tls_names_the_host_and_not_the_address(authority: trustme.CA) -> None:
    asked: list[str | None] = []
    context = server_tls(authority, "feeds.example")
    context.sni_callback = lambda _, name, __: asked.append(name)

    async def resolve(_: str, __: int) -> list[str]:
        return ["127.0.0.1"]

    async with serving({"/feed": respond(FEED)}, tls=context) as server, Client(quick(), version="1", resolve=resolve, proxies={}) as http:
        outcome = await http.fetch(server.url("/feed", "feeds.example"))
        other = await http.fetch(server.url("/feed", "other.example"))
    assert isinstance(outcome, Fetched)
    assert asked == ["feeds.example", "other.example"]
    assert server.requests[0].headers["host"] == f"feeds.example:{server.port}"
    assert isinstance(other, FetchFailed)
    assert (other.kind, other.transient) == (FailureKind.TLS, True)
    assert "not valid" in other.message


async def test_a_certificate_from_nobody() -> None:
    async with serving({"/feed": respond(FEED)}, tls=server_tls(trustme.CA(), "127.0.0.1")) as server, client() as http:
        outcome = await http.fetch(server.url("/feed"))
        plain = await http.fetch(server.url("/feed").replace("https", "http"))
    assert isinstance(outcome, FetchFailed)
    assert outcome.kind is FailureKind.TLS
    assert isinstance(plain, FetchFailed)


async def test_a_redirect_to_plain_http_is_followed_but_no_move(authority: trustme.CA) -> None:
    async with serving({"/feed": respond(FEED)}) as plain:
        routes = {"/feed": respond(status="301 Moved", location=plain.url("/feed"))}
        async with serving(routes, tls=server_tls(authority, "127.0.0.1")) as server, client() as http:
            outcome = await http.fetch(server.url("/feed"))
    assert isinstance(outcome, Fetched)
    assert (outcome.final_url, outcome.moved_to) == (plain.url("/feed"), None)


async def test_http_2_is_spoken_where_offered(authority: trustme.CA) -> None:
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import RequestReceived

    context = server_tls(authority, "127.0.0.1")
    context.set_alpn_protocols(["h2"])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = H2Connection(H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65_536):
            for event in connection.receive_data(data):
                if isinstance(event, RequestReceived):
                    connection.send_headers(event.stream_id, [(":status", "200"), ("content-encoding", "gzip"), ("etag", '"2"')])
                    connection.send_data(event.stream_id, gzip.compress(FEED), end_stream=True)
            writer.write(connection.data_to_send())
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with client() as http:
        outcome = await http.fetch(f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}/feed")
    listening.close()
    assert isinstance(outcome, Fetched)
    assert (outcome.body, outcome.validators.etag) == (FEED, '"2"')


async def test_no_secret_is_logged_or_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    routes = {
        "/feed": respond(status="302 Found", location="/loop?token=hidden"),
        "/loop": respond(status="302 Found", location="/loop?token=hidden"),
    }
    async with serving(routes) as server, client() as http:
        outcome = await http.fetch(server.url("/feed?api_key=hidden").replace("http://", "http://me:hidden@"))
    assert isinstance(outcome, FetchFailed)
    assert outcome.kind is FailureKind.REDIRECTS
    assert "hidden" not in outcome.message
    assert "hidden" not in caplog.text
