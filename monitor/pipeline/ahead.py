"""Vectors while pages are read: reading waits for hosts, and the encoder need not wait for it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from monitor.pipeline.analyse import embed
from monitor.pipeline.parts import Parts
from monitor.pipeline.read import read
from monitor.store import hits

log = logging.getLogger(__name__)

# So few that the end of reading is not waited for long, and so rarely that reading is not kept from the database.
AT_ONCE = 200
LOOK_AGAIN_SECONDS = 2.0


def read_and_embed(parts: Parts) -> Counter[str]:
    """Reads the pending entries; meanwhile vectors are made of what is stored. Counters: those of `read`."""
    with vectors_ahead(parts):
        return read(parts)


@contextmanager
def vectors_ahead(parts: Parts) -> Iterator[None]:
    """Until the block ends, a thread makes vectors of the paragraphs that are new since it began.

    What it does not reach, or fails at, `analyse` makes. Where a runner spreads that work, there is no thread.
    """
    if parts.settings.runner != "threads":
        yield
        return
    with parts.database.reading() as connection:
        last = hits.last_paragraph(connection)
    ended = Event()
    thread = Thread(target=_follow, args=(parts, last, ended), name="vectors-ahead", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _follow(parts: Parts, last: int, ended: Event) -> None:
    try:
        while not ended.wait(LOOK_AGAIN_SECONDS):
            while not ended.is_set() and (found := _embed_after(parts, last)) > last:
                last = found
    except Exception:  # reading goes on; `analyse` meets the same error and tells it
        log.warning("vectors could not be made while reading; they are made afterwards", exc_info=True)


def _embed_after(parts: Parts, last: int) -> int:
    """Embeds the next paragraphs after this id, and returns the last of them."""
    since = (parts.clock() - parts.settings.window).date()
    with parts.database.reading() as connection:
        new = hits.new_paragraphs(connection, after=last, since=since, limit=AT_ONCE)
    if not new:
        return last
    with parts.database.writing() as connection:
        encoder = hits.encoder_id(connection, parts.version.encoder)
    embed(parts, encoder, list(new), {key: p.text for key, p in new.items()})
    return max(new)
