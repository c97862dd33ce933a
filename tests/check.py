"""`python -m tests.check`: format, lint, strict types, the import contract, the documentation and the gate; all are run, then it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
CHECKS = {
    "format": [BIN / "ruff", "format", "--check", "--quiet", "."],
    "lint": [BIN / "ruff", "check", "--quiet", "."],
    "types": [BIN / "mypy"],
    "imports": [BIN / "lint-imports", "--no-cache"],
    "documentation": [sys.executable, "-m", "pytest", "-q", "--no-header", "--durations=0", "tests/test_docs.py"],
    "taxonomy": [BIN / "monitor", "areas", "check"],
    "gate": [BIN / "monitor", "gate"],
}


def main() -> int:
    failed = [name for name, command in CHECKS.items() if not passes(name, [str(part) for part in command])]
    print(f"make check: {'failed: ' + ', '.join(failed) if failed else 'all passed'}")
    return 1 if failed else 0


def passes(name: str, command: list[str]) -> bool:
    """Runs one check; shows what it printed only where it failed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(f"{name}: {'ok' if done.returncode == 0 else 'failed'}", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    raise SystemExit(main())
