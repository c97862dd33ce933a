"""The index of words: what a text is found by, and what a person's query asks of it. The same on SQLite (FTS5) and PostgreSQL (tsvector).

Texts are folded as aliases are (width, dashes, case, traditional Chinese) and lose their accents. A word is a run of letters and digits.
Chinese, Japanese and Korean, which a searcher does not cut into words, are kept as all pairs of neighbouring characters: «量子计算» is
found in «量子计算机» as the pairs 量子, 子计, 计算 in a row. So both databases only ever see terms apart by spaces.

    quantum computer     both words, anywhere        "quantum computer"   in a row
    quant*               words that begin so         -metaverse           without it
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import ColumnElement, Connection, column, insert, select, table, text

from monitor.domain import Mention
from monitor.folding import CJK, fold
from monitor.store.database import CHUNK
from monitor.store.schema import paragraphs

# Characters of a term, and terms of a paragraph, that are indexed: beyond are addresses, tables of figures and rubbish.
LONGEST_TERM = 64
MOST_TERMS = 16_000  # PostgreSQL counts places up to 16,383
MOST_PHRASES = 32
QUERY_CHARACTERS = 500

# Kept beside the paragraphs, without a copy of their texts.
CREATE = {
    "sqlite": ("CREATE VIRTUAL TABLE words USING fts5(terms, content='', columnsize=0, tokenize='ascii')",),
    "postgresql": (
        "CREATE TABLE words (paragraph_id BIGINT PRIMARY KEY REFERENCES paragraphs (id) ON DELETE CASCADE, terms TSVECTOR NOT NULL)",
        "CREATE INDEX ix_words_terms ON words USING gin (terms)",
    ),
}

words = table("words", column("paragraph_id"), column("rowid"), column("terms"))

_KEPT_MARKS = {"\u3099", "\u309a"}  # the voicing of kana makes another letter
_PAIRS = CJK[:-1] + r"\uac00-\ud7a3]"
FIRST_PAIRED = "\u3005"
_ASCII_WORD = re.compile("[a-z0-9]+")
_QUERY = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')


@dataclass(frozen=True, slots=True)
class Phrase:
    """Terms in a row; the last one only begins a word where `open_end` is set. `excluded`: it must not be there."""

    terms: tuple[str, ...]
    open_end: bool = False
    excluded: bool = False


def terms_of(text: str) -> list[str]:
    """The terms of a paragraph, in order."""
    if text.isascii():  # nothing to pair and no accents, in a third of the time
        return [run[:LONGEST_TERM] for run in _ASCII_WORD.findall(fold(text).lower)][:MOST_TERMS]
    found: list[str] = []
    for run in _runs(text):
        found += _pairs(run) if run[0] >= FIRST_PAIRED and _is_paired(run) else [run[:LONGEST_TERM]]
    return found[:MOST_TERMS]


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run))]


def _runs(text: str) -> Iterator[str]:
    """Words, and runs of characters that are written without spaces, bare of accents."""
    return map(_bare, _run().findall(fold(text).lower))


def _is_paired(run: str) -> bool:
    return _first_paired().match(run) is not None


@cache
def _first_paired() -> re.Pattern[str]:
    return re.compile(_PAIRS)


@cache
def _run() -> re.Pattern[str]:
    """A run of pairs, or a word: letters and digits with the marks that belong to them."""
    marks = "".join(c for c in map(chr, range(0x300, 0x10000)) if unicodedata.category(c) in {"Mn", "Mc"} and c not in _KEPT_MARKS)
    return re.compile(rf"{_PAIRS}+|(?:[^\W_{_PAIRS[1:]}+[{re.escape(marks)}]*)+")


def _bare(run: str) -> str:
    if run.isascii():
        return run
    split = unicodedata.normalize("NFD", run)
    kept = "".join(c for c in split if c in _KEPT_MARKS or not unicodedata.combining(c))
    return unicodedata.normalize("NFC", kept)


def parse(query: str) -> tuple[Phrase, ...]:
    """What a person wrote into the search field; nothing where there is no letter in it."""
    found = []
    for minus, quoted, plain in _QUERY.findall(query[:QUERY_CHARACTERS]):
        given = quoted or plain
        phrase = _phrase(given, open_end=given.endswith("*"), excluded=bool(minus))
        if phrase.terms:
            found.append(phrase)
    return tuple(found[:MOST_PHRASES])


def _phrase(given: str, *, open_end: bool, excluded: bool) -> Phrase:
    terms: list[str] = []
    runs = list(_runs(given))
    for place, run in enumerate(runs):
        if not _is_paired(run):
            terms.append(run[:LONGEST_TERM])
            continue
        last = place == len(runs) - 1
        # The last character begins a pair in the text, whatever follows it there.
        terms += _pairs(run)[:-1] if last and len(run) > 1 else _pairs(run)
        open_end = last and len(run) == 1 if last else open_end
    return Phrase(tuple(terms), open_end, excluded)


def matching(dialect: str, phrases: Sequence[Phrase]) -> tuple[ColumnElement[int], ColumnElement[bool]]:
    """The paragraph's id in the index, and the condition that it has all phrases, none of the excluded ones. One at least is wanted."""
    if dialect == "sqlite":
        return words.c.rowid, text("words MATCH :asked").bindparams(asked=_as_fts5(phrases))  # type: ignore[return-value]
    condition = text("words.terms @@ CAST(:asked AS tsquery)").bindparams(asked=_as_tsquery(phrases))
    return words.c.paragraph_id, condition  # type: ignore[return-value]


def _as_fts5(phrases: Sequence[Phrase]) -> str:
    def one(phrase: Phrase) -> str:
        return f'"{" ".join(phrase.terms)}"{" *" if phrase.open_end else ""}'

    wanted = " AND ".join(one(p) for p in phrases if not p.excluded)
    return " NOT ".join([f"({wanted})", *(one(p) for p in phrases if p.excluded)])


def _as_tsquery(phrases: Sequence[Phrase]) -> str:
    def one(phrase: Phrase) -> str:
        row = " <-> ".join(f"'{term}'" for term in phrase.terms) + (":*" if phrase.open_end else "")
        return f"!({row})" if phrase.excluded else f"({row})"

    return " & ".join(one(p) for p in phrases)


def places_in(text: str, phrases: Sequence[Phrase]) -> tuple[Mention, ...]:
    """Where the words that were asked for stand in `text`, to be marked."""
    found = []
    spread = list(_spread(text))
    terms = [term for term, _, _ in spread]
    for phrase in phrases:
        size = len(phrase.terms)
        for place in range(len(terms) - size + 1) if not phrase.excluded else ():
            if _stands(terms[place : place + size], phrase):
                start, end = spread[place][1], spread[place + size - 1][2]
                found.append(Mention(text[start:end], start, end))
    return tuple(found)


def _spread(text: str) -> Iterator[tuple[str, int, int]]:
    """The terms of a text with their places; a pair ends where its second character does."""
    folded = fold(text)
    for match in _run().finditer(folded.lower):
        run = match.group()
        if not _is_paired(run):
            yield _bare(run)[:LONGEST_TERM], *folded.span(match.start(), match.end())
            continue
        for place in range(len(run)):
            pair = run[place : place + 2]
            yield _bare(pair), *folded.span(match.start() + place, match.start() + place + len(pair))


def _stands(terms: Sequence[str], phrase: Phrase) -> bool:
    *before, last = phrase.terms
    return list(terms[:-1]) == before and (terms[-1].startswith(last) if phrase.open_end else terms[-1] == last)


def write_texts(connection: Connection, texts: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Stores the paragraphs (fingerprint, text) that are not there, with their words; returns the ids of all by fingerprint."""
    by_key = dict(texts)
    known = _ids(connection, list(by_key))
    new = {key: text for key, text in by_key.items() if key not in known}
    if not new:
        return known
    connection.execute(insert(paragraphs), [{"fingerprint": key, "text": text} for key, text in new.items()])
    made = _ids(connection, list(new))
    index(connection, [(made[key], text) for key, text in new.items()])
    return known | made


def _ids(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(keys), 500):
        chosen = select(paragraphs.c.fingerprint, paragraphs.c.id).where(paragraphs.c.fingerprint.in_(keys[start : start + 500]))
        found.update((key, number) for key, number in connection.execute(chosen))
    return found


def index(connection: Connection, texts: Sequence[tuple[int, str]]) -> None:
    """Makes new paragraphs (id, text) findable; an id must not be there already."""
    if connection.dialect.name == "sqlite":
        statement = text("INSERT INTO words (rowid, terms) VALUES (:id, :terms)")
        rows = [{"id": key, "terms": " ".join(terms_of(body))} for key, body in texts]
        for start in range(0, len(rows), CHUNK):
            connection.execute(statement, rows[start : start + CHUNK])
        return
    statement = text("INSERT INTO words (paragraph_id, terms) SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:terms AS tsvector[]))")
    for start in range(0, len(texts), CHUNK):
        some = texts[start : start + CHUNK]
        terms = [" ".join(f"'{t}':{n}" for n, t in enumerate(terms_of(body), 1)) for _, body in some]
        connection.execute(statement, {"ids": [key for key, _ in some], "terms": terms})


def forget(connection: Connection, ids: Sequence[int]) -> None:
    """Takes paragraphs that are about to be dropped out of the index. PostgreSQL does so by itself."""
    if connection.dialect.name != "sqlite":
        return
    statement = text("INSERT INTO words (words, rowid, terms) VALUES ('delete', :id, :terms)")
    for start in range(0, len(ids), 500):
        chosen = select(paragraphs.c.id, paragraphs.c.text).where(paragraphs.c.id.in_(ids[start : start + 500]))
        rows = [{"id": row.id, "terms": " ".join(terms_of(row.text))} for row in connection.execute(chosen)]
        if rows:
            connection.execute(statement, rows)
