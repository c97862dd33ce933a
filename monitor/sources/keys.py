"""Keys by which the entries of a source are told apart, poll after poll."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from monitor.domain import Entry

MAX_KEY = 500  # characters; a longer id is stored as its hash


def with_keys(entries: Iterable[Entry]) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """`entries` with a key of its own for each, and what was wrong with their ids, in sentences.

    What comes in as `key` is the feed's id, or "" where it gives none: then the address serves, then what the entry says. Where
    several entries of a document share an id, none keeps it bare: the one that had it at the last poll may not be the first
    now, and a newcomer under a known key would be lost. Each gets the id and a hash of its address, or of all it says where the
    addresses are the same too. Exact copies are left out, with a warning; so are entries that say nothing at all.
    """
    listed = list(entries)
    given = [entry for entry in listed if entry.key or entry.url or entry.title or entry.summary or entry.content]
    bases = [_shortened(entry.key or entry.url or _hash(*_said(entry))) for entry in given]
    uses, addresses = Counter(bases), Counter((base, entry.url) for base, entry in zip(bases, given, strict=True))
    found: dict[str, Entry] = {}
    for base, entry in zip(bases, given, strict=True):
        key = base
        if uses[base] > 1:
            key = f"{base}#{_hash(entry.url or '') if addresses[base, entry.url] == 1 else _hash(*_said(entry))}"
        found.setdefault(key, replace(entry, key=key))
    shared = sum(1 for base, entry in zip(bases, given, strict=True) if uses[base] > 1 and entry.key)
    return tuple(found.values()), _warnings(shared, len(given) - len(found), len(listed) - len(given))


def _warnings(shared: int, copies: int, empty: int) -> tuple[str, ...]:
    said = []
    if shared:
        said.append(f"{shared} entries share their id with another")
    if copies:
        said.append(f"{copies} entries are exact copies of another and were left out")
    if empty:
        said.append(f"{empty} entries say nothing and were left out")
    return tuple(said)


def _said(entry: Entry) -> tuple[str, ...]:
    published = entry.published_at.isoformat() if entry.published_at else ""
    return (entry.url or "", entry.title, published, entry.summary, entry.content or "")


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=10).hexdigest()


def _shortened(key: str) -> str:
    return key if len(key) <= MAX_KEY else f"{key[:100]}…{_hash(key)}"
