"""One night: all stages, one run at a time, with a row that says what was done."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

from monitor.alerts.operator import beat
from monitor.domain import RunSummary
from monitor.errors import MonitorError
from monitor.pipeline.ahead import read_and_embed
from monitor.pipeline.alert import alert, tell_operator
from monitor.pipeline.analyse import analyse, count, group
from monitor.pipeline.parts import Parts
from monitor.pipeline.poll import poll
from monitor.pipeline.report import report
from monitor.store import runs

log = logging.getLogger(__name__)

Stage = Callable[[Parts], Mapping[str, int]]
STAGES: dict[str, Stage] = {
    "poll": poll,
    "read": read_and_embed,
    "group": group,
    "analyse": analyse,
    "count": count,
    "alert": alert,
    "report": partial(report, always=False),
}


class Busy(MonitorError):
    """Another run on this database is under way."""


def run(parts: Parts, call: Callable[[str, Stage], Mapping[str, int]] | None = None) -> RunSummary:
    """Runs all stages and records it. `call` runs one stage: here it is called, under Prefect it is a task.

    Raises Busy when another run is under way; what a stage raises is recorded with the run and raised again.
    """
    call = call or (lambda _, stage: stage(parts))
    with runs.run_lock(parts.database) as mine:
        if not mine:
            raise Busy("another run on this database is under way; this one has nothing to do")
        with parts.database.writing() as connection:
            run_id = runs.start_run(connection, now=parts.clock())
        done: dict[str, Mapping[str, int]] = {}
        seconds: dict[str, float] = {}
        try:
            for name, stage in STAGES.items():
                began = time.perf_counter()
                done[name] = call(name, stage)
                seconds[name] = round(time.perf_counter() - began, 3)
        except BaseException as error:
            with parts.database.writing() as connection:
                runs.fail_run(connection, run_id, f"{type(error).__name__}: {error}", now=parts.clock())
            if isinstance(error, Exception):
                tell_operator(parts, error=f"{type(error).__name__}: {error}")
            raise
        summary = summarise(done, seconds)
        with parts.database.writing() as connection:
            runs.finish_run(connection, run_id, summary, now=parts.clock())
        tell_operator(parts)
        if url := parts.settings.heartbeat_url.get_secret_value():
            beat(url)
        return summary


def summarise(done: Mapping[str, Mapping[str, int]], seconds: Mapping[str, float]) -> RunSummary:
    """The counters of the stages in the shape that people and scripts read."""
    polled, looked = Counter(done.get("poll", {})), Counter(done.get("read", {}))
    analysed, told = Counter(done.get("analyse", {})), Counter(done.get("alert", {}))
    return RunSummary(
        sources={name: polled[name] for name in ("due", "ok", "not_modified", "failed")},
        entries={"new": polled["new"], **{name: looked[name] for name in ("read", "empty", "failed", "retry")}},
        paragraphs={"new": analysed["new"], "matched": analysed["matched"]},
        hits={"new": analysed["hits"]},
        messages={name: told[name] for name in ("queued", "sent", "failed")},
        seconds={**seconds, "all": round(sum(seconds.values()), 3)},
    )
