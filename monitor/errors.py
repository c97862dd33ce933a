"""The exceptions areawatch raises. Each message names the input, the place and the cure.

MonitorError
├── ConfigurationError      a key of the configuration, or an environment variable
├── TaxonomyError           a taxonomy file, with its line
├── ModelError              the embedding model cannot be loaded
├── CalibrationError        the fitted head does not fit the taxonomy or the encoder
├── DatabaseError           unreachable, newer than this code, out of space, or not upgraded
├── InputError              a file or argument given on the command line
│   └── FeedError           bytes that are no feed, sitemap or OPML
└── DeliveryError           a message was refused; `permanent` says whether for good

A page or feed that cannot be fetched or read is no exception: it is a value (`FetchFailed`, `NoArticle`).
"""

from __future__ import annotations


class MonitorError(Exception):
    """The base of all of them; the command line prints its text on one line and exits with status 1."""


class ConfigurationError(MonitorError):
    pass


class TaxonomyError(MonitorError):
    pass


class ModelError(MonitorError):
    pass


class CalibrationError(MonitorError):
    pass


class DatabaseError(MonitorError):
    pass


class InputError(MonitorError):
    pass


class FeedError(InputError):
    pass


class DeliveryError(MonitorError):
    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent
