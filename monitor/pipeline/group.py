"""Results that are written together: a transaction for each would cost more than what it writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

# Results, or the entries in them, of one transaction: with more the share of its fixed costs hardly falls.
SIZE = 200
# Seconds of work that a crash may cost: what was read is read again.
PATIENCE = 2.0


class Group(Generic[T]):
    """Gathers results and hands them to `write`, in their order, when they are many or the first has waited long.

    `write` is called from `add` and `flush`, and what it raises comes out there. `number` counts the groups written.
    """

    def __init__(self, write: Callable[[Sequence[T]], None], *, size: int = SIZE, patience: float = PATIENCE) -> None:
        self._write, self._size, self._patience = write, size, patience
        self._results: list[T] = []
        self._weight = 0
        self._begun = 0.0
        self.number = 0

    def add(self, result: T, *, weight: int = 1) -> None:
        if not self._results:
            self._begun = time.monotonic()
        self._results.append(result)
        self._weight += weight
        if self._weight >= self._size or time.monotonic() - self._begun >= self._patience:
            self.flush()

    def flush(self) -> None:
        """Writes what has gathered."""
        if self._results:
            results, self._results, self._weight = self._results, [], 0
            self._write(results)
            self.number += 1
