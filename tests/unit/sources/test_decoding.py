"""Text comes out right whatever the header and the declaration claim."""

from __future__ import annotations

import pytest

from monitor.sources.decoding import decoded

GERMAN = "Für die Größe der Flüsse müssen Brücken über Täler führen, so der Präsident. " * 3
RUSSIAN = "Министерство объявило о запуске программы развития квантовых технологий. " * 3
CHINESE = "科学技术部发布了关于人工智能发展的指导意见，要求各地区加强基础研究。" * 3
JAPANESE = "経済産業省は半導体の研究開発を支援する新しい計画を発表しました。" * 3
KOREAN = "과학기술정보통신부는 양자컴퓨팅 연구를 위한 새로운 계획을 발표했다. " * 3


def document(text: str, declared: str = "") -> str:
    return f'<?xml version="1.0"{f" encoding={chr(34)}{declared}{chr(34)}" if declared else ""}?><rss>{text}</rss>'


@pytest.mark.parametrize(
    ("case", "text", "encoding", "declared", "header"),
    [
        ("UTF-8, nothing said", CHINESE, "utf-8", "", None),
        ("UTF-8, header lies", CHINESE, "utf-8", "", "iso-8859-1"),
        ("German in UTF-8, header lies", GERMAN, "utf-8", "", "iso-8859-1"),
        ("German in UTF-8, declaration lies", GERMAN, "utf-8", "ISO-8859-15", None),
        ("UTF-8, declaration lies", JAPANESE, "utf-8", "Shift_JIS", None),
        ("UTF-8 with a byte order mark", RUSSIAN, "utf-8-sig", "windows-1251", None),
        ("UTF-16 with a byte order mark", CHINESE, "utf-16", "", None),
        ("UTF-16 without", CHINESE, "utf-16-le", "utf-16", None),
        ("Latin-1 by declaration", GERMAN, "latin-1", "ISO-8859-1", None),
        ("Windows-1252 called Latin-1", "„Größe“ – " + GERMAN, "cp1252", "iso-8859-1", None),
        ("Latin-1 called UTF-8", GERMAN, "latin-1", "utf-8", "utf-8"),
        ("GBK called GB2312", CHINESE + "镕", "gbk", "gb2312", None),
        ("GBK by header", CHINESE, "gbk", "", "GBK"),
        ("GBK called UTF-8", CHINESE, "gbk", "utf-8", None),
        ("declaration against the server's default", RUSSIAN, "cp1251", "windows-1251", "iso-8859-1"),
        ("East Asian header against the declaration", JAPANESE, "shift_jis", "iso-8859-1", "shift_jis"),
        ("ISO-2022-JP", JAPANESE, "iso2022_jp", "iso-2022-jp", None),
        ("EUC-JP, nothing said", JAPANESE, "euc_jp", "", None),
        ("EUC-KR, nothing said", KOREAN, "euc-kr", "", None),
        ("Windows-1251, nothing said", RUSSIAN, "cp1251", "", None),
        ("KOI8-R, nothing said", RUSSIAN, "koi8-r", "", None),
        ("a codec nobody knows", GERMAN, "cp1252", "x-unknown", "also-unknown"),
        ("Portuguese by its language", "<language>pt-br</language>Simulações, eleições e ações não são vãs", "latin-1", "", None),
    ],
)
def test_decoded(case: str, text: str, encoding: str, declared: str, header: str | None) -> None:
    whole = document(text, declared)
    assert decoded(whole.encode(encoding), header)[0] == whole, case


def test_a_lie_is_told() -> None:
    assert decoded(document(CHINESE).encode(), "iso-8859-1")[1] == ("says its encoding is iso-8859-1, but it is utf-8",)
    assert decoded(document("plain").encode(), "iso-8859-1")[1] == ()


def test_a_few_broken_bytes_cost_only_themselves() -> None:
    body = document(CHINESE * 5, "utf-8").encode().replace("人工".encode(), b"\xe4\xba", 1)
    text, warnings = decoded(body)
    assert text.count("\ufffd") == 1
    assert warnings == ("1 places are no valid utf-8",)


@pytest.mark.parametrize("codec", ["idna", "punycode", "unicode_escape", "rot13", "hex", "zlib", "undefined", "utf-16", "a" * 40])
def test_odd_codecs_are_not_used(codec: str) -> None:
    body = document("a" * 10_000, codec).encode()
    assert decoded(body) == (body.decode(), ())
