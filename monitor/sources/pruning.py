"""A feed's tree → one that holds only what is read, so that feedparser is quick and safe on it.

Inline XHTML becomes escaped text; media, categories, enclosures and foreign namespaces go; dates, names and links are cut to sane
lengths, as some of feedparser's patterns are quadratic in them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from lxml import etree

from monitor.sources.xmltree import NAMESPACES, Malformed, local_name

MAX_ENTRIES = 50_000  # a sitemap's own limit; five times the largest feed seen
MAX_ELEMENTS = 600_000  # that are left for feedparser, at some 40 µs each

_FEED_NAMESPACES = frozenset(
    {
        "", "http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/", "http://channel.netscape.com/rdf/simple/0.9/",
        "http://purl.org/atom/ns#", "http://www.w3.org/2005/Atom", "http://backend.userland.com/rss2",
    }
)  # fmt: skip
_DC, _TERMS, _CONTENT, _XHTML = (NAMESPACES[prefix] for prefix in ("dc", "dcterms", "content", "xhtml"))
_TEXTS = frozenset({"title", "summary", "description", "abstract", "content", "encoded", "body", "fullitem", "tagline", "subtitle"})
_DATES = frozenset({"pubdate", "published", "issued", "updated", "modified", "created", "date"})
_CORE = _TEXTS | _DATES | {"link", "guid", "id", "author"}
_EXTENSIONS = {
    _DC: frozenset({"title", "date", "creator", "author", "description"}),
    _TERMS: frozenset({"issued", "modified", "created"}),
    _CONTENT: frozenset({"encoded"}),
    _XHTML: frozenset({"body"}),
    NAMESPACES["feedburner"].lower(): frozenset({"origlink"}),
}
_TELLING = frozenset({"description", "summary", "content", "encoded", "body", "abstract", "fullitem"})
_HEAD = frozenset({"title", "link", "language", "ttl", "updateperiod", "updatefrequency"})
_MEDIA, _ITUNES = NAMESPACES["media"].rstrip("/"), NAMESPACES["itunes"]
_SPARE = {
    (_MEDIA, "title"): "title",
    (_MEDIA, "description"): "description",
    (_ITUNES, "title"): "title",
    (_ITUNES, "summary"): "description",
    (_ITUNES, "subtitle"): "description",
}
_KEPT_ATTRIBUTES = frozenset({"href", "rel", "type", "mode", "ispermalink", "url", "src", "version"})
_NAMESPACE_DECLARATION = re.compile(r'\sxmlns(?::\w{1,40})?="[^"]*"')


def prune(root: etree._Element) -> None:
    """Takes from `root` all that is not read. Raises Malformed where more is left than may be."""
    items = [element for element in root.iter() if local_name(element) in ("item", "entry")]
    containers = {root} | {parent for item in items[:1] for parent in item.iterancestors()}
    containers |= {element for element in root.iter() if local_name(element) == "channel"}
    known = set(items)
    containers -= known
    if len(items) > MAX_ENTRIES:
        raise Malformed(f"has {len(items)} entries; up to {MAX_ENTRIES} are read")
    for container in containers:
        for child in list(container):
            if child not in known and child not in containers:
                _simplify(child) if _is_head(child) else _remove(child)
    kept = 0
    for item in items:
        _prune_item(item, known)
        kept += len(item)
    if kept > MAX_ELEMENTS:
        raise Malformed(f"has {kept} elements in its entries; up to {MAX_ELEMENTS} are read")


def _is_head(element: etree._Element) -> bool:
    return local_name(element) in _HEAD and (_namespace(element) in _FEED_NAMESPACES | {_DC, NAMESPACES["sy"], NAMESPACES["atom"]})


def _prune_item(item: etree._Element, items: set[etree._Element]) -> None:
    own = _namespace(item)
    told: set[str] = set()
    spare: dict[str, str] = {}
    for child in list(item):
        if child in items:
            continue
        name, namespace = local_name(child), _namespace(child)
        core = name in _CORE and (namespace in _FEED_NAMESPACES or namespace == own)
        if core or name in _EXTENSIONS.get(namespace.lower(), ()):
            if namespace not in _FEED_NAMESPACES and namespace == own:
                child.tag = name
            _simplify(child)
            told.add("description" if name in _TELLING else name)
        else:
            for what, text in _spare(child):
                spare.setdefault(what, text)
            _remove(child)
    for what, text in spare.items():
        if what not in told:
            etree.SubElement(item, what).text = text


def _spare(child: etree._Element) -> Iterator[tuple[str, str]]:
    """A podcast's or video's own title and text, for an entry that has no other."""
    inside = local_name(child) in ("group", "content") and len(child)
    for candidate in child.iterdescendants() if inside else (child,):
        what = _SPARE.get((_namespace(candidate).lower().rstrip("/"), local_name(candidate)))
        if what and candidate.text and candidate.text.strip():
            yield what, candidate.text


def _simplify(element: etree._Element) -> None:
    """Makes `element` one without children: markup becomes text, a person a name; what is no text is cut to a sane length."""
    name = local_name(element)
    for attribute in element.attrib:
        if attribute.lower() not in _KEPT_ATTRIBUTES and not attribute.startswith("{http://www.w3.org/XML"):
            del element.attrib[attribute]
    if name in _TEXTS:
        _escape_markup(element)
    elif name in ("author", "creator"):
        _name_only(element)
    else:
        text = "".join(element.itertext())
        limit = 100 if name in _DATES or name in ("language", "ttl") else 9_000
        _keep_text(element, text.strip()[:limit])


def _escape_markup(element: etree._Element) -> None:
    declared = (element.get("type") or "").lower()
    if not len(element):
        if "xhtml" in declared:
            element.set("type", "html")
        _keep_text(element, html.escape(element.text or "") if "xhtml" in declared else element.text or "")
        return
    text = element.text or ""
    inner = "".join(_serialised(child) for child in element)
    _keep_text(element, (html.escape(text, quote=False) if "xhtml" in declared else text) + inner)
    element.set("type", "html")
    element.attrib.pop("mode", None)


def _serialised(element: etree._Element) -> str:
    for inner in element.iter():
        if isinstance(inner.tag, str):
            inner.tag = local_name(inner)
    return _NAMESPACE_DECLARATION.sub("", etree.tostring(element, encoding="unicode", method="html"))


def _name_only(element: etree._Element) -> None:
    name = next((child.text for child in element if local_name(child) == "name" and child.text), None)
    text = " ".join((name or "".join(element.itertext())).split())[:200]
    atom = _namespace(element) in (NAMESPACES["atom"], "http://purl.org/atom/ns#")
    _keep_text(element, "" if atom else text)
    if atom:
        etree.SubElement(element, element.tag.replace("author", "name")).text = text


def _keep_text(element: etree._Element, text: str) -> None:
    for child in list(element):
        element.remove(child)
    # as CDATA: expat hands escaped markup over in hundreds of pieces, and feedparser takes each through a dozen calls
    element.text = etree.CDATA(text) if "<" in text and "]]>" not in text else text


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _namespace(element: etree._Element) -> str:
    tag = str(element.tag)
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""
