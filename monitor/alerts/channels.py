"""The ways out: mail by SMTP or as files, and the channels that Apprise knows (Slack, Teams, Telegram, webhooks and some hundred more).

An Apprise URL holds its token, so it is looked up when it is used and appears in no error, no log and no table.
"""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monitor.alerts.mail import Folder, Smtp, parse_sender
from monitor.domain import Message
from monitor.errors import DeliveryError
from monitor.settings import Settings

Send = Callable[[Message], None]


@contextmanager
def open_channels(settings: Settings, *, environ: Mapping[str, str] | None = None, context: ssl.SSLContext | None = None) -> Iterator[Send]:
    """Yields what sends one message, whatever its channel. That raises DeliveryError, and nothing else.

    Raises ConfigurationError for a sender that is no address. `context`: which certificates the mail server may show.
    """
    sender = parse_sender(settings.mail.sender)
    mail = Smtp(settings.mail, sender, context) if settings.mail.host else Folder(settings.path(settings.mail.folder), sender)
    variables = os.environ if environ is None else environ

    def send(message: Message) -> None:
        if message.channel == "email":
            mail.send(message)
        else:
            send_by_apprise(message, variables, settings.home)

    try:
        yield send
    finally:
        mail.close()


def send_by_apprise(message: Message, environ: Mapping[str, str], home: Path) -> None:
    """`message.address` says where the URL is kept: env:NAME or file:PATH (relative to `home`). Raises DeliveryError."""
    plugin = _plugin(_secret(message.address, environ, home), message.address)
    try:
        done = plugin.notify(title=message.subject, body=message.text)
    except Exception as error:  # a plugin may raise anything, and its text may hold the URL
        raise DeliveryError(f"{message.address}: {type(error).__name__} while sending", permanent=False) from None
    if not done:
        raise DeliveryError(f"{message.address}: the service did not take it", permanent=False)


def _secret(reference: str, environ: Mapping[str, str], home: Path) -> str:
    kind, _, name = reference.partition(":")
    if kind == "env":
        found = environ.get(name, "")
    else:
        try:
            found = (home / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            found = ""
    if not found.strip():
        raise DeliveryError(f"{reference}: there is no Apprise URL; set the variable, or write the file", permanent=False)
    return found.strip()


def _plugin(url: str, reference: str) -> Any:
    import apprise  # half a second, and few use it

    # It logs URLs.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    plugin = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if plugin is None:
        raise DeliveryError(f"{reference}: holds no URL that Apprise knows", permanent=False)
    # A service's limit splits a message; it cuts nothing off.
    plugin.overflow_mode = apprise.OverflowMode.SPLIT
    return plugin
