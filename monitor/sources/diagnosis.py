"""What is wrong with a source, in plain sentences."""

from __future__ import annotations

from typing import assert_never
from urllib.parse import urlsplit

from monitor.domain import Entry, Feed, Fetched, FetchFailed, FetchOutcome, NotModified
from monitor.urls import absolute_url, shown

TEASER = 200  # characters; summaries that end in an ellipsis below it tell nothing of the text
_ELLIPSES = ("…", "...", "[…]", "[...]", "(...)")
_XML_TYPES = ("xml", "json", "rss", "atom", "")


def diagnose(outcome: FetchOutcome, feed: Feed | None) -> tuple[str, ...]:
    """Sentences on the last answer of a source and the feed that was read from it; none where all is well.

    `feed` is None where nothing could be read.
    """
    match outcome:
        case FetchFailed():
            again = "It will be tried again." if outcome.transient else "Trying again will hardly help."
            return (f"It could not be fetched ({outcome.kind}): {outcome.message}. {again}",)
        case NotModified():
            return ()
        case Fetched():
            said = [*_of_the_answer(outcome), *(_of_the_feed(feed) if feed else ["No feed could be read from it."])]
            return tuple(dict.fromkeys(said))
        case _:
            assert_never(outcome)


def _of_the_answer(outcome: Fetched) -> list[str]:
    said = []
    if outcome.moved_to:
        said.append(f"It has moved for good to {shown(outcome.moved_to)}.")
    elif absolute_url(outcome.final_url) != absolute_url(outcome.url):
        said.append(f"It redirects to {shown(outcome.final_url)}.")
    if urlsplit(outcome.url).scheme == "https" and urlsplit(outcome.final_url).scheme == "http":
        said.append("It redirects from https to http, so anyone on the way can change it.")
    if not any(part in outcome.content_type for part in _XML_TYPES if part) and outcome.content_type:
        said.append(f"It is sent as {outcome.content_type[:60]}, which is no type for a feed.")
    if not outcome.validators.etag and not outcome.validators.last_modified:
        said.append("It sends neither ETag nor Last-Modified, so it is transferred whole each time.")
    return said


def _of_the_feed(feed: Feed) -> list[str]:
    said = [f"It {warning}." if not warning[:1].isdigit() else f"{warning}." for warning in feed.warnings]
    if not feed.entries:
        return said
    said += _share(feed.entries, "have no date", [entry for entry in feed.entries if entry.published_at is None])
    said += _share(feed.entries, "have no link", [entry for entry in feed.entries if entry.url is None])
    said += _share(feed.entries, "have no title", [entry for entry in feed.entries if not entry.title])
    said += _share(feed.entries, "have neither summary nor text", [e for e in feed.entries if not e.summary and not e.content])
    cut = [entry for entry in feed.entries if entry.content is None and _is_cut(entry.summary)]
    said += _share(feed.entries, "give only the first words of their text", cut)
    hosts = {urlsplit(entry.url).hostname for entry in feed.entries if entry.url}
    if len(feed.entries) > 5 and len({entry.url for entry in feed.entries if entry.url}) == 1 and len(hosts) == 1:
        said.append("All its entries link to the same page.")
    return said


def _is_cut(summary: str) -> bool:
    return 0 < len(summary) <= TEASER and summary.endswith(_ELLIPSES)


def _share(entries: tuple[Entry, ...], what: str, some: list[Entry]) -> list[str]:
    if not some:
        return []
    return [f"{'All' if len(some) == len(entries) else len(some)} of its {len(entries)} entries {what}."]
