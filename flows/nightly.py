"""The main job: collect → analyse → alert → report, as one flow."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import Flow

from flows.stages import leave_artifacts, parts_of, run_name, stage_caller
from monitor import pipeline
from monitor.pipeline.alert import tell_operator


def report_failure(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001  # Prefect names them
    """Tells the operator that a run failed; what was stored stays, and the next run goes on from there."""
    tell_operator(parts_of((flow_run.parameters or {}).get("config")), error=f"{flow_run.name}: {state.message or state.name}")


@flow(name="nightly", flow_run_name=run_name, on_failure=[report_failure], on_crashed=[report_failure], persist_result=False)
def nightly(config: str | None = None) -> dict[str, Any]:
    """One night: polls sources, reads articles, matches, counts, tells and reports. Returns the run's summary.

    `config`: path of areawatch.toml; default: where the command line looks.
    """
    parts = parts_of(config)
    done = pipeline.run(parts, stage_caller(parts))
    leave_artifacts(done)
    return asdict(done)
