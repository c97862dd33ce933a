"""Unseen paragraphs → hits; counts of the window."""

from __future__ import annotations

from prefect import flow

from flows.stages import report_failure, run_name, run_stages


@flow(name="analyse", flow_run_name=run_name, on_failure=[report_failure], on_crashed=[report_failure])
def analyse(config: str | None = None) -> dict[str, dict[str, int]]:
    """Matches what is stored and brings counts and pages up to date."""
    return run_stages(config, ("analyse", "count", "report"))
