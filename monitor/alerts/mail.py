"""Messages by e-mail: composed so that nothing from outside can add a header, sent by SMTP or written as files."""

from __future__ import annotations

import hashlib
import os
import re
import smtplib
import ssl
from contextlib import suppress
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import parseaddr
from pathlib import Path

from monitor.alerts import wording
from monitor.domain import Message
from monitor.errors import ConfigurationError, DeliveryError
from monitor.settings import MailSettings

# Servers' own words in an error that is stored and shown.
ERROR_COLUMNS = 300
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")


class Unavailable(DeliveryError):
    """The server cannot be used now; no fault of the message. Never permanent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


class _Policy(EmailPolicy):
    """Addresses and ids in angle brackets stay whole: the standard folding would encode long ones, which breaks links and threads."""

    def fold_binary(self, name: str, value: str) -> bytes:
        return f"{name}: {value}\r\n".encode() if _is_whole(str(value)) else super().fold_binary(name, value)


def _is_whole(value: str) -> bool:
    return value.startswith("<") and value.endswith(">") and value.isascii() and value.isprintable() and len(value) < 900


# Seven bits everywhere: no server on the way has reason to change the text.
POLICY = _Policy(linesep="\r\n", cte_type="7bit")


def parse_sender(text: str) -> Address:
    """The From of all messages. Raises ConfigurationError."""
    name, address = parseaddr(text)
    try:
        if text != wording.plain(text):
            raise ValueError("it holds control characters")
        found = Address(display_name=name, addr_spec=address)
        if not found.domain or not found.username:
            raise ValueError("it has no @")
    except (ValueError, HeaderParseError, IndexError) as error:
        raise ConfigurationError(f"`mail.sender`: {text!r} is no address such as areawatch <areawatch@example.org>: {error}") from None
    return found


def message_id(key: str, domain: str) -> str:
    """The same for the same key, so that a repeat after a crash is the same mail."""
    return f"<{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:32]}@{domain}>"


def compose(message: Message, sender: Address) -> EmailMessage:
    """The mail, text and HTML; the same bytes for the same message. Control characters in headers become spaces."""
    mail = EmailMessage(policy=POLICY)
    mail["From"] = sender
    mail["To"] = wording.clean(message.address)
    mail["Subject"] = wording.clean(message.subject)
    mail["Message-ID"] = message_id(message.key, sender.domain)
    for name, value in message.headers:
        if _NAME.fullmatch(name) and name not in mail:
            mail[name] = wording.clean(value)
    mail.set_content(_encodable(message.text))
    if message.html:
        mail.add_alternative(_encodable(message.html), subtype="html")
        mail.set_boundary(f"=_{message_id(message.key, '').strip('<@>')}")
    return mail


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


class Folder:
    """Writes each message as a file named by its key; one that is there stays as it is."""

    def __init__(self, folder: Path, sender: Address) -> None:
        self._folder, self._sender = folder, sender

    def send(self, message: Message) -> None:
        """Raises DeliveryError when the file cannot be written."""
        name = re.sub(r"[^A-Za-z0-9._-]", "_", message.key)[:200]
        file, partial = self._folder / f"{name}.eml", self._folder / f".{name}.{os.getpid()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as stream:
                stream.write(compose(message, self._sender).as_bytes())
                stream.flush()
                os.fsync(stream.fileno())
            if not file.exists():
                partial.replace(file)
        except OSError as error:
            raise Unavailable(f"{file}: cannot be written: {error.strerror or error}") from None
        finally:
            with suppress(OSError):
                partial.unlink()

    def close(self) -> None:
        """Nothing to close."""


class Smtp:
    """One session with the mail server, opened at the first message and again when it was lost."""

    def __init__(self, settings: MailSettings, sender: Address, context: ssl.SSLContext | None = None) -> None:
        self._settings, self._sender, self._context = settings, sender, context or ssl.create_default_context()
        self._session: smtplib.SMTP | None = None

    def send(self, message: Message) -> None:
        """Raises DeliveryError: permanent when the server will never take it, Unavailable when the server is the trouble."""
        session = self._open()
        try:
            session.send_message(compose(message, self._sender), self._sender.addr_spec, [wording.clean(message.address)])
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            self._refused(code, said, message.address)
        except smtplib.SMTPSenderRefused as error:
            self.close()
            raise Unavailable(f"{self._name}: refuses the sender {self._sender.addr_spec}: {_words(error)}") from None
        except smtplib.SMTPDataError as error:
            self._refused(error.smtp_code, error.smtp_error, message.address)
        except smtplib.SMTPNotSupportedError as error:
            raise DeliveryError(f"{self._name}: cannot send to {message.address}: {error}", permanent=True) from None
        except (smtplib.SMTPException, OSError) as error:
            self._abandon()
            raise Unavailable(f"{self._name}: broke off: {_words(error)}") from None

    def _refused(self, code: int, said: bytes | str, address: str) -> None:
        if code == 421:
            self._abandon()
            raise Unavailable(f"{self._name}: {code} {_decoded(said)}")
        raise DeliveryError(f"{self._name}: refuses {address}: {code} {_decoded(said)}", permanent=code >= 500)

    @property
    def _name(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _open(self) -> smtplib.SMTP:
        if self._session is not None:
            with suppress(smtplib.SMTPException, OSError):
                if self._session.noop()[0] == 250:
                    return self._session
            self._abandon()
        try:
            self._session = self._connected()
        except UnicodeError:
            self._abandon()
            raise Unavailable(f"{self._name}: `mail.username` and the password must be plain ASCII for this server") from None
        except (smtplib.SMTPException, OSError) as error:
            self._abandon()
            raise Unavailable(f"{self._name}: {_words(error)}") from None
        return self._session

    def _connected(self) -> smtplib.SMTP:
        s = self._settings
        if s.security == "tls":
            session: smtplib.SMTP = smtplib.SMTP_SSL(s.host, s.port, timeout=s.timeout, context=self._context)
        else:
            session = smtplib.SMTP(s.host, s.port, timeout=s.timeout)
        self._session = session
        if s.security == "starttls":
            session.starttls(context=self._context)
        if s.username:
            session.login(s.username, password(s))
        return session

    def _abandon(self) -> None:
        """Closes without a word, since the server may not answer any more."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def close(self) -> None:
        if self._session is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._session.quit()
            self._abandon()


def password(settings: MailSettings) -> str:
    """From the settings or their file. Raises Unavailable, which never holds it."""
    if settings.password_file is None:
        return settings.password.get_secret_value()
    try:
        return settings.password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise Unavailable(f"`mail.password_file` {settings.password_file}: cannot be read: {reason}") from None


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decoded(error.smtp_error)}"
    return wording.clean(str(error), ERROR_COLUMNS) or type(error).__name__


def _decoded(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return wording.clean(text, ERROR_COLUMNS)
