"""Every number on the pages, as a reader sees it, against the query that the page itself or docs/sql.md names for it.

A page is rendered and taken apart: each number is compared with what its query says, written as the page writes it, and what was compared
is taken out. A page passes when no digit is left, so a number that nobody can look up fails here.

| page | number | query (`monitor.report.queries`, also in docs/sql.md) |
|---|---|---|
| overview | articles read, days | how much of what was due was read |
| overview | sources | sources and their health |
| overview | what moved, against its usual | how each area moved |
| overview | bursts | bursts of the last four weeks |
| overview | sparklines: first, last and highest share, the drawing | the line over seven days, of each area |
| overview | articles and stories of the week | the last seven days, of each area |
| overview | share of the week | all areas, the last seven days; Wilson's interval of its two sums |
| overview | area by instrument | areas by policy instrument |
| overview, area | day, probability and similarity of a story; its articles | the newest stories with their quotes; articles of each story |
| area | articles, stories since the first day | all days |
| area | the line: articles, stories, of all, share | the line by day |
| area | the line: seven days | the line over seven days |
| area | the line, coverage: remark | bursts; how much of what was due was read |
| area | bursts | bursts |
| area | stories of a new name | stories of the week with a new name |
| area | sources, languages, kinds | who says so |
| area | weekdays | weekdays |
| area | named together with | named together with; all days |
| coverage | days | how much of what was due was read |
| coverage | sources, entries, newest, health, how many are well | sources and their health |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest
from lxml import html

from monitor.pipeline import Parts
from monitor.pipeline.report import look
from monitor.report import Site, render_page
from monitor.report.formats import FILTERS
from monitor.report.queries import area_queries, site_queries
from monitor.settings import Settings
from monitor.store.database import Database
from monitor.taxonomy import Taxonomy, load_taxonomy
from tests.archive import INSTRUMENTS, NEW_ACTOR, STORIES, Archive, run
from tests.builders import NOW, VERSION

WHOLE = load_taxonomy()
COUNTED = replace(WHOLE, areas=tuple(area for area in WHOLE.areas if area.id in {*STORIES, *INSTRUMENTS}))
# One that rises, with bursts and new names; one with a burst that is over; one that fades; an instrument.
AREAS = ("quantum-technology", "humanoid-robots", "metaverse", "policy-funding")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Digits that are no measured number: what a caption explains.
EXPLAINED = ("its 95 % interval", "Surprise 3 means: one day in a thousand by chance.")
Row = dict[str, Any]
World = tuple[Database, Archive]


def flat(text: str) -> str:
    """With plain single spaces."""
    return " ".join(text.split())


def written(name: str) -> Callable[..., str]:
    """As the pages write a number, day or name."""
    return lambda *values: flat(str(FILTERS[name](*values)))


day, days, few, language, number, plural, probability, share, spaced, times = map(
    written, ("day", "days", "few", "language", "number", "plural", "probability", "share", "spaced", "times")
)


class Page:
    """A page that is taken apart. What is asked for is taken out of it."""

    def __init__(self, site: Site, name: str) -> None:
        self.root = html.fromstring(render_page(site, name))
        # When it was made and by which matcher; the queries themselves; charts, which draw the line that stands in the table below them.
        for outside in self.root.xpath("//head | //header | //footer | //pre | //svg[contains(@class, 'chart')]"):
            outside.drop_tree()

    def take(self, path: str) -> list[Any]:
        """The elements at `path`, in order."""
        found = self.root.xpath(path)
        for element in found:
            element.drop_tree()
        return list(found)

    def text(self, path: str) -> str:
        """Of the one element at `path`."""
        (found,) = self.take(path)
        return flat(found.text_content())

    def table(self, path: str) -> list[list[str]]:
        """The cells of the rows of the body."""
        return [[flat(cell.text_content()) for cell in row.xpath("th|td")] for row in self.take(f"{path}/tbody/tr")]

    def left(self) -> list[str]:
        """Texts with digits that were not asked for."""
        text = flat(" ".join(self.root.xpath("//text()")))
        for known in EXPLAINED:
            text = text.replace(known, "")
        return re.findall(r"\S* ?\S*\d\S* ?\S*", text) + self.root.xpath(
            "//@aria-label[contains(translate(., '0123456789', '##########'), '#')]"
        )


@pytest.fixture(scope="module")
def shown(archive: World, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The pages of the archive, of all its days."""
    database, filled = archive

    def never() -> Any:
        raise AssertionError("pages need no model")

    settings = Settings(home=tmp_path_factory.mktemp("shown"), window_days=(filled.last - filled.first).days)
    return look(Parts(settings, database, COUNTED, VERSION, never, never, clock=lambda: NOW))


class Asked:
    """The queries of the pages of one archive, answered."""

    def __init__(self, world: World, site: Site, taxonomy: Taxonomy = COUNTED) -> None:
        self.database, self.site, self.taxonomy = world[0], site, taxonomy
        self._site_queries = site_queries(site.first, site.last, site.periods)

    def of_site(self, begins: str) -> list[Row]:
        return self._one(self._site_queries, begins)

    def of(self, area: str, begins: str, **more: str) -> list[Row]:
        return self._one(area_queries(area, self.site.first, self.site.last, **more), begins)

    def _one(self, queries: dict[str, str], begins: str) -> list[Row]:
        (sql,) = [sql for what, sql in queries.items() if re.match(rf"{begins}\b", what)]
        return run(self.database, sql)

    def poor(self) -> set[str]:
        return {row["day"] for row in self.of_site("how much of what was due") if row["poor"]}

    def smoothed(self, area: str) -> list[tuple[str, float]]:
        return [(r["day"], r["articles"] / r["articles_seen"]) for r in self.of(area, "the line over seven days") if r["articles_seen"]]


@pytest.fixture(scope="module")
def asked(archive: World, shown: Site) -> Asked:
    return Asked(archive, shown)


def on(text: str) -> str:
    """A day of the database as the pages write it."""
    return day(date.fromisoformat(text[:10]))


def wilson(articles: int, seen: int) -> tuple[float, float]:
    """The interval: all p from which the share is no further than 1.96 standard deviations; its ends are the roots of a square."""
    s, z = articles / seen, 1.959964
    low, high = sorted(np.roots([1 + z * z / seen, -2 * s - z * z / seen, s * s]).real)
    return max(0.0, low), min(1.0, high)


def with_interval(articles: int, seen: int) -> str:
    low, high = wilson(articles, seen)
    return f"{share(articles / seen)} {share(low)} to {share(high)}"


def usual(moved: Row) -> str:
    if moved["ratio"] is None:
        return str(moved["direction"])
    return f"{times(moved['ratio'])} {times(moved['low'])} to {times(moved['high'])}"


def check_sparkline(drawn: Any, line: Sequence[tuple[str, float]], bursts: int, width: int, first: date) -> None:
    """What is read out, and the places of the drawing: days to the right, the share upwards, the highest share at the top."""
    highest = max(line, key=lambda point: point[1])
    said = f"Share {share(line[0][1])} at first, {share(line[-1][1])} at last, highest {share(highest[1])} on {on(highest[0])}"
    said += f"; {bursts} {plural(bursts, 'burst')}" if bursts else ""
    assert flat(drawn.get("aria-label")) == said
    (path,) = drawn.xpath("path[not(@class)]/@d")
    places = [tuple(map(float, place.split(","))) for place in path[1:].split()]
    days_in_all = int((date.fromisoformat(line[-1][0]) - first).days)
    expected = [(width * (date.fromisoformat(at) - first).days / days_in_all, 32 - 28 * value / (highest[1] or 1)) for at, value in line]
    assert places == [pytest.approx(place, abs=0.06) for place in expected]


def check_stories(page: Page, asked: Asked, areas: Sequence[str]) -> int:
    """Each is a row of the newest stories' query, without its limit; returns how many are shown."""
    quotes: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    articles: dict[str, set[int]] = {}
    for area in areas:
        sql = area_queries(area, asked.site.first, asked.site.last)["the newest stories with their quotes"].replace("LIMIT 20", "")
        told = {row["story"]: row["articles"] for row in asked.of(area, "articles of each story")}
        for row in run(asked.database, sql.replace("SELECT ", "SELECT story, ")):
            key = (on(row["day"]), probability(row["probability"]), f"{row['similarity']:.2f}")
            quotes.setdefault((row["url"], flat(row["quote"])), []).append(key)
            articles.setdefault(row["url"], set()).add(told[row["story"]])
    stories = page.take("//ul[@class='stories']/li[.//details]")
    for told in stories:
        (url,), (quote,) = told.xpath(".//h3//a/@href"), told.xpath(".//blockquote")
        text = flat(told.text_content())
        at, sure = flat(told.xpath(".//time")[0].text_content()), re.findall(r"[Pp]robability ((?:over )?\d\.\d+)", text)
        (near,) = re.findall(r"similarity (\d\.\d+)", text)
        assert sure[0] == sure[1]
        assert (at, sure[0], near) in quotes[url, flat(quote.text_content())]
        several = re.search(r"· (\d+) articles", text)
        assert (int(several.group(1)) if several else 1) in articles[url]
    return len(stories)


def test_the_overview(asked: Asked, shown: Site) -> None:
    page, names = Page(shown, "index"), {area.id: area.name() for area in COUNTED.areas}
    reading, moved = asked.of_site("how much of what was due"), {row["area"]: row for row in asked.of_site("how each area moved")}
    bursts = asked.of_site("bursts of the last four weeks")
    poor = asked.poor()
    lines = {area: asked.smoothed(area) for area in names}
    burst_days = {area: asked.of(area, "bursts") for area in names}
    read, sources = sum(row["articles"] for row in reading), len(asked.of_site("sources and their health"))
    assert page.text("//p[@class='lead']") == flat(
        f"{on(reading[0]['day'])} to {on(reading[-1]['day'])}: {number(read)} articles read from {sources} sources, {len(STORIES)} areas."
    )
    assert not [d for d in poor if (shown.last - date.fromisoformat(d)).days <= 14]
    assert page.take("//p[@class='notice']") == []

    movers = sorted(
        (row for row in moved.values() if row["direction"] in {"rising", "falling"} and row["ratio"]),
        key=lambda row: -max(row["ratio"], 1 / row["ratio"]),
    )
    assert movers
    for item, row in zip(page.take("//ul[@class='movers']/li"), movers, strict=True):
        check_sparkline(item.xpath(".//svg")[0], lines[row["area"]], len(burst_days[row["area"]]), 250, shown.first)
        assert flat(item.text_content()) == flat(
            f"{times(row['ratio'])} {names[row['area']]} {row['reports']} {plural(row['reports'], 'report')} in seven days, "
            f"{few(row['expected'])} expected ({times(row['low'])} to {times(row['high'])} what is usual)"
        )

    shown_bursts = [flat(item.text_content()) for item in page.take("//h3[starts-with(., 'Bursts')]/following-sibling::ul[1]/li")]
    assert shown_bursts == [
        flat(
            f"{on(row['day'])}, {names[row['area']]}: {row['reports']} {plural(row['reports'], 'report')}, {few(row['expected'])} expected"
        )
        for row in bursts[:8]
    ]
    older = page.take("//p[contains(., 'earlier ones are on')]")
    assert [flat(each.text_content()).split()[0] for each in older] == ([str(len(bursts) - 8)] if len(bursts) > 8 else [])

    shares = {row["area"]: row for row in asked.of_site("all areas")}
    caption = page.text("//h2[@id='areas']/following-sibling::table[1]/caption")
    assert f"the line of {len(reading)} days." in caption
    drawings = page.root.xpath("//h2[@id='areas']/following-sibling::table[1]//svg")
    technologies, policies = sorted(STORIES, key=lambda a: names[a].casefold()), sorted(INSTRUMENTS, key=lambda a: names[a].casefold())
    for drawn, area in zip(drawings, [*technologies, *policies], strict=True):
        check_sparkline(drawn, lines[area], len(burst_days[area]), 180, shown.first)
    table = [row for row in page.table("//h2[@id='areas']/following-sibling::table[1]") if len(row) > 1]
    expected = []
    for area in [*technologies, *policies]:
        (week,) = asked.of(area, "the last seven days")
        found = with_interval(shares[area]["articles"], shares[area]["articles_seen"])
        expected.append([names[area], "", number(week["articles"]), number(week["stories"]), found, usual(moved[area])])
    assert table == expected

    heads = page.take("//h2[@id='policy']/following-sibling::div[1]//th[@class='number']")
    assert [flat(head.text_content()) for head in heads] == [f"from {day(begin)}" for begin in shown.periods]
    instruments = asked.of_site("areas by policy instrument")
    assert page.table("//h2[@id='policy']/following-sibling::div[1]/table") == [
        [names[area], names[instrument], *(str(n or "–") for n in periods)]
        for area, instrument, *periods in (tuple(row.values()) for row in instruments)
        if any(periods)
    ]
    assert len(instruments) > 20
    assert check_stories(page, asked, list(names)) == 12
    assert page.left() == []


@pytest.mark.parametrize("area", AREAS)
def test_the_page_of_an_area(asked: Asked, shown: Site, area: str) -> None:
    page, names = Page(shown, area), {each.id: each.name() for each in COUNTED.areas}
    line, (in_all,), (moved,) = asked.of(area, "the line by day"), asked.of(area, "all days"), asked.of(area, "against its usual")
    (week,), bursts, poor = asked.of(area, "the last seven days"), asked.of(area, "bursts"), asked.poor()
    last = line[-7:]
    facts = [flat(fact.text_content()) for fact in page.take("//dl[@class='facts']/div")]
    assert facts == [
        flat(f"Articles, seven days{number(week['articles'])}in {number(week['stories'])} {plural(week['stories'], 'story', 'stories')}"),
        "Share of all articles"
        + with_interval(sum(r["articles"] for r in last), sum(r["articles_seen"] for r in last)).replace(" % ", " %", 1),
        "Against its usual" + usual(moved).replace("× ", "×", 1) + f": {moved['direction']}",
        flat(f"Since {on(line[0]['day'])}{number(sum(r['articles'] for r in line))}articles in {number(in_all['stories'])} stories"),
    ]
    assert in_all["articles"] == sum(r["articles"] for r in line)

    smooth, burst_days = dict(asked.smoothed(area)), {row["day"] for row in bursts}
    rows = page.table("//table[caption[contains(., 'by day, newest first')]]")
    assert rows[::-1] == [
        [
            on(r["day"]),
            number(r["articles"]),
            number(r["stories"]),
            number(r["articles_seen"]),
            share(r["share"]) if r["articles_seen"] else "–",
            share(smooth[r["day"]]) if r["day"] in smooth else "–",
            ("poorly covered" if r["day"] in poor else "") + ("burst" if r["day"] in burst_days else ""),
        ]
        for r in line
    ]
    assert page.table("//table[caption[contains(., 'Surprise')]]")[::-1] == [
        [on(r["day"]), number(r["reports"]), few(r["expected"]), f"{r['surprise']:.1f}"] for r in bursts
    ]

    terms = page.take("//ul[@class='stories']/li[not(.//details)]")
    for new in terms:
        (term,), said = new.xpath("div[@class='aside']/b"), flat(new.xpath("div[@class='aside']/span")[0].text_content())
        (told,) = asked.of(area, "stories of the week with a new name", term=term.text_content().replace("'", "''"))
        assert said == f"{told['stories']} {plural(told['stories'], 'story', 'stories')}", term.text_content()
    assert (NEW_ACTOR in [new.xpath("string(div[@class='aside']/b)") for new in terms]) == (area == "quantum-technology")

    by = area_queries(area, shown.first, shown.last)["who says so (or by language, by source_kind)"]
    for heading, column, named in (
        ("Sources", "source", spaced),
        ("Languages", "language", language),
        ("Kinds of source", "source_kind", spaced),
    ):
        found = run(asked.database, re.sub(r"\bsource\b", column, by))
        parts = page.table(f"//section[h3='{heading}']//table")
        assert sorted(row[:3] for row in parts) == sorted([named(r[column]), number(r["articles"]), number(r["stories"])] for r in found)
        if rest := page.take(f"//section[h3='{heading}']//summary"):
            assert flat(rest[0].text_content()) == f"{len(found) - 8} more"
    weekdays: dict[int, list[int]] = {}
    for r in asked.of(area, "weekdays"):
        weekdays.setdefault(date.fromisoformat(r["day"]).weekday(), []).append(r["articles"])
    assert page.table("//section[h3='Weekdays']//table") == [
        [name, few(sum(weekdays[n]) / len(weekdays[n])), ""] for n, name in enumerate(WEEKDAYS)
    ]

    companions = [row[:4] for row in page.table("//table[caption[contains(., 'the same stories tell of')]]")]
    assert companions == [
        [names[r["named_with"]], number(r["stories"]), number(r["recent"]), share(r["stories"] / in_all["stories"])]
        for r in asked.of(area, "named together with")
    ]
    assert check_stories(page, asked, [area]) == min(20, in_all["stories"])
    if in_all["stories"] > 20:
        assert page.text("//p[contains(., 'older ones are not shown')]").startswith(f"{in_all['stories'] - 20} older")
    page.take("//p[@class='lead']")  # the definition
    assert page.left() == []


def test_the_page_on_coverage(asked: Asked, shown: Site) -> None:
    page = Page(shown, "coverage")
    reading, poor = asked.of_site("how much of what was due"), asked.poor()
    assert page.text("//p[@class='notice']") == f"Poorly covered: {days(map(date.fromisoformat, poor))}."
    assert page.table("//table[caption='Coverage by day, newest first']")[::-1] == [
        [
            on(r["day"]),
            number(r["sources_due"]),
            number(r["sources_read"]),
            share(r["coverage"]),
            number(r["articles"]),
            ("poorly covered" if r["day"] in poor else "") + ("today, not over" if r["day"] == str(shown.last) else ""),
        ]
        for r in reading
    ]
    sources = asked.of_site("sources and their health")
    well = sum(1 for row in sources if row["health"] == "ok")
    assert page.text("//h2[.='Sources']/following-sibling::p[1]").startswith(f"{well} of {len(sources)} sources are well.")
    rows = page.table("//div[@aria-label='Sources and their health']/table")
    assert sorted(rows) == sorted(
        [r["source"], spaced(r["kind"]), language(r["language"]), number(r["entries"]), last_entry(r["last_entry_at"]), r["health"]]
        for r in sources
    )
    assert {row[5].split(":")[0].split(",")[0] for row in rows} == {"ok", "failing", "came out empty", "quiet"}
    assert page.left() == []


def last_entry(at: datetime | str | None) -> str:
    return on(str(at)) if at else "–"


def test_the_interval_here_is_not_made_as_there() -> None:
    from monitor.trends import wilson as theirs

    for articles, seen in ((0, 10), (3, 10), (10, 10), (17, 4_000)):
        found = theirs(articles, seen)
        assert found is not None
        assert wilson(articles, seen) == pytest.approx((found.low, found.high))
