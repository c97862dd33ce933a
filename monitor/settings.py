"""What a user may set: read once from the environment and a TOML file, frozen, handed down as an argument.

An environment variable `MONITOR_<KEY>` (nested: `MONITOR_FETCH__DELAY`) wins over the file; the file is the one named by
`MONITOR_CONFIG`, else `areawatch.toml` in the current folder, else there is none and the defaults hold.
"""

from __future__ import annotations

import os
import tomllib
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from monitor.errors import ConfigurationError

CONFIG_NAME = "areawatch.toml"
PREFIX = "MONITOR_"
NOT_SETTINGS = frozenset({"MONITOR_CONFIG"})
LISTS = frozenset({"allow_networks", "trusted_proxy"})  # in a variable: apart by commas


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"no time zone of the name {name!r}; use one like Europe/Berlin") from error
    return name


Zone = Annotated[str, AfterValidator(_zone)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FetchSettings(_Frozen):
    """How sources and pages are asked for. Times in seconds, sizes in bytes."""

    contact: str = Field("", description="an e-mail or web address that the user agent names, so that a site can reach you")
    delay: float = Field(1.0, ge=0, description="seconds between two requests to one host")
    concurrency: int = Field(32, ge=1, le=512, description="hosts asked at once")
    connect_timeout: float = Field(10.0, gt=0, description="seconds to connect")
    read_timeout: float = Field(20.0, gt=0, description="seconds without a byte")
    deadline: float = Field(60.0, gt=0, description="seconds for one request as a whole, redirects included")
    max_wire_bytes: int = Field(15_000_000, gt=0, description="bytes of one answer on the wire")
    max_bytes: int = Field(40_000_000, gt=0, description="bytes of one answer after decompression")
    max_redirects: int = Field(6, ge=0, description="redirects followed")
    robots: bool = Field(True, description="ask robots.txt before a page")
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description='private networks that may be asked, such as ["127.0.0.1/32"]; none by default'
    )
    max_attempts: int = Field(5, ge=1, description="tries at one page before it is given up")


class MailSettings(_Frozen):
    """Where messages go. Without `host` they are written as .eml files into `folder`."""

    host: str = Field("", description="SMTP server; empty: messages are written as .eml files")
    port: int = Field(587, gt=0, lt=65536)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: SecretStr = Field(SecretStr(""), description="better set as MONITOR_MAIL__PASSWORD than written here")
    password_file: Path | None = Field(None, description="a file that holds the password, read when it is needed")
    sender: str = Field("areawatch <areawatch@localhost>", description="the From of every message")
    folder: Path = Field(Path("outbox"), description="where .eml files go, relative to `home`")
    timeout: float = Field(30.0, gt=0)
    base_url: str = Field("", description="where the report is published; messages then link to it and can be unsubscribed by one click")


class ServeSettings(_Frozen):
    """Where `monitor serve` listens, and whom it lets in from elsewhere."""

    host: str = Field("127.0.0.1", description="address to listen on; one that others reach needs a password or a trusted proxy")
    port: int = Field(8080, ge=0, lt=65536)
    username: str = Field("analyst", min_length=1, pattern="^[^:]+$", description="asked for beside the password")
    password: SecretStr = Field(SecretStr(""), description="better set as MONITOR_SERVE__PASSWORD than written here")
    password_file: Path | None = Field(None, description="a file that holds the password, read at the start")
    trusted_proxy: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description='addresses of a proxy that lets in only whom it knows, such as ["127.0.0.1/32"]'
    )
    proxy_header: str = Field(
        "X-Forwarded-User",
        pattern="^[A-Za-z0-9-]+$",
        description="the header by which that proxy vouches for a reader; it must drop what readers send",
    )


class RetentionSettings(_Frozen):
    """What is kept how long. Hits, quotes and counts are kept for ever."""

    texts_days: int | None = Field(None, gt=0, description="days that texts are kept; unset: for ever")
    vectors_days: int | None = Field(None, gt=0, description="days that vectors are kept; unset: for ever")


class Settings(_Frozen):
    """Everything that can be set. Paths are relative to `home`."""

    home: Path = Field(Path(), description="the folder for the database, messages, reports and Prefect's own files")
    database_url: SecretStr = Field(
        SecretStr("sqlite:///monitor.db"),
        description="SQLAlchemy URL: sqlite:///monitor.db or postgresql+psycopg://user@host/name",
    )
    taxonomy: Path | None = Field(None, description="a folder of area files; unset: the taxonomy that is shipped")
    subscriptions: Path = Field(Path("subscriptions.yaml"), description="who is told what")
    encoder: str = Field("e5-small", description="e5-small (shipped), or a folder, or the name of a sentence-transformers model on a hub")
    precision: Literal["int8", "full"] = Field("int8", description="int8: quick, on ONNX Runtime; full: sentence-transformers")
    workers: int = Field(2, ge=1, description="processes that extract text")
    runner: str = Field(
        "threads",
        pattern=r"^(threads|processes|dask|(tcp|tls|ws|wss)://.+)$",
        description="where vectors are made under Prefect: threads, processes, dask, or the address of a Dask scheduler",
    )
    window_days: int = Field(120, ge=1, description="days whose counts are kept up to date and shown")
    backfill_minutes: int = Field(
        240, ge=1, description="minutes a night for a new encoder or taxonomy to go through the window, until it is live"
    )
    report: Path = Field(Path("report"), description="folder of the pages")
    cron: str = Field("30 2 * * *", description="when the nightly run starts")
    timezone: Zone = Field("UTC", description="time zone of `cron` and of the operator's reports")
    heartbeat_url: SecretStr = Field(SecretStr(""), description="asked after each good run, for a dead man's switch")
    operator: str = Field("", description="an address that is told of failed runs, broken sources and a standing queue")
    fetch: FetchSettings = FetchSettings()
    mail: MailSettings = MailSettings()
    serve: ServeSettings = ServeSettings()
    retention: RetentionSettings = RetentionSettings()

    def path(self, relative: Path) -> Path:
        """`relative` seen from `home`."""
        return self.home / relative

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.window_days)


def load_settings(environ: dict[str, str] | None = None, file: Path | None = None) -> Settings:
    """The settings of this process.

    Raises ConfigurationError naming the key and the file or variable.
    """
    env = dict(os.environ) if environ is None else environ
    chosen = file or (Path(env["MONITOR_CONFIG"]) if env.get("MONITOR_CONFIG") else None)
    path = chosen or Path(CONFIG_NAME)
    from_file = _read_toml(path) if path.exists() or chosen else {}
    from_env = _from_environment(env)
    if chosen and "home" not in from_file and "home" not in from_env:
        from_file["home"] = str(path.parent)
    try:
        return Settings.model_validate(_merge(from_file, from_env))
    except ValidationError as error:
        raise ConfigurationError(_explain(error, from_env, path)) from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: there is no such file; `monitor init` writes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: is not valid TOML: {error}") from None


def _from_environment(env: dict[str, str]) -> dict[str, Any]:
    known = set(Settings.model_fields)
    found: dict[str, Any] = {}
    for name, value in env.items():
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        keys = name.removeprefix(PREFIX).lower().split("__")
        if keys[0] not in known:
            continue  # other tools use the prefix too
        place = found
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value.split(",") if keys[-1] in LISTS else value
    return found


def _merge(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _explain(error: ValidationError, from_env: dict[str, Any], path: Path) -> str:
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        keys = [str(part) for part in problem["loc"]]
        key = ".".join(keys)
        place: Any = from_env
        for part in keys:
            place = place.get(part) if isinstance(place, dict) else None
        origin = PREFIX + "__".join(keys).upper() if place is not None else str(path)
        hint = "there is no such key" if problem["type"] == "extra_forbidden" else problem["msg"]
        lines.append(f"{origin}: `{key}`: {hint}")
    return "; ".join(lines)
