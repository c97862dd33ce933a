"""Pages: whole, readable by all, harmless, and with nothing from anywhere else."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import date, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from monitor.report import Movement, Site, render_folder, render_single
from monitor.report.formats import days
from tests.unit.report.sites import DAYS, LAST, POOR, SCRIPT, area, hostile, instruments, line, site, source, story

VOID = {"meta", "link", "img", "br", "input", "hr"}


class Document(HTMLParser):
    """A page as elements: (name, attributes, text), and what is wrong with their nesting."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return render_folder(
        site(instruments=instruments(), periods=DAYS[:3], areas=(*site().areas, area("policy-funding", "Funding", facet="policy")))
    )


@pytest.fixture(scope="module")
def single() -> str:
    return render_single(site())


def documents(found: dict[str, str]) -> dict[str, Document]:
    return {name: Document(text) for name, text in found.items() if name.endswith(".html")}


def test_a_folder_has_a_page_and_a_feed_an_area_and_the_overview_last(pages: dict[str, str]) -> None:
    keys = ("chips", "quantum", "policy-funding")
    assert set(pages) == {f"area-{k}.{e}" for k in keys for e in ("html", "atom")} | {"index.html", "coverage.html", "notes.html"}
    assert list(pages)[-1] == "index.html"


def test_pages_are_well_formed(pages: dict[str, str], single: str) -> None:
    for name, page in documents(pages | {"single.html": single}).items():
        assert (name, page.wrong, page.open) == (name, [], [])


def test_nothing_comes_from_anywhere_else_and_nothing_runs(pages: dict[str, str], single: str) -> None:
    for page in documents(pages | {"single.html": single}).values():
        names = {name for name, _ in page.elements}
        assert not names & {"script", "img", "iframe", "object", "embed", "form", "base"}
        assert all(link["href"] == "data:," or (link["href"] or "").endswith(".atom") for link in page.all("link"))
        assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on") or name == "style"]


def test_the_policy_lets_in_just_the_style_of_the_page(pages: dict[str, str]) -> None:
    for text in pages.values():
        if "<style>" in text:
            style = re.search("<style>(.*?)</style>", text, re.DOTALL)
            assert style is not None
            digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
            assert f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;" in text


def test_links_lead_to_pages_that_are_there(pages: dict[str, str]) -> None:
    for page in documents(pages).values():
        for link in page.all("a"):
            address = link["href"] or ""
            parts = urlsplit(address)
            if parts.scheme:
                assert parts.scheme in {"http", "https"}
                assert set((link["rel"] or "").split()) >= {"noopener", "nofollow"}
            else:
                assert parts.path in pages or address.startswith("#")


def test_anchors_of_the_single_file_are_there_and_ids_are_unique(single: str) -> None:
    page = Document(single)
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    inside = {(link["href"] or "")[1:] for link in page.all("a") if (link["href"] or "").startswith("#")}
    assert inside <= set(ids)
    assert not [link for link in page.all("a") if (link["href"] or "").endswith((".html", ".atom"))]


def test_for_those_who_do_not_see_the_page(pages: dict[str, str], single: str) -> None:
    for name, page in documents(pages | {"single.html": single}).items():
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
        assert (name, levels.count(1)) == (name, 1)
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert page.all("html")[0]["lang"] == "en"
        assert all(svg.get("aria-hidden") == "true" or svg.get("aria-label") for svg in page.all("svg"))
        assert all("scope" in th for th in page.all("th"))
        assert page.all("a")[0]["href"] == "#content"
        assert all(div.get("aria-label") for div in page.all("div") if div.get("tabindex") == "0")


def test_every_chart_has_a_table_with_its_numbers(pages: dict[str, str]) -> None:
    text = pages["area-quantum.html"]
    assert text.count('class="chart wide"') == text.count('class="chart narrow"') == 1
    rows = re.findall(
        r"<th scope=\"row\">(\d+)\u00a0(\w+)\u00a0(\d+)</th><td class=\"number\">(\d+)</td><td class=\"number\">(\d+)</td>", text
    )
    assert len(rows) == 28
    assert rows[0] == ("22", "Nov", "2026", "2", "0")
    assert 'class="poor"' in text


def test_poor_days_are_named(pages: dict[str, str]) -> None:
    assert (
        "19\u00a0Nov\u00a02026"
        in Document(pages["index.html"]).words[[w.strip() for w in Document(pages["index.html"]).words].index("Poorly covered:") + 1]
    )
    assert "Ill" in pages["coverage.html"].split("Wafer")[0]
    assert LAST - timedelta(3) == POOR


def test_policy_areas_make_a_table(pages: dict[str, str], single: str) -> None:
    assert "What is being done" in pages["index.html"]
    assert "What is being done" not in single


def test_what_comes_from_outside_is_harmless() -> None:
    found = render_folder(hostile())
    for name, text in found.items():
        assert SCRIPT not in text, name
        assert not {"\u202e", "\x00", "\x1b", "\ufffe"} & set(text), name
    for page in documents(found).values():
        names = {name for name, _ in page.elements}
        assert not names & {"script", "img"}
        for link in page.all("a"):
            assert urlsplit(link["href"] or "").scheme in {"", "http", "https"}
        assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


@pytest.mark.parametrize(
    ("when", "nothing"),
    [
        ("no area at all", site(areas=())),
        ("no day covered", site(coverage=(), seen=dict.fromkeys(DAYS, 0), poor=frozenset())),
        ("no source", site(sources=())),
        ("one day", site(first=LAST, areas=(area(line=line().__class__(line().counts[-1:], line().smoothed[-1:])),), seen={LAST: 3})),
        (
            "nothing found",
            site(areas=(area(stories=(), sources=(), languages=(), kinds=(), companions=(), new_terms=(), weekdays=(), week_share=None),)),
        ),
        ("no matcher yet", site(matcher=None)),
    ],
)
def test_a_site_with_nothing_to_show_is_shown(when: str, nothing: Site) -> None:
    for page in documents(render_folder(nothing) | {"single.html": render_single(nothing)}).values():
        assert not page.wrong


def test_a_story_of_two_areas_is_among_the_newest_once() -> None:
    shown = site(areas=(area("chips", "Advanced chips", stories=(story(1),)), area(stories=(story(1),))))
    assert render_folder(shown)["index.html"].count("Headline 1") == 2  # headline and summary


def test_only_what_moved_stands_under_this_week() -> None:
    still = line(bursts=False)
    calm = area("calm", "Calm area", line=still, movement=Movement("steady", 5, 5.0, 1.0, 0.7, 1.4))
    odd = area("odd", "Odd area", line=still, movement=Movement("poor coverage", 0, 5.0))
    week = render_folder(site(areas=(calm, odd, area())))["index.html"].split('id="areas"')[0]
    assert "Quantum technology" in week
    assert "Calm area" not in week
    assert "Odd area" not in week


def test_a_source_without_an_address_is_no_link() -> None:
    text = render_folder(site(sources=(source(title="Odd", url="ftp://x.example/"),)))["coverage.html"]
    assert "ftp:" not in text
    assert "Odd" in text


def test_the_time_says_its_zone(pages: dict[str, str]) -> None:
    assert "made <time" in pages["index.html"]
    assert "03:15\u00a0UTC" in pages["index.html"]


def test_days_of_two_years_are_told_apart() -> None:
    assert days([date(2025, 12, 31), date(2026, 1, 1)]) == "31\u00a0Dec\u00a02025 – 1\u00a0Jan\u00a02026"
    assert days([date(2026, 1, 4), date(2026, 1, 1), date(2026, 1, 2)]) == "1–2\u00a0Jan\u00a02026, 4\u00a0Jan\u00a02026"
