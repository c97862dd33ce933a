"""`python -m benchmarks [NAME …]`: runs the benchmarks, one after another, each printing its own table."""

from __future__ import annotations

import subprocess
import sys

# In the order of how long they take; each is a module with a docstring that says what it compares.
NAMES = ("match_speed", "embed", "rematch", "sources", "night", "story_threshold", "queries", "burst_choice")


def main(names: list[str]) -> int:
    """The worst exit status of the benchmarks run."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}; choose from {', '.join(NAMES)}", file=sys.stderr)
        return 2
    worst = 0
    for name in names or NAMES:
        print(f"\n{name}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode)
    return worst


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
