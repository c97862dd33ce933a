"""`monitor match` and `evaluate`: the matcher by itself, without a database."""

from __future__ import annotations

import hashlib
import json as jsonlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from monitor import app as composition
from monitor.cli import show
from monitor.domain import Hit, Paragraph
from monitor.errors import InputError
from monitor.evaluate import gate, report
from monitor.evaluate.gold import load_gold
from monitor.evaluate.metrics import judge, measure, of_facet
from monitor.match import Judgement
from monitor.settings import load_settings

AT_ONCE = 512


def match(
    file: Annotated[Path, typer.Argument(help="a text, paragraphs apart by blank lines; - for standard input")] = Path("-"),
    jsonl: Annotated[bool, typer.Option("--jsonl", help='lines of {"id", "text"} instead')] = False,
    json: Annotated[bool, typer.Option("--json", help="one JSON line a paragraph")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="show what spoke against, and the areas that nearly fired")] = False,
) -> None:
    """Which areas each paragraph mentions, and why; policy instruments stand apart under `policies`. Needs no database."""
    matcher, encoder = composition.open_matcher(load_settings())
    for batch in _batches(_paragraphs(file, jsonl=jsonl)):
        paragraphs = [Paragraph(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16], text) for _, text in batch]
        judged = matcher.judge(paragraphs, encoder.encode([p.text for p in paragraphs]))
        for (key, text), judgement in zip(batch, judged, strict=True):
            if json:
                show.as_json_line(_row(key, text, judgement, matcher.facets, explain=explain))
            else:
                _print(text, judgement, explain=explain)


def _paragraphs(file: Path, *, jsonl: bool) -> Iterator[tuple[str, str]]:
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
    if jsonl:
        yield from _from_lines(text, file)
        return
    blocks = [block.strip() for block in text.replace("\r\n", "\n").split("\n\n")]
    if len([b for b in blocks if b]) <= 1:  # an article with a paragraph a line
        blocks = [line.strip() for line in text.splitlines()]
    yield from ((str(number), block) for number, block in enumerate((b for b in blocks if b), 1))


def _from_lines(text: str, file: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row: Any = jsonlib.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise InputError(f'{file}:{number}: is not a line of {{"id", "text"}}')
        yield str(row.get("id", number)), row["text"]


def _batches(paragraphs: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    batch: list[tuple[str, str]] = []
    for paragraph in paragraphs:
        batch.append(paragraph)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _row(key: str, text: str, judgement: Judgement, facets: Mapping[str, str], *, explain: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"id": key, "text": text, "hits": [], "policies": []}
    for hit in judgement.hits:
        row["policies" if facets[hit.area] == "policy" else "hits"].append(_hit(hit, explain=explain))
    if explain:
        row["near_misses"] = [_hit(h, explain=True) for h in judgement.near_misses]
    return row


def _hit(hit: Hit, *, explain: bool) -> dict[str, Any]:
    found = hit.evidence
    return {
        "area": hit.area,
        "probability": hit.probability,
        "similarity": found.similarity,
        "mentions": [{"alias": m.alias, "start": m.start, "end": m.end, "weak": m.weak} for m in found.mentions],
        "exemplar": found.exemplar,
        **({"against": list(found.against)} if explain else {}),
    }


def _print(text: str, judgement: Judgement, *, explain: bool) -> None:
    mentions = [m for hit in judgement.hits for m in hit.evidence.mentions]
    show.console.print(show.marked(text, mentions), soft_wrap=True)
    for hit in judgement.hits:
        _print_hit(text, hit, "bold green", explain=explain)
    for hit in judgement.near_misses if explain else ():
        _print_hit(text, hit, "dim", explain=True)
    show.console.print()


def _print_hit(text: str, hit: Hit, style: str, *, explain: bool) -> None:
    found = hit.evidence
    quoted = dict.fromkeys(f"“{text[m.start : m.end]}”{' (weak)' if m.weak else ''}" for m in found.mentions)
    line = Text(f"  {hit.probability:4.2f} ").append(hit.area, style)
    show.console.print(line.append(show.printable(f"  {', '.join(quoted)}")), soft_wrap=True)
    notes = [f"near {found.similarity:4.2f}: {found.exemplar}"]
    notes += [f"against: {phrase}" for phrase in found.against] if explain else []
    for note in notes:
        show.console.print(Text(f"       {show.printable(note)}", "dim"), soft_wrap=True)


def evaluate(
    gold: Annotated[list[Path], typer.Argument(help="JSON Lines of labelled paragraphs")],
    json: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="write a report with the worst errors")] = None,
    intervals: Annotated[bool, typer.Option("--intervals", help="the README's table, with 95 % confidence intervals")] = False,
) -> None:
    """Precision, recall and F1 on labelled paragraphs."""
    matcher, encoder = composition.open_matcher(load_settings())
    paragraphs = load_gold(gold, matcher.facets)
    everything = judge(
        paragraphs,
        matcher.areas,
        gate.answers(matcher, encoder, paragraphs),
        dict.fromkeys(matcher.areas, matcher.calibration.threshold),
    )
    judged, policy = (of_facet(everything, matcher.facets, facet) for facet in ("technology", "policy"))
    measured = measure(judged)
    instruments = measure(policy)["areas"] if policy.counted.any() else {}
    if html:
        _write(html, report.page(judged, measured, gate.table(everything, matcher.facets)))
    if json:
        show.as_json({**measured, "policy": instruments, **({"published": gate.table(everything, matcher.facets)} if intervals else {})})
        return
    if intervals:
        rows = [
            (name, f"{value:.3f}", f"{low:.3f}-{high:.3f}") for name, (value, low, high) in gate.table(everything, matcher.facets).items()
        ]
        show.table(f"{len(paragraphs)} paragraphs", ("", "value", "95 %"), rows, numbers=("value", "95 %"))
        return
    _print_measures(measured, instruments)


def _write(file: Path, page: str) -> None:
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}") from None


def _print_measures(measured: dict[str, Any], instruments: dict[str, Any]) -> None:
    groups = {
        "all": {"all": measured["micro"]},
        **{name: measured[name] for name in ("areas", "languages", "kinds")},
        "policy": instruments,
    }
    rows = [
        (name, s["paragraphs"], s["positives"], *(f"{s[m]:.3f}" for m in ("precision", "recall", "f1")))
        for scores in groups.values()
        for name, s in scores.items()
    ]
    columns = ("", "paragraphs", "positives", "precision", "recall", "F1")
    show.table(f"{measured['paragraphs']} paragraphs", columns, rows, numbers=columns[1:])
    show.say(f"macro F1 {measured['macro']['f1']:.3f}; calibration error {measured['calibration_error']:.3f}")
    for kind, false in measured["false_hits"].items():
        show.say(f"false hits in {false['share']:.1%} of {false['paragraphs']} {kind} paragraphs")


def register(app: typer.Typer) -> None:
    app.command("match")(match)
    app.command("evaluate")(evaluate)
