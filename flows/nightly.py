"""The main job: collect → analyse → alert → report, as one flow."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from prefect import flow

from flows.parts import parts_of
from flows.stages import leave_artifacts, report_failure, run_name, stage_caller
from monitor import pipeline


@flow(name="nightly", flow_run_name=run_name, on_failure=[report_failure], on_crashed=[report_failure], persist_result=False)
def nightly(config: str | None = None) -> dict[str, Any]:
    """One night: polls sources, reads articles, matches, counts, tells and reports. Returns the run's summary.

    `config`: path of areawatch.toml; default: where the command line looks.
    """
    parts = parts_of(config)
    done = pipeline.run(parts, stage_caller(parts, config))
    leave_artifacts(done)
    return asdict(done)
