"""What is old → dropped, as the settings say."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from monitor.pipeline.parts import Parts
from monitor.store import retention


def prune(parts: Parts, *, dry_run: bool = False) -> Counter[str]:
    """Drops texts without a hit and vectors of articles older than `retention.texts_days` and `vectors_days`. Counters: texts, vectors.

    Texts of the window are kept whatever is set, since a new matcher has to look at all of it. A text is dropped with its vector.
    """
    kept = parts.settings.retention
    texts_days = max(kept.texts_days, parts.settings.window_days) if kept.texts_days else None
    texts, vectors = _before(parts, texts_days), _before(parts, kept.vectors_days)
    if dry_run:
        with parts.database.reading() as connection:
            number = retention.number_of(connection, texts, vectors)
        return Counter(texts=number[0], vectors=number[1])
    done: Counter[str] = Counter(texts=0, vectors=0)
    while texts or vectors:
        with parts.database.writing() as connection:
            old = retention.old_texts(connection, texts) if texts else ()
            bare = retention.old_vectors(connection, vectors) if vectors and not old else ()
            done.update(texts=len(old), vectors=retention.drop_vectors(connection, old or bare))
            retention.drop_texts(connection, old)
            if not old and not bare:
                break
    if texts:
        with parts.database.writing() as connection:
            retention.drop_entry_texts(connection, texts)
    return done


def _before(parts: Parts, days: int | None) -> date | None:
    return None if days is None else (parts.clock() - timedelta(days=days)).date()
