"""A digest as it is read: the text held against a stored example, hostile headlines, threads, keys, the week in counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
import wcwidth
from alert_desk import wish

from monitor.alerts.digest import NO_EXTRAS, Digest, Extras, FirstMention, Line, Sender, Week, messages, subject, thread_id
from monitor.alerts.rendering import Templates
from monitor.alerts.sample import check_templates, sample_digest
from monitor.domain import Burst, Mention, Message, Told
from monitor.errors import ConfigurationError

EXAMPLE = Path(__file__).parent / "cases" / "digest.txt"
AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
NAMES = {"6g": "6G mobile communications", "quantum-technology": "Quantum technology", "deep-sea": "Deep-sea technology"}


def told(area: str = "6g", story: int = 1, title: str = "A headline", quote: str = "", words: tuple[str, ...] = (), **keys: object) -> Told:
    mentions = tuple(Mention(w, quote.index(w), quote.index(w) + len(w)) for w in words)
    facts = {
        "area": area, "story": story, "day": date(2026, 11, 22), "title": title, "url": f"https://news.example/{story}",
        "source": "Wafer & Wire", "also_in": (), "quote": quote, "mentions": mentions, "probability": 0.94,
        "exemplar": "Researchers sent data over a terahertz link.", "language": "en",
    }  # fmt: skip
    return Told(**{**facts, **keys})  # type: ignore[arg-type]


def digest(*stories: Told, rest: tuple[Told, ...] = (), extras: Extras = NO_EXTRAS) -> Digest:
    lines = tuple(Line(s, (s.area,)) for s in stories)
    reader = wish(when="daily at 07:00", zone="Europe/Berlin")
    return Digest(reader, AT, AT - timedelta(days=1), lines, tuple(Line(s, (s.area,)) for s in rest), extras, NAMES)


def message(found: Digest, sender: Sender = Sender("example.org")) -> Message:  # noqa: B008
    return messages(found, Templates(), sender, "T0KEN")[0]


def first_mention(term: str = "Brightwater Systems", title: str = "A quieter cold") -> FirstMention:
    return FirstMention("quantum-technology", term, 3, title, "https://news.example/3", "en")


def full() -> Digest:
    extras = Extras(
        bursts=(Burst("quantum-technology", date(2026, 11, 22), 9, 2.1, 4.2),),
        firsts=(first_mention(),),
        notes=("2 of 40 sources could not be read and are missing here: Radio Plateau, Tidewater Review.",),
        week=(Week("6g", 12, 7), Week("quantum-technology", 31, 9)),
    )
    long = (
        "After two years of preparation the operators of the northern harbour have switched on a terahertz link of three hundred "
        "metres, over which cranes, trucks and a control room exchange pictures; the engineers speak of a first step towards 6G."
    )
    zh = "研究人员在港口展示了第六代移动通信的太赫兹链路，速率达到每秒一百千兆比特，并表示这只是走向商用的第一步。"
    found = digest(
        told(
            title="Cranes talk over a terahertz link",
            quote=long,
            words=("terahertz link", "6G"),
            also_in=("Meridian Wire", "Rheintal-Bote"),
        ),
        told(story=2, title="港口启用太赫兹链路", quote=zh, words=("第六代移动通信", "太赫兹链路"), source="经纬科技", language="zh"),
        told("quantum-technology", 3, "A quieter cold", "The qubits kept their state for a second.", probability=0.61),
        rest=(told("deep-sea", 4, "A camera in the trench", source="Ocean & Orbit"),),
        extras=extras,
    )
    first = found.lines[0]
    return replace(found, lines=(Line(first.told, ("6g", "deep-sea")), *found.lines[1:]))


def test_the_text_is_as_the_stored_example() -> None:
    text = message(full(), Sender("example.org", "https://intranet.example.org/areawatch")).text
    assert text == EXAMPLE.read_text(encoding="utf-8")


def test_the_text_reads_well() -> None:
    text = message(full()).text
    assert not [line for line in text.splitlines() if wcwidth.width(line) > 78 and "http" not in line]
    assert not any(debris in text for debris in ("<", "&amp;", "&#", "{{", "None", "()", " ,", "\n\n\n"))


HOSTILE = {
    "headers": "News\r\nBcc: everyone@example.org\r\n\r\n<b>body</b>",
    "html": '<img src=x onerror="alert(1)"></a></p><script>alert(2)</script>&lt;',
    "template": "{{ 7 * 7 }} {% raw %} ${7*7} #{7}",
    "emoji": "👩‍🔬🇯🇵 ✂️ e\u0301" * 20,
    "long": "word " * 2_000,
    "unbroken": "x" * 10_000,
    "marks": "x" + "\u0301" * 9_999,
    "directions": "safe \u202egpj.exe\u202c \u2066x",
    "controls": "a\x00\x07\x1b[2Jb\u2028c",
    "surrogate": "half \ud83d of a pair",
    "empty": "",
    "spaces": "   \n\t ",
}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_text_stays_text(case: str) -> None:
    text = HOSTILE[case]
    stories = told(title=text, quote=text, source=text, also_in=(text,) * 9, exemplar=text), told(story=2)
    found = message(
        digest(*stories, rest=(told(story=3, title=text, source=text),), extras=Extras(firsts=(first_mention(text, text),), notes=(text,)))
    )
    harmless = message(
        digest(
            told(quote="q", also_in=("b",) * 9),
            told(story=2),
            rest=(told(story=3),),
            extras=Extras(firsts=(first_mention("f", "f"),), notes=("n",)),
        )
    )
    assert "\n" not in found.subject
    assert wcwidth.width(found.subject) <= 100
    assert not [line for line in found.text.splitlines() if wcwidth.width(line) > 78 and "http" not in line]
    assert len(found.html) < len(harmless.html) + 50_000
    tags, expected = Tags(), Tags()
    tags.feed(found.html)
    expected.feed(harmless.html)
    # An empty quote has no element; nothing else changes.
    assert [t for t, a in tags.seen if a.get("class") != "quote"] == [t for t, a in expected.seen if a.get("class") != "quote"]
    assert not any(name.startswith("on") for _, attributes in tags.seen for name in attributes)
    found.html.encode()
    found.text.encode()


@pytest.mark.parametrize(
    ("case", "url", "linked"),
    [
        ("a script", "javascript:alert(1)", False),
        ("a document", "data:text/html,<script>1</script>", False),
        ("quotes", 'https://e.org/"onmouseover="x', True),
        ("a line break", "https://e.org/\r\nBcc: x", True),
        ("nothing", "", False),
    ],
)
def test_only_web_addresses_are_links(case: str, url: str, linked: bool) -> None:
    found = message(digest(told(url=url)))
    tags = Tags()
    tags.feed(found.html)
    links = [attributes for tag, attributes in tags.seen if tag == "a"]
    assert bool(links) == linked
    assert all(set(link) == {"href", "style"} for link in links)
    assert ("https://e.org/" in found.text) == linked
    assert not [line for line in found.text.splitlines() if line.startswith("Bcc")]


@pytest.mark.parametrize(
    ("case", "stories", "said"),
    [
        ("nothing", (), "areawatch: nothing new"),
        ("one", (told(),), "6G mobile communications: A headline"),
        ("some", (told(), told("deep-sea", 2), told("deep-sea", 3)), "3 new stories: Deep-sea technology, 6G mobile communications"),
        (
            "more areas than fit",
            tuple(told(f"an-area-of-a-long-name-{n}", n) for n in range(9)),
            "9 new stories: an-area-of-a-long-name-0, an-area-of-a-long-name-1 and 7 more",
        ),
    ],
)
def test_the_subject(case: str, stories: tuple[Told, ...], said: str) -> None:
    assert subject(digest(*stories)) == said


def test_a_thread_is_of_a_reader_a_week_and_areas() -> None:
    base = digest(told())
    same = (digest(told(story=9)), replace(base, at=AT + timedelta(days=6)))
    others = (
        replace(base, at=AT + timedelta(days=7)),
        replace(base, wish=wish("bo", zone="Europe/Berlin")),
        digest(told(), told("deep-sea", 2)),
        replace(base, at=AT - timedelta(hours=8)),  # Sunday in Berlin
    )
    assert {thread_id(found, "example.org") for found in same} == {thread_id(base, "example.org")}
    assert len({thread_id(found, "example.org") for found in (base, *others)}) == 5


def test_a_key_is_of_a_reader_a_moment_and_stories() -> None:
    base = digest(told())
    others = (digest(told(story=2)), replace(base, at=AT + timedelta(seconds=1)), replace(base, wish=wish("bo")))
    assert digest(told(title="Another headline")).key == base.key
    assert len({found.key for found in (base, *others)}) == 4
    assert replace(base, wish=wish("名前", channels=[{"email": "a@example.org"}])).key.startswith("reader-20261123t060000z-")


def test_unsubscribing_needs_a_base_url() -> None:
    without, within = message(full()), message(full(), Sender("example.org", "https://example.org/aw/"))
    assert "List-Unsubscribe" not in dict(without.headers)
    assert "T0KEN" not in without.text + without.html
    assert dict(within.headers)["List-Unsubscribe"] == "<https://example.org/aw/unsubscribe/T0KEN>"
    assert "https://example.org/aw/unsubscribe/T0KEN" in within.text
    assert 'href="https://example.org/aw/unsubscribe/T0KEN"' in within.html


def test_headings_lead_to_the_pages_where_they_are_published() -> None:
    assert 'href="https://example.org/aw/area-6g.html"' in message(full(), Sender("example.org", "https://example.org/aw/")).html
    assert "area-6g.html" not in message(full()).html + message(full(), Sender("example.org", "javascript:x")).html


def test_each_channel_gets_its_own_message() -> None:
    reader = wish(channels=[{"email": "a@example.org"}, {"apprise": "env:X"}, {"email": "b@example.org"}])
    mail, chat, other = messages(replace(full(), wish=reader), Templates(), Sender("example.org"), "T0KEN")
    assert [m.address for m in (mail, chat, other)] == ["a@example.org", "env:X", "b@example.org"]
    assert len({m.key for m in (mail, chat, other)}) == 3
    assert (chat.html, chat.headers) == ("", ())
    assert "Cranes talk over a terahertz link (Wafer & Wire and 2 more) https://news.example/1" in chat.text


@pytest.mark.parametrize(
    ("name", "body", "place"),
    [
        ("digest.html", "<p>{{ digest.nope }}</p>", "digest.html:1: "),
        ("digest.txt", "fine\n{{ 1 / 0 }}", "digest.txt:2: "),
        ("digest.txt", "{{ digest.wish.name | nope }}", "digest.txt:1: "),
        ("brief.txt", "a\nb\n{% for %}", "brief.txt:3: "),
        ("digest.txt", "{% include 'other.txt' %}", "digest.txt:1: "),
    ],
)
def test_an_own_template_with_an_error_is_named(name: str, body: str, place: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(body)
    with pytest.raises(ConfigurationError, match=r"\S") as caught:
        check_templates(Templates(tmp_path))
    assert str(caught.value).startswith(f"{tmp_path}/{place}")


def test_an_own_template_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "digest.txt").write_text("{{ subject }}!\n")
    found = messages(sample_digest(), Templates(tmp_path), Sender("example.org"), "T0KEN")[0]
    assert found.text == "3 new stories: 6G mobile communications, Deep-sea technology!\n"
    assert "<html" in found.html
