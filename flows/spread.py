"""Vectors on other processes or machines: the runner that `runner` names, and a flow that hands ids out.

Ids go there and bytes come back, since engines, locks and models do not pickle; a process loads the model once a run.
Only this side writes, so what a lost worker had is simply made again by another.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from flows.parts import parts_of
from monitor import pipeline
from monitor.errors import ConfigurationError
from monitor.pipeline import Parts
from monitor.pipeline.analyse import chunks
from monitor.settings import Settings

# Prefect's own time grows with the number of tasks, so there are at most so many, and none is too small to be worth sending.
PIECES = 40
FEWEST = 100


def runner_of(settings: Settings) -> TaskRunner[Any]:
    """The runner that the settings name. Raises ConfigurationError where it cannot be had."""
    kind = settings.runner
    if kind == "threads":
        return ThreadPoolTaskRunner(max_workers=settings.workers)
    if not os.environ.get("PREFECT_API_URL"):
        raise ConfigurationError(
            f"runner: {kind!r} needs a Prefect server, else every worker starts its own; start one with `prefect server start`, "
            "set PREFECT_API_URL, or set runner = 'threads'"
        )
    if kind == "processes":
        return ProcessPoolTaskRunner(max_workers=settings.workers)
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError:
        raise ConfigurationError(f"runner: {kind!r} needs Dask; `pip install 'areawatch[dask]'` here and on its workers") from None
    if kind == "dask":
        return DaskTaskRunner(cluster_kwargs={"n_workers": settings.workers, "threads_per_worker": 1, "dashboard_address": None})
    return DaskTaskRunner(address=kind)


@lru_cache(maxsize=1)
def parts_here(config: str | None, run: str) -> Parts:  # noqa: ARG001  # the next run may find other settings or another taxonomy
    """The parts of this process, made once a run."""
    return parts_of(config)


@task(name="vectors-piece", cache_policy=NO_CACHE, persist_result=False, retries=2)
def vectors_piece(config: str | None, run: str, encoder: str, ids: Sequence[int]) -> bytes:
    parts = parts_here(config, run)
    if parts.version.encoder != encoder:
        raise ConfigurationError(
            f"this worker has the encoder {parts.version.encoder}, the run asks for {encoder}; bring its taxonomy up to date"
        )
    return pipeline.vectors_of(parts, ids)


@flow(name="spread", persist_result=False)
def spread(config: str | None) -> int:
    """Makes the vectors that `analyse` will ask for, in pieces, and stores them. Returns for how many paragraphs."""
    parts, run = parts_of(config), str(flow_run.get_id())
    ids = pipeline.without_vector(parts)
    for piece, vectors in [(piece, vectors_piece.submit(config, run, parts.version.encoder, piece)) for piece in pieces(ids)]:
        pipeline.keep_vectors(parts, piece, vectors.result())
    return len(ids)


def pieces(ids: Sequence[int]) -> list[Sequence[int]]:
    """`ids` in at most PIECES pieces, all but the last of at least FEWEST."""
    return list(chunks(ids, max(FEWEST, -(-len(ids) // PIECES))))
