"""The pages themselves: a folder of them, or one file that holds all."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from uuid import NAMESPACE_URL, uuid5

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from monitor.domain import Burst
from monitor.report.formats import FILTERS, WEEKDAYS, day
from monitor.report.model import AreaPage, Search, Site, Story
from monitor.report.queries import area_queries, as_text, site_queries
from monitor.report.sheets import sheets_of

# Stories on the overview; each area's page has its own.
NEWEST = 12
RECENT = timedelta(days=28)
NOTICED = timedelta(days=14)
MOVING = ("rising", "falling")
FIXED = ("index", "coverage", "notes")

Link = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Served:
    """What a page leads to where a server gives it: search, other days, tables as CSV."""

    days: str = ""  # those asked for, as a query such as ?from=2026-10-01&to=2026-10-31, which links between pages keep
    sheets: tuple[str, ...] = ()

    def link(self, page: str) -> str:
        return page if page == "search" else file_of(page) + self.days


@cache
def _templates() -> Environment:
    found = Environment(
        loader=PackageLoader("monitor.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.filters.update(FILTERS)
    found.filters["zip"] = lambda first, second: list(zip(first, second, strict=True))
    return found


@cache
def _style() -> tuple[Markup, str]:
    """The style sheet and its hash, by which alone the policy of the page lets it in."""
    source, _, _ = _templates().loader.get_source(_templates(), "style.css")  # type: ignore[union-attr]
    text = re.sub(r"\s*\n\s*", "\n", source).strip()
    return Markup(text), base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def policy(served: Served | None = None) -> str:
    """The content security policy of a page: its own style sheet, its own form, nothing else."""
    forms = "'self'" if served else "'none'"
    return f"default-src 'none'; style-src 'sha256-{_style()[1]}'; img-src data:; base-uri 'none'; form-action {forms}"


def render_folder(site: Site) -> dict[str, str]:
    """File name → content: pages and an Atom feed an area. The overview comes last, so that what it links to is there before it."""
    pages = {}
    for area in site.areas:
        pages[f"area-{area.id}.atom"] = feed(site, area)
        pages[file_of(area.id)] = render_page(site, area.id)
    return pages | {file_of(name): render_page(site, name) for name in ("coverage", "notes", "index")}


def render_page(site: Site, name: str, served: Served | None = None) -> str:
    """One page: `index`, `coverage`, `notes`, or an area of the site, with what a server adds."""
    if served:
        served = replace(served, sheets=tuple(sheets_of(site, name)))
    link = served.link if served else file_of
    if name in FIXED:
        body = {"coverage": _coverage, "notes": _notes}[name](site, served) if name != "index" else _overview(site, link, served)
        return _page(site, TITLES[name], name, body, link, served)
    area = next(area for area in site.areas if area.id == name)
    return _page(site, area.name, name, _area(site, area, link, f"area-{name}.atom", served), link, served)


def render_search(site: Site, search: Search) -> str:
    """The form, and a page of what was found."""
    served = Served()
    names = {area.id: area.name for area in site.areas}
    body = _render("search.html", site=site, search=search, link=served.link, names=names)
    return _page(site, TITLES["search"], "search", body, served.link, served)


def render_problem(title: str, message: str) -> str:
    """A page that says why there is no other."""
    served = Served()
    return _page(None, title, "", _render("problem.html", title=title, message=message), served.link, served)


def render_single(site: Site) -> str:
    """All pages in one file, which needs nothing beside it. Feeds are left out: a reader could not subscribe to them."""
    parts = [("index", _overview(site, anchor_of))]
    parts += [(area.id, _area(site, area, anchor_of, None)) for area in site.areas]
    parts += [("coverage", _coverage(site, None)), ("notes", _notes(site, None))]
    frame = Markup('<article class="page" id="{}" tabindex="-1">{}</article>\n')
    body = Markup("").join(frame.format(anchor_of(name)[1:], _one_heading(text, name)) for name, text in parts)
    return _page(site, TITLES["index"], "", body, anchor_of)


TITLES = {"index": "Technology areas in the news", "coverage": "Coverage and sources", "notes": "How it is counted", "search": "Search"}


def _one_heading(text: Markup, name: str) -> Markup:
    """A document has one first heading: those of the later pages give way."""
    if name == "index":
        return text
    return Markup(str(text).replace("<h1>", '<h2 class="title">').replace("</h1>", "</h2>"))  # the text is rendered and escaped already


def file_of(page: str) -> str:
    return f"{page}.html" if page in FIXED else f"area-{page}.html"


def anchor_of(page: str) -> str:
    return f"#page-{page}" if page in FIXED else f"#area-{page}"


def _page(site: Site | None, title: str, current: str, body: Markup, link: Link, served: Served | None = None) -> str:
    areas = [] if link is anchor_of or site is None else [area for area in site.areas if area.id == current]
    feeds = [(f"{area.name}: new stories", f"area-{area.id}.atom") for area in areas]
    whole = title if current == "index" else f"{title} – areawatch"
    template = _templates().get_template("layout.html")
    return template.render(
        site=site,
        title=whole,
        current=current,
        body=body,
        link=link,
        style=_style()[0],
        policy=Markup(policy(served)),
        feeds=feeds,
        served=served,
    )


def _render(name: str, **found: object) -> Markup:
    return Markup(_templates().get_template(name).render(**found))


def _overview(site: Site, link: Link, served: Served | None = None) -> Markup:
    moving = [a for a in site.areas if a.movement.direction in MOVING and a.movement.ratio]
    newest: dict[int, Story] = {}
    tells_of: dict[int, list[Story]] = {}
    for told in sorted((s for a in site.areas for s in a.stories), key=lambda s: (s.day, s.first_seen_at, s.probability), reverse=True):
        newest.setdefault(told.id, told)
        tells_of.setdefault(told.id, []).append(told)
    return _render(
        "overview.html",
        site=site,
        served=served,
        link=link,
        poor=site.poor,
        movers=sorted(moving, key=_strength, reverse=True),
        recent_bursts=_recent_bursts(site),
        recent_poor=[d for d in site.poor if site.last - d <= NOTICED],
        newest=list(newest.values())[:NEWEST],
        tells_of=tells_of,
        names={a.id: a.name for a in site.areas},
        day_count=(site.last - site.first).days + 1,
        seen_in_all=sum(site.seen.values()),
    )


def _strength(area: AreaPage) -> float:
    """How far from its usual, up or down."""
    ratio = area.movement.ratio or 1.0
    return max(ratio, 1 / ratio)


def _recent_bursts(site: Site) -> list[tuple[AreaPage, Burst]]:
    found = [(area, burst) for area in site.areas for burst in area.line.bursts if site.last - burst.day <= RECENT]
    return sorted(found, key=lambda pair: (pair[1].day, pair[1].surprise), reverse=True)


def _area(site: Site, area: AreaPage, link: Link, feed_address: str | None, served: Served | None = None) -> Markup:
    from monitor.report.charts import area_chart  # drawing takes a third of a second to import, and most commands draw nothing

    place = site.areas.index(area)
    label = f"{area.name}: share of all articles, articles and stories by day, {day(site.first)} to {day(site.last)}; a table follows"
    means = [mean for mean in area.weekdays if mean is not None]
    return _render(
        "area.html",
        site=site,
        served=served,
        area=area,
        link=link,
        poor=site.poor,
        feed=feed_address,
        chart=area_chart(area.line, site.poor, label),
        burst_days={b.day for b in area.line.bursts},
        weekdays=list(zip(WEEKDAYS, area.weekdays or (None,) * 7, strict=True)),
        top_weekday=max(means, default=0.0),
        sql=as_text(area_queries(area.id, site.first, site.last)),
        before=site.areas[place - 1] if place else None,
        after=site.areas[place + 1] if place + 1 < len(site.areas) else None,
    )


def _coverage(site: Site, served: Served | None) -> Markup:
    from monitor.report.charts import coverage_chart

    known = {c.day: c for c in site.coverage}
    days: list[date] = sorted(site.seen)
    ill = [s for s in site.sources if s.health != "ok"]
    label = f"Sources read of sources due, and articles, by day, {day(site.first)} to {day(site.last)}; a table follows"
    return _render(
        "coverage.html",
        site=site,
        served=served,
        chart=coverage_chart(site.coverage, site.seen, site.poor, label),
        by_day=[(d, site.seen[d], known.get(d)) for d in days],
        ill=ill,
        fine=[s for s in site.sources if s.health == "ok"],
        well=len(site.sources) - len(ill),
    )


def _notes(site: Site, served: Served | None) -> Markup:
    sql = as_text(site_queries(site.first, site.last, site.periods))
    return _render("notes.html", site=site, served=served, min_coverage=site.min_coverage, sql=sql)


def feed(site: Site, area: AreaPage) -> str:
    """An Atom feed of the area's newest stories. Ids are made from the area and the story's first address, so that they last."""
    return (
        _templates()
        .get_template("feed.atom")
        .render(
            area=area,
            feed_id=_lasting(f"areawatch/{area.id}"),
            entry_id=lambda told: _lasting(f"areawatch/{area.id}/{told.url}"),
            updated=max((s.first_seen_at for s in area.stories), default=site.made_at),
            base_url=site.base_url.rstrip("/"),
        )
    )


def _lasting(name: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, name)}"
