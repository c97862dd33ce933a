"""Connection pools, one an origin, while many hosts are asked at once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpcore

from monitor.fetch.connections import KEPT_ALIVE, _Pools


class SlowToClose:
    """A pool that lets others run while it is closed."""

    def __init__(self) -> None:
        self.closed = 0

    async def aclose(self) -> None:
        await asyncio.sleep(0.001)
        self.closed += 1


def test_many_hosts_at_once_make_room_for_one_another() -> None:
    made: list[Any] = []

    def make() -> Any:
        made.append(SlowToClose())
        return made[-1]

    async def ask(pools: _Pools, host: str) -> None:
        async with pools.at(httpcore.URL(f"http://{host}/")) as pool:
            await asyncio.sleep(0)
            assert not pool.closed

    async def ask_all() -> None:
        pools = _Pools(make)
        for night in range(3):
            await asyncio.gather(*(ask(pools, f"{number}.{night}.example") for number in range(2 * KEPT_ALIVE)))
        await pools.aclose()

    asyncio.run(ask_all())
    assert {pool.closed for pool in made} == {1}
