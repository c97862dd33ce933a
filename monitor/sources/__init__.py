"""What to read: feeds, sitemaps and lists of sources, from bytes. Pure: no network, no clock, no settings."""

from importlib.resources import files

from monitor.sources.diagnosis import diagnose
from monitor.sources.discovery import discover_feeds, guess_feeds
from monitor.sources.feeds import read_feed
from monitor.sources.opml import read_opml, write_opml


def starter_list() -> bytes:
    """The OPML list of public feeds that is shipped."""
    return files("monitor.sources").joinpath("starter.opml").read_bytes()


__all__ = ["diagnose", "discover_feeds", "guess_feeds", "read_feed", "read_opml", "starter_list", "write_opml"]
