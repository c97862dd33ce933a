"""New stories → digests → outbox → mail: daily and weekly readers are told when their hour has come."""

from __future__ import annotations

from prefect import flow

from flows.stages import run_name, run_stages


@flow(name="alert", flow_run_name=run_name)
def alert(config: str | None = None) -> dict[str, dict[str, int]]:
    """Tells those who are due and sends what waits in the outbox."""
    return run_stages(config, ("alert",))
