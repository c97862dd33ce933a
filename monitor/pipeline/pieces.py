"""Vectors in pieces, by ids, so that other processes can make them: which are missing, one piece of them, and what comes back stored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.pipeline.analyse import PARAGRAPHS_AT_ONCE, chunks
from monitor.pipeline.parts import Parts
from monitor.store import hits


def without_vector(parts: Parts) -> tuple[int, ...]:
    """The paragraphs that `analyse` would have to embed, newest first: what can be done elsewhere beforehand."""
    since = (parts.clock() - parts.settings.window).date()
    with parts.database.writing() as connection:
        matcher = hits.matcher_id(connection, parts.version, parts.taxonomy.body(), now=parts.clock())
        encoder = hits.encoder_id(connection, parts.version.encoder)
    with parts.database.reading() as connection:
        unseen = hits.unseen_paragraphs(connection, matcher, since=since)[::-1]
        return tuple(key for ids in chunks(unseen, PARAGRAPHS_AT_ONCE) for key in hits.bare(connection, encoder, ids))


def vectors_of(parts: Parts, ids: Sequence[int]) -> bytes:
    """The vectors of stored paragraphs as they are stored, one after the other. Writes nothing; a dropped paragraph's are zeros."""
    with parts.database.reading() as connection:
        paragraphs = hits.load_paragraphs(connection, ids)
    there = [key for key in ids if key in paragraphs]
    vectors = np.zeros((len(ids), parts.encoder().dimensions), "<f2")
    if there:
        vectors[[key in paragraphs for key in ids]] = parts.encoder().encode([paragraphs[key].text for key in there])
    return vectors.tobytes()


def keep_vectors(parts: Parts, ids: Sequence[int], made: bytes) -> None:
    """Stores what `vectors_of` gave for `ids`, but for paragraphs dropped meanwhile."""
    vectors = np.frombuffer(made, "<f2").reshape(len(ids), -1)
    with parts.database.writing() as connection:
        encoder = hits.encoder_id(connection, parts.version.encoder)
        there = hits.load_paragraphs(connection, ids)
        rows = [row for row, key in enumerate(ids) if key in there and vectors[row].any()]
        hits.write_vectors(connection, encoder, [ids[row] for row in rows], vectors[rows].astype(np.float32))
