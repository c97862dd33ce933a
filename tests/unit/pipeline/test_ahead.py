"""Vectors are made while pages are read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from monitor.domain import Source, Vectors
from monitor.pipeline import Parts, poll
from monitor.pipeline.ahead import read_and_embed
from monitor.pipeline.group import Group
from monitor.store import sources
from monitor.store.schema import embeddings
from tests.fakes import FakeEncoder
from tests.unit.fetch.faulty_server import Request, Route, respond
from tests.unit.pipeline.test_faults import NOW, at_work, feed, page, parts

PATIENCE = 30.0  # seconds that a page is kept back at most


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("monitor.pipeline.read"), "Group", partial(Group, size=1))
    monkeypatch.setattr("monitor.pipeline.ahead.LOOK_AGAIN_SECONDS", 0.05)


def stored(desk: Parts) -> int:
    with desk.database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(embeddings)) or 0


def read_with_a_late_page(desk: Parts) -> list[int]:
    """Reads four pages, of which the last comes when there are vectors, or never were. Returns how many there were then."""
    seen: list[int] = []

    async def late(request: Request, writer: Any) -> None:
        last = time.monotonic() + PATIENCE
        while not stored(desk) and time.monotonic() < last and not seen:
            await asyncio.sleep(0.05)
        seen.append(stored(desk))
        await page("Hefei")(request, writer)

    pages: dict[str, Route] = {f"/{n}.html": page(f"Place {n}") for n in range(3)} | {"/late.html": late}
    routes = pages | {"/feed": respond(feed(*pages, ages=(3, 2, 1, 0)))}
    with at_work(routes) as server:
        with desk.database.writing() as connection:
            sources.add_sources(connection, [Source(server.url("/feed"))], now=NOW)
        poll(desk)
        assert read_and_embed(desk)["read"] == len(pages)
    return seen


def test_the_first_pages_have_vectors_while_the_last_is_waited_for(tmp_path: Path) -> None:
    [there] = read_with_a_late_page(parts(tmp_path))
    assert there > 0


def test_an_encoder_that_fails_does_not_stop_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(FakeEncoder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            raise RuntimeError(f"no memory for {len(texts)} texts")

    monkeypatch.setattr(f"{__name__}.PATIENCE", 1.0)
    broken = Broken()
    assert read_with_a_late_page(replace(parts(tmp_path), encoder=lambda: broken)) == [0]
    assert "vectors could not be made while reading" in caplog.text


def test_where_a_runner_spreads_the_vectors_none_are_made_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.PATIENCE", 1.0)
    desk = parts(tmp_path)
    spread = desk.settings.model_copy(update={"runner": "processes"})
    assert read_with_a_late_page(replace(desk, settings=spread)) == [0]
