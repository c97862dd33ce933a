"""What headers say, and that no header can do harm."""

from __future__ import annotations

import gzip
import zlib
from datetime import UTC, datetime

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain import Validators
from monitor.fetch.bodies import BadEncoding, Body, TooLarge
from monitor.fetch.headers import MAX_SECONDS, conditional, content_type, max_age, retry_after, validators

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("case", "headers", "expected"),
    [
        ("plain", {"cache-control": "public, max-age=600, must-revalidate"}, 600),
        ("quoted", {"cache-control": 'MAX-AGE="60"'}, 60),
        ("that for shared caches is not ours", {"cache-control": "s-maxage=600"}, None),
        ("not to be stored", {"cache-control": "no-store"}, 0),
        ("both", {"cache-control": "no-cache, max-age=60"}, 60),
        ("no-cache of one field", {"cache-control": 'no-cache="set-cookie"'}, None),
        ("Expires by the server's clock", {"expires": "Fri, 20 Nov 2026 10:10:00 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 600),
        ("Expires by ours", {"expires": "Mon, 23 Nov 2026 00:00:30 GMT"}, 30),
        ("long gone", {"expires": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ("the usual wrong form", {"expires": "0"}, None),
        ("max-age before Expires", {"cache-control": "max-age=5", "expires": "Mon, 23 Nov 2026 00:00:30 GMT"}, 5),
        ("for ever", {"cache-control": "max-age=99999999999"}, MAX_SECONDS),
        ("nothing", {}, None),
    ],
)
def test_max_age(case: str, headers: dict[str, str], expected: int | None) -> None:
    assert max_age(headers, NOW) == expected, case


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("text/xml", ("text/xml", None)),
        ("Application/Atom+XML ; Charset = utf-8", ("application/atom+xml", "utf-8")),
        ("text/html; charset='gb2312'; x=y", ("text/html", "gb2312")),
        ("", ("", None)),
        (";;;charset=", ("", None)),
    ],
)
def test_content_type(sent: str, expected: tuple[str, str | None]) -> None:
    assert content_type({"content-type": sent}) == expected


@given(st.fixed_dictionaries({name: st.text(max_size=60) | st.sampled_from(["Fri, 20 Nov 99999 10:00:00 GMT", "Mon, 1 Jan 0001 00:00:00 +2359"])
       for name in ("retry-after", "cache-control", "expires", "date", "content-type", "etag", "last-modified")}))  # fmt: skip
def test_any_header_is_borne(headers: dict[str, str]) -> None:
    after, age = retry_after(headers, NOW), max_age(headers, NOW)
    assert after is None or 0 <= after <= MAX_SECONDS
    assert age is None or 0 <= age <= MAX_SECONDS
    content_type(headers)
    for value in conditional(validators(headers)).values():
        assert value.isascii()
        assert value.isprintable()


def test_long_validators_are_not_sent_back() -> None:
    assert conditional(Validators("x" * 5_000, "Fri")) == {"if-modified-since": "Fri"}


COMPRESS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstandard.compress, "identity": bytes}


@settings(max_examples=80)
@given(st.sampled_from(sorted(COMPRESS)), st.binary(max_size=3_000), st.lists(st.integers(1, 400), min_size=1, max_size=20))
def test_a_body_comes_out_whole_however_it_is_cut(coding: str, data: bytes, sizes: list[int]) -> None:
    wire = COMPRESS[coding](data)
    body = Body(coding, max_wire=10**6, max_bytes=len(data))
    position = turn = 0
    while position < len(wire):
        size = sizes[turn % len(sizes)]
        body.feed(wire[position : position + size])
        position, turn = position + size, turn + 1
    assert body.finish() == data
    assert body.wire_bytes == len(wire)


@settings(max_examples=80)
@given(st.sampled_from(sorted(COMPRESS)), st.binary(min_size=1, max_size=3_000))
def test_the_limit_is_exact(coding: str, data: bytes) -> None:
    def take(limit: int) -> bytes:
        body = Body(coding, max_wire=10**6, max_bytes=limit)
        body.feed(COMPRESS[coding](data))
        return body.finish()

    assert take(len(data)) == data
    with pytest.raises(TooLarge):
        take(len(data) - 1)


@settings(max_examples=150)
@given(st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, br", "x", ",,", "br, br, br"]), st.binary(max_size=200), st.sampled_from([b"", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"\x78\x9c"]))  # fmt: skip
def test_any_bytes_give_a_body_or_our_error(coding: str, data: bytes, start: bytes) -> None:
    try:
        body = Body(coding, max_wire=10_000, max_bytes=100_000)
        body.feed(start + data)
        assert len(body.finish()) <= 100_000
    except (TooLarge, BadEncoding):
        return
