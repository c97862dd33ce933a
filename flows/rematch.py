"""A changed taxonomy over the stored history."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any, cast

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.utilities.annotations import quote

from flows.parts import parts_of
from flows.stages import report_failure, run_name
from monitor.pipeline import Parts
from monitor.pipeline.rematch import Rematched
from monitor.pipeline.rematch import rematch as rematch_history


@task(name="rematch", cache_policy=NO_CACHE, persist_result=False)
def run_rematch(parts: Parts, since: date | None, dry_run: bool) -> Rematched:
    """All that is stored since that day."""
    return rematch_history(parts, since=since, dry_run=dry_run)


@flow(name="rematch", flow_run_name=run_name, on_failure=[report_failure], on_crashed=[report_failure], persist_result=False)
def rematch(config: str | None = None, since: date | None = None, dry_run: bool = False) -> dict[str, Any]:
    """Applies a changed taxonomy to the history and makes it live in one step; broken off, a further run goes on where it was."""
    done = run_rematch(cast(Parts, quote(parts_of(config))), since, dry_run)
    areas = [{key: asdict(area)[key] for key in ("area", "before", "after", "gained", "lost")} for area in done.areas]
    return {"paragraphs": done.paragraphs, "matched": done.matched, "live": done.live, "areas": areas}
