"""The queries that give a page's numbers again, by what they give, in SQL that SQLite and PostgreSQL both take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

WEEK, MONTH = timedelta(days=6), timedelta(weeks=4)
# New names are looked for in the week and told from those of the eight weeks before.
BEFORE = timedelta(weeks=8)


def as_text(queries: Mapping[str, str]) -> str:
    """One after another, each under what it gives."""
    return "\n\n".join(f"-- {what}{sql};" for what, sql in queries.items())


def area_queries(area: str, first: date, last: date, *, term: str = "A NAME") -> dict[str, str]:
    """The numbers of an area's page; `term` is a name that is new this week."""
    mine, days = f"area = '{area}'", f"day BETWEEN '{first}' AND '{last}'"
    week = last - WEEK
    usable = "day NOT IN (SELECT day FROM reading WHERE poor)"
    return {
        "the line by day": f"""
SELECT day, articles, stories, articles_seen, share, coverage
FROM trend WHERE {mine} AND dimension = 'all' AND {days} ORDER BY day""",
        "the line over seven days, poorly covered ones left out: the share is articles over articles_seen": f"""
SELECT day, SUM(CASE WHEN poor THEN 0 ELSE articles END) OVER seven AS articles,
       SUM(CASE WHEN poor THEN 0 ELSE articles_seen END) OVER seven AS articles_seen
FROM (SELECT t.day, t.articles, t.articles_seen, r.poor FROM trend t JOIN reading r ON r.day = t.day
      WHERE t.{mine} AND t.dimension = 'all' AND t.{days}) AS line
WINDOW seven AS (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) ORDER BY day""",
        "the last seven days": f"""
SELECT COUNT(DISTINCT article_id) AS articles, COUNT(DISTINCT story) AS stories
FROM mention WHERE {mine} AND day BETWEEN '{week}' AND '{last}'""",
        "all days": f"""
SELECT COUNT(DISTINCT article_id) AS articles, COUNT(DISTINCT story) AS stories
FROM mention WHERE {mine} AND {days}""",
        "who says so (or by language, by source_kind)": f"""
SELECT source, COUNT(DISTINCT article_id) AS articles, COUNT(DISTINCT story) AS stories
FROM mention WHERE {mine} AND {days}
GROUP BY source ORDER BY articles DESC, source""",
        "named together with, and of those in the last four weeks": f"""
SELECT named_with, SUM(stories) AS stories, SUM(CASE WHEN day >= '{last - MONTH}' THEN stories ELSE 0 END) AS recent
FROM together WHERE {mine} AND {days} GROUP BY named_with ORDER BY stories DESC, named_with""",
        "against its usual, as of the last run": f"""
SELECT direction, ratio, low, high, reports, expected FROM movement WHERE {mine} AND day = '{last}'""",
        "bursts": f"""
SELECT day, reports, expected, surprise FROM burst WHERE {mine} AND {days} ORDER BY day""",
        "weekdays: the mean of these, poorly covered days aside": f"""
SELECT day, articles FROM trend
WHERE {mine} AND dimension = 'all' AND {days} AND {usable}""",
        "stories of the week with a new name; a paragraph of several articles counts for the first of them": f"""
SELECT COUNT(DISTINCT story) AS stories
FROM (SELECT story, day, quote, ROW_NUMBER() OVER (PARTITION BY paragraph_id ORDER BY day, article_id) AS place
      FROM mention WHERE {mine} AND day BETWEEN '{week - BEFORE}' AND '{last}') AS paragraphs
WHERE place = 1 AND day >= '{week}' AND quote LIKE '%{term}%'""",
        "the newest stories with their quotes": f"""
SELECT day, source, title, url, quote, probability, similarity
FROM mention WHERE {mine} AND {days}
ORDER BY day DESC, probability DESC LIMIT 20""",
        "articles of each story": f"""
SELECT story, COUNT(DISTINCT article_id) AS articles FROM mention WHERE {mine} AND {days} GROUP BY story""",
    }


def site_queries(first: date, last: date, periods: Sequence[date] = ()) -> dict[str, str]:
    """The numbers of the overview and of the page on coverage; `periods`: the first days of the instruments' four weeks."""
    spans = [(begin, begin + MONTH - timedelta(days=1)) for begin in periods]
    by_period = "".join(
        f",\n       SUM(CASE WHEN day BETWEEN '{begin}' AND '{end}' THEN stories ELSE 0 END) AS from_{begin:%Y_%m_%d}"
        for begin, end in spans
    )
    return {
        "all areas, the last seven days": f"""
SELECT area, SUM(articles) AS articles, SUM(articles_seen) AS articles_seen, 1.0 * SUM(articles) / SUM(articles_seen) AS share
FROM trend WHERE dimension = 'all' AND day BETWEEN '{last - WEEK}' AND '{last}' GROUP BY area ORDER BY share DESC""",
        "how each area moved, as of the last run": f"""
SELECT area, direction, ratio, low, high, reports, expected FROM movement WHERE day = '{last}' ORDER BY ratio DESC""",
        "bursts of the last four weeks": f"""
SELECT day, area, reports, expected FROM burst WHERE day >= '{last - MONTH}' ORDER BY day DESC, surprise DESC""",
        "areas by policy instrument: stories that tell of both, by the four weeks in which they began": f"""
SELECT area, named_with AS instrument{by_period}
FROM together WHERE area NOT LIKE 'policy-%' AND named_with LIKE 'policy-%' AND day BETWEEN '{min(periods, default=first)}' AND '{last}'
GROUP BY area, named_with ORDER BY area, named_with""",
        "how much of what was due was read, and the days that were poorly covered": f"""
SELECT r.day, r.articles, r.poor, c.sources_due, c.sources_read, c.coverage
FROM reading r LEFT JOIN coverage c ON c.day = r.day WHERE r.day BETWEEN '{first}' AND '{last}' ORDER BY r.day""",
        "sources and their health, as of the last run": """
SELECT source, kind, language, active, entries, articles, failed, last_entry_at, health FROM source ORDER BY source""",
    }
