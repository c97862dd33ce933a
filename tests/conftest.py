"""What all tests share: no settings of the machine leak in, and a newsroom is one context manager away."""

from __future__ import annotations

import os

import pytest

# The encoder's threads and Prefect's telemetry have no place in tests.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MONITOR_") or name == "PREFECT_API_URL"]:
        monkeypatch.delenv(name)
