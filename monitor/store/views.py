"""The analysts' contract: the views `trend`, `mention` and `coverage`, as SQL that SQLite and PostgreSQL both take.

Names here do not change without a note in the changelog. `migrations/` makes them from these texts.
"""

from __future__ import annotations

LIVE = "(SELECT id FROM matchers WHERE live_since IS NOT NULL AND retired_at IS NULL ORDER BY live_since DESC, id DESC LIMIT 1)"

TREND = f"""
CREATE VIEW trend AS
SELECT c.day AS day, c.area AS area, c.dimension AS dimension, c.value AS value,
       c.articles AS articles, c.stories AS stories, c.articles_seen AS articles_seen,
       CASE WHEN c.articles_seen > 0 THEN 1.0 * c.articles / c.articles_seen END AS share,
       v.due AS sources_due, v.read AS sources_read,
       CASE WHEN v.due > 0 THEN 1.0 * v.read / v.due END AS coverage
FROM daily_counts c LEFT JOIN daily_coverage v ON v.day = c.day
WHERE c.matcher_id = {LIVE}
"""

MENTION = f"""
CREATE VIEW mention AS
SELECT h.area AS area, a.day AS day, a.published_at AS published_at, a.first_seen_at AS first_seen_at,
       s.title AS source, s.kind AS source_kind, a.language AS language, a.title AS title, a.url AS url,
       p.text AS quote, h.probability AS probability, h.similarity AS similarity, h.exemplar AS exemplar, h.mentions AS mentions,
       a.story_id AS story, a.id AS article_id, p.id AS paragraph_id, l.position AS position
FROM hits h
JOIN paragraphs p ON p.id = h.paragraph_id
JOIN article_paragraphs l ON l.paragraph_id = p.id
JOIN articles a ON a.id = l.article_id AND a.version = l.version
JOIN sources s ON s.id = a.source_id
WHERE h.matcher_id = {LIVE}
"""

COVERAGE = """
CREATE VIEW coverage AS
SELECT day, due AS sources_due, read AS sources_read, CASE WHEN due > 0 THEN 1.0 * read / due END AS coverage
FROM daily_coverage
"""

VIEWS = {"trend": TREND, "mention": MENTION, "coverage": COVERAGE}
