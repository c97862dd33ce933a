"""What went wrong → a failed fetch as a value, in words that hold no secret."""

from __future__ import annotations

import ssl
from http import HTTPStatus

import httpcore
import httpx
from h2.exceptions import H2Error
from hpack.exceptions import HPACKError

from monitor.domain import FailureKind
from monitor.fetch.bodies import BadEncoding, TooLarge
from monitor.fetch.connections import ForbiddenAddress, UnknownHost

_BLOCKED = frozenset({401, 403, 407, 429, 451})
_GONE = frozenset({404, 410})
_SLOW = frozenset({408, 425, 504})


class Failed(Exception):
    """A request that gave nothing usable."""

    def __init__(self, kind: FailureKind, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.status, self.retry_after = kind, message, status, retry_after


# what the network, and the libraries on their way to it, may raise
NETWORK_ERRORS: tuple[type[Exception], ...] = (
    OSError, UnicodeError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError,
    httpcore.UnsupportedProtocol, httpcore.ConnectionNotAvailable, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, H2Error,
    HPACKError, ForbiddenAddress, UnknownHost, TooLarge, BadEncoding,
)  # fmt: skip


def failure_of(error: Exception) -> Failed:
    """`error`, one of `NETWORK_ERRORS`, as a failure."""
    text = str(error) or type(error).__name__
    match error:
        case ForbiddenAddress():
            return Failed(FailureKind.FORBIDDEN_ADDRESS, text)
        case UnknownHost():
            return Failed(FailureKind.DNS, text)
        case TooLarge():
            return Failed(FailureKind.TOO_LARGE, f"the answer is too large: {text}")
        case BadEncoding():
            return Failed(FailureKind.DECODING, text)
        case httpx.InvalidURL() | httpcore.UnsupportedProtocol():
            return Failed(FailureKind.BAD_URL, "the address cannot be asked")
        case httpcore.ConnectTimeout():
            return Failed(FailureKind.TIMEOUT, "no connection was made in time")
        case httpcore.TimeoutException():
            return Failed(FailureKind.TIMEOUT, "the server sent nothing for too long")
        case httpcore.NetworkError() if (tls := _tls_error(error)) is not None:
            return Failed(FailureKind.TLS, f"no secure connection: {_tls_reason(tls)}")
        case httpcore.ConnectError():
            return Failed(FailureKind.CONNECTION, "no connection could be made")
        case httpcore.ProxyError():
            return Failed(FailureKind.CONNECTION, "the proxy refused the request")
        case httpcore.NetworkError() | httpcore.RemoteProtocolError():
            return Failed(FailureKind.CONNECTION, f"the connection broke off: {text[:100]}")
        case ssl.SSLError():
            return Failed(FailureKind.TLS, f"no secure connection: {_tls_reason(error)}")
    return Failed(FailureKind.CONNECTION, f"the server does not keep to HTTP: {type(error).__name__}: {text[:100]}")


def failure_of_status(status: int, retry_after: float | None) -> Failed:
    """An answer that is no success, as a failure."""
    try:
        name = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        name = str(status)
    if status in _BLOCKED:
        kind = FailureKind.BLOCKED
    elif status in _GONE:
        kind = FailureKind.GONE
    elif status in _SLOW:
        kind = FailureKind.TIMEOUT
    elif status >= 500:
        kind = FailureKind.SERVER
    else:
        kind = FailureKind.CLIENT
    return Failed(kind, f"the server answered {name}", status=status, retry_after=retry_after)


def _tls_error(error: BaseException) -> ssl.SSLError | None:
    """The TLS error that `error` was raised from."""
    seen = 0
    current: BaseException | None = error
    while current is not None and seen < 10:
        if isinstance(current, ssl.SSLError):
            return current
        current, seen = current.__cause__ or current.__context__, seen + 1
    return None


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    return (error.reason or str(error)).replace("_", " ").lower()[:100]
