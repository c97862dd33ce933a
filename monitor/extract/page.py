"""A parsed page and what it says about its article: title, times, authors, language, address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

import courlan
from lxml.etree import strip_elements
from lxml.html import HtmlElement, HTMLParser, document_fromstring
from trafilatura import load_html

from monitor.extract.linked import Linked, building_scripts, linked
from monitor.urls import canonical_url

MAX_META = 400  # meta elements that are looked at
_PUBLISHED = (
    "article:published_time", "og:article:published_time", "datepublished", "date.published", "parsely-pub-date", "sailthru.date",
    "publishdate", "publish_date", "publish-date", "pubdate", "publication_date", "published_time", "og:published_time",
    "dc.date.issued", "dcterms.created", "dc.date.created", "dc.date", "dcterms.date", "dcterms.issued", "citation_publication_date",
    "article.published", "cxenseparse:recs:publishtime", "cxenseparse:publishtime", "rnews:datepublished", "weibo: article:create_at",
    "iptc.created", "date", "pubtime", "firstpublishedtime", "pdate", "apub:time",
)  # fmt: skip
_AUTHOR = ("author", "article:author", "dc.creator", "parsely-author", "sailthru.author", "byl", "dcterms.creator", "citation_author")
_SEPARATED = re.compile(r"\s+[|–—\-·•»:]\s+|[_＿|｜]|\s*--\s*|-(?=[\u3400-\u9fff])")
# Pictures written out in their tag, or attributes without end, over which parsers take quadratic time.
_HUGE_TAG = re.compile(r"<[A-Za-z][^<>]{20000,}>?")
_UNSEEN = ("script", "style", "svg", "iframe", "template", "canvas")
_PAGE_NUMBER = re.compile(r"(page|p|seite|amp|all|full|print|[0-9]{1,3}|index(_\d+)?(\.s?html?)?)(/.*)?", re.I)


@dataclass(frozen=True, slots=True)
class Page:
    """`tree` is lxml's, without scripts; `meta` holds lower-case names of meta elements with the first content of each."""

    tree: HtmlElement
    url: str
    meta: dict[str, str]
    linked: Linked
    scripts: tuple[str, ...]  # those that hold paragraphs

    @property
    def language(self) -> str:
        """What the page says its language is, as it says it."""
        root = self.tree if self.tree.tag == "html" else self.tree.getroottree().getroot()
        said = root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or root.get("xml:lang")
        return said or self.linked.language or self.meta.get("og:locale", "") or self.meta.get("content-language", "")

    @property
    def headings(self) -> tuple[str, ...]:
        """The title element, the first h1 elements and og:title."""
        elements = [*islice(self.tree.iter("title"), 1), *islice(self.tree.iter("h1"), 3)]
        texts = [" ".join(element.text_content().split()) for element in elements]
        return tuple(text for text in (*texts, self.meta.get("og:title", "")) if text)

    @property
    def kind(self) -> str:
        """The page's og:type, lower-case."""
        return self.meta.get("og:type", "").lower()


def parsed(text: str, url: str) -> Page | None:
    """The page, or None where `text` is no HTML at all. Never raises."""
    text = _HUGE_TAG.sub("", text)
    tree = load_html(text)
    if tree is None and "<" in text:
        try:
            tree = document_fromstring(text.encode("utf-8", "replace"), parser=HTMLParser(encoding="utf-8", remove_comments=True))
        except (ValueError, AssertionError, SyntaxError):
            return None
    if tree is None:
        return None
    page = Page(tree, url, _meta(tree), linked(tree), building_scripts(tree))
    strip_elements(tree, *_UNSEEN, with_tail=False)  # a third of the tree, which is copied and walked many times
    return page


def _meta(tree: HtmlElement) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, element in enumerate(tree.iter("meta")):
        if number == MAX_META:
            break
        name = element.get("property") or element.get("name") or element.get("itemprop") or element.get("http-equiv")
        content = " ".join((element.get("content") or "").split())
        if name and content:
            found.setdefault(name.strip().lower(), content)
    return found


def title_of(page: Page, entry_title: str) -> str:
    """The headline: of the structured data, og:title without the site's name, the feed's, the title element's longest part."""
    headline = page.linked.headline or page.meta.get("headline", "")
    site = page.meta.get("og:site_name", "")
    if headline and not headline.startswith("…") and not headline.endswith(("...", "…")):
        return without_site(headline, site) if site else headline
    shown = page.meta.get("og:title") or page.meta.get("twitter:title", "")
    title = next(iter(page.headings), "")
    for heading in page.headings[1:]:
        if len(heading) > 5 and (heading in shown or heading in title):
            return heading
    if shown:
        return without_site(shown, site)
    if entry_title:
        return entry_title
    return max(_SEPARATED.split(title), key=len).strip() if title else headline


def without_site(title: str, site: str) -> str:
    """`title` without the site's name behind it: named by the page, or a short last part after a bar."""
    parts = _SEPARATED.split(title)
    ends = [match.start() for match in _SEPARATED.finditer(title)]
    if len(parts) > 1 and ends:
        last = parts[-1].strip()
        named = bool(site) and (last.casefold() in site.casefold() or site.casefold() in last.casefold())
        if named and ends[-1] > 5:
            return title[: ends[-1]].strip()
    return title.strip()


def published_of(page: Page) -> Iterator[str]:
    """What the page says about when it was published, best first."""
    if page.linked.published:
        yield page.linked.published
    for name in _PUBLISHED:
        if name in page.meta:
            yield page.meta[name]
    for number, element in enumerate(page.tree.iter("time")):
        if number == 3:
            break
        said = element.get("datetime")
        if said and not any(ancestor.tag in ("aside", "nav", "footer", "li") for ancestor in element.iterancestors()):
            yield said


def author_of(page: Page) -> str | None:
    """Who wrote it, several names with commas between; None where the page does not say."""
    if page.linked.authors:
        return ", ".join(page.linked.authors[:8])
    for name in _AUTHOR:
        said = page.meta.get(name, "")
        if said and len(said) <= 120 and "://" not in said and not said.startswith("@"):
            return said
    return None


def address_of(page: Page) -> str | None:
    """The canonical address of the page: what it names itself, where that can be believed; else where it was found.

    Believed: an address of the same registrable domain that is neither the home page nor a section above the page.
    """
    found = canonical_url(page.url)
    for said in (_canonical_link(page.tree), page.meta.get("og:url")):
        named = canonical_url(said, page.url) if said else None
        if named and found and _same_site(named, found) and _deep_enough(named, found):
            return named
    return found


def _canonical_link(tree: HtmlElement) -> str | None:
    for element in tree.iter("link"):
        if "canonical" in (element.get("rel") or "").lower().split() and element.get("href"):
            href: str = element.get("href")
            return href
    return None


def _same_site(one: str, other: str) -> bool:
    hosts = [urlsplit(url).hostname or "" for url in (one, other)]
    if hosts[0] == hosts[1]:
        return True
    domains = [courlan.extract_domain(url) for url in (one, other)]
    return domains[0] is not None and domains[0] == domains[1]


def _deep_enough(named: str, found: str) -> bool:
    """Not the home page, and no section that the page lies in; «/story» for «/story/2» and «/story/amp» is well."""
    here, there = urlsplit(named), urlsplit(found)
    path, whole = here.path.rstrip("/"), there.path.rstrip("/")
    if not path and not here.query:
        return not whole and not there.query
    if whole.startswith(path + "/"):
        return _PAGE_NUMBER.fullmatch(whole[len(path) + 1 :]) is not None
    return not (there.query and not here.query and path == whole and re.search(r"(^|&)(id|p|aid|sid|nid|article\w*|news\w*)=", there.query))
