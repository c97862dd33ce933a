"""Due sources → entries → articles → stories."""

from __future__ import annotations

from prefect import flow

from flows.stages import report_failure, run_name, run_stages


@flow(name="collect", flow_run_name=run_name, on_failure=[report_failure], on_crashed=[report_failure])
def collect(config: str | None = None) -> dict[str, dict[str, int]]:
    """Only reads; matching waits for `analyse` or the next night."""
    return run_stages(config, ("poll", "read", "group"))
