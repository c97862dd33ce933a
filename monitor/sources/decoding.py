"""Bytes of a feed → text, whatever the headers claim about their encoding."""

from __future__ import annotations

import codecs
import re
import zlib

from charset_normalizer import from_bytes

MAX_DOCUMENT = 50_000_000  # bytes; above it a document is refused. The largest real feed seen had 9 MB; a full sitemap may have 50 MB.
SAMPLE = 20_000  # bytes that are looked at to guess an encoding; the guess took 3 s on 9 KB with all of Python's encodings

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"{\0", "utf-16-le"),
    (b"\0{", "utf-16-be"),
)
# what is meant where the narrower name is declared (WHATWG Encoding)
_MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "euc-cn": "gb18030", "hz-gb-2312": "hz",
    "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "sjis": "cp932", "windows-31j": "cp932",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "big5": "big5hkscs", "x-euc-jp": "euc_jp", "tis-620": "cp874",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "iso-8859-9": "cp1254", "unicode": "utf-8", "utf8": "utf-8",
}  # fmt: skip
# encodings that most other bytes are no valid text of: where they decode, they are right
_SEVEN_BIT = frozenset({"iso2022_jp", "hz"})
_SELF_CHECKING = _SEVEN_BIT | {"utf-8", "gb18030", "cp932", "euc_jp", "cp949", "big5hkscs"}
# Python's own, never meant by a document; decoding `idna` is quadratic
_NOT_FOR_DOCUMENTS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
_OF_LANGUAGE = {
    "pt": "cp1252", "es": "cp1252", "fr": "cp1252", "de": "cp1252", "it": "cp1252", "nl": "cp1252", "en": "cp1252",
    "sv": "cp1252", "da": "cp1252", "no": "cp1252", "fi": "cp1252", "ru": "cp1251", "uk": "cp1251", "bg": "cp1251",
    "pl": "cp1250", "cs": "cp1250", "hu": "cp1250", "tr": "cp1254", "el": "cp1253", "he": "cp1255", "ar": "cp1256",
    "th": "cp874", "zh": "gb18030", "zh-tw": "big5hkscs", "zh-hk": "big5hkscs", "ko": "cp949",
}  # fmt: skip
# what is guessed among; of the look-alike Latin ones only the most frequent
_OLD = ["cp1252", "cp1251", "cp1253", "cp1255", "cp1256", "koi8_r", "gb18030", "big5", "cp932", "euc_jp", "cp949"]
_LANGUAGE = re.compile(rb"""(?:<(?:dc:)?language>|xml:lang=["'])\s{0,20}([A-Za-z]{2}(?:-(?:TW|tw|HK|hk))?)(?![A-Za-z])""")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']\s*([A-Za-z0-9._:-]{1,40})""")


class TooLarge(ValueError):
    """More bytes than a document may have."""


def unpacked(body: bytes) -> bytes:
    """`body`, gunzipped where it is a .gz file, as sitemaps are. Raises TooLarge."""
    if body.startswith(b"\x1f\x8b"):
        decompressor = zlib.decompressobj(wbits=31)
        try:
            body = decompressor.decompress(body, MAX_DOCUMENT + 1)
        except zlib.error:
            return body
    if len(body) > MAX_DOCUMENT:
        raise TooLarge(f"more than {MAX_DOCUMENT // 1_000_000} MB")
    return body


def decoded(body: bytes, charset: str | None = None) -> tuple[str, tuple[str, ...]]:
    """The text of `body` and what was wrong with its encoding, in sentences. `charset` is what the HTTP header says.

    The order: byte order mark; UTF-8 where the bytes are valid UTF-8 (other encodings hardly ever are); what the XML declaration
    or the header says, East Asian encodings first as they fit only their own bytes; UTF-8 with a few broken bytes; a guess.
    Never raises.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body.decode(name, "replace"), ()
    declared = _DECLARED.match(body[:400])
    said = _candidates(declared[1].decode("ascii") if declared else None, charset)
    stateful = next((name for name in said if name in _SEVEN_BIT), None)
    names = [stateful if stateful and (b"\x1b" in body or b"~{" in body) else "utf-8", *said]
    for name in names:
        try:
            text = body.decode(name)
        except UnicodeDecodeError:
            continue
        lied = said and name not in said and not text.isascii()
        return text, ((f"says its encoding is {next(iter(said.values()))}, but it is {name}",) if lied else ())
    return _guessed(body, names)


def _candidates(*declared: str | None) -> dict[str, str]:
    """The codecs that are meant by what was declared, most telling first, each with the name that was used for it."""
    found: dict[str, str] = {}
    for raw in declared:
        label = (raw or "").strip().lower()
        try:
            name = codecs.lookup(_MEANT.get(label, label)).name
            b"a".decode(name)
        except (LookupError, ValueError):  # no codec, none for text, or two bytes wide without a byte order mark
            continue
        if name not in _NOT_FOR_DOCUMENTS:
            found.setdefault(name, label)
    return dict(sorted(found.items(), key=lambda item: item[0] not in _SELF_CHECKING))


def _guessed(body: bytes, names: list[str]) -> tuple[str, tuple[str, ...]]:
    """Where nothing that was declared decodes the whole: the first that decodes nearly all, else what the bytes look like."""
    for name in names:
        text = body.decode(name, "replace")
        broken = text.count("\ufffd")
        foreign = sum(1 for character in text[:SAMPLE] if character > "\x7f") - broken
        if broken * 100 < foreign:
            return text, (f"{broken} places are no valid {name}",)
    name = _by_language(body) or _by_its_looks(body)
    return body.decode(name, "replace"), (f"does not say its encoding, or not the right one; taken for {name}",)


def _by_language(body: bytes) -> str | None:
    """The one old encoding of the language that the document says it is in, where the bytes are valid in it."""
    said = _LANGUAGE.search(body[:5_000])
    name = _OF_LANGUAGE.get(said[1].decode("ascii").lower()) if said else None
    try:
        return name if name and body.decode(name) else None
    except UnicodeDecodeError:
        return None


def _by_its_looks(body: bytes) -> str:
    foreign = b"\n".join(line for line in body.splitlines() if not line.isascii())[:SAMPLE]
    best = from_bytes(foreign, cp_isolation=_OLD, steps=3, chunk_size=2_048, enable_fallback=False).best()
    return best.encoding if best else "cp1252"
