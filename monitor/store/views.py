"""The analysts' contract: `trend`, `mention`, `coverage`, `source` and what is found in them, as SQL that SQLite and PostgreSQL both take.

Names here do not change without a note in the changelog. `migrations/` makes them from these texts.
"""

from __future__ import annotations

LIVE = "(SELECT id FROM matchers WHERE live_since IS NOT NULL AND retired_at IS NULL ORDER BY live_since DESC, id DESC LIMIT 1)"

# A query that asks for no column of the coverage does not touch it: SQLite would go through an outer join for nothing where it groups.
TREND = f"""
CREATE VIEW trend AS
SELECT c.day AS day, c.area AS area, c.dimension AS dimension, c.value AS value,
       c.articles AS articles, c.stories AS stories, c.articles_seen AS articles_seen,
       CASE WHEN c.articles_seen > 0 THEN 1.0 * c.articles / c.articles_seen END AS share,
       (SELECT v.due FROM daily_coverage v WHERE v.day = c.day) AS sources_due,
       (SELECT v.read FROM daily_coverage v WHERE v.day = c.day) AS sources_read,
       (SELECT 1.0 * v.read / v.due FROM daily_coverage v WHERE v.day = c.day AND v.due > 0) AS coverage
FROM daily_counts c
WHERE c.matcher_id = {LIVE}
"""

# Outer joins to single rows: a query that asks for none of their columns does not touch them.
MENTION = f"""
CREATE VIEW mention AS
SELECT m.area AS area, m.day AS day, a.published_at AS published_at, a.first_seen_at AS first_seen_at,
       s.title AS source, s.kind AS source_kind, a.language AS language, a.title AS title, a.url AS url,
       p.text AS quote, h.probability AS probability, h.similarity AS similarity, h.exemplar AS exemplar, h.mentions AS mentions,
       m.story AS story, m.article_id AS article_id, m.paragraph_id AS paragraph_id, m.position AS position
FROM sightings m
LEFT JOIN articles a ON a.id = m.article_id
LEFT JOIN sources s ON s.id = m.source_id
LEFT JOIN paragraphs p ON p.id = m.paragraph_id
LEFT JOIN hits h ON h.matcher_id = m.matcher_id AND h.paragraph_id = m.paragraph_id AND h.area = m.area
WHERE m.matcher_id = {LIVE}
"""

COVERAGE = """
CREATE VIEW coverage AS
SELECT day, due AS sources_due, read AS sources_read, CASE WHEN due > 0 THEN 1.0 * read / due END AS coverage
FROM daily_coverage
"""

TOGETHER = f"""
CREATE VIEW together AS
SELECT day, area, other AS named_with, stories FROM daily_together WHERE matcher_id = {LIVE}
"""

BURST = f"""
CREATE VIEW burst AS
SELECT day, area, reports, expected, surprise FROM daily_bursts WHERE matcher_id = {LIVE}
"""

MOVEMENT = f"""
CREATE VIEW movement AS
SELECT day, area, direction, reports, expected, ratio, low, high FROM daily_moves WHERE matcher_id = {LIVE}
"""

READING = """
CREATE VIEW reading AS
SELECT day, articles, poor FROM daily_reading
"""

SOURCE = """
CREATE VIEW source AS
SELECT COALESCE(NULLIF(s.title, ''), s.url) AS source, s.url AS url, s.kind AS kind, s.language AS language, s.active AS active,
       h.entries AS entries, h.articles AS articles, h.failed AS failed,
       s.last_success_at AS last_success_at, s.last_entry_at AS last_entry_at, h.health AS health
FROM sources s LEFT JOIN source_standing h ON h.source_id = s.id
"""

VIEWS = {
    "trend": TREND,
    "mention": MENTION,
    "coverage": COVERAGE,
    "together": TOGETHER,
    "burst": BURST,
    "movement": MOVEMENT,
    "reading": READING,
    "source": SOURCE,
}
