"""Processes that parse, and results that are written together."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from monitor.errors import FeedError
from monitor.pipeline import workers
from monitor.pipeline.group import Group
from monitor.pipeline.workers import Broken, Workers


def double(number: int) -> int:
    return 2 * number


def hang(_: int) -> int:
    time.sleep(600)
    return 0


def die(_: int) -> int:
    os._exit(7)


def starve(_: int) -> int:
    raise MemoryError


def refuse(_: int) -> int:
    raise FeedError("no feed")


@pytest.mark.parametrize(
    ("case", "function", "error", "says"),
    [
        ("hangs", hang, Broken, "within 1 s"),
        ("dies", die, Broken, "broke off"),
        ("has no memory", starve, Broken, "broke off"),
        ("raises", refuse, FeedError, "no feed"),
    ],
)
def test_what_goes_wrong_in_a_process_costs_that_document_alone(
    case: str, function: Callable[[int], int], error: type[Exception], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "DEADLINE", 1)

    async def together() -> list[Any]:
        with Workers(2) as pool:
            calls = [pool.call(double, 1), pool.call(function, 2), pool.call(double, 3), pool.call(double, 4)]
            return await asyncio.gather(*calls, return_exceptions=True)

    started = time.monotonic()
    found = asyncio.run(together())
    assert time.monotonic() - started < 60
    assert [found[0], *found[2:]] == [2, 6, 8], case
    assert isinstance(found[1], error)
    assert says in str(found[1])


def test_results_are_written_in_order_when_they_are_many_or_old() -> None:
    written: list[Sequence[int]] = []
    by_number = Group(written.append, size=3, patience=60)
    for number in range(7):
        by_number.add(number)
    assert written == [[0, 1, 2], [3, 4, 5]]
    by_number.flush()
    by_number.flush()
    assert written[2:] == [[6]]
    assert by_number.number == 3
    written.clear()
    by_age = Group(written.append, size=100, patience=0)
    by_age.add(1)
    assert written == [[1]]
    heavy = Group(written.append, size=10, patience=60)
    heavy.add(2)
    heavy.add(3, weight=50)
    assert written == [[1], [2, 3]]
