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

-- named together with, and of those in the last four weeks
SELECT named_with, SUM(stories) AS stories, SUM(CASE WHEN day >= '{last - timedelta(weeks=4)}' THEN stories ELSE 0 END) AS recent
FROM together WHERE area = '{area}' AND day BETWEEN '{first}' AND '{last}' GROUP BY named_with ORDER BY stories DESC, named_with;

-- against its usual, as of the last run
SELECT direction, ratio, low, high, reports, expected FROM movement WHERE area = '{area}' AND day = '{last}';

-- bursts
SELECT day, reports, expected, surprise FROM burst WHERE area = '{area}' AND day BETWEEN '{first}' AND '{last}' ORDER BY day;

-- weekdays: the mean by weekday of these, poorly covered days aside
SELECT day, articles FROM trend
WHERE area = '{area}' AND dimension = 'all' AND day BETWEEN '{first}' AND '{last}' AND day NOT IN (SELECT day FROM reading WHERE poor);

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

-- how each area moved, as of the last run
SELECT area, direction, ratio, low, high, reports, expected FROM movement WHERE day = '{last}' ORDER BY ratio DESC;

-- bursts of the last four weeks
SELECT day, area, reports, expected FROM burst WHERE day >= '{last - timedelta(days=28)}' ORDER BY day DESC, surprise DESC;

-- how much of what was due was read, and the days that were poorly covered
SELECT r.day, r.articles, r.poor, c.sources_due, c.sources_read, c.coverage
FROM reading r LEFT JOIN coverage c ON c.day = r.day WHERE r.day BETWEEN '{first}' AND '{last}' ORDER BY r.day;
""".strip()
