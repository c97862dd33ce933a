"""The queries that give a page's numbers again, in SQL that SQLite and PostgreSQL both take."""

from __future__ import annotations

from datetime import date, timedelta


def area_queries(area: str, first: date, last: date) -> str:
    """The line, the seven days, who says so and the companions of one area."""
    week = last - timedelta(days=6)
    return f"""
-- the line
SELECT day, articles, stories, articles_seen, share, coverage
FROM trend WHERE area = '{area}' AND dimension = 'all' AND day BETWEEN '{first}' AND '{last}' ORDER BY day;

-- the last seven days
SELECT COUNT(DISTINCT article_id) AS articles, COUNT(DISTINCT story) AS stories
FROM mention WHERE area = '{area}' AND day BETWEEN '{week}' AND '{last}';

-- who says so (or by language, by source_kind)
SELECT source, COUNT(DISTINCT article_id) AS articles, COUNT(DISTINCT story) AS stories
FROM mention WHERE area = '{area}' AND day BETWEEN '{first}' AND '{last}'
GROUP BY source ORDER BY articles DESC, source;

-- named together with
WITH told AS (SELECT DISTINCT area, story FROM mention WHERE day BETWEEN '{first}' AND '{last}')
SELECT other.area, COUNT(*) AS stories
FROM told this JOIN told other ON other.story = this.story AND other.area <> this.area
WHERE this.area = '{area}' GROUP BY other.area ORDER BY stories DESC, other.area;

-- the newest stories with their quotes
SELECT day, source, title, url, quote, probability
FROM mention WHERE area = '{area}' AND day BETWEEN '{first}' AND '{last}'
ORDER BY day DESC, probability DESC LIMIT 20;
""".strip()


def site_queries(first: date, last: date) -> str:
    """All areas side by side, and the coverage of the days."""
    week = last - timedelta(days=6)
    return f"""
-- all areas, the last seven days
SELECT area, SUM(articles) AS articles, SUM(articles_seen) AS articles_seen, 1.0 * SUM(articles) / SUM(articles_seen) AS share
FROM trend WHERE dimension = 'all' AND day BETWEEN '{week}' AND '{last}' GROUP BY area ORDER BY share DESC;

-- how much of what was due was read
SELECT day, sources_due, sources_read, coverage FROM coverage WHERE day BETWEEN '{first}' AND '{last}' ORDER BY day;
""".strip()
