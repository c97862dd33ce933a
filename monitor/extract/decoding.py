"""Bytes of a page → text, whatever its headers claim about their encoding.

A sixth of Chinese pages came out as gibberish before this: they declare GB2312 and use characters that only GB18030 has, or declare
nothing. East Asian encodings and UTF-8 fit hardly any bytes but their own, so where one of them decodes a page, it is right.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter

from charset_normalizer import from_bytes

SAMPLE = 60_000  # bytes that are looked at to guess an encoding; the guess costs about a second a megabyte
# Broken places that a declared encoding may have among its non-ASCII characters: pages are cut and pasted together.
TOLERATED = 0.02
# Mean length of a run of bytes above 127: 1.0–1.4 in Western European text, 2 and more in Cyrillic, Greek, Thai and East Asian.
WESTERN_RUN = 1.8

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What is meant where the narrower name is declared (WHATWG Encoding).
_MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030", "euc-cn": "gb18030", "chinese": "gb18030",
    "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "sjis": "cp932", "windows-31j": "cp932", "x-euc-jp": "euc_jp",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "ksc5601": "cp949", "windows-949": "cp949", "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs", "x-x-big5": "big5hkscs", "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252",
    "us-ascii": "cp1252", "ascii": "cp1252", "iso-8859-9": "cp1254", "tis-620": "cp874", "iso-8859-11": "cp874",
    "windows-874": "cp874", "x-mac-cyrillic": "mac_cyrillic", "macintosh": "mac_roman", "unicode": "utf-8", "utf8": "utf-8",
    "iso-8859-8-i": "iso8859_8", "x-cp1251": "cp1251", "x-cp1252": "cp1252",
}  # fmt: skip
_CENTRAL = ("cp1250", "iso8859_2")
_OF_LANGUAGE = {
    "zh": ("gb18030", "big5hkscs"), "ja": ("cp932", "euc_jp"), "ko": ("cp949",), "ru": ("cp1251", "koi8-r"), "uk": ("cp1251",),
    "bg": ("cp1251",), "sr": ("cp1251",), "el": ("cp1253",), "tr": ("cp1254",), "he": ("cp1255",), "ar": ("cp1256",),
    "fa": ("cp1256",), "th": ("cp874",), "pl": _CENTRAL, "cs": _CENTRAL, "sk": _CENTRAL, "hu": _CENTRAL,
    "ro": _CENTRAL, "hr": _CENTRAL, "sl": _CENTRAL, "lt": ("cp1257",), "lv": ("cp1257",), "et": ("cp1257",),
}  # fmt: skip
# Each East Asian codec: the grid that its characters have a row in, and the rows of that grid's common ideographs or syllables.
_COMMON = {
    "cp949": ("euc_kr", 0xB0, 0xC8),
    "gb18030": ("gb2312", 0xB0, 0xD7),
    "big5hkscs": ("big5", 0xA4, 0xC6),
    "cp932": ("euc_jp", 0xB0, 0xCF),
    "euc_jp": ("euc_jp", 0xB0, 0xCF),
}
# The share of common characters from which a guess is taken: 0.93 and more in text of the right codec, below 0.7 in any other.
LIKELY = 0.8
_SELF_CHECKING = frozenset({"utf-8", "gb18030", "cp932", "euc_jp", "cp949", "big5hkscs", "euc_jis_2004", "shift_jis_2004"})
_NOT_FOR_PAGES = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7", "utf-16", "utf-32"})
_META = re.compile(rb"""<meta[^>]{0,300}?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{2,40})""", re.I)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']\s*([A-Za-z0-9._:-]{2,40})""")
_HTML_LANG = re.compile(rb"""<html[^>]{0,300}?\blang\s*=\s*["']?\s*([A-Za-z]{2,3})""", re.I)
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_SCRIPT = re.compile(rb"<(script|style)\b.*?</\1\s*>", re.I | re.S)
_TAG = re.compile(rb"<[^<>]{0,2000}>")

# What is taken out of every text: what a database cannot hold, what hides inside words; C1 controls are meant as Windows-1252.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_C1 = {chr(code): bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}


def decoded(body: bytes, charset: str | None = None, language: str | None = None) -> str:
    """The text of `body`; never raises.

    `charset` is what the HTTP header says, `language` a hint for pages that declare nothing. The order: byte order mark; UTF-8
    where the bytes are valid UTF-8; what the page and the header say, East Asian encodings first; a guess.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    names = _declared(body, charset)
    if b"\x1b$" in body or ("hz" in names and b"~{" in body):
        return body.decode("iso2022_jp" if b"\x1b$" in body else "hz", "replace")
    for name in ("utf-8", *names):
        if (text := _decoded_as(body, name)) is not None:
            return text
    return body.decode(_guessed(body, language), "replace")


def cleaned(text: str) -> str:
    """`text` in NFC without what no database or reader wants: NUL and other controls, lone surrogates, soft hyphens."""
    return unicodedata.normalize("NFC", _UNWANTED.sub(lambda match: _C1.get(match[0], ""), text))


def _declared(body: bytes, charset: str | None) -> list[str]:
    """The codecs that the page and the header name: first those that fit only their own bytes, last the default of many servers."""
    head = body[:4096]
    said = [match[1].decode("ascii") for match in (_XML.match(head), *_META.finditer(head)) if match]
    found = dict.fromkeys(name for label in (*said, charset or "") if (name := _codec(label)))
    return sorted(found, key=lambda name: 0 if name in _SELF_CHECKING else 2 if name == "cp1252" else 1)


def _codec(label: str) -> str | None:
    label = label.strip().strip("\"'").lower()
    try:
        name = codecs.lookup(_MEANT.get(label, label)).name
        b"a".decode(name)
    except (LookupError, ValueError):  # no codec, none for text, or two bytes wide without a byte order mark
        return None
    return None if name in _NOT_FOR_PAGES else name


def _decoded_as(body: bytes, name: str) -> str | None:
    """The text, where `name` fits the bytes: exactly, or with a few broken places; a single-byte codec must look like its own."""
    try:
        text = body.decode(name)
    except UnicodeDecodeError:
        text = body.decode(name, "replace")
        broken = text.count("\ufffd")
        foreign = len(text) - len(text.encode("ascii", "ignore")) - broken
        return text if broken <= TOLERATED * foreign else None
    if name == "cp1252" and _mean_run(body) > WESTERN_RUN:
        return None  # servers say iso-8859-1 of whatever they send
    return text


def _mean_run(body: bytes) -> float:
    runs = _HIGH_RUN.findall(_visible(body))
    return sum(map(len, runs)) / len(runs) if runs else 0.0


def _visible(body: bytes) -> bytes:
    """A sample of the bytes that a reader would see."""
    return _TAG.sub(b" ", _SCRIPT.sub(b" ", body[: 20 * SAMPLE]))[:SAMPLE]


def _guessed(body: bytes, language: str | None) -> str:
    """A codec for bytes whose declaration is missing or wrong: one that makes likely text, else what the bytes look like."""
    sample = _visible(body)
    lang = _HTML_LANG.search(body[:4096])
    hints = [hint[:2] for hint in (lang[1].decode("ascii").lower() if lang else None, language) if hint]
    usual = [name for hint in hints for name in _OF_LANGUAGE.get(hint, ())]
    single = [name for name in usual if name not in _COMMON]
    if not single and _mean_run(body) <= WESTERN_RUN:
        return "cp1252"
    likely = {name: _likelihood(sample, name) for name in (*usual, *_COMMON)}
    best = max(likely, key=likely.__getitem__)
    if likely[best] >= LIKELY:
        return best
    if single:
        return max(single, key=lambda name: _letters(sample.decode(name, "replace")))
    found = from_bytes(sample if _HIGH_RUN.search(sample) else body[:SAMPLE]).best()
    return (_codec(found.encoding) if found else None) or "cp1252"


def _likelihood(sample: bytes, name: str) -> float:
    """The share of the non-ASCII characters that are common ones where `name` is used; 0 where it does not fit the bytes."""
    if name not in _COMMON:
        return 0.0
    grid, first, last = _COMMON[name]
    text = sample.decode(name, "replace")
    foreign = "".join(character for character in text if character > "\x7f")
    if not foreign or foreign.count("\ufffd") > TOLERATED * len(foreign):
        return 0.0
    rows = Counter(foreign.encode(grid, "ignore")[::2])
    kana = rows[0xA4] + rows[0xA5] if grid == "euc_jp" else 0
    if grid == "euc_jp" and kana < 0.1 * len(foreign):
        return 0.0
    signs = sum(rows[row] for row in (0xA1, 0xA2, 0xA3))
    return (signs + kana + sum(rows[row] for row in range(first, last + 1))) / len(foreign)


def _letters(text: str) -> float:
    """The share of lower-case or caseless letters among the non-ASCII characters."""
    foreign = [character for character in text if character > "\x7f"]
    return sum(character.isalpha() and not character.isupper() for character in foreign) / max(1, len(foreign))
