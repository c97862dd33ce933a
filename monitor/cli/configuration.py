"""The commented configuration that `monitor init` writes, made from the settings' own descriptions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from monitor.settings import Settings

HEAD = """\
# areawatch: every key with its default, commented out. An environment variable MONITOR_<KEY> wins over this file
# (MONITOR_DATABASE_URL, MONITOR_FETCH__DELAY, MONITOR_MAIL__PASSWORD …). Paths are relative to this file's folder.
"""


def commented() -> str:
    """TOML that sets nothing and shows everything."""
    return HEAD + "\n".join(_section(Settings, "")) + "\n"


def _section(model: type[BaseModel], prefix: str) -> Iterator[str]:
    tables = []
    for name, field in model.model_fields.items():
        if name == "home":
            continue
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            tables.append((name, type(default)))
            continue
        yield ""
        if field.description:
            yield f"# {field.description}"
        yield f"# {name} = {_toml(default)}"
    for name, table in tables:
        yield from ("", f"[{prefix}{name}]")
        yield from _section(table, f"{prefix}{name}.")


def _toml(value: Any) -> str:
    if value is None:
        return '""  # unset'
    if isinstance(value, SecretStr):
        return json.dumps(value.get_secret_value())
    if isinstance(value, (list, tuple)):
        return json.dumps([str(v) for v in value])
    return json.dumps(str(value) if isinstance(value, Path) else value)
