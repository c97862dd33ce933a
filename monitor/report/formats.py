"""Numbers, days and small drawings as the pages write them: the filters of the templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from markupsafe import Markup

from monitor.report.model import Line, Story
from monitor.report.safe import clean, language_tag, pieces, web_address

LANGUAGES = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "hi": "Hindi", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ru": "Russian", "tr": "Turkish", "uk": "Ukrainian",
    "und": "unknown", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(value: date) -> str:
    return f"{value.day}\u00a0{MONTHS[value.month - 1]}\u00a0{value.year}"


def moment(value: datetime) -> str:
    at = value.astimezone(UTC)
    return f"{day(at.date())}, {at:%H:%M}\u00a0UTC"


def days(values: Iterable[date]) -> str:
    """`6–7 Nov 2026, 12 Nov 2026`: neighbours joined."""
    runs: list[list[date]] = []
    for value in sorted(values):
        if runs and value - runs[-1][-1] == timedelta(1):
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(_run(run[0], run[-1]) for run in runs)


def _run(first: date, last: date) -> str:
    if first == last:
        return day(first)
    return f"{first.day}–{day(last)}" if (first.month, first.year) == (last.month, last.year) else f"{day(first)} – {day(last)}"


def number(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


def few(value: float) -> str:
    """A mean: with a decimal where it is small."""
    return f"{value:.1f}" if value < 100 else number(round(value))


def share(value: float) -> str:
    """A part of one in per cent, two digits that say something."""
    per_cent = 100 * value
    digits = 0 if per_cent >= 10 or per_cent == 0 else 1 if per_cent >= 1 else 2
    return f"{per_cent:.{digits}f}\u202f%"


def times(value: float) -> str:
    return f"{value:.0f}×" if value >= 10 else f"{value:.1f}×" if value >= 0.95 else f"{value:.2f}×"


def probability(value: float) -> str:
    """Two digits, and never certain."""
    return "over\u00a00.99" if value > 0.99 else f"{value:.2f}"


def plural(count: int, one: str, many: str = "") -> str:
    return one if count == 1 else many or one + "s"


def spaced(value: str) -> str:
    """`trade-press` as words."""
    return value.replace("-", " ") if value.islower() else value


def language(code: str) -> str:
    return LANGUAGES.get(code, code)


def query(asked: Mapping[str, str], page: int = 1) -> str:
    """The part of an address that asks this again, for a page of it."""
    given = {name: value for name, value in asked.items() if value and name != "page"}
    return f"?{urlencode(given | ({'page': str(page)} if page > 1 else {}))}"


def words(story: Story) -> tuple[tuple[str, bool], ...]:
    """The words of the quote that speak for the area, each once, and whether they count only with support."""
    found: dict[str, bool] = {}
    for m in story.mentions:
        text = story.quote[m.start : m.end]
        if text:
            found[text] = found.get(text, True) and m.weak
    return tuple(found.items())


def entry_html(story: Story) -> str:
    """The quote of a story as HTML, for feed readers."""
    return str(
        Markup('<blockquote lang="{}">{}</blockquote><p>{}; probability {}. Nearest model sentence: {}</p>').format(
            language_tag(story.language), clean(story.quote), clean(story.source), probability(story.probability), clean(story.exemplar)
        )
    )


def part_bar(part: float, width: int = 90) -> Markup:
    """A bar, filled so far; the number stands beside it, so nothing is read out."""
    filled = round(max(0.0, min(1.0, part)) * width, 1)
    shape = '<svg class="share-bar" width="{0}" height="8" aria-hidden="true"><rect class="all" width="{0}" height="8" rx="1"/>'
    return Markup(shape + '<rect class="part" width="{1}" height="8" rx="1"/></svg>').format(width, filled)


HEIGHT = 34


def sparkline(line: Line, poor: frozenset[date], width: int = 180) -> Markup:
    """The smoothed share as a line with its bursts; poorly covered days in the background. A screen reader hears it in a sentence."""
    total = max(1, len(line.counts) - 1)
    top = max([s[0] for s in line.smoothed if s] + [0.0]) or 1.0
    step = width / total

    def place(position: int, value: float) -> tuple[float, float]:
        return round(position * step, 1), round(HEIGHT - 2 - value / top * (HEIGHT - 6), 1)

    drawn = [place(n, s[0]) for n, s in enumerate(line.smoothed) if s]
    points = " ".join(f"{x},{y}" for x, y in drawn)
    bursts = {b.day for b in line.bursts}
    rects = "".join(
        f'<rect x="{round((n - 0.5) * step, 1)}" y="0" width="{round(max(step, 1), 1)}" height="{HEIGHT}"/>'
        for n, c in enumerate(line.counts)
        if c.day in poor
    )
    dots = "".join(
        '<circle cx="{}" cy="{}" r="3"/>'.format(*place(n, s[0]))
        for n, (c, s) in enumerate(zip(line.counts, line.smoothed, strict=True))
        if c.day in bursts and s
    )
    area = f'<path class="area" d="M{drawn[0][0]},{HEIGHT} L{points} L{drawn[-1][0]},{HEIGHT}Z"/><path d="M{points}"/>' if drawn else ""
    head = Markup('<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">')
    return head.format(width, HEIGHT, _said(line)) + Markup(rects + area + dots + "</svg>")


def _said(line: Line) -> str:
    known = [(c.day, s[0]) for c, s in zip(line.counts, line.smoothed, strict=True) if s]
    if not known:
        return "No articles were seen."
    highest = max(known, key=lambda k: k[1])
    bursts = f"; {len(line.bursts)} {plural(len(line.bursts), 'burst')}" if line.bursts else ""
    return f"Share {share(known[0][1])} at first, {share(known[-1][1])} at last, highest {share(highest[1])} on {day(highest[0])}{bursts}"


FILTERS = {
    "clean": clean,
    "pieces": pieces,
    "web_address": web_address,
    "day": day,
    "moment": moment,
    "days": days,
    "number": number,
    "few": few,
    "share": share,
    "times": times,
    "plural": plural,
    "probability": probability,
    "spaced": spaced,
    "language": language,
    "language_tag": language_tag,
    "words": words,
    "query": query,
    "entry_html": entry_html,
    "part_bar": part_bar,
    "sparkline": sparkline,
}
