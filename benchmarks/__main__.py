"""`python -m benchmarks [NAME …]`: runs the benchmarks, one after another, each printing what it found.

`--table` prints one Markdown table instead, of those that compare with a naive way.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module

from benchmarks.table import markdown

# In the order of how long they take; each is a module with a docstring that says what it compares.
COMPARED = ("match_speed", "embed", "stores", "rematch", "sources", "night")
NAMES = (*COMPARED, "story_threshold", "queries", "burst_choice")


def main(names: list[str]) -> int:
    """The worst exit status of the benchmarks run."""
    table = "--table" in names
    names = [name for name in names if name != "--table"] or list(COMPARED if table else NAMES)
    unknown = [name for name in names if name not in (COMPARED if table else NAMES)]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}; choose from {', '.join(COMPARED if table else NAMES)}", file=sys.stderr)
        return 2
    return _table(names) if table else _each(names)


def _each(names: list[str]) -> int:
    worst = 0
    for name in names:
        print(f"\n{name}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode)
    return worst


def _table(names: list[str]) -> int:
    rows = []
    for name in names:
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", "--json"], check=False, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            return done.returncode
        rows += import_module(f"benchmarks.{name}").rows(json.loads(done.stdout))
    print(markdown(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
