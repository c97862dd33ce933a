"""Stored paragraphs by words, by meaning, or by what is known of their articles.

What a search may cost is bounded: by words the latest so many that fit, by meaning the latest so many vectors, a chunk at a time; where
a bound is met the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, true

from monitor.domain import StoredParagraph
from monitor.store import near
from monitor.store.counts import SOURCE_NAME
from monitor.store.schema import article_paragraphs, articles, embeddings, encoders, hits, paragraphs, sightings, sources
from monitor.store.words import Phrase, matching

# Paragraphs that one search by words finds at most, the latest stored ones.
MOST_FOUND = 5_000
# By meaning: the nearest so many, of the latest so many vectors, so many at a time (a chunk takes 25 MB).
MOST_NEAR = 200
MOST_VECTORS = 1_000_000
CHUNK = 8_192
AT_ONCE = 500  # ids of one IN list

Vector = NDArray[np.float32]  # (dimensions,)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a paragraph's article must be; None: anything. `source_ids` are of one source, `matcher` decides what speaks of `area`."""

    matcher: int | None = None
    area: str | None = None
    language: str | None = None
    source_ids: tuple[int, ...] | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A paragraph that was found, in the first of the `articles` that have it and fit."""

    paragraph: int
    article: int
    articles: int
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class FoundPlaces:
    """`whole` unless a bound was met; `looked`: vectors that were compared."""

    places: tuple[Place, ...]
    whole: bool = True
    looked: int = 0


def source_ids(connection: Connection, name: str) -> tuple[int, ...]:
    """The sources of this title or address."""
    return tuple(connection.scalars(select(sources.c.id).where(or_(SOURCE_NAME.in_([name]), sources.c.url.in_([name])))))


def languages(connection: Connection) -> tuple[str, ...]:
    """Those of the stored articles, the most frequent first."""
    of = articles.c.language
    return tuple(connection.scalars(select(of).group_by(of).order_by(func.count().desc(), of)))


def by_words(connection: Connection, phrases: Sequence[Phrase], narrowed: Narrowed, *, most: int = MOST_FOUND) -> FoundPlaces:
    """Paragraphs with all the phrases, newest day first; without a phrase, all that fit."""
    if any(not phrase.excluded for phrase in phrases):
        key, has = matching(connection.dialect.name, phrases)
        ids = list(connection.scalars(select(key).where(has, *_fits(key, narrowed)).order_by(key.desc()).limit(most + 1)))
    else:
        ids = _latest(connection, narrowed, most + 1)
    found = [place for _, place in sorted(_places(connection, ids[:most], narrowed), key=lambda pair: pair[0])]
    return FoundPlaces(tuple(found), whole=len(ids) <= most)


def _latest(connection: Connection, narrowed: Narrowed, limit: int) -> list[int]:
    """The paragraphs of the newest days that fit."""
    if narrowed.area is not None:
        m = sightings.c
        mine = [m.matcher_id == narrowed.matcher, m.area == narrowed.area, _between(m.day, narrowed)]
        if narrowed.source_ids is not None:
            mine.append(m.source_id.in_(narrowed.source_ids))
        if narrowed.language is not None:
            mine.append(select(1).where(articles.c.id == m.article_id, articles.c.language == narrowed.language).exists())
        chosen = select(m.paragraph_id).where(*mine).group_by(m.paragraph_id).order_by(func.max(m.day).desc(), m.paragraph_id.desc())
        return list(connection.scalars(chosen.limit(limit)))
    chosen = select(article_paragraphs.c.paragraph_id).select_from(articles.join(article_paragraphs, _current()))
    chosen = chosen.where(*_suits(narrowed)).order_by(articles.c.day.desc(), articles.c.id.desc(), article_paragraphs.c.position)
    return list(dict.fromkeys(connection.scalars(chosen.limit(limit))))


def _current() -> ColumnElement[bool]:
    """The paragraphs of the version that an article has now."""
    return and_(article_paragraphs.c.article_id == articles.c.id, article_paragraphs.c.version == articles.c.version)


def _between(day: ColumnElement[date], narrowed: Narrowed) -> ColumnElement[bool]:
    return and_(day >= narrowed.first if narrowed.first else true(), day <= narrowed.last if narrowed.last else true())


def _suits(narrowed: Narrowed) -> list[ColumnElement[bool]]:
    """What is asked of an article."""
    asked = [_between(articles.c.day, narrowed)]
    if narrowed.language is not None:
        asked.append(articles.c.language == narrowed.language)
    if narrowed.source_ids is not None:
        asked.append(articles.c.source_id.in_(narrowed.source_ids))
    return asked


def _fits(key: ColumnElement[int], narrowed: Narrowed) -> list[ColumnElement[bool]]:
    """That a paragraph stands in an article that suits, and speaks of the area."""
    joined = article_paragraphs.join(articles, _current())
    fits: list[ColumnElement[bool]] = [
        select(1).select_from(joined).where(article_paragraphs.c.paragraph_id == key, *_suits(narrowed)).exists()
    ]
    if narrowed.area is not None:
        speaks = and_(hits.c.matcher_id == narrowed.matcher, hits.c.paragraph_id == key, hits.c.area == narrowed.area)
        fits.append(exists(1).where(speaks))
    return fits


Order = tuple[int, int, int]  # day, newest first; article, newest first; position


def _places(connection: Connection, ids: Sequence[int], narrowed: Narrowed) -> list[tuple[Order, Place]]:
    """Each paragraph in the first article that has it and suits, with what sorts it."""
    columns = (article_paragraphs.c.paragraph_id, articles.c.id, articles.c.day, article_paragraphs.c.position)
    joined = article_paragraphs.join(articles, _current())
    order = (articles.c.first_seen_at, articles.c.id, article_paragraphs.c.position)
    first: dict[int, tuple[Order, int]] = {}
    number: dict[int, set[int]] = {}
    for start in range(0, len(ids), AT_ONCE):
        mine = article_paragraphs.c.paragraph_id.in_(ids[start : start + AT_ONCE])
        for paragraph, article, day, position in connection.execute(
            select(*columns).select_from(joined).where(mine, *_suits(narrowed)).order_by(*order)
        ):
            first.setdefault(paragraph, ((-day.toordinal(), -article, position), article))
            number.setdefault(paragraph, set()).add(article)
    return [(first[key][0], Place(key, first[key][1], len(number[key]))) for key in ids if key in first]


def by_meaning(
    connection: Connection, asked: Vector, encoder: str, narrowed: Narrowed, *, most: int = MOST_NEAR, limit: int = MOST_VECTORS
) -> FoundPlaces:
    """The paragraphs nearest to the unit vector `asked`, the nearest first, of those that `encoder` made vectors of."""
    known = connection.scalar(select(encoders.c.id).where(encoders.c.name == encoder))
    if known is None:
        return FoundPlaces(())
    # That a paragraph still stands in an article is asked of the nearest alone, unless more is asked: for all it takes most of the time.
    bare = narrowed == Narrowed(narrowed.matcher)
    vectors, nearest = (near.nearby, near.nearest) if near.holds(connection, known) else (embeddings, _nearest)
    fits = [] if bare else _fits(vectors.c.paragraph_id, narrowed)
    similar, looked = nearest(connection, asked, known, fits, most=2 * most if bare else most, limit=limit)
    found = {place.paragraph: place for _, place in _places(connection, list(similar), narrowed)}
    places = [Place(p.paragraph, p.article, p.articles, similar[key]) for key in similar if (p := found.get(key))]
    return FoundPlaces(tuple(places[:most]), whole=looked <= limit, looked=min(looked, limit))


def _nearest(
    connection: Connection, asked: Vector, encoder: int, fits: Sequence[ColumnElement[bool]], *, most: int, limit: int
) -> tuple[dict[int, float], int]:
    """`monitor.store.near.nearest` without pgvector: the vectors come here, a chunk at a time."""
    key = embeddings.c.paragraph_id
    chosen = select(key, embeddings.c.vector).where(embeddings.c.encoder_id == encoder, *fits).order_by(key.desc()).limit(limit + 1)
    ids, best = np.empty(0, np.int64), np.empty(0, np.float32)
    looked = 0
    with connection.execution_options(yield_per=CHUNK).execute(chosen) as rows:
        for chunk in rows.partitions():
            keys, blobs = zip(*chunk, strict=True)
            looked += len(keys)
            vectors = np.frombuffer(b"".join(blobs), "<f2").reshape(len(keys), -1)
            best = np.concatenate([best, vectors.astype(np.float32) @ asked])
            ids = np.concatenate([ids, np.array(keys, np.int64)])
            if best.size > most:
                kept = np.argpartition(-best, most)[:most]
                ids, best = ids[kept], best[kept]
    order = np.argsort(-best, kind="stable")
    return {int(ids[place]): float(best[place]) for place in order}, looked


def describe(connection: Connection, places: Sequence[Place], matcher: int | None) -> Iterator[StoredParagraph]:
    """The paragraphs with their articles and the areas they speak of, in the order of `places`, read a few hundred at a time."""
    for start in range(0, len(places), AT_ONCE):
        yield from _described(connection, places[start : start + AT_ONCE], matcher)


def _described(connection: Connection, places: Sequence[Place], matcher: int | None) -> Iterator[StoredParagraph]:
    ids = [place.paragraph for place in places]
    texts = {row.id: row.text for row in connection.execute(select(paragraphs.c.id, paragraphs.c.text).where(paragraphs.c.id.in_(ids)))}
    a = articles.c
    joined = articles.join(sources, sources.c.id == a.source_id)
    columns = (a.id, a.day, a.title, a.url, a.language, SOURCE_NAME.label("source"), sources.c.kind)
    chosen = select(*columns).select_from(joined).where(a.id.in_({place.article for place in places}))
    known = {row.id: row for row in connection.execute(chosen)}
    areas: dict[int, list[tuple[str, float]]] = {}
    speaks = select(hits.c.paragraph_id, hits.c.area, hits.c.probability).where(hits.c.matcher_id == matcher, hits.c.paragraph_id.in_(ids))
    for paragraph, area, probability in connection.execute(speaks.order_by(hits.c.probability.desc(), hits.c.area)):
        areas.setdefault(paragraph, []).append((area, probability))
    for place in places:
        row = known[place.article]
        yield StoredParagraph(
            paragraph=place.paragraph,
            text=texts[place.paragraph],
            article=row.id,
            day=row.day,
            title=row.title,
            url=row.url,
            source=row.source,
            source_kind=row.kind,
            language=row.language,
            articles=place.articles,
            areas=tuple(areas.get(place.paragraph, ())),
            similarity=place.similarity,
        )
