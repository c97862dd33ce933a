"""What to read: feeds, sitemaps and lists of sources, from bytes. Pure: no network, no clock, no settings."""

from monitor.sources.diagnosis import diagnose
from monitor.sources.discovery import discover_feeds, guess_feeds
from monitor.sources.feeds import read_feed
from monitor.sources.opml import read_opml, write_opml

__all__ = ["diagnose", "discover_feeds", "guess_feeds", "read_feed", "read_opml", "write_opml"]
