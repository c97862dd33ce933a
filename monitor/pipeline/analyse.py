"""New articles → stories; unseen paragraphs → vectors → hits; hits of the window → counts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np

from monitor.domain import Vectors
from monitor.pipeline.parts import Parts
from monitor.pipeline.prune import prune
from monitor.pipeline.trends import write_findings
from monitor.store import articles, counts, hits, near, sources
from monitor.stories import StoryIndex

log = logging.getLogger(__name__)

PARAGRAPHS_AT_ONCE = 1_000
ARTICLES_AT_ONCE = 1_000
# Syndicated text runs within days; a longer reach would join anniversaries.
STORY_DAYS = timedelta(days=7)


def group(parts: Parts) -> Counter[str]:
    """Gives every new article its story: that of a near-duplicate within a week, or one of its own. Counters: articles, joined."""
    done: Counter[str] = Counter(articles=0, joined=0)
    while True:
        with parts.database.reading() as connection:
            new = articles.articles_without_story(connection, ARTICLES_AT_ONCE)
            if not new:
                return done
            first, last = min(a.day for a in new) - STORY_DAYS, max(a.day for a in new) + STORY_DAYS
            known = articles.articles_with_story(connection, first, last)
        index = StoryIndex(reach=STORY_DAYS)
        for old in known:
            index.add(old.story_id or old.id, old.day, old.shingles)
        stories = []
        for article in new:
            story = index.nearest(article.day, article.shingles)
            index.add(article.id if story is None else story, article.day, article.shingles)
            stories.append((article.id, article.id if story is None else story))
            done.update(articles=1, joined=int(story is not None))
        with parts.database.writing() as connection:
            articles.write_stories(connection, stories)


def analyse(parts: Parts) -> Counter[str]:
    """Looks at every paragraph of the window that this matcher has not seen, newest first; makes it live when none is left.

    A matcher that is to replace the live one may take `backfill_minutes` a night, since a new encoder makes all vectors anew; until it is
    live, pages and trends stay at the old one, which looks at nothing new, and stories of that time are told when the new one is live.
    Counters: new, matched, hits. A paragraph is embedded once an encoder, however many articles or matchers have it.
    """
    now = parts.clock()
    since = (now - parts.settings.window).date()
    with parts.database.writing() as connection:
        matcher = hits.matcher_id(connection, parts.version, parts.taxonomy.body(), now=now)
        encoder = hits.encoder_id(connection, parts.version.encoder)
    with parts.database.reading() as connection:
        unseen = hits.unseen_paragraphs(connection, matcher, since=since)[::-1]
        is_live = hits.live_matcher(connection) == matcher
    until = None if is_live else now + timedelta(minutes=parts.settings.backfill_minutes)
    done: Counter[str] = Counter(new=len(unseen), matched=0, hits=0)
    for ids in chunks(unseen, PARAGRAPHS_AT_ONCE):
        if until is not None and parts.clock() >= until:
            log.warning(
                "a new matcher has looked at %d of %d paragraphs; the old one stays live until the next run", done["matched"], len(unseen)
            )
            return done
        done.update(_analyse_chunk(parts, matcher, encoder, ids))
        parts.progress("analyse", done["matched"], len(unseen))
    with parts.database.writing() as connection:
        if hits.live_matcher(connection) != matcher:
            hits.go_live(connection, matcher, now=parts.clock())
            log.info("a new matcher is live: it has looked at the whole window")
    if unseen:
        with parts.database.writing() as connection:
            near.follow(connection, encoder)
    return done


def _analyse_chunk(parts: Parts, matcher: int, encoder: int, ids: Sequence[int]) -> dict[str, int]:
    with parts.database.reading() as connection:
        paragraphs = hits.load_paragraphs(connection, ids)
    vectors = embed(parts, encoder, ids, {key: p.text for key, p in paragraphs.items()})
    found = parts.matcher().match([paragraphs[key] for key in ids], vectors)
    with parts.database.writing() as connection:
        number = hits.write_hits(connection, matcher, ids, found)
    return {"matched": len(ids), "hits": number}


def embed(parts: Parts, encoder: int, ids: Sequence[int], texts: dict[int, str]) -> Vectors:
    """Vectors of `ids`, (len(ids), dimensions), from the store where they are there; new ones are stored."""
    with parts.database.reading() as connection:
        known = hits.load_vectors(connection, encoder, ids)
    missing = [key for key in ids if key not in known]
    if missing:
        made = parts.encoder().encode([texts[key] for key in missing])
        with parts.database.writing() as connection:
            hits.write_vectors(connection, encoder, missing, made)
        # As they come back from the store, so that a repeated run decides alike.
        known.update(zip(missing, made.astype(np.float16).astype(np.float32), strict=True))
    return np.stack([known[key] for key in ids])


def count(parts: Parts) -> Counter[str]:
    """Replaces the counts and the coverage of the window, then drops what is kept no longer. Counters: rows, texts, vectors."""
    now = parts.clock()
    first, last = (now - parts.settings.window).date(), now.date()
    with parts.database.writing() as connection:
        matcher = hits.live_matcher(connection)
        if matcher is None:
            return Counter(rows=0)
        areas, beside = tuple(parts.taxonomy.facets), parts.taxonomy.policies
        rows = counts.replace_counts(connection, matcher, areas, first, last, beside=beside)
        counts.replace_coverage(connection, first, last)
        write_findings(connection, matcher, areas, first, last)
        sources.replace_standing(connection, now=now)
    return Counter(rows=rows, **prune(parts))


def chunks(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """`ids` in pieces of at most `size`."""
    return (ids[start : start + size] for start in range(0, len(ids), size))
