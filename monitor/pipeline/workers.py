"""Processes for what parses: a document that hangs there, or kills its process, costs itself alone."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from monitor.extract import load_models

P = ParamSpec("P")
T = TypeVar("T")

# Seconds that one document may take; the slowest of 4,648 real pages took under two, a feed of 50,000 entries half a minute.
DEADLINE = 60
# Documents after which a process is replaced, since parsers leak.
DOCUMENTS_A_PROCESS = 500
# prctl(2): the signal that the kernel sends when the parent dies.
PR_SET_PDEATHSIG = 1


class Broken(Exception):
    """The document could not be read: its process hung, died or ran out of memory. The message says which."""


class Workers:
    """`number` processes, started when there is something for them to do. Used as `with Workers(2) as workers`."""

    def __init__(self, number: int) -> None:
        self._pool = ProcessPool(max_workers=number, max_tasks=DOCUMENTS_A_PROCESS, initializer=_die_with, initargs=(os.getpid(),))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        end: Callable[[], None] = self._pool.close if error is None else self._pool.stop
        end()
        self._pool.join()

    async def call(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """`function(…)` in one of the processes. Raises what it raises, or Broken."""
        load_models()  # once, here, so that no process needs to: they are copies of this one
        future: Future[Any] = self._pool.schedule(function, args=arguments, kwargs=named, timeout=DEADLINE)
        try:
            found: T = await asyncio.wrap_future(future)
        except TimeoutError:
            raise Broken(f"it could not be read within {DEADLINE} s") from None
        except (ProcessExpired, MemoryError) as error:
            raise Broken(f"reading it broke off: {error}") from None
        return found


def _die_with(parent: int) -> None:
    """Ends this process when its parent is killed: it holds what it inherited, the lock of the run among them, while a page hangs."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
