"""No way in: only public addresses are connected to, whatever they are called."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from faulty_server import client, quick, respond, serving
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain import FailureKind, Fetched, FetchFailed
from monitor.errors import ConfigurationError
from monitor.fetch import Client
from monitor.fetch.addresses import is_local_name, is_permitted, literal_address

FORBIDDEN = [
    "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:db8::1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "100::1", "2a00::5efe:10.0.0.1", "2a00::200:5efe:7f00:1", "5f00::1", "3fff::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.32.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::8a",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_forbidden(address: str) -> None:
    assert not is_permitted(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_permitted(ip_address(address))


def test_a_setting_allows_its_network_and_no_other() -> None:
    allowed = (ip_network("10.0.0.0/8"), ip_network("fd00::/16"))
    assert is_permitted(ip_address("10.1.2.3"), allowed)
    assert is_permitted(ip_address("::ffff:10.1.2.3"), allowed)
    assert is_permitted(ip_address("fd00::1"), allowed)
    assert not is_permitted(ip_address("127.0.0.1"), allowed)
    assert not is_permitted(ip_address("fd01::1"), allowed)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"), ("127.1", "127.0.0.1"), ("2130706433", "127.0.0.1"), ("0x7f000001", "127.0.0.1"), ("0x7f.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"), ("0177.0.0.1", "127.0.0.1"), ("127.0.0.1.", "127.0.0.1"), ("0", "0.0.0.0"), ("[::1]", "::1"),
        ("fe80::1%eth0", "fe80::1"), ("example.org", None), ("3com.example", None), ("", None), ("1.2.3.4 x", None),
    ],
)  # fmt: skip
def test_every_spelling_of_an_address(host: str, address: str | None) -> None:
    assert literal_address(host) == (ip_address(address) if address else None)


@given(st.integers(0, 2**32 - 1))
def test_every_form_of_a_private_address_inside_ipv6_is_as_private(number: int) -> None:
    inner = IPv4Address(number)
    forms = [f"::ffff:{inner}", f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}", f"2a00::5efe:{number >> 16:x}:{number & 0xFFFF:x}"]
    assert {is_permitted(ip_address(form)) for form in forms} == {is_permitted(inner)}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "x.localhost", "db.internal", "printer.local", "intranet", "router.lan"])
def test_local_names(host: str) -> None:
    assert is_local_name(host)
    assert not is_local_name("example.org")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "0"]
)
async def test_this_machine_is_not_asked_under_any_name(host: str) -> None:
    async with serving({"/": respond(b"secret")}) as server, client(allow_networks=()) as http:
        outcome = await http.fetch(server.url("/", host))
    assert isinstance(outcome, FetchFailed)
    assert outcome.kind is (FailureKind.BAD_URL if host == "0177.0.0.1" else FailureKind.FORBIDDEN_ADDRESS)
    assert not outcome.transient
    assert server.requests == []


@pytest.mark.anyio
async def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    asked: list[str] = []

    async def resolve(host: str, _: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    async with (
        serving({"/": respond(b"fine", connection="close")}) as server,
        Client(quick(), version="1", resolve=resolve, proxies={}) as http,
    ):
        first = await http.fetch(server.url("/", "rebind.example"))
        second = await http.fetch(server.url("/", "rebind.example"))
    assert isinstance(first, Fetched)
    assert isinstance(second, FetchFailed)
    assert second.kind is FailureKind.FORBIDDEN_ADDRESS
    assert asked == ["rebind.example"] * 2, "one look-up a connection"


@pytest.mark.anyio
async def test_only_the_permitted_addresses_of_a_name_are_tried() -> None:
    async def resolve(_: str, __: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.9", "127.0.0.1"]

    settings = quick(allow_networks=(ip_network("127.0.0.1/32"), ip_network("127.0.0.9/32")))
    async with (
        serving({"/": respond(b"fine")}) as server,
        serving({"/": respond(b"private")}, "127.0.0.2", port=server.port) as other,
        Client(settings, version="1", resolve=resolve, proxies={}) as http,
    ):
        outcome = await http.fetch(server.url("/", "many.example"))
    assert isinstance(outcome, Fetched), "127.0.0.9 refuses, 127.0.0.1 answers"
    assert outcome.body == b"fine"
    assert other.connections == 0


@pytest.mark.anyio
async def test_a_slow_or_broken_resolver_is_a_failure() -> None:
    async def slow(_: str, __: int) -> list[str]:
        await asyncio.sleep(5)
        return []

    async def rubbish(_: str, __: int) -> list[str]:
        return ["no address"]

    async def nothing(_: str, __: int) -> list[str]:
        return []

    kinds = []
    for resolve in (slow, rubbish, nothing):
        async with Client(quick(connect_timeout=0.1), version="1", resolve=resolve, proxies={}) as http:
            outcome = await http.fetch("http://x.example/")
            assert isinstance(outcome, FetchFailed)
            kinds.append(outcome.kind)
    assert kinds == [FailureKind.TIMEOUT, FailureKind.DNS, FailureKind.DNS]


@pytest.mark.anyio
async def test_a_proxy_is_used_but_not_for_what_is_private() -> None:
    async with serving({"http://news.example/": respond(b"through the proxy")}) as proxy, serving({"/": respond(b"direct")}) as server:
        proxies = {"http": proxy.url("").replace("//", "//user:pw@"), "no": "direct.example"}

        async def resolve(_: str, __: int) -> list[str]:
            return ["127.0.0.1"]

        async with Client(quick(), version="1", resolve=resolve, proxies=proxies) as http:
            through = await http.fetch("http://news.example/")
            allowed = await http.fetch(server.url("/"))
            named = await http.fetch(server.url("/", "direct.example"))
            forbidden = await http.fetch("http://169.254.169.254/latest")
        async with Client(quick(allow_networks=()), version="1", resolve=resolve, proxies=proxies) as http:
            local = await http.fetch("http://localhost/")
    assert isinstance(through, Fetched)
    assert through.body == b"through the proxy"
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwdw=="
    assert isinstance(allowed, Fetched)
    assert isinstance(named, Fetched)
    assert isinstance(forbidden, FetchFailed)
    assert isinstance(local, FetchFailed)
    assert forbidden.kind is local.kind is FailureKind.FORBIDDEN_ADDRESS
    assert len(proxy.requests) == 1


def test_a_proxy_that_cannot_be_used_is_named() -> None:
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY: only http and https proxies can be used, not socks5"):
        Client(quick(), version="1", proxies={"https": "socks5://user:pw@x.example"})
