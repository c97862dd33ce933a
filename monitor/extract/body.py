"""Where the text of an article stands on its page: several ways of finding it, and which is taken.

trafilatura comes first. What it misses is looked for in the structured data and, where it returns next to nothing, in the element
of the page that holds most of its prose. Then the lines are taken out that are links to other articles or about the page itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lxml.html import HtmlElement
from trafilatura import bare_extraction

from monitor.extract.blocks import LINK, Block, blocks, lines_of, main_blocks, unfold_layout
from monitor.extract.boilerplate import heads_related, is_boilerplate
from monitor.extract.linked import embedded_text
from monitor.extract.page import Page
from monitor.extract.paragraphs import REMEMBERED, SHORT, prose_size, size_of

# The structured data's text is taken where it is so much longer than what was found: other markers of paid text cut it off. Below
# that it is the same text without its headings and lists.
LONGER = 1.5
# It trims what was found where it is about as long: of 111 pages that have one, what lies behind its end was never the article's.
TRIMS = (0.6, 1.1)
# Blocks of the same make as those found are taken too where they hold so much more: pages cut an article in parts to put
# advertisements between, and trafilatura takes one of them. Much more are other articles. On 12 pages of 900, token F1 went from
# 0.69 to 0.87.
SAME_MAKE = (1.3, 5.0)
# Words of prose up to which what trafilatura found is no article yet; and how much more another element of the page must hold to be
# taken instead. With more than that found, the other element was a list of teasers nine times of twelve.
NO_ARTICLE, MISSED = 50, 2.5
# The same up to this where what was found is a part of that other element.
SHORT_ARTICLE = 150
# Words of a line under the heading of related articles from which it is the article's text again.
TEXT_AGAIN = 20

_STOPS = (".", "。", "!", "?", "！", "？", "”", "」", "…")
_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Body:
    """`lines` are blocks of text, list items with a dash before them; `links` those that were left out as links, in words."""

    lines: tuple[str, ...]
    extractor: str
    links: float = 0.0

    @property
    def size(self) -> float:
        """In words."""
        return size_of("\n".join(self.lines))

    @property
    def prose(self) -> float:
        """The words that stand in sentences."""
        return sum(prose_size(line) for line in self.lines)


def body_of(page: Page, title: str) -> tuple[Body, list[Block]]:
    """The text of the page's article, maybe empty, and all blocks of the page. Changes `page.tree`."""
    _drop_other_articles(page.tree, title)
    unfold_layout(page.tree)
    found = blocks(page.tree)
    links = link_texts(found)
    body = kept(_extracted(page.tree, recall=False), "trafilatura", links, title)
    structured = page.linked.text
    ratio = size_of(structured) / max(1.0, body.size)
    if ratio >= LONGER:
        return kept(structured.splitlines(), "json-ld", links, title), found
    if ratio >= TRIMS[0]:
        return (trimmed(body, structured) if ratio <= TRIMS[1] else body), found
    more = kept(_same_make(body, found), "density", links, title)
    if body.prose and SAME_MAKE[0] <= more.prose / body.prose <= SAME_MAKE[1]:
        return more, found
    if body.prose < NO_ARTICLE or (body.prose < SHORT_ARTICLE and _lies_in(body, main_blocks(found))):
        others = (
            kept(_extracted(page.tree, recall=True), "trafilatura", links, title),
            kept(lines_of(main_blocks(found)), "density", links, title),
            kept(embedded_text(page.scripts), "embedded", links, title),
        )
        best = max(others, key=lambda other: other.prose)
        if best.prose > MISSED * body.prose:
            return best, found
    return body, found


def _drop_other_articles(tree: HtmlElement, title: str) -> None:
    """Takes out the articles that a page has loaded behind its own: several side by side, each under a headline of its own."""
    headlines = {
        article: _fold(next(article.iter("h1")).text_content())
        for article in tree.iter("article")
        if next(article.iter("h1"), None) is not None and next(article.iterancestors("article"), None) is None
    }
    if len(headlines) > 1:
        own = next((article for article, headline in headlines.items() if headline == _fold(title)), next(iter(headlines)))
        for article in headlines:
            if article is not own:
                article.drop_tree()


def _extracted(tree: HtmlElement, *, recall: bool) -> list[str]:
    document = bare_extraction(tree, include_comments=False, favor_recall=recall)
    return (getattr(document, "text", None) or "").splitlines()


def _lies_in(body: Body, main: Sequence[Block]) -> bool:
    texts = {_fold(block.text) for block in main}
    return sum(prose_size(line) for line in body.lines if _fold(line) in texts) >= 0.5 * body.prose


def _same_make(body: Body, found: Sequence[Block]) -> list[str]:
    """The lines of all blocks that have the same tags and classes, and the same around them, as those of `body`."""
    texts = {_fold(line) for line in body.lines if prose_size(line)}
    makes = {make for block in found if _fold(block.text) in texts and (make := _make(block))}
    if not makes:
        return []
    return lines_of([block for block in found if not block.aside and block.links < LINK and _make(block) in makes])


def _make(block: Block) -> tuple[str, ...] | None:
    """The tag and class of a block and of what holds it; None where that says nothing."""
    owner = block.owner
    holder = owner.getparent()
    if holder is None or not (owner.get("class") or holder.get("class")):
        return None
    return owner.tag, owner.get("class", ""), holder.tag, holder.get("class", "")


def link_texts(found: Iterable[Block]) -> set[str]:
    """What only links say; the headings that a table of contents links to are no links."""
    texts: dict[bool, set[str]] = {True: set(), False: set()}
    for block in found:
        texts[block.links >= LINK].add(_fold(block.text))
    return texts[True] - texts[False]


def kept(lines: Iterable[str], extractor: str, links: set[str], title: str) -> Body:
    """The lines that are the article's: no links, nothing about the page, nothing twice, no heading of related articles."""
    seen = {_fold(title)}
    chosen: list[str] = []
    linked = 0.0
    related = False
    for line in lines:
        key = _fold(line)
        if not key or key in seen:
            continue
        if key in links and not (line.rstrip().endswith(_STOPS) and size_of(line) >= TEXT_AGAIN):
            linked += size_of(line)
            continue
        if heads_related(line):
            related = True
            continue
        related = related and prose_size(line) < TEXT_AGAIN
        if related or is_boilerplate(line):
            continue
        seen.add(key)
        chosen.append(line)
    return Body(tuple(chosen[: _end(chosen)]), extractor, linked)


def _end(lines: Sequence[str]) -> int:
    """Where the text ends and buttons, names and key words begin: two or more short lines that no line announces."""
    end = len(lines)
    while end and size_of(lines[end - 1]) < SHORT and not lines[end - 1].rstrip().endswith(_STOPS):
        end -= 1
    return end if end and len(lines) - end >= 2 and not lines[end - 1].rstrip().endswith((":", "：")) else len(lines)


def trimmed(body: Body, text: str) -> Body:
    """`body` up to its last line that is in `text`, and without short lines before the first; as it is, where little of it is."""
    whole = _fold(text)
    inside = [at for at, line in enumerate(body.lines) if _fold(line)[:40] in whole]
    within = size_of("\n".join(body.lines[at] for at in inside))
    if not inside or within < 0.5 * body.size:
        return body
    lead = tuple(line for line in body.lines[: inside[0]] if prose_size(line))
    return Body(lead + body.lines[inside[0] : inside[-1] + 1], body.extractor, body.links)


def _fold(text: str) -> str:
    """Letters and digits alone, so that lines are the same whatever stands around and between their words."""
    return _cached_fold(text) if len(text) <= REMEMBERED else _folded(text)


def _folded(text: str) -> str:
    return _NO_WORD.sub("", text).casefold()


_cached_fold = lru_cache(2_000)(_folded)
