"""Days with more reports of an area than its own history makes likely.

The statistic is a negative-binomial surprise in the manner of outbreak detection (Farrington et al., J. R. Statist. Soc. A 159, 1996;
Noufaily et al., Statistics in Medicine 32, 2013): the tail probability of the day's reports, given what the sources read that day
usually bring, with the spread of the area's own days and the uncertainty of the history.
"""

from __future__ import annotations

from math import log10

import numpy as np

from monitor.domain import Burst
from monitor.trends.tally import Tally, expect

# Eight weeks of history, which end a week before the day, so that a rise of some days is not compared with itself.
BASELINE_DAYS = 56
GAP_DAYS = 7
MIN_HISTORY_DAYS = 21
# -log10 of the tail probability from which a day is a burst. benchmarks/burst_choice.py, bursts found and false alarms an area and year:
#   reports a day                 0.1          0.3          1            3            10
#   at 2.5                     70 %, 0.03   72 %, 0.43   76 %, 0.83   84 %, 1.07   84 %, 1.17
#   at 3.0                     64 %, 0.00   58 %, 0.27   66 %, 0.40   75 %, 0.33   74 %, 0.57
#   at 4.0                     49 %, 0.00   40 %, 0.03   46 %, 0.03   56 %, 0.07   55 %, 0.27
#   Poisson at 3.0             68 %, 0.00   66 %, 0.43   74 %, 0.53   88 %, 1.70   95 %, 4.77
# Where each finds 80 %, false alarms: ours 0.87, 1.07, 0.63, 1.03 (from 0.3 reports a day on); without its sources 1.17, 1.10, 1.00, 1.77;
# Poisson 0.87, 0.93, 0.50, 0.83, but at thresholds from 2.1 to 5.7; Kleinberg 0.77, 1.87, 1.70, 0.87, at a gamma from 0.4 to 1.9.
# So one threshold serves areas of all sizes, which neither Poisson's nor Kleinberg's does.
MIN_SURPRISE = 3.0
# Fewer reports are never called a burst, however rare the area.
MIN_ARTICLES = 3
MAX_SURPRISE = 300.0


def find_bursts(tally: Tally, area: str) -> tuple[Burst, ...]:
    """The bursts of one area, in order. A poorly covered day never is one; without three usable weeks of history none is."""
    found = tally.found.get(area)
    if found is None:
        return ()
    bursts = []
    for day in np.flatnonzero(found.sum(0) >= MIN_ARTICLES):
        end = int(day) - GAP_DAYS
        if not tally.usable[day] or end <= 0:
            continue
        past = expect(tally, found, slice(int(day), int(day) + 1), slice(max(0, end - BASELINE_DAYS), end))
        if past.history_days < MIN_HISTORY_DAYS or past.articles < MIN_ARTICLES:
            continue
        surprise = surprise_of(past.articles, past.expected, history=past.history, spread=past.spread)
        if surprise >= MIN_SURPRISE:
            bursts.append(Burst(area, tally.days[day], past.articles, round(past.expected, 3), round(surprise, 2)))
    return tuple(bursts)


def surprise_of(articles: int, expected: float, *, history: float = float("inf"), spread: float = 0.0) -> float:
    """-log10 P(at least `articles`) when `expected` are due, capped at 300.

    `spread` as in Expectation (0: Poisson); `history`: the reports that `expected` rests on: the fewer, the less it is trusted.
    """
    if articles <= 0 or expected <= 0:
        return 0.0 if articles <= 0 else MAX_SURPRISE
    from scipy.special import betainc, gammainc  # type: ignore[import-untyped]  # a quarter of a second that few commands need

    over = spread + 1 / (history + 0.5)
    if over * expected < 1e-9:
        tail = float(gammainc(articles, expected))
    else:
        tail = float(betainc(articles, 1 / over, over * expected / (1 + over * expected)))
    return min(MAX_SURPRISE, -log10(tail)) if tail > 0 else MAX_SURPRISE
