"""What an address asks for, checked: what is wrong is an InputError that names the field and the cure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from starlette.datastructures import QueryParams

from monitor.errors import InputError
from monitor.store.words import QUERY_CHARACTERS

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MODES = ("words", "meaning")
FIELDS = ("q", "mode", "area", "language", "source", "from", "to", "page")
# Of pages with charts; a search has no bound.
MOST_DAYS = 1_100
MOST_PAGES = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """`given`: the fields as they came, to fill in the form again; empty ones are None or the default."""

    given: dict[str, str] = field(default_factory=lambda: dict.fromkeys(FIELDS, ""))
    q: str = ""
    mode: str = "words"
    area: str | None = None
    language: str | None = None
    source: str | None = None
    first: date | None = None
    last: date | None = None
    page: int = 1


def given_of(params: QueryParams) -> dict[str, str]:
    """The fields of the form, empty where they are not given."""
    return {name: params.get(name, "").strip() for name in FIELDS}


def fillable(given: dict[str, str]) -> dict[str, str]:
    """The same without what a date field of a form does not take."""
    return {name: "" if name in {"from", "to"} and not DAY.fullmatch(value) else value for name, value in given.items()}


def asked_of(params: QueryParams, *, today: date) -> Asked:
    """Raises InputError for a field that is not known or cannot be meant."""
    _only(params, FIELDS)
    given = given_of(params)
    if len(given["q"]) > QUERY_CHARACTERS:
        raise InputError(f"q: {len(given['q']):,} characters; at most {QUERY_CHARACTERS} are searched for")
    mode = given["mode"] or "words"
    if mode not in MODES:
        raise InputError(f"mode={mode}: choose words or meaning")
    if mode == "meaning" and not given["q"]:
        raise InputError("By meaning: write a sentence, or some words, that what you look for is near to.")
    first, last = _days(given["from"], given["to"], today=today)
    page = _page(given["page"])
    return Asked(given, given["q"], mode, given["area"] or None, given["language"] or None, given["source"] or None, first, last, page)


def days_of(params: QueryParams, *, today: date, window: timedelta) -> tuple[date, date] | None:
    """First and last day of a page with charts; None where none is asked for. Raises InputError."""
    _only(params, ("from", "to"))
    first, last = _days(params.get("from", "").strip(), params.get("to", "").strip(), today=today)
    if first is None and last is None:
        return None
    end = last or today
    begin = first or end - window
    if (end - begin).days >= MOST_DAYS:
        raise InputError(f"from={begin} to={end}: {(end - begin).days + 1:,} days; at most {MOST_DAYS:,} are shown at once")
    return begin, end


def _only(params: QueryParams, known: tuple[str, ...]) -> None:
    for name in params:
        if name not in known:
            raise InputError(f"{name[:40]!r} is nothing that can be asked for; there are {', '.join(known)}")
        if len(params.getlist(name)) > 1:
            raise InputError(f"{name}: is given {len(params.getlist(name))} times; once is meant")


def _days(first: str, last: str, *, today: date) -> tuple[date | None, date | None]:
    begin, end = _day("from", first), _day("to", last)
    if begin and begin > today:
        raise InputError(f"from={begin}: lies after today, {today}")
    if begin and end and begin > end:
        raise InputError(f"from={begin} lies after to={end}: nothing can be found between them; exchange them")
    return begin, min(end, today) if end else None


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        if not DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{name}={text[:40]}: is no day; write 2026-11-01") from None


def _page(text: str) -> int:
    if not text:
        return 1
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= MOST_PAGES:
        raise InputError(f"page={text[:40]}: is no page; the first is 1")
    return int(text)
