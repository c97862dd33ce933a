"""Markup of titles and summaries → plain text."""

from __future__ import annotations

import html
import re

from lxml import etree
from lxml.html import defs

# Above this many characters the attributes are taken away first: libxml2's HTML parser compares each attribute of a tag with all
# others, and 100,000 of them took it 17 s (16,000 characters hold at most 4,000, which take 30 ms).
MAX_WITH_ATTRIBUTES = 16_000

MAX_SUMMARY = 5_000  # characters of a summary where the whole is kept beside it

_BLOCKS = frozenset(defs.block_tags) | {
    "br",
    "li",
    "td",
    "th",
    "tr",
    "dt",
    "dd",
    "article",
    "section",
    "figure",
    "figcaption",
    "body",
}
_TAGS = frozenset(defs.tags) | _BLOCKS | {"!", "main", "header", "footer", "nav", "aside", "time", "picture", "video", "audio", "mark"}
_SILENT = frozenset({"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "head"})
_MARKUP = re.compile(r"</?([A-Za-z][A-Za-z0-9]{0,15})(?=[\s>/])|&(?:#\w{1,8}|\w{2,32});|!--")
_BARE_TAG = re.compile(r"<(/?[A-Za-z][\w:-]{0,20})[^<>]{0,4000}>")
_SPACES = re.compile("[ \t\xa0\u3000\ufeff\x00-\x08\x0e-\x1f\x7f-\x9f]+")


def plain_text(markup: str) -> str:
    """The words of `markup`: tags gone, character references read, one line a block, blank lines and outer spaces dropped.

    Text that only looks a little like markup (`a < b`, `Vec<T>`) stays as it is. Never raises; time grows with the length alone.
    """
    kinds = {(match[1] or match[0][:1]).lower() for match in _MARKUP.finditer(markup)}
    if kinds & _TAGS:
        return _tidied(_without_tags(markup))
    return _tidied(html.unescape(markup) if "&" in kinds else markup)


def one_line(markup: str) -> str:
    """`plain_text` on one line: for titles and names."""
    return " ".join(plain_text(markup).split())


def shortened(text: str) -> str:
    """`text` up to `MAX_SUMMARY` characters, cut between words."""
    return text if len(text) <= MAX_SUMMARY else text[:MAX_SUMMARY].rsplit(None, 1)[0] + " …"


def _without_tags(markup: str) -> str:
    if len(markup) > MAX_WITH_ATTRIBUTES:
        bare = _BARE_TAG.sub("\x00\\1\x01", markup)  # what is left of `<` afterwards opens no tag
        markup = bare.replace("<", "&lt;").replace("\x00", "<").replace("\x01", ">")
    try:
        root = etree.fromstring(markup, etree.HTMLParser(remove_comments=True, remove_pis=True, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        root = None
    text = "".join(_pieces(root)) if root is not None else ""
    if not text.strip():  # nested deeper than libxml2 goes, or nothing but tags
        text = html.unescape(_BARE_TAG.sub(" ", markup))
    return text


def _pieces(root: etree._Element) -> list[str]:
    pieces: list[str] = []
    silent: etree._Element | None = None
    for event, element in etree.iterwalk(root, events=("start", "end")):
        name = element.tag
        if event == "start":
            if silent is None and name in _SILENT:
                silent = element
            if silent is None:
                if name in _BLOCKS:
                    pieces.append("\n")
                pieces.append(element.text or "")
            continue
        if silent is element:
            silent = None
        if silent is None:
            if name in _BLOCKS:
                pieces.append("\n")
            pieces.append(element.tail or "")
    return pieces


def _tidied(text: str) -> str:
    lines = (_SPACES.sub(" ", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)
