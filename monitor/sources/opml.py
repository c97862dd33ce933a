"""OPML in and out: how lists of sources travel between programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml import etree

from monitor.domain import Source, SourceKind
from monitor.errors import FeedError
from monitor.sources.decoding import TooLarge, decoded, unpacked
from monitor.sources.xmltree import local_name
from monitor.urls import absolute_url, shown

_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,300}\?>")
_KINDS = {kind.value: kind for kind in SourceKind}


def read_opml(body: bytes, *, name: str) -> tuple[Source, ...]:
    """The sources in `body`, each address once, in their order. `name` is the file's name, for messages.

    The kind is the outline's `category`, else the innermost folder that is called like a kind («agency», «Ministries»). Raises
    FeedError, with the file and the line, for XML that is broken and addresses that cannot be asked.
    """
    sources: dict[str, Source] = {}
    for outline, folders in _outlines(_root(body, name)):
        attributes = {str(key).lower(): str(value).strip() for key, value in outline.attrib.items()}
        address = attributes.get("xmlurl") or (attributes.get("url") if attributes.get("type", "").lower() in ("rss", "atom") else None)
        if not address:
            continue
        asked = _askable(address)
        if asked is None:
            raise FeedError(f"{name}:{outline.sourceline}: {shown(address)!r} is no http or https address of a feed")
        kind = next((kind for text in (*_categories(attributes), *reversed(folders)) if (kind := _kind(text))), SourceKind.OTHER)
        title = " ".join((attributes.get("title") or attributes.get("text") or "").split())
        language = attributes.get("language", "").lower()
        known = language if re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}", language) else None
        sources.setdefault(asked, Source(asked, title=title, kind=kind, language=known))
    return tuple(sources.values())


def write_opml(sources: Iterable[Source]) -> bytes:
    """An OPML 2.0 document of `sources`, in a folder for each kind, that `read_opml` reads back unchanged but for the order."""
    opml = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(opml, "head"), "title").text = "Sources"
    body = etree.SubElement(opml, "body")
    folders: dict[SourceKind, etree._Element] = {}
    for source in sorted(sources, key=lambda source: (source.kind, source.title.lower(), source.url)):
        if source.kind not in folders:
            folders[source.kind] = etree.SubElement(body, "outline", text=source.kind.value)
        title = _legal(source.title or shown(source.url))
        outline = etree.SubElement(folders[source.kind], "outline", type="rss", text=title, title=title, xmlUrl=source.url)
        outline.set("category", source.kind.value)
        if source.language:
            outline.set("language", source.language)
    return bytes(etree.tostring(opml, encoding="utf-8", xml_declaration=True, pretty_print=True))


def _root(body: bytes, name: str) -> etree._Element:
    try:
        text, _ = decoded(unpacked(body))
    except TooLarge as error:
        raise FeedError(f"{name}: {error}") from None
    declared = _DECLARATION.match(text)
    if declared:  # it may name another encoding; its line ends stay, so that lines are counted right
        text = "\n" * declared[0].count("\n") + text[declared.end() :]
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise FeedError(f"{name}:{error.lineno or 1}: is not well-formed XML: {error.msg}") from None
    if local_name(root) != "opml":
        raise FeedError(f"{name}:{root.sourceline}: is no OPML: its first element is <{local_name(root)[:40]}>")
    return root


def _outlines(root: etree._Element) -> Iterator[tuple[etree._Element, tuple[str, ...]]]:
    """Every outline with the names of the folders it lies in, outermost first."""
    waiting: list[tuple[etree._Element, tuple[str, ...]]] = [(child, ()) for child in reversed(root)]
    while waiting:
        element, folders = waiting.pop()
        if local_name(element) == "outline":
            yield element, folders
            folders = (*folders, element.get("text") or element.get("title") or "")
        waiting += [(child, folders) for child in reversed(element)]


def _askable(address: str) -> str | None:
    """`address` itself where it may be asked, credentials included; `feed:` ones as http."""
    if re.match(r"feed:(//)?https?:", address, re.I):
        address = re.sub(r"^feed:(//)?", "", address, flags=re.I)
    elif address[:7].lower() == "feed://":
        address = "http://" + address[7:]
    return address if absolute_url(address) else None


def _categories(attributes: dict[str, str]) -> list[str]:
    return [part for text in attributes.get("category", "").split(",") for part in reversed(text.split("/"))]


def _kind(text: str) -> SourceKind | None:
    """The kind that `text` names, in the singular or plural."""
    word = re.sub(r"[\s_]+", "-", text.strip().lower())
    singular = (word, word.removesuffix("s"), re.sub(r"ies$", "y", word))
    return next((_KINDS[form] for form in singular if form in _KINDS), None)


def _legal(text: str) -> str:
    return re.sub("[\x00-\x1f\ud800-\udfff\ufffe\uffff]", " ", text).strip()
