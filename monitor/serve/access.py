"""Who may read: anybody on this machine; from elsewhere who knows the password, or whom a trusted proxy vouches for."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
from asyncio import sleep
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from pydantic import SecretStr
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.errors import ConfigurationError
from monitor.report import policy, render_problem
from monitor.report.pages import Served
from monitor.settings import ServeSettings

log = logging.getLogger(__name__)

# What a wrong password costs whoever tries it.
WRONG_SECONDS = 1.0
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
HEADERS = {
    "Content-Security-Policy": policy(Served()) + "; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "private, no-cache",
}


@dataclass(frozen=True, slots=True)
class Access:
    """`password` None: none is asked for. `names`: what the server may be called, None: anything."""

    username: str
    password: SecretStr | None
    proxies: tuple[IPv4Network | IPv6Network, ...]
    header: str
    names: frozenset[str] | None

    def allows(self, peer: str, headers: Mapping[str, str]) -> bool:
        """`peer`: the address that the connection comes from."""
        if self.password is None and not self.proxies:
            return True
        if self._is_proxy(peer) and headers.get(self.header.lower(), "").strip():
            return True
        return self.password is not None and self._is_known(headers.get("authorization", ""))

    def _is_proxy(self, peer: str) -> bool:
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self.proxies)

    def _is_known(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "basic" or self.password is None:
            return False
        try:
            said = base64.b64decode(given.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(said, f"{self.username}:{self.password.get_secret_value()}".encode())

    def is_called(self, host: str) -> bool:
        """Whether the server goes by this name; a page elsewhere could point a name of its own at this machine (DNS rebinding)."""
        return self.names is None or _name(host) in self.names


def _name(host: str) -> str:
    """`host` without its port."""
    bare = host.strip().lower()
    return bare[: bare.index("]") + 1] if bare.startswith("[") and "]" in bare else bare.partition(":")[0]


def access_of(settings: ServeSettings, host: str) -> Access:
    """Raises ConfigurationError where others can reach `host` and nothing keeps them out. The password is in no message."""
    password = password_of(settings)
    if password is None and not settings.trusted_proxy and not _is_local(host):
        raise ConfigurationError(
            f"`serve.host` {host}: others can reach it; set a password (MONITOR_SERVE__PASSWORD or `serve.password_file`), "
            "or name the proxy that lets readers in (`serve.trusted_proxy`), or keep to 127.0.0.1"
        )
    names = LOCAL_NAMES | {host.lower()} if password is None and not settings.trusted_proxy else None
    return Access(settings.username, password, settings.trusted_proxy, settings.proxy_header, names)


def _is_local(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def password_of(settings: ServeSettings) -> SecretStr | None:
    """From the settings or their file; None where neither is set. Raises ConfigurationError."""
    if settings.password_file is None:
        return settings.password if settings.password.get_secret_value() else None
    place = f"`serve.password_file` {settings.password_file}"
    try:
        found = settings.password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ConfigurationError(f"{place}: cannot be read: {reason}") from None
    if not found:
        raise ConfigurationError(f"{place}: is empty; write the password into it")
    return SecretStr(found)


class Guarded:
    """Lets in who may read, and puts the headers on every answer, on refusals and failures, too."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app, self.access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = await self._refused(scope)
        await (refused or self.app)(scope, receive, with_headers)

    async def _refused(self, scope: Scope) -> HTMLResponse | None:
        headers = {name.lower(): value for name, value in Headers(scope=scope).items()}
        peer = (scope.get("client") or ("", 0))[0]
        if not self.access.is_called(headers.get("host", "")):
            why = "This server answers to localhost alone. Behind a proxy, name it: `serve.trusted_proxy`; or set a password."
            return HTMLResponse(render_problem("Not here", why), 400)
        if self.access.allows(peer, headers):
            return None
        if self.access.password is None:
            return HTMLResponse(render_problem("Not this way", "Readers come in by way of the proxy."), 403)
        if "authorization" in headers:
            log.warning("a wrong name or password from %s", peer)
            await sleep(WRONG_SECONDS)
        ask = {"WWW-Authenticate": 'Basic realm="areawatch", charset="UTF-8"'}
        return HTMLResponse(render_problem("Who are you?", "A name and a password are needed."), 401, headers=ask)
