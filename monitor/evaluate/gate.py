"""Floors that are not to be gone below: `taxonomy/baseline.json`, pinned with the fingerprint of the paragraphs it was measured on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monitor.domain import Paragraph
from monitor.embed import Encoder
from monitor.errors import InputError
from monitor.evaluate.gold import Labelled, gold_fingerprint
from monitor.evaluate.metrics import Judged, of_facet, published
from monitor.match import Matcher

FILE = "baseline.json"
# A floor is pinned so far below what was measured, and at least by this share of the interval: other processors round otherwise in
# int8, and one paragraph moves an area by 0.01.
SLACK = 0.015
SLACK_OF_INTERVAL = 1 / 3


def held_out_files(folder: Path) -> list[Path]:
    """The paragraphs that nothing was fitted on: `gold/held-out` of a taxonomy folder."""
    return sorted((folder / "gold" / "held-out").glob("*.jsonl"))


def answers(matcher: Matcher, encoder: Encoder, gold: Sequence[Labelled]) -> list[dict[str, float]]:
    """The probability of each area for each paragraph; areas under the near-miss limit are left out."""
    paragraphs = [Paragraph(p.id, p.text) for p in gold]
    judged = matcher.judge(paragraphs, encoder.encode([p.text for p in gold]))
    return [{hit.area: hit.probability for hit in (*j.hits, *j.near_misses)} for j in judged]


def table(judged: Judged, facets: Mapping[str, str]) -> dict[str, tuple[float, float, float]]:
    """The rows that are published: the technologies', and F1 of the policy instruments where paragraphs are labelled for them."""
    rows = published(of_facet(judged, facets, "technology"))
    policy = of_facet(judged, facets, "policy")
    if policy.counted.any():
        rows |= {_policy_row(name): row for name, row in published(policy).items() if name.startswith(("F1, policy", "F1, micro"))}
    return rows


def _policy_row(name: str) -> str:
    return name.replace("F1, micro, all", "F1, micro, policy instruments")


def floors(rows: Mapping[str, tuple[float, float, float]]) -> dict[str, float]:
    """What is pinned, by row of the table; of false hits it is the ceiling."""
    pinned = {}
    for name, (value, low, high) in rows.items():
        slack = max(SLACK, SLACK_OF_INTERVAL * (high - low))
        pinned[name] = round(value + slack if name.startswith("false") else value - slack, 4)
    return pinned


def below(pinned: Mapping[str, float], rows: Mapping[str, tuple[float, float, float]]) -> list[str]:
    """A sentence for each row that is worse than its floor."""
    found = []
    for name, floor in pinned.items():
        value = rows[name][0] if name in rows else None
        if value is None:
            found.append(f"{name}: is not measured any more")
        elif value > floor if name.startswith("false") else value < floor:
            found.append(f"{name}: {value:.4f}, pinned at {floor:.4f}")
    return found


def load_baseline(folder: Path, gold: Sequence[Labelled]) -> dict[str, float]:
    """The pinned floors. Raises InputError if there are none or they were measured on other paragraphs."""
    file = folder / FILE
    pinned, fingerprint = _read(file)
    if fingerprint != gold_fingerprint(gold):
        raise InputError(f"{file}: was measured on other paragraphs; look at what changed, then run `monitor gate --pin`")
    return pinned


def _read(file: Path) -> tuple[dict[str, float], str]:
    try:
        row: Any = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): float(value) for name, value in row["floors"].items()}, str(row["gold"])
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file; run `monitor gate --pin`") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file}: cannot be read ({error}); restore it, or remove it and run `monitor gate --pin`") from None


def pin(folder: Path, gold: Sequence[Labelled], rows: Mapping[str, tuple[float, float, float]], *, lower: bool) -> Path:
    """Writes new floors. Raises InputError where one would go down and `lower` is not set."""
    file = folder / FILE
    new = floors(rows)
    old = _read(file)[0] if file.exists() else {}
    worse = [n for n, floor in old.items() if (new.get(n, 9.0) > floor if n.startswith("false") else new.get(n, -1.0) < floor)]
    if worse and not lower:
        more = f" and {len(worse) - 4} more" if len(worse) > 4 else ""
        raise InputError(f"{file}: this would lower {', '.join(worse[:4])}{more}; if that is meant, add --lower")
    file.write_text(json.dumps({"gold": gold_fingerprint(gold), "floors": new}, indent=1) + "\n", encoding="utf-8")
    return file
