"""New stories → digests → outbox → mail: readers are told when their hour has come."""

from __future__ import annotations

from prefect import flow

from flows.parts import parts_of
from flows.stages import report_failure, run_name, run_stages
from monitor.pipeline.alert import tell_operator

# Hours of readers lie on the hour or the half in every time zone but three, which are served a quarter of an hour late.
EVERY = "*/30 * * * *"


@flow(name="alert", flow_run_name=run_name, on_failure=[report_failure], on_crashed=[report_failure], persist_result=False)
def alert(config: str | None = None) -> dict[str, dict[str, int]]:
    """Tells those whose hour has come, sends what waits in the outbox, and tells the operator of a night that did not happen."""
    done = run_stages(config, ("alert",))
    tell_operator(parts_of(config))
    return done
