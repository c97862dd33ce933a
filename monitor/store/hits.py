"""Vectors, matcher versions, the ledger of what a matcher has looked at, and hits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, select, update

from monitor.domain import Hit, MatcherVersion, Paragraph, Vectors
from monitor.store.database import insert, insert_columns
from monitor.store.schema import (
    article_paragraphs,
    articles,
    embeddings,
    encoders,
    hits,
    matched,
    matchers,
    paragraphs,
    taxonomies,
)


def encoder_id(connection: Connection, name: str) -> int:
    insert(connection, encoders, [{"name": name}], keys=["name"])
    return int(connection.execute(select(encoders.c.id).where(encoders.c.name == name)).scalar_one())


def matcher_id(connection: Connection, version: MatcherVersion, taxonomy_body: dict[str, Any], *, now: datetime) -> int:
    """The row of this matcher version, made where it is not there. The very first one goes live at once."""
    row = {"fingerprint": version.taxonomy, "body": taxonomy_body, "first_used_at": now}
    insert(connection, taxonomies, [row], keys=["fingerprint"])
    key = {"taxonomy": version.taxonomy, "encoder": version.encoder, "calibration": version.calibration, "rules": version.rules}
    first = None if live_matcher(connection) else now
    insert(connection, matchers, [{**key, "created_at": now, "live_since": first}], keys=list(key))
    same = and_(*(matchers.c[name] == value for name, value in key.items()))
    return int(connection.execute(select(matchers.c.id).where(same)).scalar_one())


def live_matcher(connection: Connection) -> int | None:
    """The matcher that the views read."""
    live = and_(matchers.c.live_since.is_not(None), matchers.c.retired_at.is_(None))
    return connection.scalar(select(matchers.c.id).where(live).order_by(matchers.c.live_since.desc(), matchers.c.id.desc()).limit(1))


def go_live(connection: Connection, matcher: int, *, now: datetime) -> None:
    """From now on the views read this matcher; the others stay stored."""
    connection.execute(update(matchers).where(matchers.c.id == matcher).values(live_since=now, retired_at=None))


def unseen_paragraphs(
    connection: Connection, matcher: int, *, since: date | None = None, after: int = 0, limit: int | None = None
) -> tuple[int, ...]:
    """Ids of paragraphs this matcher has not looked at, in ascending order; with `since`, of articles of that day or later."""
    looked = exists().where(matched.c.matcher_id == matcher, matched.c.paragraph_id == paragraphs.c.id)
    chosen: Select[tuple[int]] = select(paragraphs.c.id).where(~looked, paragraphs.c.id > after)
    if since is not None:
        chosen = chosen.where(_in_article_since(since))
    return tuple(connection.scalars(chosen.order_by(paragraphs.c.id).limit(limit)))


def new_paragraphs(connection: Connection, *, after: int, since: date, limit: int) -> dict[int, Paragraph]:
    """The first paragraphs with a larger id than `after`, of articles of that day or later, in ascending order."""
    chosen = select(paragraphs).where(paragraphs.c.id > after, _in_article_since(since)).order_by(paragraphs.c.id).limit(limit)
    return {r.id: Paragraph(r.fingerprint, r.text) for r in connection.execute(chosen)}


def last_paragraph(connection: Connection) -> int:
    """The largest id of a paragraph; 0 where none is stored."""
    return connection.scalar(select(func.max(paragraphs.c.id))) or 0


def _in_article_since(day: date) -> ColumnElement[bool]:
    """That a paragraph stands in an article of that day or later."""
    joined = article_paragraphs.join(articles, articles.c.id == article_paragraphs.c.article_id)
    recent = select(article_paragraphs.c.paragraph_id).select_from(joined)
    return recent.where(article_paragraphs.c.paragraph_id == paragraphs.c.id, articles.c.day >= day).correlate(paragraphs).exists()


def load_paragraphs(connection: Connection, ids: Sequence[int]) -> dict[int, Paragraph]:
    rows = connection.execute(select(paragraphs).where(paragraphs.c.id.in_(ids)))
    return {r.id: Paragraph(r.fingerprint, r.text) for r in rows}


def load_vectors(connection: Connection, encoder: int, ids: Sequence[int]) -> dict[int, Vectors]:
    """The stored vectors by paragraph, (dimensions,) each, float32."""
    chosen = select(embeddings.c.paragraph_id, embeddings.c.vector)
    rows = connection.execute(chosen.where(embeddings.c.encoder_id == encoder, embeddings.c.paragraph_id.in_(ids)))
    return {key: np.frombuffer(blob, "<f2").astype(np.float32) for key, blob in rows}


def bare(connection: Connection, encoder: int, ids: Sequence[int]) -> list[int]:
    """Those of `ids` without a vector of this encoder, in their order."""
    chosen = select(embeddings.c.paragraph_id).where(embeddings.c.encoder_id == encoder, embeddings.c.paragraph_id.in_(ids))
    known = set(connection.scalars(chosen))
    return [key for key in ids if key not in known]


def write_vectors(connection: Connection, encoder: int, ids: Sequence[int], vectors: Vectors) -> None:
    """`vectors`: (len(ids), dimensions); kept in half precision, which moves a cosine by less than 0.0005."""
    packed = vectors.astype("<f2")
    columns = {"paragraph_id": ids, "encoder_id": [encoder] * len(ids), "vector": [row.tobytes() for row in packed]}
    insert_columns(connection, embeddings, columns, keys=["paragraph_id", "encoder_id"])


def write_hits(connection: Connection, matcher: int, ids: Sequence[int], found: Sequence[Sequence[Hit]]) -> int:
    """`found[i]` are the hits of paragraph `ids[i]`; the ledger is written in the same transaction. Returns how many hits."""
    rows = [
        {
            "matcher_id": matcher, "paragraph_id": key, "area": hit.area, "probability": hit.probability,
            "similarity": hit.evidence.similarity, "exemplar": hit.evidence.exemplar,
            "mentions": [[m.alias, m.start, m.end, m.weak] for m in hit.evidence.mentions],
        }
        for key, group in zip(ids, found, strict=True)
        for hit in group
    ]  # fmt: skip
    insert(connection, hits, rows, keys=["matcher_id", "paragraph_id", "area"])
    insert_columns(connection, matched, {"matcher_id": [matcher] * len(ids), "paragraph_id": ids}, keys=["matcher_id", "paragraph_id"])
    return len(rows)


def hit_counts(connection: Connection, matcher: int) -> dict[str, int]:
    """Hits by area."""
    chosen = select(hits.c.area, func.count().label("number")).where(hits.c.matcher_id == matcher).group_by(hits.c.area)
    return {r.area: r.number for r in connection.execute(chosen)}
