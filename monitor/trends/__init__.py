"""Daily counts → shares, changes and bursts, always against the area's own history and the coverage of the day. Pure.

Everything is compared source by source: what a day should have brought is the sum over the sources that were read of their own
articles times their own share of the area (indirect standardisation, as epidemiologists compare towns of unlike ages: Breslow and Day,
Statistical Methods in Cancer Research II, 1987, chapter 2). So neither a feed that failed nor a feed that was added looks like news.
"""

from monitor.trends.bursts import BASELINE_DAYS, GAP_DAYS, MIN_HISTORY_DAYS, MIN_SURPRISE, find_bursts
from monitor.trends.change import Change, Direction, change_of
from monitor.trends.coverage import MIN_COVERAGE, poor_days
from monitor.trends.fresh import FreshTerm, HitText, fresh_terms
from monitor.trends.shares import Share, smoothed, weekday_pattern, wilson
from monitor.trends.tally import Tally, tally_of
from monitor.trends.together import Together, named_together

__all__ = [
    "BASELINE_DAYS",
    "GAP_DAYS",
    "MIN_COVERAGE",
    "MIN_HISTORY_DAYS",
    "MIN_SURPRISE",
    "Change",
    "Direction",
    "FreshTerm",
    "HitText",
    "Share",
    "Tally",
    "Together",
    "change_of",
    "find_bursts",
    "fresh_terms",
    "named_together",
    "poor_days",
    "smoothed",
    "tally_of",
    "weekday_pattern",
    "wilson",
]
