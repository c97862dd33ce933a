"""Labelled paragraphs: JSON Lines of `{"id", "text", "lang", "labels", "unsure", "kind"}`.

A line is labelled for technologies alone unless its `facets` name others too: `["technology", "policy"]`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.errors import InputError

LABELLED_FACETS = frozenset({"technology"})
KINDS = ("plain", "paraphrase", "list", "hard-negative", "negative")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A paragraph with the areas it carries; an area under `unsure` is not counted for it, nor is one of a facet that
    it was not labelled for. `writer`: the file it came from."""

    id: str
    text: str
    language: str
    labels: frozenset[str]
    unsure: frozenset[str]
    kind: str
    writer: str


def load_gold(paths: Iterable[Path], facets: Mapping[str, str]) -> tuple[Labelled, ...]:
    """The paragraphs of all files, in order. `facets`: by area. Raises InputError naming file and line."""
    found: list[Labelled] = []
    paths = tuple(paths)
    if not paths:
        raise InputError("no file of labelled paragraphs (gold/train, gold/head and gold/held-out of the taxonomy folder hold *.jsonl)")
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from None
        found += [_labelled(line, path, number, facets) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise InputError(f"{', '.join(map(str, paths))}: holds no labelled paragraphs")
    return tuple(found)


def _labelled(line: str, path: Path, number: int, facets: Mapping[str, str]) -> Labelled:
    where = f"{path}:{number}"
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where}: is not JSON: {error}") from None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise InputError(f'{where}: has no `text`; a line is {{"id", "text", "lang", "labels", "unsure", "kind"}}')
    labels, unsure, judged = (_keys(row.get(name), f"{where}: `{name}`") for name in ("labels", "unsure", "facets"))
    if unknown := (labels | unsure) - set(facets):
        raise InputError(f"{where}: unknown area {sorted(unknown)[0]!r}; `monitor areas` shows those there are")
    kind = str(row.get("kind") or ("plain" if labels else "negative"))
    unsure |= {area for area, facet in facets.items() if facet not in (judged or LABELLED_FACETS)} - labels
    return Labelled(str(row.get("id", number)), row["text"], str(row.get("lang", "und")), labels, unsure, kind, path.stem)


def _keys(given: Any, where: str) -> frozenset[str]:
    if not isinstance(given or [], list) or not all(isinstance(area, str) for area in given or []):
        raise InputError(f"{where} is no list of ids")
    return frozenset(given or [])


def gold_fingerprint(gold: Iterable[Labelled]) -> str:
    """Changes with any text or label."""
    said = [[p.id, p.text, sorted(p.labels), sorted(p.unsure)] for p in gold]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()[:16]
