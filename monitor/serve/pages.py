"""The answers: pages, feeds, what a search found, and each table as CSV."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from http import HTTPStatus
from threading import Semaphore

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from monitor.domain import Mention, StoredParagraph
from monitor.errors import DatabaseError, InputError, MonitorError, TaxonomyError
from monitor.pipeline import Parts
from monitor.pipeline.areas import known_area
from monitor.report import (
    Search,
    Served,
    as_csv,
    feed,
    render_page,
    render_problem,
    render_search,
    search_sheet,
    sheets_of,
)
from monitor.serve.access import Access, Guarded
from monitor.serve.asked import Asked, asked_of, days_of, fillable, given_of
from monitor.serve.sites import Sites
from monitor.store import hits, search, words
from monitor.store.search import FoundPlaces, Narrowed, Place

log = logging.getLogger(__name__)

ON_A_PAGE = 25
# Searches by meaning at once: each goes through all vectors, on all cores.
AT_ONCE = 2
FIXED = ("index", "coverage", "notes")


def build_app(build: Callable[[], Parts], access: Access) -> Guarded:
    """The application (ASGI). `build` gives the parts, again after each run."""
    pages = Pages(Sites(build))
    routes = [
        Route("/", pages.index),
        Route("/search", pages.search),
        Route("/search.csv", pages.search_csv),
        Route("/tables/{page}/{name}.csv", pages.table),
        Route("/area-{area}.atom", pages.feed),
        Route("/{name}.html", pages.page),
    ]
    handlers = {MonitorError: _our_error, HTTPException: _http_error, Exception: _any_error}
    return Guarded(Starlette(routes=routes, exception_handlers=handlers), access)


def _our_error(_: Request, error: Exception) -> Response:
    if isinstance(error, (InputError, TaxonomyError)):
        return HTMLResponse(render_problem("That cannot be shown", str(error)), 400)
    log.error("%s", error)
    message = "The database does not answer just now; try again." if isinstance(error, DatabaseError) else str(error)
    return HTMLResponse(render_problem("Not now", message), 503)


def _http_error(_: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    headers = error.headers if isinstance(error, HTTPException) else None
    return HTMLResponse(render_problem(status.phrase, "There is no such page."), status, headers=headers)


def _any_error(request: Request, error: Exception) -> Response:
    log.error("%s failed", request.url.path, exc_info=error)
    return HTMLResponse(render_problem("Something went wrong", "It is in the server's log."), 500)


class Pages:
    """Each method answers one kind of address, in a thread of its own."""

    def __init__(self, sites: Sites) -> None:
        self.sites = sites
        self._turns = Semaphore(AT_ONCE)

    def index(self, request: Request) -> Response:
        return self._page(request, "index")

    def page(self, request: Request) -> Response:
        name = str(request.path_params["name"])
        return self._page(request, name if name in FIXED else self._area(name.removeprefix("area-") if name.startswith("area-") else None))

    def _area(self, area: str | None) -> str:
        """An area that is there; one that was is told of. Raises HTTPException for another page."""
        if area is None:
            raise HTTPException(404)
        with self.sites.parts.database.reading() as connection:
            return known_area(self.sites.parts.taxonomy, connection, area).id

    def _page(self, request: Request, name: str) -> Response:
        days = days_of(request.query_params, today=self._today(), window=self.sites.parts.settings.window)
        shown = f"?from={days[0]}&to={days[1]}" if days else ""
        return HTMLResponse(render_page(self.sites.get(days).site, name, Served(shown)))

    def feed(self, request: Request) -> Response:
        area = self._area(str(request.path_params["area"]))
        site = self.sites.get().site
        return Response(feed(site, next(a for a in site.areas if a.id == area)), media_type="application/atom+xml")

    def table(self, request: Request) -> Response:
        page, name = str(request.path_params["page"]), str(request.path_params["name"])
        days = days_of(request.query_params, today=self._today(), window=self.sites.parts.settings.window)
        sheets = sheets_of(self.sites.get(days).site, page if page in FIXED else self._area(page))
        if name not in sheets:
            raise InputError(f"there is no table {name!r} on this page; there are {', '.join(sheets) or 'none'}")
        return _csv(as_csv(sheets[name]), f"{page}-{name}")

    def search(self, request: Request) -> Response:
        shown = self.sites.get()
        try:
            asked = asked_of(request.query_params, today=self._today())
            found = self._search(asked)
        except (InputError, TaxonomyError) as error:
            refused = Search(fillable(given_of(request.query_params)), shown.languages, problem=str(error))
            return HTMLResponse(render_search(shown.site, refused), 400)
        return HTMLResponse(render_search(shown.site, replace(found, languages=shown.languages)))

    def _search(self, asked: Asked) -> Search:
        empty = Search(asked.given)
        if not empty.was_asked:
            return empty
        found, remark = self._found(asked)
        pages = max(1, -(-len(found.places) // ON_A_PAGE))
        if asked.page > pages:
            raise InputError(f"page={asked.page}: there {'are' if pages > 1 else 'is'} {pages}")
        first = (asked.page - 1) * ON_A_PAGE
        paragraphs = tuple(self._described(found.places[first : first + ON_A_PAGE]))
        return Search(
            asked.given,
            paragraphs=paragraphs,
            marks=tuple(_marks(asked, p) for p in paragraphs),
            first=first + 1,
            number=len(found.places),
            page=asked.page,
            pages=pages,
            remark=remark,
        )

    def search_csv(self, request: Request) -> Response:
        asked = asked_of(request.query_params, today=self._today())
        found, _ = self._found(asked)
        return _csv(as_csv(search_sheet(self._described(found.places))), "search")

    def _described(self, places: tuple[Place, ...]) -> Iterator[StoredParagraph]:
        with self.sites.parts.database.reading() as connection:
            yield from search.describe(connection, places, hits.live_matcher(connection))

    def _found(self, asked: Asked) -> tuple[FoundPlaces, str]:
        """Raises InputError and TaxonomyError where a field names nothing that is there."""
        narrowed = self._narrowed(asked)
        if asked.mode == "meaning":
            return self._by_meaning(asked, narrowed)
        phrases = words.parse(asked.q)
        if asked.q and not any(not phrase.excluded for phrase in phrases):
            raise InputError(f"q={asked.q[:40]}: holds no word to look for")
        with self.sites.parts.database.reading() as connection:
            found = search.by_words(connection, phrases, narrowed)
        latest = f"The latest {search.MOST_FOUND:,} are shown; more words, or fewer days, bring up older ones."
        return found, "" if found.whole else latest

    def _by_meaning(self, asked: Asked, narrowed: Narrowed) -> tuple[FoundPlaces, str]:
        parts = self.sites.parts
        vector = parts.encoder().encode([asked.q])[0]
        with self._turns, parts.database.reading() as connection:
            found = search.by_meaning(connection, vector, parts.version.encoder, narrowed)
        if not found.looked and not any((asked.area, asked.language, asked.source, asked.first, asked.last)):
            return found, "There are no vectors of the present model yet: the next run makes them."
        nearest = f"The nearest {len(found.places):,} of {found.looked:,} paragraphs."
        latest = f" Only the latest {search.MOST_VECTORS:,} were compared; choose days to reach older ones."
        return found, nearest + ("" if found.whole else latest)

    def _narrowed(self, asked: Asked) -> Narrowed:
        parts = self.sites.parts
        with parts.database.reading() as connection:
            area = known_area(parts.taxonomy, connection, asked.area).id if asked.area else None
            ids = search.source_ids(connection, asked.source) if asked.source else None
            if ids == ():
                raise InputError(f"source={asked.source}: there is no source of this title or address")
            if asked.language and asked.language not in (spoken := self.sites.get().languages):
                raise InputError(f"language={asked.language[:40]}: no article has it; there are {', '.join(spoken) or 'none yet'}")
            return Narrowed(hits.live_matcher(connection), area, asked.language, ids, asked.first, asked.last)

    def _today(self) -> date:
        return self.sites.parts.clock().date()


def _marks(asked: Asked, paragraph: StoredParagraph) -> tuple[Mention, ...]:
    return words.places_in(paragraph.text, words.parse(asked.q)) if asked.mode == "words" else ()


def _csv(lines: Iterator[str], name: str) -> Response:
    """A file for spreadsheets, which take UTF-8 for what it is only where a mark says so."""

    def marked() -> Iterator[str]:
        yield "\ufeff"
        yield from lines

    head = {"Content-Disposition": f'attachment; filename="areawatch-{name}.csv"'}
    return StreamingResponse((line.encode("utf-8", "replace") for line in marked()), media_type="text/csv; charset=utf-8", headers=head)
