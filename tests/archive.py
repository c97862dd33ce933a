"""An archive of weeks as the pages show it: several languages, weekdays, syndicated stories, known bursts, falls and gaps.

`fill` writes it; what it knows (which days burst, which were poorly covered) comes back, so that tests can hold pages against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, select

from monitor.domain import SourceKind
from monitor.pipeline.trends import write_findings
from monitor.store.counts import replace_counts, replace_coverage
from monitor.store.database import Database
from monitor.store.schema import articles, entries, hits
from monitor.store.schema import sources as sources_table
from monitor.store.sources import replace_standing
from tests.builders import NOW, add_hits, add_paragraphs, add_source, ask, fingerprint, hit_row, link, live_matcher, noon, write


@dataclass(frozen=True, slots=True)
class Outlet:
    """`a_day`: background articles; `reach`: the chance that it takes up a story of the areas."""

    title: str
    kind: SourceKind
    language: str
    a_day: float
    reach: float


OUTLETS = (
    Outlet("Meridian Wire", SourceKind.NEWSPAPER, "en", 14, 0.35),
    Outlet("Wafer & Wire", SourceKind.TRADE_PRESS, "en", 2, 0.7),
    Outlet("Tidewater Review", SourceKind.THINK_TANK, "en", 0.6, 0.3),
    Outlet("Ministry of Far Horizons", SourceKind.MINISTRY, "en", 0.8, 0.25),
    Outlet("经纬科技", SourceKind.TRADE_PRESS, "zh", 4, 0.6),
    Outlet("江海晚报", SourceKind.NEWSPAPER, "zh", 9, 0.25),
    Outlet("Rheintal-Bote", SourceKind.NEWSPAPER, "de", 8, 0.2),
    Outlet("Lindenhof-Institut", SourceKind.LABORATORY, "de", 0.5, 0.3),
    Outlet("Courrier du Ponant", SourceKind.NEWSPAPER, "fr", 7, 0.2),
    Outlet("港湾技術", SourceKind.TRADE_PRESS, "ja", 3, 0.4),
    Outlet("Северный инженер", SourceKind.TRADE_PRESS, "ru", 2, 0.3),
)
# Stories a day, before weekday and bursts; ids and names of the shipped taxonomy.
STORIES = {
    "quantum-technology": 0.9, "generative-ai": 3.5, "humanoid-robots": 1.1, "advanced-chips": 1.6, "autonomous-driving": 0.8,
    "brain-machine-interfaces": 0.3, "metaverse": 0.5, "6g": 0.3, "aerospace": 0.9, "deep-sea": 0.25, "computing-power": 1.2,
    "atomic-level-manufacturing": 0.08, "next-generation-internet": 0.15,
}  # fmt: skip
INSTRUMENTS = ("policy-funding", "policy-regulation", "policy-strategy")
NAMES = {
    "quantum-technology": {"en": "quantum computer", "zh": "量子计算", "de": "Quantencomputer", "fr": "ordinateur quantique", "ja": "量子コンピューター", "ru": "квантовый компьютер"},
    "generative-ai": {"en": "generative AI", "zh": "生成式人工智能", "de": "generative KI", "fr": "IA générative", "ja": "生成AI", "ru": "генеративный ИИ"},
    "humanoid-robots": {"en": "humanoid robots", "zh": "人形机器人", "de": "humanoide Roboter", "fr": "robots humanoïdes", "ja": "ヒト型ロボット", "ru": "человекоподобные роботы"},
}  # fmt: skip
SENTENCES = {
    "en": ("{actor} of {place} showed {word} on Tuesday that needs half the power of last year's.", "The ministry wants {word} in service by 2030 and sets aside 400 million euros; {actor} leads the first project."),
    "zh": ("{place}的{actor}周二展示了{word}，能耗仅为去年的一半。", "主管部门计划在2030年前让{word}投入使用，首个项目由{actor}牵头。"),
    "de": ("{actor} aus {place} zeigte am Dienstag, was {word} heute leisten.", "Das Ministerium fördert {word} mit 400 Millionen Euro; {actor} führt das erste Vorhaben."),
    "fr": ("{actor}, à {place}, a présenté mardi ce que promet le domaine : {word}.", "Le ministère consacre 400 millions d'euros au domaine ({word}) ; {actor} dirige le premier projet."),
    "ja": ("{place}の{actor}は火曜日、{word}を公開した。消費電力は昨年の半分だという。", "政府は2030年までに{word}の実用化を目指し、{actor}が最初の計画を率いる。"),
    "ru": ("{actor} ({place}) во вторник показал, на что способен {word}.", "Министерство выделит 400 миллионов евро на {word}; первый проект ведёт {actor}."),
}  # fmt: skip
ACTORS = ("Corwen Process", "Brouwer & Lutz", "Halden Labs", "Ostmark Robotics", "Tallgrass", "Severn Devices")
NEW_ACTOR = "Brightwater Systems"  # only of the last week, beside quantum technology
PLACES = ("Delft", "Hefei", "Grenoble", "Dresden", "Tsukuba", "Albany")
BACKGROUND = "The council of {place} put off its vote on the new bridge; number {n} of the agenda was the school roof."


@dataclass(frozen=True, slots=True)
class Archive:
    """What `fill` wrote and what is known of it."""

    matcher: int
    first: date
    last: date
    sources: tuple[int, ...]
    burst_days: dict[str, tuple[date, ...]]
    poor_days: tuple[date, ...]
    articles: int
    hits: int


def fill(connection: Connection, *, now: datetime = NOW, days: int = 70, seed: int = 5, volume: float = 1.0) -> Archive:
    """`days` days up to `now`: quantum technology bursts in the last three, humanoid robots four weeks ago, the metaverse fades."""
    rng = np.random.default_rng(seed)
    last = now.date()
    first = last - timedelta(days - 1)
    matcher = live_matcher(connection, now=now)
    added = noon(first) - timedelta(days=30)
    well = {"last_success_at": now, "last_entry_at": now, "entries_a_day": 4.0}
    ill = {"failures": 3, "last_error": "too slow: no answer within 60 s", "last_success_at": now - timedelta(days=3)}
    sources = tuple(
        add_source(connection, o.title, kind=o.kind, language=o.language, added_at=added, **(ill if o is OUTLETS[-1] else well))
        for o in OUTLETS
    )
    burst_days = {
        "quantum-technology": tuple(last - timedelta(n) for n in (3, 2, 1)),
        "humanoid-robots": tuple(last - timedelta(n) for n in (30, 29, 28)),
    }
    poor = (last - timedelta(17), last - timedelta(16))
    written: list[dict[str, Any]] = []
    for day in (first + timedelta(n) for n in range(days)):
        down = set(sources[:3] + sources[4:6]) if day in poor else set()
        ask(connection, day, read=[s for s in sources if s not in down], failed=sorted(down))
        written += _day(rng, day, last, sources, down, burst_days, volume)
    hit_count = _store(connection, matcher, written)
    replace_counts(connection, matcher, list(STORIES), first, last)
    replace_coverage(connection, first, last)
    write_findings(connection, matcher, list(STORIES), first, last)
    replace_standing(connection, now=now)
    return Archive(matcher, first, last, sources, burst_days, poor, len(written), hit_count)


def add_instruments(connection: Connection, archive: Archive) -> None:
    """Policy instruments in some paragraphs of the areas, counted as a night counts them."""
    found = connection.scalars(
        select(hits.c.paragraph_id).where(hits.c.matcher_id == archive.matcher).distinct().order_by(hits.c.paragraph_id)
    )
    told = [(paragraph, INSTRUMENTS[n // 4 % len(INSTRUMENTS)]) for n, paragraph in enumerate(found) if n % 4 == 0]
    add_hits(connection, [hit_row(archive.matcher, paragraph, area) for paragraph, area in told])
    areas = [*STORIES, *INSTRUMENTS]
    replace_counts(connection, archive.matcher, areas, archive.first, archive.last, beside=INSTRUMENTS)
    write_findings(connection, archive.matcher, areas, archive.first, archive.last)


def add_entries(connection: Connection, archive: Archive, *, now: datetime = NOW) -> None:
    """Entries of every source, some of them given up; the second came out empty, the fifth is quiet."""
    rows = []
    for place, source in enumerate(archive.sources, 1):
        states = ["read"] * (2 * place) + ["failed"] * (place % 3) + (["empty"] * 6 if place == 2 else [])
        for n, state in enumerate(states):
            seen = now - timedelta(days=9) + timedelta(hours=n)
            rows.append({"source_id": source, "key": str(n), "version": "1", "first_seen_at": seen, "state": state})
    write(connection, entries, rows)
    connection.execute(
        sources_table.update().where(sources_table.c.id == archive.sources[4]).values(last_entry_at=now - timedelta(days=19))
    )
    replace_standing(connection, now=now)


def _day(
    rng: np.random.Generator,
    day: date,
    last: date,
    sources: tuple[int, ...],
    down: set[int],
    burst_days: dict[str, tuple[date, ...]],
    volume: float,
) -> list[dict[str, Any]]:
    """The articles of a day: ordinary news, and stories of the areas that some outlets take up."""
    weekday = 0.45 if day.weekday() >= 5 else 1.0
    made = []
    for outlet, source in zip(OUTLETS, sources, strict=True):
        for _ in range(0 if source in down else rng.poisson(outlet.a_day * weekday * volume)):
            text = BACKGROUND.format(place=rng.choice(PLACES), n=rng.integers(1_000_000))
            made.append(_article(outlet, source, day, f"Bridge vote put off in {rng.choice(PLACES)}", [(text, ())]))
    for area, a_day in STORIES.items():
        factor = 6.0 if day in burst_days.get(area, ()) else 1.0
        if area == "metaverse" and (last - day).days < 21:
            factor = 0.25
        for _ in range(rng.poisson(a_day * weekday * factor * volume)):
            made += _story(rng, area, day, last, sources, down)
    return made


def _story(rng: np.random.Generator, area: str, day: date, last: date, sources: tuple[int, ...], down: set[int]) -> list[dict[str, Any]]:
    key = f"story-{rng.integers(2**62)}"
    new = area == "quantum-technology" and (last - day).days < 7 and rng.random() < 0.6
    actor = NEW_ACTOR if new else str(rng.choice(ACTORS))
    place = str(rng.choice(PLACES))
    second = str(rng.choice(list(STORIES))) if rng.random() < 0.2 else None
    told = []
    for outlet, source in zip(OUTLETS, sources, strict=True):
        if source in down or rng.random() > outlet.reach:
            continue
        texts = [_paragraph(rng, name, outlet.language, actor, place) for name in (area, second) if name]
        headline = texts[0][0].split(",")[0].split("，")[0][:90]
        told.append({**_article(outlet, source, day, headline, texts), "story": key})
    return told


def _paragraph(rng: np.random.Generator, area: str, language: str, actor: str, place: str) -> tuple[str, tuple[str, str]]:
    word = NAMES.get(area, {}).get(language, area.replace("-", " "))
    return str(rng.choice(SENTENCES[language])).format(word=word, actor=actor, place=place), (area, word)


def _article(outlet: Outlet, source: int, day: date, title: str, texts: list[Any]) -> dict[str, Any]:
    return {"source": source, "day": day, "title": title, "language": outlet.language, "texts": texts, "story": None}


def _store(connection: Connection, matcher: int, written: list[dict[str, Any]]) -> int:
    """Articles, paragraphs and hits in a few statements. Returns the number of hits."""
    rows = [
        {
            "url": f"https://news.example/{n}", "source_id": a["source"], "title": a["title"], "language": a["language"],
            "published_at": noon(a["day"]), "day": a["day"], "first_seen_at": noon(a["day"]), "fingerprint": fingerprint(f"archive {n}"),
            "extractor": "test",
        }
        for n, a in enumerate(written)
    ]  # fmt: skip
    ids = write(connection, articles, rows)
    leader: dict[str, int] = {}
    stories = [leader.setdefault(a["story"], number) if a["story"] else number for a, number in zip(written, ids, strict=True)]
    by_id = [{"key": number, "its_story": story} for number, story in zip(ids, stories, strict=True)]
    connection.execute(articles.update().where(articles.c.id == bindparam("key")).values(story_id=bindparam("its_story")), by_id)
    texts = [text for a in written for text, _ in a["texts"]]
    numbers = iter(add_paragraphs(connection, texts))
    links, found = [], {}
    for article, a in zip(ids, written, strict=True):
        mine = [next(numbers) for _ in a["texts"]]
        links.append((article, mine))
        for paragraph, (text, about) in zip(mine, a["texts"], strict=True):
            if about:
                area, word = about
                probability = 0.55 + (paragraph * 37 % 45) / 100
                found[paragraph, area] = hit_row(matcher, paragraph, area, text, words=[word] * (word in text), probability=probability)
    link(connection, links)
    add_hits(connection, list(found.values()))
    return len(found)


def run(database: Database, sql: str) -> list[dict[str, Any]]:
    """The rows of a query; days come back as text on either database."""
    written = sql.replace("%", "%%") if database.dialect == "postgresql" else sql
    with database.reading() as connection:
        rows = [dict(row._mapping) for row in connection.exec_driver_sql(written)]
    return [row | ({"day": str(row["day"])} if "day" in row else {}) for row in rows]
