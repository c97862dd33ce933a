"""A digest that holds everything a digest can hold: what templates are tried with before anything is sent."""

from __future__ import annotations

from datetime import UTC, date, datetime

from monitor.alerts.digest import Digest, Extras, FirstMention, Line, Week, subject
from monitor.alerts.rendering import Templates
from monitor.alerts.subscriptions import Channel, Subscription
from monitor.domain import Burst, Mention, Told

WISH = Subscription(name="reader", channels=(Channel(email="reader@example.org"),))
NAMES = {"6g": "6G mobile communications", "deep-sea": "Deep-sea technology"}


def _line(story: int, quote: str, mentions: tuple[Mention, ...], areas: tuple[str, ...]) -> Line:
    told = Told(
        area=areas[0],
        story=story,
        day=date(2026, 11, 22),
        title=f"The headline of story {story}",
        url=f"https://news.example.org/{story}",
        source="Example Times",
        also_in=("Example Post",),
        quote=quote,
        mentions=mentions,
        probability=0.94,
        exemplar="Researchers sent data over a terahertz link.",
        language="en",
    )
    return Line(told, areas)


def sample_digest() -> Digest:
    """Two stories, one beyond the limit, a burst, a first mention, a note and the week."""
    lines = (
        _line(1, "The first 6G trial has begun.", (Mention("6G", 10, 12),), ("6g", "deep-sea")),
        _line(2, "A camera went down to the trench.", (), ("deep-sea",)),
    )
    extras = Extras(
        bursts=(Burst("6g", date(2026, 11, 22), 9, 2.1, 4.0),),
        firsts=(FirstMention("6g", "Example Networks", 2, "The headline of story 1", "https://news.example.org/1", "en"),),
        notes=("1 of 40 sources could not be read and is missing here: Example Wire.",),
        week=(Week("6g", 9, 4),),
    )
    at = datetime(2026, 11, 23, 7, tzinfo=UTC)
    since = datetime(2026, 11, 22, 7, tzinfo=UTC)
    return Digest(WISH, at, since, lines, (_line(3, "", (), ("6g",)),), extras, NAMES)


def check_templates(templates: Templates) -> None:
    """Raises ConfigurationError naming file and line when a template cannot be used."""
    digest = sample_digest()
    context = {"digest": digest, "subject": subject(digest), "base_url": "https://example.org", "unsubscribe": "https://example.org/u/1"}
    for name in ("digest.txt", "brief.txt"):
        templates.text(name, context)
    templates.html("digest.html", context)
