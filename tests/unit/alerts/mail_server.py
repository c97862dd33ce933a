"""A real mail server on localhost: STARTTLS, login, and the moods that mail servers have."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from email.message import EmailMessage
from types import TracebackType
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "areawatch", "correct horse battery staple"


class Moods:
    """`of[address]` is a list of moods, one for each time mail comes for it; with none left the mail is taken.

    later: 451 at RCPT; never: 550 at RCPT; spam: 554 after DATA; busy: 452 after DATA; hang: no answer after DATA;
    drop: the connection is cut after DATA; lost: the same, but the mail was taken; shutdown: 421 at RCPT.
    """

    def __init__(self) -> None:
        self.of: dict[str, list[str]] = {}
        self.mails: list[EmailMessage] = []
        self.asked: Counter[str] = Counter()
        self._now: dict[str, str] = {}
        self.stop = asyncio.Event()

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        self.asked[address] += 1
        waiting = self.of.get(address, [])
        mood = self._now[address] = waiting.pop(0) if waiting else "take"
        if mood == "shutdown":
            return "421 4.3.2 going down"
        if mood in {"later", "never"}:
            return "451 4.7.1 greylisted, come back" if mood == "later" else "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mood = self._now[envelope.rcpt_tos[0]]
        if mood in {"take", "lost"}:
            assert isinstance(envelope.content, bytes)
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        if mood in {"drop", "lost"}:
            assert server.transport is not None
            server.transport.abort()
        if mood == "hang":
            await self.stop.wait()
        return {"spam": "554 5.7.1 no thanks", "busy": "452 4.3.1 disk full"}.get(mood, "250 taken")


class MailServer:
    """`with MailServer() as server:` runs one; `server.context` trusts its certificate."""

    def __init__(self, *, security: str = "starttls") -> None:
        authority = trustme.CA()
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(served)
        self.context = ssl.create_default_context()
        authority.configure_trust(self.context)
        self.moods = Moods()
        self.logins: list[bool] = []
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port: int = found.getsockname()[1]
        options: dict[str, dict[str, Any]] = {
            "starttls": {"tls_context": served, "require_starttls": True},
            "tls": {"ssl_context": served, "auth_require_tls": False},  # the connection as a whole, which aiosmtpd does not count
            "none": {"auth_require_tls": False},
        }
        login = {"authenticator": self._login, "auth_required": True}
        self._controller = Controller(self.moods, hostname="127.0.0.1", port=self.port, **login, **options[security])

    def _login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
        good = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        self.logins.append(good)
        return AuthResult(success=good, handled=False)

    @property
    def mails(self) -> list[EmailMessage]:
        return self.moods.mails

    def taken(self) -> dict[str, list[str]]:
        """Message-IDs by recipient, in the order of arrival."""
        found: dict[str, list[str]] = {}
        for mail in self.mails:
            found.setdefault(str(mail["To"]), []).append(str(mail["Message-ID"]))
        return found

    def __enter__(self) -> MailServer:
        self._controller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        loop: asyncio.AbstractEventLoop = self._controller.loop
        wake: Callable[[], None] = self.moods.stop.set
        loop.call_soon_threadsafe(wake)
        self._controller.stop()
