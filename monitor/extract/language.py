"""What language a text is in: by its script where the script tells, else by py3langid among the languages that news is written in."""

from __future__ import annotations

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

# Characters that are looked at, half of them from the middle, as pages begin in other languages than they go on. On 1,241 pages in 29
# languages all but 3 came out as by 4,000 from the beginning, in a third of the time; those 3 are written in two languages.
SAMPLE = 1_500
# Letters (an ideograph or Hangul syllable counts for three) under which a text is too short to be told without a hint: headlines
# of five words are named right 19 times of 20, single words half of the time.
ENOUGH = 24
# How much less likely than the best guess the language of the hint may be and still be taken: neighbours like Danish and
# Norwegian, Serbian and Croatian, or Galician and Portuguese differ by less, anything else by more.
NEIGHBOUR = 0.1

_LATIN = """
    af az bs ca cs cy da de en es et eu fi fr ga gl hr hu id is it ku lb lt lv ms mt nl nn no pl pt ro sk sl so sq sv sw tl tr
    uz vi zu
"""
_OF_SCRIPT = {
    "latin": frozenset(_LATIN.split()),
    "cyrillic": frozenset({"be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "uk"}),
    "arabic": frozenset({"ar", "fa", "ps", "ur", "ug"}),
    "devanagari": frozenset({"hi", "mr", "ne"}),
    "bengali": frozenset({"as", "bn"}),
}
_ONE_LANGUAGE = {
    "hangul": "ko", "greek": "el", "hebrew": "he", "thai": "th", "georgian": "ka", "armenian": "hy", "tamil": "ta", "telugu": "te",
    "kannada": "kn", "malayalam": "ml", "gujarati": "gu", "gurmukhi": "pa", "sinhala": "si", "khmer": "km", "lao": "lo",
    "myanmar": "my", "ethiopic": "am", "odia": "or",
}  # fmt: skip
_RANGES = {
    "latin": "A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ", "kana": "ぁ-ゖァ-ヺー", "hangul": "가-힣ᄀ-ᇿ", "cyrillic": "Ѐ-ԯ", "greek": "Ͱ-Ͽἀ-῿",
    "han": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af", "hebrew": "\u05d0-\u05ea",
    "arabic": "\u0621-\u064a\u0671-\u06d3\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc", "devanagari": "ऄ-ह", "bengali": "অ-হ",
    "thai": "ก-ฮ", "georgian": "ა-ჿ", "armenian": "Ա-և", "tamil": "அ-ஹ", "telugu": "అ-హ", "kannada": "ಅ-ಹ", "malayalam": "അ-ഹ",
    "gujarati": "અ-હ", "gurmukhi": "ਅ-ਹ", "sinhala": "අ-ෆ", "khmer": "ក-ឳ", "lao": "ກ-ຮ", "myanmar": "က-ဪ", "ethiopic": "ሀ-ፚ",
    "odia": "ଅ-ହ",
}  # fmt: skip
_SCRIPTS = re.compile("|".join(f"(?P<{name}>[{characters}]+)" for name, characters in _RANGES.items()))
_NO_LETTERS = re.compile(r"[\W\d_]+")
_CODE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9_-]*)?\Z")
# Codes that pages and feeds use for another: country codes, older ISO 639-1, ISO 639-2.
_CODES = {
    "jp": "ja", "cn": "zh", "tw": "zh", "kr": "ko", "cz": "cs", "dk": "da", "gr": "el", "ua": "uk", "iw": "he", "in": "id", "nb": "no",
    "nn": "no",
    "eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "ita": "it", "por": "pt", "rus": "ru", "zho": "zh",
    "chi": "zh", "jpn": "ja", "kor": "ko", "cmn": "zh", "nob": "no", "nld": "nl", "pol": "pl", "ara": "ar", "swe": "sv", "us": "en",
    "yue": "zh",
}  # fmt: skip


def language_of(text: str, hint: str | None = None) -> str:
    """ISO 639-1 code, "und" where neither the text nor `hint` (a code or a tag such as «pt-BR») tells. Never raises."""
    wanted = code_of(hint)
    text = _sample(text)
    weights = _weights(text)
    total = sum(weights.values())
    if not total:
        return wanted or "und"
    east = weights.get("kana", 0) + weights.get("han", 0) + weights.get("hangul", 0)
    if 2 * east >= total:
        return _east_asian(weights, east, wanted)
    script = max(weights, key=weights.__getitem__)
    if script in _ONE_LANGUAGE:
        return _ONE_LANGUAGE[script]
    return _identified(text, script, wanted, enough=total >= ENOUGH)


def load_models() -> None:
    """Loads what the first text would load, 0.8 s: processes that are forked afterwards need not."""
    _identifier()


def code_of(tag: str | None) -> str | None:
    """The ISO 639-1 code of a language tag as pages write it; None where it is none."""
    match = _CODE.match((tag or "").strip())
    if not match:
        return None
    code = match[1].lower()
    code = _CODES.get(code, code)
    return code if len(code) == 2 else None


def _sample(text: str) -> str:
    if len(text) <= SAMPLE:
        return text
    half, middle = SAMPLE // 2, len(text) // 2
    return text[:half] + text[max(half, middle) : max(half, middle) + half]


def _weights(text: str) -> dict[str, int]:
    """Letters a script; one ideograph, kana or syllable says as much as about three letters."""
    if text.isascii():
        letters = sum(map(str.isalpha, text))
        return {"latin": letters} if letters else {}
    weights: dict[str, int] = {}
    for match in _SCRIPTS.finditer(_NO_LETTERS.sub("", text)):
        name = match.lastgroup or ""
        length = match.end() - match.start()
        weights[name] = weights.get(name, 0) + (3 * length if name in ("kana", "han", "hangul") else length)
    return weights


def _east_asian(weights: dict[str, int], east: int, wanted: str | None) -> str:
    """Half of a Japanese text is kana, a tenth of a terse headline; a Chinese one has them in names only."""
    if 2 * weights.get("hangul", 0) > east:
        return "ko"
    kana = weights.get("kana", 0)
    if 20 * kana > east or (kana and wanted == "ja"):
        return "ja"
    return "ja" if wanted == "ja" and east < 3 * ENOUGH else "zh"


def _identified(text: str, script: str, wanted: str | None, *, enough: bool) -> str:
    candidates = _OF_SCRIPT.get(script, frozenset())
    if wanted in candidates and not enough:
        return wanted
    ranked = [(code_of(label), float(chance)) for label, chance in _identifier().rank(text) if label in candidates]
    if not ranked or not enough:
        return "und"
    best, chance = ranked[0]
    if wanted != best and any(code == wanted and other >= NEIGHBOUR * chance for code, other in ranked):
        return wanted or "und"
    return best or "und"


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(sorted(frozenset().union(*_OF_SCRIPT.values())))
    return identifier
