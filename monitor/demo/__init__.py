"""A small newsroom of invented outlets, for the first run and the tests.

`content/` holds the articles, one YAML file an outlet; `outlets` reads them, `render` turns them into pages and feeds for one
day, and `newsroom` serves those on 127.0.0.1.
"""

from monitor.demo.newsroom import DemoSource, Newsroom

__all__ = ["DemoSource", "Newsroom"]
