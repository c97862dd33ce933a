"""The pages of one state of the database, made when they are first asked for and kept until a run has changed it."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from threading import Lock

from monitor.embed import Encoder
from monitor.errors import MonitorError
from monitor.pipeline import Parts
from monitor.pipeline.report import look
from monitor.report import Site
from monitor.store import hits, runs, search

log = logging.getLogger(__name__)

Days = tuple[date, date] | None
# Spans of days that are kept; each takes some megabytes.
KEPT = 4
# What is not written by a run (a source added, an area edited) is seen after so many seconds.
OLD_AFTER = 600.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A site and what the search form offers beside it."""

    site: Site
    languages: tuple[str, ...]


class Sites:
    """Thread-safe: several who ask for the same wait for one."""

    def __init__(self, build: Callable[[], Parts]) -> None:
        self._build = build
        self._lock = Lock()
        self._kept: OrderedDict[Days, Shown] = OrderedDict()
        self._state: object = None
        self._since = 0.0
        self.parts = _once(build())

    def get(self, days: Days = None) -> Shown:
        """The site of these days, None for the usual ones."""
        with self._lock:
            self._renew()
            if days not in self._kept:
                with self.parts.database.reading() as connection:
                    spoken = search.languages(connection)
                self._kept[days] = Shown(look(self.parts, days), spoken)
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(days)
            return self._kept[days]

    def _renew(self) -> None:
        with self.parts.database.reading() as connection:
            latest = [(run.id, run.state) for run in runs.latest_runs(connection, 1)]
            state = (latest, hits.live_matcher(connection), self.parts.clock().date())
        if state == self._state and time.monotonic() - self._since < OLD_AFTER:
            return
        if self._state is not None:
            self._build_again()
        self._kept.clear()
        self._state, self._since = state, time.monotonic()

    def _build_again(self) -> None:
        """A taxonomy that is being edited keeps nobody from reading: the one before is kept until it is whole."""
        try:
            new = self._build()
        except MonitorError as error:
            log.warning("the pages go on with what was read before: %s", error)
            return
        new.database.close()
        same = new.version.encoder == self.parts.version.encoder
        self.parts = _once(replace(new, database=self.parts.database, encoder=self.parts.encoder if same else new.encoder))


def _once(parts: Parts) -> Parts:
    """The same parts, whose model is loaded by one thread."""
    lock = Lock()
    load = cache(parts.encoder)

    def encoder() -> Encoder:
        with lock:
            return load()

    return replace(parts, encoder=encoder)
