"""The taxonomy: YAML files an analyst owns → checked, frozen, fingerprinted.

`areas/*.yaml` hold one area each, `lists/*.yaml` the official lists that areas link to. What is wrong is said with file and line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monitor.errors import TaxonomyError
from monitor.folding import fold

# The parts of an area file that hold words to look for.
WORDS = ("aliases", "entities", "weak", "negatives")
LANGUAGES = ("en", "zh", "de", "fr", "es", "ja", "ko", "ru", "pt", "it")
Language = Literal["en", "zh", "de", "fr", "es", "ja", "ko", "ru", "pt", "it"]
Phrase = Annotated[str, Field(min_length=1, max_length=200)]
Sentence = Annotated[str, Field(min_length=2, max_length=2000)]
Facet = Literal["technology", "policy"]
ID = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Key = Annotated[str, Field(pattern=ID, max_length=64)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Model = TypeVar("Model", "Area", "OfficialList")


class Scope(_Frozen):
    """What counts as a mention and what does not, in short English phrases."""

    included: tuple[Sentence, ...] = Field(alias="in")
    excluded: tuple[Sentence, ...] = Field((), alias="out")


class Link(_Frozen):
    """An item of an official list: `direct` the same thing, `partial` a part of one in the other, `enabling` one serves the other."""

    list: Key
    item: Key
    strength: Literal["direct", "partial", "enabling"]


class Area(_Frozen):
    """A technology area or policy instrument: its names, its words, its model sentences and its look-alikes."""

    id: Key
    facet: Facet = "technology"
    names: dict[Language, Phrase] = Field(description="its name in each language; English is required")
    definition: Sentence
    scope: Scope
    aliases: dict[Language, tuple[Phrase, ...]] = Field({}, description="where one stands, the area is spoken of")
    entities: tuple[Phrase, ...] = Field((), description="firms, laboratories, products and programmes that exist for this area alone")
    weak: dict[Language, tuple[Phrase, ...]] = Field({}, description="may mean the area; count only with support from the meaning")
    negatives: dict[Language, tuple[Phrase, ...]] = Field({}, description="look-alike phrases: an alias inside one is no mention")
    exemplars: dict[Language, tuple[Sentence, ...]] = Field(description="model sentences")
    look_alikes: dict[Language, tuple[Sentence, ...]] = Field({}, description="sentences that are near and out of scope")
    links: tuple[Link, ...] = Field((), description="items of official lists")

    def name(self, language: str = "en") -> str:
        return self.names.get(language, self.names["en"])  # type: ignore[call-overload, no-any-return]

    def strong(self) -> Iterator[str]:
        for phrases in self.aliases.values():
            yield from phrases
        yield from self.entities


class Item(_Frozen):
    id: Key
    name: Phrase
    verified: Literal["quoted", "secondary", "memory"] | None = None


class OfficialList(_Frozen):
    """An official technology list in one version. `verified`: how its items were read."""

    id: Key
    title: Sentence
    publisher: Sentence
    jurisdiction: Phrase
    version: str
    valid_from: date | str
    source: Sentence
    verified: Literal["quoted", "secondary", "memory"]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """All areas in the order of their ids, and the lists. `fingerprint` changes with anything that could change a hit."""

    areas: tuple[Area, ...]
    lists: tuple[OfficialList, ...]
    fingerprint: str
    folder: Path

    def area(self, key: str) -> Area:
        """Raises TaxonomyError for an unknown id, naming those there are."""
        for area in self.areas:
            if area.id == key:
                return area
        raise TaxonomyError(f"there is no area {key!r}; `monitor areas` shows them: {', '.join(a.id for a in self.areas)}")

    @property
    def facets(self) -> dict[str, Facet]:
        """The facet of each area, by id, in the order of the areas."""
        return {area.id: area.facet for area in self.areas}

    @property
    def policies(self) -> tuple[str, ...]:
        """The ids of the policy instruments."""
        return tuple(area.id for area in self.areas if area.facet == "policy")

    def body(self) -> dict[str, Any]:
        """As stored beside the hits made with it."""
        return {"areas": [area.model_dump(mode="json", by_alias=True) for area in self.areas]}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a taxonomy file. Lines count from 1."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def shipped_folder() -> Path:
    """`taxonomy/` of a checkout, or its copy in an installed wheel."""
    packaged = Path(__file__).parent / "_data" / "taxonomy"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "taxonomy"


def load_taxonomy(folder: Path | None = None) -> Taxonomy:
    """Raises TaxonomyError naming file and line of the first thing that is wrong."""
    place = folder or shipped_folder()
    taxonomy, problems = check_taxonomy(place)
    if problems:
        more = f" (and {len(problems) - 1} more; `monitor areas check` shows all)" if len(problems) > 1 else ""
        raise TaxonomyError(f"{problems[0]}{more}")
    return taxonomy


def check_taxonomy(folder: Path) -> tuple[Taxonomy, tuple[Problem, ...]]:
    """What could be loaded, and all that is wrong. Raises TaxonomyError if there are no area files at all."""
    files = sorted((folder / "areas").glob("*.yaml"))
    if not files:
        raise TaxonomyError(f"{folder / 'areas'}: holds no area files (*.yaml); set `taxonomy` to a folder with `areas/`")
    problems: list[Problem] = []
    areas = [area for file in files if (area := _load(file, Area, problems))]
    lists = [official for file in sorted((folder / "lists").glob("*.yaml")) if (official := _load(file, OfficialList, problems))]
    taxonomy = _assemble(areas, lists, folder)
    problems += _across(taxonomy, {file.stem: file for file in files})
    return taxonomy, tuple(sorted(problems, key=lambda p: (str(p.file), p.line)))


def _assemble(areas: list[Area], lists: list[OfficialList], folder: Path) -> Taxonomy:
    ordered = tuple(sorted(areas, key=lambda area: area.id))
    decisive = [area.model_dump(mode="json", exclude={"names", "definition", "scope", "links"}) for area in ordered]
    fingerprint = hashlib.sha256(json.dumps(decisive, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]
    return Taxonomy(ordered, tuple(lists), fingerprint, folder)


def _load(file: Path, model: type[Model], problems: list[Problem]) -> Model | None:
    try:
        node, content = _parse(file)
        repeated = list(_repeated_keys(node))
        found = model.model_validate(content)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problems.append(Problem(file, line, f"is not valid YAML: {error.problem}"))
        return None
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        if not isinstance(error, ValidationError):
            problems.append(Problem(file, 1, f"cannot be read: {error}"))
            return None
        for wrong in error.errors(include_url=False, include_input=False):
            path = [part for part in wrong["loc"] if part != "[key]"]
            where = f"`{'.'.join(map(str, path))}`: " if path else ""
            problems.append(Problem(file, line_of(node, path), f"{where}{wrong['msg']}"))
        return None
    problems += [Problem(file, line, f"`{key}` stands there twice, and only the last would count") for key, line in repeated]
    if found.id != file.stem:
        problems.append(Problem(file, line_of(node, ["id"]), f"the id is not the file's name, {file.stem!r}"))
    return found


def _parse(file: Path) -> tuple[yaml.Node | None, Any]:
    loader = yaml.CSafeLoader(file.read_text(encoding="utf-8"))
    try:
        node = loader.get_single_node()
        return node, loader.construct_document(node) if node else None
    finally:
        loader.dispose()


def _repeated_keys(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Keys that YAML takes twice in one mapping without a word, with their lines."""
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _repeated_keys(child)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            if isinstance(key.value, str):
                if key.value in seen:
                    yield key.value, key.start_mark.line + 1
                seen.add(key.value)
            yield from _repeated_keys(child)


def line_of(node: yaml.Node | None, path: list[Any]) -> int:
    """The line, from 1, of the deepest part of `path` that is there."""
    if node is None:
        return 1
    line = node.start_mark.line + 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                return int(line)
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return int(line)


def _across(taxonomy: Taxonomy, files: Mapping[str, Path]) -> Iterator[Problem]:
    """What only shows between parts and files: an alias in two areas, one that is also a negative or has no letter, an unknown item."""
    owner: dict[str, str] = {}
    items = {official.id: {item.id for item in official.items} for official in taxonomy.lists}
    for area in taxonomy.areas:
        file = files.get(area.id)
        if file is None:
            continue
        negatives = {_alike(n) for phrases in area.negatives.values() for n in phrases}
        for alias in area.strong():
            key = _alike(alias)
            if key in negatives:
                yield Problem(file, _line_with(file, ("aliases", "entities"), alias), f"{alias!r} is an alias and a negative")
            if (first := owner.setdefault(key, area.id)) != area.id:
                yield Problem(file, _line_with(file, ("aliases", "entities"), alias), f"{alias!r} is an alias of {first} too")
        for phrase in (*area.strong(), *(p for group in (area.weak, area.negatives) for phrases in group.values() for p in phrases)):
            if not any(character.isalnum() for character in phrase):
                yield Problem(file, _line_with(file, WORDS, phrase), f"{phrase!r} holds no letter and would be found nowhere")
        for link in area.links:
            if link.item not in items.get(link.list, ()):
                what = "item" if link.list in items else "list"
                yield Problem(
                    file, _line_with(file, ("links",), link.item), f"there is no {what} {link.list}/{link.item} in taxonomy/lists"
                )
        if "en" not in area.names:
            yield Problem(file, line_of(_parse(file)[0], ["names"]), "`names`: the English name is missing")


def _alike(alias: str) -> str:
    """What two spellings of one alias have in common."""
    folded = fold(alias.removeprefix("="))
    return folded.cased if alias.startswith("=") or folded.cased.upper() == folded.cased else folded.lower


def _line_with(file: Path, sections: Sequence[str], phrase: str) -> int:
    """The line of the first scalar `phrase` under one of the sections."""

    def lines(node: yaml.Node) -> Iterator[int]:
        if isinstance(node, yaml.ScalarNode) and node.value == phrase:
            yield node.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode):
            for child in node.value:
                yield from lines(child)
        elif isinstance(node, yaml.MappingNode):
            for _, child in node.value:
                yield from lines(child)

    root = _parse(file)[0]
    chosen = [value for key, value in root.value if key.value in sections] if isinstance(root, yaml.MappingNode) else []
    return next((line for node in chosen for line in lines(node)), 1)


TEMPLATE = """\
# yaml-language-server: $schema=../area.schema.json
id: {id}
facet: technology
names:
  en: {name}
definition: >-
  Two or three plain sentences: what this area is.
scope:
  in:
    - what counts as a mention
  out:
    - what looks like it and does not count
# Where one of these stands, the area is spoken of. A space also finds hyphens and dashes; `word*` any further letters.
aliases:
  en:
    - {name}
# Firms, laboratories, products and programmes that exist for this area alone.
entities: []
# May mean the area; count only with support from the meaning.
weak: {{}}
# Look-alike phrases: an alias inside one is no mention.
negatives: {{}}
# Model sentences, as news has them; half of them without any alias.
exemplars:
  en:
    - Researchers showed a first working system of {name}.
# Sentences that share words or subject and are out of scope.
look_alikes: {{}}
links: []
"""


def template(key: str) -> str:
    """A commented area file to fill in."""
    return TEMPLATE.format(id=key, name=key.replace("-", " "))


def area_schema() -> dict[str, Any]:
    """The JSON Schema of an area file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Area.model_json_schema(by_alias=True)}
