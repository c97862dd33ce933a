"""The server, asked over HTTP on localhost, on both databases: pages, search, CSV, and what it refuses."""

from __future__ import annotations

import csv
import io
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from monitor.domain import Vectors
from monitor.pipeline import Parts
from monitor.serve import access, access_of, build_app, listen
from monitor.serve.listen import server_of
from monitor.settings import ServeSettings, Settings
from monitor.store import hits, runs
from monitor.store.counts import replace_counts
from monitor.store.database import Database
from monitor.store.schema import taxonomies
from monitor.taxonomy import load_taxonomy
from tests.archive import Archive, fill
from tests.builders import NOW, VERSION, add_article, add_hit, add_source, live_matcher
from tests.unit.report.sites import OVERRIDE, SCRIPT

FORMULA = '=HYPERLINK("https://evil.example","click")'
SECRET = "correct horse battery staple"
TODAY = NOW.date()


class Letters:
    """An encoder whose vectors are letters counted: near is who uses the same."""

    name = VERSION.encoder
    dimensions = 26

    def encode(self, texts: Sequence[str]) -> Vectors:
        counted = np.array([[text.lower().count(chr(97 + n)) for n in range(26)] for text in texts], np.float32) + 0.01
        return np.asarray(counted / np.linalg.norm(counted, axis=1, keepdims=True))


def parts_of(database: Database, folder: Path) -> Parts:
    def never() -> Any:
        raise AssertionError("nothing is matched here")

    whole = load_taxonomy()
    taxonomy = replace(whole, areas=tuple(a for a in whole.areas if a.id in {"quantum-technology", "humanoid-robots"}))
    return Parts(Settings(home=folder, window_days=40), database, taxonomy, VERSION, Letters, never, clock=lambda: NOW)


@contextmanager
def served(build: Callable[[], Parts], **settings: Any) -> Iterator[httpx.Client]:
    """A client of a server that runs on a free port of localhost."""
    chosen = ServeSettings(**settings)
    listening = listen("127.0.0.1", 0)
    server = server_of(build_app(build, access_of(chosen, chosen.host)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Parts, Archive]]:
    """Forty days of news, and an article that is an attack."""
    folder = tmp_path_factory.mktemp("serve")
    for url in request.getfixturevalue("fresh_url")(request.param, folder):
        database = Database(url)
        with database.writing() as connection:
            archive = fill(connection, days=41)
            evil = add_source(connection, FORMULA, language="en")
            told = add_article(
                connection,
                evil,
                day=TODAY,
                title=f"{SCRIPT} {OVERRIDE}",
                texts=[f"{FORMULA} {SCRIPT} zzyzx {OVERRIDE}"],
                url="javascript:alert(1)",
            )
            add_hit(connection, archive.matcher, told.paragraphs[0], "quantum-technology")
            replace_counts(connection, archive.matcher, ["quantum-technology", "humanoid-robots"], archive.first, archive.last)
            row = {"fingerprint": "old", "body": {"areas": [{"id": "telepathy"}]}, "first_used_at": NOW}
            connection.execute(taxonomies.insert(), row)
            letters = ["qqqq", "qqzz", "eeee"]
            ids = add_article(connection, add_source(connection, "Letters"), day=TODAY, texts=letters, url="https://a.example/l").paragraphs
            hits.write_vectors(connection, hits.encoder_id(connection, VERSION.encoder), ids, Letters().encode(letters))
        yield parts_of(database, folder), archive
        database.close()


@pytest.fixture(scope="module")
def client(world: tuple[Parts, Archive]) -> Iterator[httpx.Client]:
    with served(lambda: world[0]) as opened:
        yield opened


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'attachment; filename="areawatch-' in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("path", ["/", "/index.html", "/coverage.html", "/notes.html", "/area-quantum-technology.html", "/search"])
def test_pages_lead_to_one_another_and_nowhere_else(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert 'href="search"' in answer.text
    assert "<script" not in answer.text
    content = answer.headers["content-security-policy"]
    assert "default-src 'none'" in content
    assert "frame-ancestors 'none'" in content
    assert "unsafe" not in content
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    for link in set(re.findall(r'(?:href|action)="([^"#:]+)"', answer.text)):
        assert client.get("/" + link.replace("&amp;", "&")).status_code == 200, link


def test_an_atom_feed(client: httpx.Client) -> None:
    answer = client.get("/area-quantum-technology.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert "<feed" in answer.text


def test_other_days_are_shown_and_kept_in_the_links(client: httpx.Client) -> None:
    first, last = TODAY - timedelta(30), TODAY - timedelta(20)
    page = client.get("/area-humanoid-robots.html", params={"from": first, "to": last})
    assert f'value="{first}"' in page.text
    assert f'href="index.html?from={first}&amp;to={last}"' in page.text
    rows = rows_of(client.get("/tables/humanoid-robots/line.csv", params={"from": first, "to": last}))
    assert [rows[0]["day"], rows[-1]["day"], len(rows)] == [str(first), str(last), 11]


def test_every_table_is_a_sheet(client: httpx.Client, world: tuple[Parts, Archive]) -> None:
    for page in ("/", "/coverage.html", "/area-quantum-technology.html"):
        links = re.findall(r'href="(tables/[^"]+)"', client.get(page).text)
        assert links
        for link in links:
            rows_of(client.get("/" + link))
    line = rows_of(client.get("/tables/quantum-technology/line.csv"))
    assert sum(int(r["articles"]) for r in line) > 20
    assert {r["remark"] for r in line if "poor" in r["remark"]} == {"poorly covered"}
    stories = rows_of(client.get("/tables/quantum-technology/stories.csv"))
    (evil,) = [r for r in stories if "zzyzx" in r["quote"]]
    assert evil["source"] == "'" + FORMULA
    assert evil["quote"].startswith("'=")
    assert "\u202e" not in evil["quote"]


def test_words_are_found_marked_and_the_same_as_csv(client: httpx.Client) -> None:
    asked = {"q": "quantum computer", "language": "en", "source": "Wafer & Wire"}
    page = client.get("/search", params=asked)
    assert "<mark>quantum</mark>" in page.text
    assert "<mark>Bridge</mark>" not in page.text
    rows = rows_of(client.get("/search.csv", params=asked))
    assert f'<h2 id="found">{len(rows)} paragraph' in page.text.replace("\u202f", "")
    assert {(r["source"], r["language"]) for r in rows} == {("Wafer & Wire", "en")}
    assert [r["day"] for r in rows] == sorted((r["day"] for r in rows), reverse=True)
    assert {area for r in rows for area in r["areas"].split()} >= {"quantum-technology"}


def test_search_by_area_and_days_without_words(client: httpx.Client) -> None:
    first = TODAY - timedelta(5)
    rows = rows_of(client.get("/search.csv", params={"area": "quantum-technology", "from": first}))
    assert rows
    assert min(r["day"] for r in rows) >= str(first)
    assert all("quantum-technology" in r["areas"].split() for r in rows)


def test_search_by_meaning(client: httpx.Client) -> None:
    rows = rows_of(client.get("/search.csv", params={"q": "QqQ", "mode": "meaning"}))
    assert [r["text"] for r in rows] == ["qqqq", "qqzz", "eeee"]
    page = client.get("/search", params={"q": "qqq", "mode": "meaning"})
    assert "The nearest 3 of 3 paragraphs." in page.text
    assert "similarity 1.00" in page.text


def test_pages_of_what_was_found_are_all_of_it_once(client: httpx.Client) -> None:
    asked = {"language": "en", "source": "Meridian Wire"}
    number = len(rows_of(client.get("/search.csv", params=asked)))
    assert number > 50
    seen: list[str] = []
    path = "/search?language=en&source=Meridian+Wire"
    while path:
        text = client.get(path).text
        seen += re.findall(r"<blockquote[^>]*>(.*?)</blockquote>", text)
        found = re.search(r'href="(search\?[^"]+)" rel="next"', text)
        path = "/" + found.group(1).replace("&amp;", "&") if found else ""
    assert len(seen) == number


def test_an_attack_is_shown_as_text(client: httpx.Client) -> None:
    page = client.get("/search", params={"q": "zzyzx"}).text
    assert SCRIPT not in page
    assert "\u202e" not in page
    assert "javascript:" not in page
    assert "<mark>zzyzx</mark>" in page
    (row,) = rows_of(client.get("/search.csv", params={"q": "zzyzx"}))
    assert row["text"].startswith("'=")
    echo = client.get("/search", params={"q": '"><script>alert(1)</script>', "source": SCRIPT})
    assert echo.status_code == 400
    assert "<script" not in echo.text


@pytest.mark.parametrize(
    ("when", "path", "says"),
    [
        ("an unknown area", "/search?area=telepathist", "there is no area"),
        ("an area that was", "/search?area=telepathy", "is not in the taxonomy any more"),
        ("the page of an area that was", "/area-telepathy.html", "is not in the taxonomy any more"),
        ("the table of an area that never was", "/tables/xyz/line.csv", "there is no area"),
        ("an unknown table", "/tables/quantum-technology/x.csv", "there is no table"),
        ("reversed days", "/search?q=a&from=2026-11-02&to=2026-11-01", "from=2026-11-02 lies after to=2026-11-01"),
        ("reversed days of a page", "/index.html?from=2026-11-02&to=2026-11-01", "lies after"),
        ("days to come", "/search?q=a&from=2999-01-01", "lies after today"),
        ("no day", "/search?q=a&from=soon", "is no day"),
        ("a day as nobody writes it", "/search?q=a&to=20261101", "is no day"),
        ("a day that is not", "/search?q=a&to=2026-02-30", "is no day"),
        ("too many days", "/index.html?from=1990-01-01", "at most 1,100"),
        ("page nought", "/search?q=quantum&page=0", "is no page"),
        ("no page", "/search?q=quantum&page=%EF%BC%91", "is no page"),
        ("a page beyond", "/search?q=quantum&page=999", "page=999: there are"),
        ("an unknown mode", "/search?q=a&mode=magic", "choose words or meaning"),
        ("meaning of nothing", "/search?mode=meaning", "write a sentence"),
        ("no word", "/search?q=%2A%2A", "holds no word"),
        ("only what must not be there", "/search?q=-game", "holds no word"),
        ("an unknown source", "/search?source=Nobody", "there is no source"),
        ("an unknown language", "/search?language=xx", "no article has it; there are"),
        ("too long", "/search?q=" + "a" * 501, "at most 500"),
        ("twice", "/search?q=a&q=b", "is given 2 times"),
        ("an unknown field", "/search?sort=asc", "is nothing that can be asked for"),
        ("the same as CSV", "/search.csv?area=telepathist", "there is no area"),
    ],
)
def test_what_cannot_be_meant_is_said(client: httpx.Client, when: str, path: str, says: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert says in answer.text
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize(
    ("path", "status"), [("/nothing", 404), ("/area-.html", 400), ("/../../etc/passwd", 404), ("/x.html", 404), ("/%00.html", 404)]
)
def test_other_pages_are_not_there(client: httpx.Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert "content-security-policy" in answer.headers


def test_nothing_can_be_sent(client: httpx.Client) -> None:
    assert client.post("/search", data={"q": "x"}).status_code == 405


def test_a_day_without_data_is_said(client: httpx.Client) -> None:
    assert "Nothing found" in client.get("/search?q=quantum&to=2020-01-01").text
    answer = client.get("/area-quantum-technology.html?from=2020-01-01&to=2020-01-05")
    assert "no articles seen" in answer.text


def test_another_name_is_refused_on_an_open_server(client: httpx.Client) -> None:
    answer = client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "Quantum" not in answer.text


def test_a_password_is_asked_for_and_compared(world: tuple[Parts, Archive], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "WRONG_SECONDS", 0.0)
    with served(lambda: world[0], host="0.0.0.0", password=SECRET) as client:
        refused = client.get("/")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert "Quantum" not in refused.text
        assert client.get("/search.csv?q=quantum").status_code == 401
        for wrong in (("analyst", "wrong"), ("other", SECRET), ("analyst", SECRET + "x"), ("analyst", "")):
            assert client.get("/", auth=wrong).status_code == 401
        for header in ("Basic", "Basic !!!", "Bearer abc", "Basic " + "A" * 5_000):
            assert client.get("/", headers={"Authorization": header}).status_code == 401
        assert client.get("/", headers={"X-Forwarded-User": "me"}).status_code == 401
        assert client.get("/", auth=("analyst", SECRET), headers={"Host": "pages.example"}).status_code == 200


def test_a_wrong_password_costs_time(world: tuple[Parts, Archive], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "WRONG_SECONDS", 0.3)
    with served(lambda: world[0], password=SECRET) as client:
        began = time.monotonic()
        client.get("/", auth=("analyst", "wrong"))
        assert time.monotonic() - began >= 0.3


def test_a_trusted_proxy_vouches_and_nobody_else(world: tuple[Parts, Archive]) -> None:
    with served(lambda: world[0], host="0.0.0.0", trusted_proxy=["127.0.0.1/32"], proxy_header="Remote-User") as client:
        assert client.get("/").status_code == 403
        assert client.get("/", headers={"Remote-User": ""}).status_code == 403
        assert client.get("/", headers={"X-Forwarded-User": "me"}).status_code == 403
        assert client.get("/", headers={"Remote-User": "me", "Host": "pages.example"}).status_code == 200
    with served(lambda: world[0], trusted_proxy=["10.0.0.0/8"]) as client:
        assert client.get("/", headers={"X-Forwarded-User": "me", "X-Forwarded-For": "10.0.0.1"}).status_code == 403


def test_what_a_run_stored_is_seen_at_once(database: Database, tmp_path: Path) -> None:
    parts = parts_of(database, tmp_path)
    built: list[Parts] = []

    def build() -> Parts:
        built.append(parts)
        return replace(parts, database=Database(database.engine.url.render_as_string(hide_password=False)))

    with served(build) as client:
        assert "No story tells of an area yet." in client.get("/").text
        with database.writing() as connection:
            matcher = live_matcher(connection)
            told = add_article(connection, add_source(connection, "Wire"), day=TODAY, title="Breaking", texts=["qubits"])
            add_hit(connection, matcher, told.paragraphs[0], "quantum-technology")
            replace_counts(connection, matcher, ["quantum-technology"], TODAY, TODAY)
            runs.start_run(connection, now=NOW)
        assert "Breaking" in client.get("/").text
    assert len(built) == 2


def test_a_database_that_is_gone_is_said_without_its_address(world: tuple[Parts, Archive], tmp_path: Path) -> None:
    nowhere = replace(world[0], database=Database("postgresql://me:secret@127.0.0.1:1/none"))
    with served(lambda: nowhere) as client:
        answer = client.get("/")
    assert answer.status_code == 503
    assert "127.0.0.1:1" not in answer.text
    assert "secret" not in answer.text


def test_the_password_is_in_no_text_of_the_settings() -> None:
    chosen = ServeSettings(password=SecretStr(SECRET))
    assert SECRET not in repr(chosen) + repr(access_of(chosen, "0.0.0.0"))
