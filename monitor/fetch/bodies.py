"""Bytes as they come → the decompressed body, within limits that hold while decoding, not after."""

from __future__ import annotations

import zlib
from typing import Protocol

import brotli
import zstandard

MAX_CODINGS = 2  # a server that compresses more than twice is out to harm
ZSTD_WINDOW = 8 * 1024 * 1024  # bytes; what RFC 8878 says a decoder should bear, and browsers do
ZSTD_SLICE = 256  # bytes fed at once: a block of 4 bytes may become 128 KiB, so a slice becomes at most 8 MiB


class TooLarge(Exception):
    """More bytes than the limit, on the wire or decompressed."""


class BadEncoding(Exception):
    """The bytes are not what Content-Encoding says, or end too early."""


class _Decoder(Protocol):
    def feed(self, chunk: bytes, room: int) -> bytes: ...
    def finish(self) -> None: ...


class Body:
    """Collects one body. `coding` is the Content-Encoding header; limits are in bytes.

    `feed` raises TooLarge or BadEncoding as soon as a limit is passed: at most one chunk (64 KB on the wire, 8 MB out of zstd)
    beyond it is ever in memory. A body that is not compressed although the header says so is taken as it is.
    """

    def __init__(self, coding: str, *, max_wire: int, max_bytes: int) -> None:
        names = [name for part in coding.lower().split(",") if (name := part.strip()) and name != "identity"]
        unknown = [name for name in names if name not in _DECODERS]
        if unknown:
            raise BadEncoding(f"the body is encoded as {unknown[0][:30]!r}, which nobody asked for")
        if len(names) > MAX_CODINGS:
            raise BadEncoding(f"the body is compressed {len(names)} times")
        self._names = names
        self._decoders: list[_Decoder] | None = None
        self._max_wire, self._max_bytes = max_wire, max_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._start = b""
        self.wire_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Takes the next bytes off the wire."""
        self.wire_bytes += len(chunk)
        if self.wire_bytes > self._max_wire:
            raise TooLarge(f"more than {_megabytes(self._max_wire)} on the wire")
        if self._decoders is None:
            self._start += chunk
            if len(self._start) < 4 and self._names:
                return
            self._choose()
            chunk, self._start = self._start, b""
        self._decode(chunk)

    def finish(self) -> bytes:
        """The whole body. Raises BadEncoding where its end is missing."""
        if self._decoders is None:
            self._choose()
            self._decode(self._start)
        for decoder in self._decoders or ():
            decoder.finish()
        return b"".join(self._parts)

    def so_far(self) -> bytes:
        """What is decoded, complete or not."""
        return b"".join(self._parts)

    def _choose(self) -> None:
        lies = self._names[-1:] and not _begins_like(self._names[-1], self._start)
        self._decoders = [] if lies else [_DECODERS[name]() for name in reversed(self._names)]

    def _decode(self, chunk: bytes) -> None:
        room = self._max_bytes - self._size
        for decoder in self._decoders or ():
            chunk = decoder.feed(chunk, room + 1)
            if len(chunk) > room:
                break
        if len(chunk) > room:
            raise TooLarge(f"more than {_megabytes(self._max_bytes)} after decompression")
        self._size += len(chunk)
        self._parts.append(chunk)


def _begins_like(name: str, start: bytes) -> bool:
    if name in ("gzip", "x-gzip"):
        return start.startswith(b"\x1f\x8b") or not start
    if name == "zstd":
        return start.startswith(b"\x28\xb5\x2f\xfd") or start[1:4] == b"\x2a\x4d\x18" or not start
    return not start.lstrip().startswith((b"<?xml", b"<rss", b"<!DO", b"<htm", b"<fee"))


class _Zlib:
    """gzip, and deflate with or without its header. Members after the first are read, padding after the last is not."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._object = zlib.decompressobj(wbits=31 if gzip else 15)
        self._begun = self._done = False

    def feed(self, chunk: bytes, room: int) -> bytes:
        out = b""
        while chunk and not self._done and len(out) < room:
            try:
                out += self._object.decompress(chunk, room - len(out))
            except zlib.error as error:
                if self._begun or self._gzip:
                    raise BadEncoding(f"the compressed body is damaged: {error}") from None
                self._object = zlib.decompressobj(wbits=-15)
                self._begun = True
                continue
            self._begun = True
            chunk = self._object.unused_data
            if self._object.eof:
                self._done = not (self._gzip and chunk.startswith(b"\x1f\x8b"))
                self._object = self._object if self._done else zlib.decompressobj(wbits=31)
        return out

    def finish(self) -> None:
        if self._begun and not self._done and not self._object.eof:
            raise BadEncoding("the compressed body ends too early")


class _Brotli:
    def __init__(self) -> None:
        self._object = brotli.Decompressor()
        self._begun = False

    def feed(self, chunk: bytes, room: int) -> bytes:
        self._begun = self._begun or bool(chunk)
        parts, size = [], 0
        try:
            while size < room and not self._object.is_finished():
                parts.append(self._object.process(chunk, output_buffer_limit=room - size))
                size += len(parts[-1])
                chunk = b""
                if not parts[-1] or self._object.can_accept_more_data():
                    break
        except brotli.error as error:
            raise BadEncoding(f"the compressed body is damaged: {error}") from None
        return b"".join(parts)

    def finish(self) -> None:
        if self._begun and not self._object.is_finished():
            raise BadEncoding("the compressed body ends too early")


class _Zstd:
    """Frames one after the other, fed in slices, as the library has no limit on what one call gives out."""

    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        self._object = self._decompressor.decompressobj()
        self._begun = False

    def feed(self, chunk: bytes, room: int) -> bytes:
        parts, size = [], 0
        try:
            for start in range(0, len(chunk), ZSTD_SLICE):
                parts.append(self._slice(chunk[start : start + ZSTD_SLICE]))
                size += len(parts[-1])
                if size >= room:
                    break
        except zstandard.ZstdError as error:
            raise BadEncoding(f"the compressed body is damaged: {error}") from None
        return b"".join(parts)

    def _slice(self, data: bytes) -> bytes:
        out = b""
        while data:
            if self._object.eof:
                self._object = self._decompressor.decompressobj()
            self._begun = True
            out += self._object.decompress(data)
            data = self._object.unused_data
        return out

    def finish(self) -> None:
        if self._begun and not self._object.eof:
            raise BadEncoding("the compressed body ends too early")


def _gzip() -> _Decoder:
    return _Zlib(gzip=True)


def _deflate() -> _Decoder:
    return _Zlib(gzip=False)


_DECODERS = {"gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "br": _Brotli, "zstd": _Zstd}
ACCEPTED = "gzip, deflate, br, zstd"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:g} MB"
