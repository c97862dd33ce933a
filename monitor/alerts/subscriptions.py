"""Who is told what: a YAML file that people write → checked, frozen subscriptions. What is wrong is said with file and line.

Addresses of chat channels are secrets: the file only names the environment variable or the file that holds one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from monitor.alerts.schedule import When, parse_when
from monitor.domain import SourceKind
from monitor.errors import ConfigurationError, InputError
from monitor.settings import Zone
from monitor.taxonomy import Problem, Taxonomy, line_of

OPERATOR = "operator"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _address(text: str) -> str:
    try:
        found = validate_email(text, check_deliverability=False, allow_quoted_local=False)
    except EmailNotValidError as error:
        raise ValueError(f"{text!r} is no e-mail address: {error}") from None
    return found.ascii_email or found.normalized


def _reference(text: str) -> str:
    kind, _, name = text.partition(":")
    if kind not in {"env", "file"} or not name or name.startswith("//"):
        raise ValueError("write env:NAME or file:PATH for where the Apprise URL is kept; the URL is a secret and does not belong here")
    return text


def _when(text: str) -> str:
    parse_when(text)
    return text


def _name(text: str) -> str:
    if text.casefold() == OPERATOR:
        raise ValueError(f"{text!r} is taken: it is the operator's own, see the setting `operator`")
    return text


class Channel(_Frozen):
    """One way to a reader: an e-mail address, or where the URL of a channel that Apprise knows is kept."""

    email: Annotated[str, AfterValidator(_address)] | None = None
    apprise: Annotated[str, AfterValidator(_reference)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Channel:
        if (self.email is None) == (self.apprise is None):
            raise ValueError("name one of `email` and `apprise`")
        return self

    @property
    def kind(self) -> str:
        return "email" if self.email else "apprise"

    @property
    def address(self) -> str:
        return self.email or self.apprise or ""


Some = TypeVar("Some")


def _not_empty(found: tuple[Some, ...]) -> tuple[Some, ...]:
    # Not pydantic's own `min_length`, which also complains of items that are there and wrong.
    if not found:
        raise ValueError("name at least one")
    return found


Word = Annotated[str, Field(min_length=1, max_length=100)]


class Words(_Frozen):
    """Words of the headline or the text, whatever their case; `*` at the end stands for further letters."""

    any: tuple[Word, ...] = Field((), description="at least one of these")
    all: tuple[Word, ...] = Field((), description="every one of these")
    none: tuple[Word, ...] = Field((), description="not one of these")


class Subscription(_Frozen):
    """What one reader is told, when and where. The name is who the reader is: one story is told once to a name."""

    name: Annotated[str, Field(pattern=r"^\w[\w .@+-]{0,79}$"), AfterValidator(_name)]
    areas: Literal["all"] | Annotated[tuple[str, ...], AfterValidator(_not_empty)] = "all"
    facets: tuple[Literal["technology", "policy"], ...] = ()
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], ...] = ()
    sources: tuple[str, ...] = Field((), description="titles or addresses of sources")
    source_kinds: tuple[SourceKind, ...] = ()
    words: Words = Words()
    least_probability: Annotated[float, Field(ge=0, le=1)] = 0.5
    when: Annotated[str, AfterValidator(_when)] = "daily at 07:00"
    zone: Zone = "UTC"
    most_items: Annotated[int, Field(ge=1, le=200)] = 25
    reach_back_days: Annotated[int, Field(ge=0, le=14)] = Field(1, description="days that the very first message reaches back")
    nothing_new: bool = Field(False, description="a message also when there is nothing new")
    channels: Annotated[tuple[Channel, ...], AfterValidator(_not_empty)]

    @property
    def schedule(self) -> When:
        return parse_when(self.when)

    def area_ids(self, taxonomy: Taxonomy) -> tuple[str, ...]:
        """The areas meant, in the taxonomy's order: all technologies, unless areas or facets are named."""
        facets = self.facets or (("technology",) if self.areas == "all" else ("technology", "policy"))
        return tuple(a.id for a in taxonomy.areas if (self.areas == "all" or a.id in self.areas) and a.facet in facets)


class _Sheet(_Frozen):
    subscriptions: tuple[Subscription, ...] | None = None


class _Unique(yaml.CSafeLoader):
    """Refuses a key that stands twice in one mapping, of which YAML would keep the last in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} stands there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_subscriptions(file: Path, taxonomy: Taxonomy) -> tuple[Subscription, ...]:
    """Raises ConfigurationError naming file, line and key of the first thing that is wrong."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: cannot be read: {error}") from None
    found, problems = check_subscriptions(text, file, taxonomy)
    if problems:
        more = f" (and {len(problems) - 1} more; `monitor subscriptions check` shows all)" if len(problems) > 1 else ""
        raise ConfigurationError(f"{problems[0]}{more}")
    return found


def check_subscriptions(text: str, file: Path, taxonomy: Taxonomy) -> tuple[tuple[Subscription, ...], tuple[Problem, ...]]:
    """What could be read, and all that is wrong, in the order of lines. `file` is only named."""
    try:
        raw = yaml.load(text, _Unique)
        sheet = _Sheet.model_validate({} if raw is None else raw)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return (), (Problem(file, line, f"is not valid: {error.problem}"),)
    except (yaml.YAMLError, RecursionError) as error:
        return (), (Problem(file, 1, f"cannot be read as YAML: {error}"),)
    except ValidationError as error:
        node = yaml.compose(text, yaml.CSafeLoader)
        return (), tuple(sorted(_explained(error, file, node), key=lambda p: p.line))
    found = sheet.subscriptions or ()
    problems = list(_between(found, file, taxonomy, text))
    return found, tuple(problems)


def _explained(error: ValidationError, file: Path, node: yaml.Node | None) -> Iterator[Problem]:
    for wrong in error.errors(include_url=False, include_input=False):
        path = [part for part in wrong["loc"] if not str(part).startswith(("literal", "tuple", "constrained", "function-"))]
        message = "there is no such key" if wrong["type"] == "extra_forbidden" else wrong["msg"].removeprefix("Value error, ")
        yield Problem(file, line_of(node, path), f"`{'.'.join(map(str, path))}`: {message}")


def _between(found: tuple[Subscription, ...], file: Path, taxonomy: Taxonomy, text: str) -> Iterator[Problem]:
    """What only shows against the taxonomy or another subscription."""
    known = {area.id for area in taxonomy.areas}
    names: set[str] = set()
    node: yaml.Node | None = None
    for place, subscription in enumerate(found):
        wrong = [("areas", f"there is no area {area!r}; there are {', '.join(sorted(known))}") for area in _unknown(subscription, known)]
        if subscription.name.casefold() in names:
            wrong.append(("name", f"there are two subscriptions of the name {subscription.name!r}"))
        if not wrong and not subscription.area_ids(taxonomy):
            wrong.append(("facets", "no area of these facets is among its areas"))
        names.add(subscription.name.casefold())
        for key, message in wrong:
            node = node or yaml.compose(text, yaml.CSafeLoader)
            line = line_of(node, ["subscriptions", place, key])
            yield Problem(file, line, f"`subscriptions.{place}.{key}` of {subscription.name!r}: {message}")


def _unknown(subscription: Subscription, known: set[str]) -> list[str]:
    return [] if subscription.areas == "all" else [area for area in subscription.areas if area not in known]


HEADER = """\
# Who is told what. `monitor subscriptions check` says what is wrong, `monitor subscriptions preview NAME` what would be sent.
subscriptions:
"""

DEMO = (
    HEADER
    + """\
  - name: reader
    areas: all              # or a list: [6g, quantum-technology]; `monitor areas` shows them
    when: at once           # or: daily at 07:00; weekly on monday at 07:00
    zone: UTC               # the time zone of that hour, such as Europe/Berlin
    least_probability: 0.5
    most_items: 15          # the rest is listed by headline
    reach_back_days: 14     # how far the very first message reaches back
    channels:
      - email: reader@example.org
"""
)


def demo_subscription(file: Path) -> None:
    """Writes the demo's subscriptions, one reader of all areas, unless the file is there."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(DEMO, encoding="utf-8")


def add_subscription(file: Path, subscription: Subscription, taxonomy: Taxonomy) -> None:
    """Appends it to the file, which keeps its comments. Raises InputError when it does not fit; the file is then as it was."""
    old = file.read_text(encoding="utf-8") if file.exists() else HEADER
    said = subscription.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    item = yaml.safe_dump([said], sort_keys=False, allow_unicode=True, width=120)
    indent = " " * _indent(old)
    new = old.rstrip("\n") + "\n" + "".join(f"{indent}{line}\n" for line in item.splitlines())
    _, problems = check_subscriptions(new, file, taxonomy)
    if problems:
        raise InputError(str(problems[0]))
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(new, encoding="utf-8")
    if file.exists():
        shutil.copymode(file, partial)
    partial.replace(file)


def _indent(text: str) -> int:
    """Columns before the dashes of the list of subscriptions."""
    try:
        node = yaml.compose(text, yaml.CSafeLoader)
    except yaml.YAMLError:
        return 2  # the check that follows says what is wrong
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    items = next((value for key, value in pairs if key.value == "subscriptions"), None)
    return int(items.start_mark.column) if isinstance(items, yaml.SequenceNode) and items.value else 2
