"""Connections that only ever go to a checked address.

A name is looked up once; all its addresses are checked; the socket is opened to one of those that passed, and TLS and Host still name
the host. So nothing can change between the check and the connection. Each redirect and each new connection comes through here again.

With a proxy from the environment the proxy looks names up, so only what can be seen in the URL is checked: private addresses in any
spelling, and names that mean this machine or its network, never go to the proxy but through the check above. The proxy itself may
have any address, as the operator chose it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]  # not in typeshed

import httpcore
import httpx

from monitor.errors import ConfigurationError
from monitor.fetch.addresses import Address, Network, is_local_name, is_permitted, literal_address

MAX_ADDRESSES = 6  # of a host that are tried
LOOK_UPS = 32  # names looked up at once; the system's resolver blocks a thread for each
KEEP_ALIVE = 30.0  # seconds an idle connection is kept: longer than the delay to one host, shorter than most servers do

KEPT_ALIVE = 100  # hosts whose connections are kept; file descriptors are few

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
_Origin = tuple[bytes, bytes, int | None]


class ForbiddenAddress(Exception):
    """The host's addresses are all private, local or otherwise not to be asked."""


class UnknownHost(Exception):
    """The name has no address."""


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens sockets to addresses that passed the check. `resolve` is for tests; without it the system's resolver is asked."""

    def __init__(self, allowed: Sequence[Network], resolve: Resolve | None = None) -> None:
        self._allowed = tuple(allowed)
        self._sockets = httpcore.AnyIOBackend()
        self._threads = ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="look-up")
        self._resolve = resolve or self._system
        self._in_allowed: set[str] = set()

    def is_in_allowed_network(self, host: str) -> bool:
        """Whether `host` is, or was last found to be, in a network that the settings allow."""
        address = literal_address(host)
        return host.lower() in self._in_allowed if address is None else self._is_allowed(address)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A socket to the first address of `host` that answers. Raises ForbiddenAddress, UnknownHost or an httpcore error."""
        until = time.monotonic() + (timeout if timeout is not None else 60.0)
        addresses = await self.checked_addresses(host, port, timeout)
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            patience = max(until - time.monotonic(), 0.1) / left
            try:
                return await self._sockets.connect_tcp(str(address), port, patience, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
        raise UnknownHost(f"{host} has no address")

    async def checked_addresses(self, host: str, port: int, timeout: float | None) -> list[Address]:
        """The addresses of `host` that may be connected to. Raises ForbiddenAddress, UnknownHost or httpcore.ConnectTimeout."""
        literal = literal_address(host)
        if literal is not None:
            found = [literal]
        else:
            try:
                async with asyncio.timeout(timeout):
                    found = [ip_address(text.partition("%")[0]) for text in await self._resolve(host, port)]
            except TimeoutError:
                raise httpcore.ConnectTimeout(f"looking up {host} took longer than {timeout:g} s") from None
            except (OSError, UnicodeError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                raise UnknownHost(f"{host} cannot be looked up: {reason}") from None
        if not found:
            raise UnknownHost(f"{host} has no address")
        permitted = [address for address in dict.fromkeys(found) if is_permitted(address, self._allowed)]
        if not permitted:
            raise ForbiddenAddress(f"{host} is at {found[0]}, which is not public; `fetch.allow_networks` can allow its network")
        if all(self._is_allowed(address) for address in permitted):
            self._in_allowed.add(host.lower())
        return permitted[:MAX_ADDRESSES]

    async def connect_unix_socket(self, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
        raise ForbiddenAddress("sockets of this machine are not asked")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self._allowed if network.version == address.version)

    async def _system(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port)
        return [str(entry[4][0]) for entry in found]


def _look_up(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP))


class GuardedTransport(httpx.AsyncBaseTransport):
    """Requests through `CheckedBackend`, or through the proxy that the environment names for the host."""

    def __init__(self, backend: CheckedBackend, tls: ssl.SSLContext, environment: dict[str, str] | None = None) -> None:
        self._backend = backend
        self._tls = tls
        self._proxies = getproxies_environment() if environment is None else environment
        self._direct = _Pools(lambda: self._pool(None))
        self._by_scheme = {scheme: self._pool(self._proxy(scheme)) for scheme in ("http", "https") if self._proxy(scheme)}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxied = None if self._goes_direct(request.url.host) else self._by_scheme.get(request.url.scheme)
        target = httpcore.URL(scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path)
        asked = httpcore.Request(method=request.method, url=target, headers=request.headers.raw, extensions=request.extensions)
        async with AsyncExitStack() as held:
            pool = proxied if proxied is not None else await held.enter_async_context(self._direct.at(target))
            answer = await pool.handle_async_request(asked)
            return httpx.Response(
                answer.status, headers=answer.headers, stream=_Stream(answer, held.pop_all()), extensions=answer.extensions
            )

    async def aclose(self) -> None:
        await self._direct.aclose()
        for pool in self._by_scheme.values():
            await pool.aclose()

    def _goes_direct(self, host: str) -> bool:
        """Whether no proxy is asked for `host`: NO_PROXY names it, or it is not public, which the backend then judges."""
        literal = literal_address(host)
        private = is_local_name(host) if literal is None else not is_permitted(literal)
        return private or bool(proxy_bypass_environment(host, self._proxies))

    def _proxy(self, scheme: str) -> str | None:
        address = self._proxies.get(scheme) or self._proxies.get("all")
        if address and "://" not in address:
            address = "http://" + address
        if address and not address.lower().startswith(("http://", "https://")):
            raise ConfigurationError(f"{scheme.upper()}_PROXY: only http and https proxies can be used, not {address.partition(':')[0]}")
        return address

    def _pool(self, proxy: str | None) -> httpcore.AsyncConnectionPool:
        via = None
        if proxy is not None:
            asked = httpx.URL(proxy)
            credentials = (asked.username, asked.password) if asked.userinfo else None
            via = httpcore.Proxy(str(asked.copy_with(userinfo=b"")), credentials)
        # politeness bounds how many are open at once, so the pool does not
        return httpcore.AsyncConnectionPool(
            ssl_context=self._tls,
            proxy=via,
            max_connections=None,
            max_keepalive_connections=KEPT_ALIVE,
            keepalive_expiry=KEEP_ALIVE,
            http2=True,
            network_backend=self._backend if via is None else httpcore.AnyIOBackend(),
        )


class _Pools:
    """A pool for each origin, since one for all looks through all its connections at every request; few that are idle are kept."""

    def __init__(self, make: Callable[[], httpcore.AsyncConnectionPool]) -> None:
        self._make = make
        self._pools: OrderedDict[_Origin, httpcore.AsyncConnectionPool] = OrderedDict()  # the longest unused first
        self._busy: Counter[_Origin] = Counter()

    @asynccontextmanager
    async def at(self, url: httpcore.URL) -> AsyncIterator[httpcore.AsyncConnectionPool]:
        """The pool for `url`, which is kept until the end of the block."""
        origin = (url.scheme, url.host, url.port)
        self._busy[origin] += 1
        try:
            if origin not in self._pools:
                await self._make_room()
            if origin not in self._pools:
                self._pools[origin] = self._make()
            self._pools.move_to_end(origin)
            yield self._pools[origin]
        finally:
            self._busy[origin] -= 1
            if not self._busy[origin]:
                del self._busy[origin]

    async def aclose(self) -> None:
        for pool in list(self._pools.values()):
            await pool.aclose()

    async def _make_room(self) -> None:
        surplus = len(self._pools) + 1 - KEPT_ALIVE
        idle = [one for one in self._pools if one not in self._busy][: max(0, surplus)]
        # All are taken out before the first is closed: others make room at the same time.
        for pool in [self._pools.pop(origin) for origin in idle]:
            await pool.aclose()


class _Stream(httpx.AsyncByteStream):
    """`held` is what is given back when the answer is closed."""

    def __init__(self, answer: httpcore.Response, held: AsyncExitStack) -> None:
        self._answer, self._held = answer, held

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer.aiter_stream():
            yield part

    async def aclose(self) -> None:
        try:
            await self._answer.aclose()
        finally:
            await self._held.aclose()
