"""Text that means to be XML → an lxml tree, repaired where it is ill-formed, in linear time.

What is bounded, and how: no DTD is read and no external entity fetched; entities are only ever short texts (`_entities`), so
nothing can multiply; libxml2 refuses more than 256 levels and texts over 10 MB; each repair is one pass that only moves forward.
A document that stays ill-formed is cut into its entries, and each is read alone, so one bad entry does not spoil its neighbours.
"""

from __future__ import annotations

import html
import re
from html.entities import html5
from itertools import pairwise

from lxml import etree

MAX_ENTITY = 200  # characters an entity may stand for; real feeds declare single characters
MAX_ENTITY_USES = 1_000_000  # characters that declared entities may add up to
MAX_OPENING = 10_000  # characters of the root's start tag, which is put before every entry that is read alone
_SEARCHED, _SEARCHED_IN_HTML = 65_536, 5_000  # characters in which the root must begin

NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "news": "http://www.google.com/schemas/sitemap-news/0.9",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "xhtml": "http://www.w3.org/1999/xhtml",
}

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ROOT = re.compile(r"<(?:[A-Za-z][\w.-]{0,30}:)?(rss|feed|rdf|urlset|sitemapindex|opml|channel|html)(?=[\s>/])", re.I)
_FEED = re.compile(r"<(rss|feed|rdf:RDF|urlset|sitemapindex)(?=[\s>])")
_HTML = re.compile(r"<(?:html|head|body)(?=[\s>])", re.I)
_ENTITY = re.compile(r"""<!ENTITY\s+(%\s+)?([\w.:-]{1,60})\s+(?:"([^"]*)"|'([^']*)'|(?:SYSTEM|PUBLIC)\s[^>]*)\s*>""")
_REFERENCE = re.compile(r"&(?:#(?:[xX]([0-9A-Fa-f]{1,8})|([0-9]{1,8}));|([A-Za-z][\w.-]{0,40});)?")
_BAD_OPENING = re.compile(r"<(?![A-Za-z_:/])|</(?![A-Za-z_:])")
_OPAQUE = re.compile(r"<!\[CDATA\[|<!--")
_PREFIX = re.compile(r"</?([A-Za-z_][\w.-]{0,30}):[A-Za-z_]|\s([A-Za-z_][\w.-]{0,30}):[A-Za-z_][\w.-]{0,60}\s{0,5}=")
_ENTRY = re.compile(r"<((?:[A-Za-z][\w.-]{0,30}:)?(?:item|entry))(?=[\s>/])")
_LEAF = re.compile(
    r"<((?:[A-Za-z]{1,12}:)?(?:title|description|summary|encoded|content|abstract|subtitle|creator|author))(\s[^<>]*)?(?<!/)>"
)
_XML_ENTITIES = frozenset({"lt", "gt", "amp", "quot", "apos"})


class Malformed(ValueError):
    """Not XML that could be read; the message says why."""


def parse_xml(text: str) -> tuple[etree._Element, tuple[str, ...]]:
    """The root of the document and what had to be repaired, in sentences. Raises Malformed."""
    body, entities, warnings = _opened(_ILLEGAL.sub("", text))
    if _HTML.match(body):
        raise Malformed(_html_said(body))
    root = None if entities else _strictly(body)
    if root is not None:
        return root, tuple(warnings)
    repaired = _with_prefixes(_repaired(body, entities))
    root = _strictly(repaired)
    if root is None:
        root = _cut_into_entries(repaired)
        warnings.append("is ill-formed XML")
    elif not entities:
        warnings.append("is ill-formed XML (stray characters, unknown entities or undeclared prefixes)")
    return root, tuple(warnings)


def local_name(element: etree._Element) -> str:
    """The lower-case name without namespace or prefix."""
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()


def _parser(recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        recover=recover, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8"
    )


def _strictly(text: str) -> etree._Element | None:
    """The root of a well-formed document; None where it is not. Raises Malformed where a limit is passed."""
    try:
        return etree.fromstring(text.encode(), _parser(recover=False))
    except etree.XMLSyntaxError as error:
        if error.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT or "huge" in (error.msg or ""):
            raise Malformed("is nested too deep (256 levels) or has a text of over 10 MB") from None
        return None


def _leniently(text: str) -> etree._Element | None:
    return etree.fromstring(text.encode(), _parser(recover=True)) if text else None


def _html_said(body: str) -> str:
    title = re.search(r"<title[^>]{0,200}>([^<]{1,300})", body[:20_000], re.I)
    said = " ".join(html.unescape(title[1]).split())[:60] if title else ""
    return f"is an HTML page, not a feed{f': {said!r}' if said else ''}"


# --- the prolog ---------------------------------------------------------------------------------------------------------


def _opened(text: str) -> tuple[str, dict[str, str], list[str]]:
    """The document from its root element on, the entities it declares, and whether there was something before it."""
    text = text.lstrip("\ufeff \t\r\n\u200b\xa0")
    position, entities = 0, {}
    while position < len(text):
        rest = text[position : position + 9]
        if rest[0].isspace():
            position += 1
        elif rest.startswith("<?"):
            position = _after(text, "?>", position)
        elif rest.startswith("<!--"):
            position = _after(text, "-->", position)
        elif rest.upper() == "<!DOCTYPE":
            end = _doctype_end(text, position)
            entities = _entities(text[position:end])
            position = end
        else:
            break
    found = _ROOT.search(text, position, position + _SEARCHED)
    if found and found[1].lower() == "html":  # a few pages hold a feed in their body
        found = _FEED.search(text, found.start(), found.start() + _SEARCHED_IN_HTML) or found
    if found is None or found.start() == position or found[1].lower() == "html":
        return text[found.start() if found else position :], entities, []
    return text[found.start() :], entities, ["has something before its first element"]


def _after(text: str, mark: str, position: int) -> int:
    end = text.find(mark, position)
    return len(text) if end < 0 else end + len(mark)


def _doctype_end(text: str, position: int) -> int:
    """Where the document type declaration that begins at `position` ends."""
    close, subset = text.find(">", position), text.find("[", position)
    if subset < 0 or (0 <= close < subset):
        return len(text) if close < 0 else close + 1
    end = re.compile(r"\]\s{0,100}>").search(text, subset)
    return len(text) if end is None else end.end()


def _entities(doctype: str) -> dict[str, str]:
    """The short texts that a document type declares. Raises Malformed for entities that are made of others."""
    found: dict[str, str] = {}
    for match in _ENTITY.finditer(doctype):
        value = match[3] if match[3] is not None else match[4]
        if match[1] or value is None:
            continue  # parameters and external entities are never read; a use stays as it is written
        if len(value) > MAX_ENTITY or re.search(r"&(?!#)|%", value):
            raise Malformed("declares entities that stand for others or for long texts (an entity bomb)")
        found[match[2]] = html.unescape(value)
    return found


# --- repairs ------------------------------------------------------------------------------------------------------------


def _repaired(text: str, entities: dict[str, str]) -> str:
    """`text` without comments, and with what XML does not allow outside CDATA sections escaped."""
    pieces: list[str] = []
    position, budget = 0, [MAX_ENTITY_USES]
    while match := _OPAQUE.search(text, position):
        cdata = match[0] != "<!--"
        end = text.find("]]>" if cdata else "-->", match.end())
        if end < 0:
            break
        pieces.append(_escaped(text[position : match.start()], entities, budget))
        position = end + 3
        if cdata:
            pieces.append(text[match.start() : position])
    pieces.append(_escaped(text[position:], entities, budget))
    return "".join(pieces)


def _escaped(text: str, entities: dict[str, str], budget: list[int]) -> str:
    def reference(match: re.Match[str]) -> str:
        if match[1] or match[2]:
            code = int(match[1], 16) if match[1] else int(match[2])
            legal = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
            return f"&#{code};" if legal else ""
        name = match[3]
        if name is None:
            return "&amp;"
        if name in _XML_ENTITIES:
            return match[0]
        if name in entities:
            budget[0] -= len(entities[name])
            if budget[0] < 0:
                raise Malformed("uses its entities so often that they would multiply its size (an entity bomb)")
            return html.escape(entities[name])
        return html.escape(html5[name + ";"]) if name + ";" in html5 else f"&amp;{name};"

    text = _REFERENCE.sub(reference, text) if "&" in text else text
    return _BAD_OPENING.sub(lambda match: "&lt;" + match[0][1:], text).replace("]]>", "]]&gt;")


def _with_prefixes(text: str) -> str:
    """`text` with every namespace prefix that it uses declared by its root."""
    root_end = text.find(">")
    opening = text[:root_end]
    used = {match[1] or match[2] for match in _PREFIX.finditer(text)} - {"xml", "xmlns"}
    missing = [prefix for prefix in sorted(used) if not re.search(rf"xmlns:{re.escape(prefix)}\s*=", opening)][:50]
    if not 0 <= root_end <= MAX_OPENING or not missing:
        return text
    declared = "".join(f' xmlns:{prefix}="{NAMESPACES.get(prefix.lower(), "urn:undeclared:" + prefix)}"' for prefix in missing)
    at = root_end - 1 if opening.endswith("/") else root_end
    return text[:at] + declared + text[at:]


# --- entry by entry ------------------------------------------------------------------------------------------------------


def _cut_into_entries(text: str) -> etree._Element:
    """The tree of a document that is not well-formed: its head as far as it reads, and each entry read by itself.

    An entry that is cut off by the end of the document is left out: half an address would name another page.
    """
    first = _ENTRY.search(text)
    if first is None:
        root = _leniently(text)
        if root is None:
            raise Malformed("is no XML")
        return root
    name = first[1]
    starts = [match.start() for match in _ENTRY.finditer(text) if match[1] == name]
    head = _leniently(text[: starts[0]])
    if head is None:
        raise Malformed("is no XML")
    opening = text[: text.find(">") + 1]
    if len(opening) > MAX_OPENING:
        raise Malformed(f"is ill-formed, and its first tag has more than {MAX_OPENING} characters")
    root_name = re.match(r"<([^\s>/]+)", opening)
    closing = f"</{root_name[1]}>" if root_name else ""
    channel = next((child for child in head.iter() if local_name(child) == "channel"), None)
    parent = head if channel is None or local_name(head) == "rdf" else channel
    for start, end in pairwise([*starts, len(text)]):
        entry = _entry(text[start:end], name, opening, closing)
        if entry is not None:
            parent.append(entry)
    return head


def _entry(segment: str, name: str, opening: str, closing: str) -> etree._Element | None:
    end = segment.find(f"</{name}")
    if end < 0:
        return None
    body = segment[:end] + f"</{name}>"
    for candidate in (body, _with_leaves_escaped(body)):
        root = _strictly(opening + candidate + closing)
        if root is not None:
            return root[0]
    root = _leniently(opening + _with_leaves_escaped(body) + closing)
    return root[0] if root is not None and len(root) else None


def _with_leaves_escaped(segment: str) -> str:
    """`segment` with the markup escaped that stands bare inside titles, descriptions and the like."""
    pieces, position = [], 0
    while match := _LEAF.search(segment, position):
        end = segment.find(f"</{match[1]}", match.end())
        if end < 0:
            break
        inner = segment[match.end() : end]
        if "<" in inner and "<![CDATA[" not in inner and "<name" not in inner:
            inner = inner.replace("<", "&lt;").replace(">", "&gt;")
        pieces += [segment[position : match.end()], inner]
        position = end
    return "".join([*pieces, segment[position:]])
