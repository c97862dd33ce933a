"""One task a stage, and what all flows share: run names, what a run leaves behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.flows import Flow
from prefect.runtime import flow_run
from prefect.tasks import Task
from prefect.utilities.annotations import quote

from flows.parts import parts_of
from monitor.domain import RunSummary
from monitor.errors import ConfigurationError
from monitor.pipeline import STAGES, Parts
from monitor.pipeline.alert import tell_operator

# Stages that speak to the network are tried again; what the others raise is a defect or a full disk, and repeating helps neither.
RETRIES = {"poll": 2, "read": 2, "alert": 2}


def run_name() -> str:
    """`nightly-2026-11-23`: the flow and the day it was scheduled for, which for a run started by hand is now."""
    scheduled = flow_run.get_scheduled_start_time() or datetime.now(UTC)
    return f"{flow_run.get_flow_name()}-{scheduled:%Y-%m-%d}"


def report_failure(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001  # Prefect names them
    """Tells the operator that a run failed; what was stored stays, and the next run goes on from there."""
    tell_operator(parts_of((flow_run.parameters or {}).get("config")), error=f"{flow_run.name}: {state.message or state.name}")


def is_worth_repeating(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001  # Prefect gives them
    """A wrong configuration is as wrong half a minute later."""
    return not isinstance(state.result(raise_on_failure=False), ConfigurationError)


@task(cache_policy=NO_CACHE, retry_delay_seconds=30, retry_condition_fn=is_worth_repeating, persist_result=False)
def run_stage(name: str, parts: Parts) -> dict[str, int]:
    """One stage of the pipeline."""
    return dict(STAGES[name](parts))


def stage_caller(parts: Parts, config: str | None = None) -> Callable[[str, Any], Mapping[str, int]]:
    """Runs a stage as a task; the parts are handed over as they are, since engines and models do not pickle.

    With a runner other than threads, the vectors that `analyse` will ask for are made there first.
    """

    def call(name: str, _: Any) -> Mapping[str, int]:
        if parts.settings.runner != "threads" and name == "analyse":
            from flows.spread import runner_of, spread

            spread.with_options(task_runner=runner_of(parts.settings))(config or os.environ.get("MONITOR_CONFIG"))
        return run_stage.with_options(name=name, retries=RETRIES.get(name, 0))(name, cast(Parts, quote(parts)))

    return call


def run_stages(config: str | None, names: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """Some stages in their order, as tasks."""
    call = stage_caller(parts_of(config), config)
    return {name: dict(call(name, None)) for name in STAGES if name in names}


def leave_artifacts(done: RunSummary) -> None:
    """A table and a short text on the run's page in Prefect."""
    groups = {
        "sources": done.sources,
        "entries": done.entries,
        "paragraphs": done.paragraphs,
        "hits": done.hits,
        "messages": done.messages,
    }
    rows = [{"of": group, "what": what, "number": number} for group, counters in groups.items() for what, number in counters.items()]
    create_table_artifact(rows, key="areawatch-run", description="What the run did")
    failed = f", **{done.sources['failed']} could not be read**" if done.sources["failed"] else ""
    create_markdown_artifact(
        f"{done.sources['due']} sources were due{failed}; {done.entries['read']} entries were read, "
        f"{done.hits['new']} hits found, {done.messages['sent']} messages sent in {done.seconds['all']:.0f} s.",
        key="areawatch-summary",
        description="The run in a sentence",
    )
