"""The parts of a run, from the configuration that a flow is given."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from monitor import app
from monitor.pipeline import Parts
from monitor.pipeline.parts import Progress, silent
from monitor.settings import load_settings

_progress: ContextVar[Progress] = ContextVar("progress", default=silent)


@contextmanager
def shown_by(progress: Progress) -> Iterator[None]:
    """Runs inside show their progress by this."""
    token = _progress.set(progress)
    try:
        yield
    finally:
        _progress.reset(token)


def parts_of(config: str | None) -> Parts:
    """The parts from the configuration named, or from where the command line looks."""
    environ = {**os.environ, **({"MONITOR_CONFIG": config} if config else {})}
    settings = load_settings(environ)
    return app.build(settings, progress=_progress.get())
