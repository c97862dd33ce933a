"""A whole night beside a straightforward script of the same packages: first run, and second run with nothing new.

    python -m benchmarks.night [--full] [--pages 200] [--sources 20] [--json]
    python -m benchmarks.night --full --alone
    python -m benchmarks.night --prefect

A server on this machine answers for every source with a feed and with pages of 8 to 20 paragraphs, each of two or three sentences drawn
from the labelled paragraphs, so that hardly two are equal; one paragraph in ten begins with a sentence on an area. One page in five
carries an agency's text, which five pages share.

| side | what it does |
|---|---|
| ours | `monitor.pipeline.run`: all stages, from an empty SQLite database to messages and pages |
| script | feedparser, trafilatura, `SentenceTransformer.encode` in full precision by the paragraph, cosine with exemplars, SQLite |

The script commits an article at a time, leaves out pages that it knows, and loads the model only when there is a page. It finds less (no
words, no decision, no stories, counts, messages, pages). Each night is a process of its own, start and imports counted; vectors of the
exemplars are there before, for both. Memory: of all processes of a side together, what they share counted once.
`--alone` runs our side only, and prints its figures as they are: over 2,000 pages the script takes an hour. `--prefect` measures what
Prefect adds to a night.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.rematch import Memory
from benchmarks.sources import database_url, due_parts, host, html, serving, words
from benchmarks.table import Row

SYNDICATED, CARRIERS = 0.2, 5  # the share of pages that carry an agency's text, and how many pages carry the same one
WITH_AREA = 0.1
NEAR = 0.9  # the script's threshold; what it costs does not depend on it


# --- the pages ------------------------------------------------------------------------------------------------------


@cache
def sentences() -> tuple[list[str], list[str]]:
    """English sentences of the labelled paragraphs: of those without an area, and of those with."""
    from monitor.evaluate.fit import training_files
    from monitor.evaluate.gold import load_gold
    from monitor.taxonomy import load_taxonomy

    taxonomy = load_taxonomy()
    train, head = training_files(taxonomy.folder)
    gold = [p for p in load_gold([*train, *head], taxonomy.facets) if p.language == "en"]
    cut = [[s for p in gold if bool(p.labels) is wanted for s in re.split(r"(?<=[.!?])\s+", p.text)] for wanted in (False, True)]
    return cut[0], cut[1]


def article(seed: int) -> list[str]:
    """8 to 20 paragraphs."""
    chance, (ordinary, areas) = random.Random(seed), sentences()
    return [
        " ".join([chance.choice(areas if chance.random() < WITH_AREA else ordinary), *chance.sample(ordinary, chance.choice((1, 2)))])
        for _ in range(chance.randint(8, 20))
    ]


def pages_of(pages: int) -> Callable[[int, int], bytes]:
    agency = max(1, round(pages * SYNDICATED / CARRIERS))
    sentences()  # once, before requests come

    def page(source: int, number: int) -> bytes:
        own = source * 100_003 + number
        chance = random.Random(own)
        seed = -1 - chance.randrange(agency) if chance.random() < SYNDICATED else own
        return html(words(source, number, 8), article(seed))

    return page


# --- the two sides, each night in a process of its own --------------------------------------------------------------


def ours(folder: Path, urls: list[str], night: int) -> dict[str, Any]:
    from sqlalchemy import func, select

    from monitor import pipeline
    from monitor.store import schema

    parts = due_parts(folder, urls, night)
    done = pipeline.run(parts)
    with parts.database.reading() as connection:
        stored = {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in {"articles": schema.articles, "paragraphs": schema.article_paragraphs, "hits": schema.hits}.items()
        }
    return {**stored, "stages": dict(done.seconds)}


def script(folder: Path, urls: list[str], night: int) -> dict[str, Any]:  # noqa: ARG001  # both sides are called alike
    import feedparser
    import httpx
    import numpy as np
    import trafilatura

    exemplars, areas = np.load(folder / "exemplars.npy"), json.loads((folder / "areas.json").read_text())
    encode = cache(full_precision)
    database = sqlite3.connect(folder / "script.db")
    database.execute("CREATE TABLE IF NOT EXISTS articles (url TEXT PRIMARY KEY, title TEXT, day TEXT, text TEXT)")
    database.execute("CREATE TABLE IF NOT EXISTS paragraphs (url TEXT, position INTEGER, text TEXT, vector BLOB, area TEXT)")
    with httpx.Client() as client:
        for url in urls:
            for entry in feedparser.parse(client.get(url).content).entries:
                if database.execute("SELECT 1 FROM articles WHERE url = ?", (entry.link,)).fetchone():
                    continue
                found = trafilatura.bare_extraction(client.get(entry.link).content, url=entry.link, with_metadata=True)
                if found is None or not found.text:
                    continue
                database.execute("INSERT INTO articles VALUES (?, ?, ?, ?)", (entry.link, found.title, found.date, found.text))
                for position, text in enumerate(found.text.split("\n")):
                    vector = encode().encode([text])[0]
                    cosines = exemplars @ vector
                    best = int(cosines.argmax())
                    row = (entry.link, position, text, vector.tobytes(), areas[best] if cosines[best] >= NEAR else None)
                    database.execute("INSERT INTO paragraphs VALUES (?, ?, ?, ?, ?)", row)
                database.commit()
    (articles,) = database.execute("SELECT count(*) FROM articles").fetchone()
    paragraphs, hits = database.execute("SELECT count(*), count(area) FROM paragraphs").fetchone()
    return {"articles": articles, "paragraphs": paragraphs, "hits": hits}


def full_precision() -> Any:
    from monitor.embed import adapter_of, open_encoder
    from monitor.taxonomy import load_taxonomy

    return open_encoder("e5-small", "full", adapter=adapter_of(load_taxonomy().folder))


SIDES = {"ours": ours, "script": script}


def prepare(folder: Path) -> None:
    """What is made once and not each night: the model's files, the vectors of the exemplars, an empty database."""
    import numpy as np

    from monitor import app
    from monitor.match import exemplar_sentences
    from monitor.settings import Settings
    from monitor.store.database import upgrade
    from monitor.taxonomy import load_taxonomy

    app.open_matcher(Settings(home=folder))
    encoder, (texts, areas) = full_precision(), exemplar_sentences(load_taxonomy())
    np.save(folder / "exemplars.npy", app.kept_vectors(texts, encoder.name, encoder.encode))
    (folder / "areas.json").write_text(json.dumps([str(each) for each in areas]))
    upgrade(database_url(folder))


# --- the comparison -------------------------------------------------------------------------------------------------


def nights(pages: int, sources: int, sides: Sequence[str] = tuple(SIDES)) -> dict[str, list[dict[str, Any]]]:
    """Both nights of each side."""
    with tempfile.TemporaryDirectory() as name, serving(pages // sources, pages_of(pages)) as port:
        subprocess.run([sys.executable, "-m", "benchmarks.night", "--prepare", name], check=True)
        measured: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
        for night in range(2):
            for side in sides:
                measured[side].append(_night(side, name, night, sources, port))
                print(f"{side}, night {night + 1}: {measured[side][-1]['seconds']} s", file=sys.stderr, flush=True)
    return measured


def compare(pages: int, sources: int) -> dict[str, Any]:
    """Both nights of both sides, and the ratios script : ours."""
    measured = nights(pages, sources)
    ratios = [
        {key: round(script[key] / ours[key], 1) for key in ("seconds", "cpu_seconds", "peak_memory_mb")}
        for ours, script in zip(measured["ours"], measured["script"], strict=True)
    ]
    return {"pages": pages, "sources": sources, **measured, "ratios": ratios}


def _night(side: str, folder: str, night: int, sources: int, port: int) -> dict[str, Any]:
    arguments = ["--side", side, "--folder", folder, "--night", str(night), "--sources", str(sources), "--port", str(port)]
    began, used = time.perf_counter(), _of_children()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.night", *arguments], stdout=subprocess.PIPE, text=True)
    with Memory(process.pid) as memory:
        out, _ = process.communicate()
    seconds, cpu = time.perf_counter() - began, _of_children() - used
    if process.returncode:
        raise SystemExit(f"{side} ended with {process.returncode} in night {night + 1}; what it said stands above")
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return {"seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1), "peak_memory_mb": round(memory.peak), **found}


def _of_children() -> float:
    """Processor seconds of the processes that this one waited for, and of those they waited for: not of the server, which still runs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def show(result: dict[str, Any]) -> None:
    print(f"{result['pages']} pages of {result['sources']} sources; one page in five carries an agency's text that five pages share")
    print(f"{'':22}{'ours':>10}{'script':>10}{'script : ours':>16}")
    names = {"seconds": "seconds", "cpu_seconds": "processor seconds", "peak_memory_mb": "peak memory, MB"}
    for night, label in enumerate(("first run", "second run")):
        both = [result[side][night] for side in SIDES]
        print(label)
        for key, name in names.items():
            print(f"  {name:20}{both[0][key]:10}{both[1][key]:10}{result['ratios'][night][key]:16}")
        for key in ("articles", "paragraphs", "hits"):
            print(f"  {key:20}{both[0][key]:10}{both[1][key]:10}")
        stages = both[0]["stages"]
        inside = ", ".join(f"{name} {seconds:.1f}" for name, seconds in stages.items() if name != "all")
        print(f"  our seconds: {inside}, start and imports {both[0]['seconds'] - stages['all']:.1f}")
    again = result["script"][0]["seconds"] / result["ours"][1]["seconds"]
    print(f"a script that forgets what it knows would take its first run again: {again:.1f} times our second run")


# --- what Prefect adds ----------------------------------------------------------------------------------------------


def prefect_share() -> None:
    """Prints the seconds of `nightly()` outside the stages, with a server started before: a night with nothing to do, called twice."""
    from flows.start import settle

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        home, config = Path(name), Path(name) / "areawatch.toml"
        settle(home)
        from flows.nightly import nightly
        from monitor import pipeline
        from monitor.store.database import upgrade

        config.write_text(f'database_url = "{database_url(home)}"')
        upgrade(database_url(home))
        inside = 0.0

        def timed(stage: Callable[[Any], Mapping[str, int]]) -> Callable[[Any], Mapping[str, int]]:
            def run(parts: Any) -> Mapping[str, int]:
                nonlocal inside
                began = time.perf_counter()
                try:
                    return stage(parts)
                finally:
                    inside += time.perf_counter() - began

            return run

        pipeline.STAGES.update({name: timed(stage) for name, stage in pipeline.STAGES.items()})
        for which in ("with the start of a temporary server", "server running"):
            inside, began = 0.0, time.perf_counter()
            nightly(str(config))
            seconds = time.perf_counter() - began
            print(f"{which}: {seconds:.1f} s, stages {inside:.1f} s, the rest {seconds - inside:.1f} s", flush=True)


def rows(found: dict[str, Any]) -> list[Row]:
    """The lines of the table."""
    names = (f"a night, {found['pages']:,} pages", "the next night, nothing new", "the same, beside a script that forgets")
    pairs = [(found["ours"][n], found["script"][m]) for n, m in ((0, 0), (1, 1), (1, 0))]
    return [
        Row(name, "seconds", ours["seconds"], script["seconds"], script["seconds"] / ours["seconds"], ours["peak_memory_mb"])
        for name, (ours, script) in zip(names, pairs, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--sources", type=int, default=20)
    parser.add_argument("--full", action="store_true", help="2,000 pages of 200 sources: the script takes about an hour")
    parser.add_argument("--alone", action="store_true", help="our side only")
    parser.add_argument("--prefect", action="store_true", help="what Prefect adds to a night, alone")
    parser.add_argument("--json", action="store_true")
    for name in ("--side", "--folder", "--prepare"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    for name in ("--night", "--port"):
        parser.add_argument(name, type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.prepare:
        prepare(Path(chosen.prepare))
    elif chosen.side:
        urls = [f"http://{host(n)}:{chosen.port}/feed" for n in range(chosen.sources)]
        print(json.dumps(SIDES[chosen.side](Path(chosen.folder), urls, chosen.night)))
    elif chosen.prefect:
        prefect_share()
    else:
        size = (2_000, 200) if chosen.full else (chosen.pages, chosen.sources)
        result = nights(*size, ["ours"]) if chosen.alone else compare(*size)
        print(json.dumps(result, indent=2)) if chosen.json or chosen.alone else show(result)


if __name__ == "__main__":
    main()
