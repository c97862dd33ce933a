"""The page of measures: whole, escaped, and with the worst errors first."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest

from monitor.evaluate import metrics, report
from monitor.evaluate.gold import Labelled
from monitor.evaluate.metrics import Judged, judge, measure, published

AREAS = ("chips", "space")
HOSTILE = "<script>alert('6G')</script> & \"quoted\" \x00 \ud800 \u202eevil\u202c"


def answers(texts: list[tuple[str, str, dict[str, float]]]) -> Judged:
    gold = [
        Labelled(str(number), text, "en", frozenset(labels.split()), frozenset(), "plain" if labels else "hard-negative", "writer")
        for number, (text, labels, _) in enumerate(texts)
    ]
    return judge(gold, AREAS, [given for *_, given in texts], {})


def shown(judged: Judged) -> str:
    return report.page(judged, measure(judged), published(judged))


class Tags(HTMLParser):
    """Fails on an element that is never closed."""

    VOID = frozenset({"meta", "line", "rect", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "RESAMPLES", 20)


def test_a_page_stands_alone() -> None:
    page = shown(
        answers([("a right one", "chips", {"chips": 0.9}), ("a miss", "space", {"space": 0.2}), ("a false hit", "", {"chips": 0.7})])
    )
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not re.search(r"""(src|href)=|@import|url\(""", page), "nothing is loaded from elsewhere"
    assert "prefers-color-scheme: dark" in page
    assert tags.seen >= {"circle", "table", "blockquote"}
    assert "All 1, the surest first." in page
    assert "a right one" not in page


def test_texts_are_escaped() -> None:
    page = shown(answers([(HOSTILE, "", {"chips": 0.9})]))
    page.encode("utf-8")
    assert "<script" not in page
    assert html.escape("alert('6G')", quote=True).replace("&#x27;", "&#39;") in page
    assert "\x00" not in page


def test_worst_errors_first() -> None:
    wrong = [(f"false hit {n}", "", {"chips": 0.5 + n / 100}) for n in range(40)]
    missed = [(f"missed {n}", "space", {"space": n / 100}) for n in range(3)]
    judged = answers([*wrong, *missed])
    assert [m.text for m in report.mistakes(judged, of_hits=True)][:2] == ["false hit 39", "false hit 38"]
    assert [(m.area, m.text) for m in report.mistakes(judged, of_hits=False)] == [("space", f"missed {n}") for n in range(3)]
    page = shown(judged)
    assert f"{report.WORST} of 40, the surest first." in page
    assert "false hit 39" in page
    assert "false hit 3<" not in page


def test_unsure_labels_are_no_mistakes() -> None:
    gold = [Labelled("1", "text", "en", frozenset(), frozenset({"chips"}), "plain", "writer")]
    judged = judge(gold, AREAS, [{"chips": 0.9}], {})
    assert report.mistakes(judged, of_hits=True) == report.mistakes(judged, of_hits=False) == []
    assert page_says_none(shown(judged))


def page_says_none(page: str) -> bool:
    return page.count("None.") == 2


def test_long_texts_are_cut() -> None:
    page = shown(answers([("word " * 1_000, "", {"chips": 0.9})]))
    assert len(page) < 20_000
    assert "…" in page
