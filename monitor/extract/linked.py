"""The structured data of a page (JSON-LD): headline, times, authors, text, and whether the text is free to read."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml.html import HtmlElement

MAX_SCRIPT = 2_000_000  # characters; the largest real one had 400,000
MAX_NODES = 3_000  # objects that are looked at on a page
MAX_DEPTH = 12

_ARTICLE = re.compile(r"(Article|BlogPosting|Report|LiveBlogPosting|Review|SocialMediaPosting|DiscussionForumPosting|PressRelease)$")
_VIDEO = re.compile(r"(VideoObject|AudioObject|PodcastEpisode|ImageGallery|VideoGallery)$")
_INDEX = re.compile(r"(CollectionPage|ItemList|SearchResultsPage)$")
_WEB_PAGE = re.compile(r"(WebPage|ItemPage)$")
_WRAPPING = re.compile(r"^\s*(//)?\s*(<!--|<!\[CDATA\[)+|((//)?\s*(-->|\]\]>))+\s*;?\s*$")
_COMMA = re.compile(r",(\s*[}\]])")
_MARKUP = re.compile(r"</?(p|div|br|a|span|strong|em|b|i|h[1-6]|ul|li|img|figure|script)\b[^<>]*>", re.I)
_BREAK = re.compile(r"(?i)<(/p|/div|/li|/h[1-6]|br\s*/?)>")
_SCRIPT = re.compile(r"(?is)<(script|style)\b.*?</\1\s*>")
_TAG = re.compile(r"<[^<>]{1,2000}>")

_HOLDS_PARAGRAPHS = re.compile(r"(?:u003[cC]|x3[cC]|<)[pP][\s>\\]")
_PARAGRAPH_START = re.compile(r"<p(?=[\s>])", re.I)
_CODED = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrt\"'/]))")
_SIGNS = {"n": "\n", "r": " ", "t": " "}

Node = dict[str, object]


@dataclass(frozen=True, slots=True)
class Linked:
    """What a page's JSON-LD says; empty strings, None and () where it says nothing."""

    headline: str = ""
    text: str = ""  # the article's body, plain, with line breaks where it had any
    published: str = ""
    modified: str = ""
    authors: tuple[str, ...] = ()
    language: str = ""
    free: bool | None = None
    article: bool = False
    video: bool = False
    index: bool = False


def linked(tree: HtmlElement) -> Linked:
    """What the JSON-LD of the page says of its main article. Never raises; bounded in nodes and depth."""
    nodes = list(_nodes(tree))
    articles = [node for node in nodes if _is(node, _ARTICLE)]
    main = max(articles, key=_wealth, default=None)
    if main is None:
        main = next((node for node in nodes if _is(node, _WEB_PAGE) and _text(node.get("datePublished"))), {})
        main = {key: value for key, value in main.items() if key.startswith("date")}
    by_id = {_text(node["@id"]): node for node in nodes if "@id" in node}
    return Linked(
        headline=_plain(_text(main.get("headline")) or _text(main.get("name"))),
        text=_plain(_text(main.get("articleBody")) or _text(main.get("text"))),
        published=_text(main.get("datePublished")),
        modified=_text(main.get("dateModified")),
        authors=tuple(dict.fromkeys(_authors(main.get("author"), by_id))),
        language=_text(main.get("inLanguage")),
        free=_free(main),
        article=bool(articles),
        video=any(_is(node, _VIDEO) for node in nodes),
        index=any(_is(node, _INDEX) for node in nodes),
    )


def building_scripts(tree: HtmlElement) -> tuple[str, ...]:
    """The scripts of a page whose strings hold paragraphs, from which a browser would build its text."""
    return tuple(
        script.text
        for script in tree.iter("script")
        if script.text
        and len(script.text) <= MAX_SCRIPT
        and "ld+json" not in (script.get("type") or "")
        and _HOLDS_PARAGRAPHS.search(script.text)
    )


def embedded_text(scripts: Iterable[str]) -> list[str]:
    """The paragraphs in the strings of scripts."""
    found: dict[str, None] = {}
    for script in scripts:
        for ended in _unescaped(script).split("</p>")[:-1]:
            paragraph = _PARAGRAPH_START.split(ended)[-1].partition(">")[2]
            plain = " ".join(html.unescape(_TAG.sub("", paragraph)).split())
            if len(plain) > 20:
                found.setdefault(plain)
    return list(found)


def _unescaped(text: str) -> str:
    """What the strings of a script hold, which may be strings of strings."""

    def one(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else _SIGNS.get(match[3], match[3])

    return _CODED.sub(one, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _nodes(tree: HtmlElement) -> Iterator[Node]:
    seen = 0
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower() or not script.text or len(script.text) > MAX_SCRIPT:
            continue
        queue = [(_parsed(script.text), 0)]
        while queue and seen < MAX_NODES:
            value, depth = queue.pop(0)
            if isinstance(value, dict):
                seen += 1
                yield value
                value = [inner for inner in value.values() if isinstance(inner, dict | list)]
            if isinstance(value, list) and depth < MAX_DEPTH:
                queue += [(inner, depth + 1) for inner in value[:MAX_NODES]]


def _parsed(text: str) -> object:
    """The value of a script; None where it is no JSON even after the mistakes that templates make are mended."""
    text = _WRAPPING.sub("", text).strip().rstrip(";")
    for attempt in (text, _COMMA.sub(r"\1", text), html.unescape(text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _is(node: Node, kinds: re.Pattern[str]) -> bool:
    types = node.get("@type")
    return any(isinstance(kind, str) and kinds.search(kind) for kind in (types if isinstance(types, list) else [types]))


def _wealth(node: Node) -> tuple[bool, bool, int]:
    """Pages also mark up teasers of other articles: the page's own article has a text, an author, and most properties."""
    return bool(node.get("articleBody")), bool(node.get("mainEntityOfPage") or node.get("author")), len(node)


def _text(value: object) -> str:
    if isinstance(value, list):
        value = next((inner for inner in value if isinstance(inner, str) and inner.strip()), "")
    if isinstance(value, dict):
        value = value.get("@value") or value.get("name") or ""
    return value.strip() if isinstance(value, str) else ""


def _plain(text: str) -> str:
    """`text` without mark-up, which some sites put in escaped; its block ends are line breaks."""
    if "&" in text:
        text = html.unescape(text)
    if _MARKUP.search(text):
        text = html.unescape(_TAG.sub("", _BREAK.sub("\n", _SCRIPT.sub(" ", text))))
    return text.strip()


def _authors(value: object, by_id: dict[str, Node]) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict) and not one.get("name"):
            one = by_id.get(_text(one.get("@id")), one)
        name = _text(one)
        if name and len(name) <= 120 and not name.startswith(("http://", "https://")):
            yield html.unescape(name)


def _free(node: Node) -> bool | None:
    value = node.get("isAccessibleForFree")
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().lower().rsplit("/", 1)[-1])
    return value if isinstance(value, bool) else None
