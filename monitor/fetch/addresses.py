"""Which addresses may be connected to: public ones, and the networks that a setting names. Pure."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# What `is_global` lets through, or did in some Python 3.11: cloud hosts' own services at public-looking addresses, relays, and ranges
# that are for no one (IANA special-purpose registries; Azure's 168.63.129.16).
_NEVER: tuple[Network, ...] = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),
    IPv4Network("168.63.129.16/32"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("198.18.0.0/15"),
    IPv4Network("224.0.0.0/3"),
    IPv6Network("::/96"),
    IPv6Network("100::/64"),
    IPv6Network("2001::/23"),
    IPv6Network("2001:db8::/32"),
    IPv6Network("3fff::/20"),
    IPv6Network("5f00::/16"),
    IPv6Network("fc00::/7"),
    IPv6Network("fe80::/9"),
    IPv6Network("ff00::/8"),
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # the upper half of an interface identifier before an IPv4 address (RFC 5214)

_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback", "broadcasthost"})
_LOCAL_ENDINGS = (".localhost", ".localdomain", ".local", ".internal", ".intranet", ".lan", ".home.arpa", ".onion")


def is_permitted(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether a connection to `address` may be made: it is in `allowed`, or it and every IPv4 address inside it is public."""
    forms = list(_forms(address))
    if any(form in network for form in forms for network in allowed if form.version == network.version):
        return True
    return all(_is_public(form) for form in forms)


def literal_address(host: str) -> Address | None:
    """The address that `host` spells in any form a resolver takes: `127.1`, `0x7f.1`, `017700000001`, `2130706433`, `[::1]`."""
    bare = host.strip("[]").partition("%")[0].rstrip(".")
    try:
        return ip_address(bare)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(bare)) if bare[:1].isdigit() and " " not in bare else None
    except (OSError, UnicodeError, ValueError):
        return None


def is_local_name(host: str) -> bool:
    """Whether `host` is a name that only means something on this machine or in its own network."""
    name = host.rstrip(".").lower()
    return name in _LOCAL_NAMES or name.endswith(_LOCAL_ENDINGS) or ("." not in name and literal_address(name) is None)


def _is_public(address: Address) -> bool:
    if any(address in network for network in _NEVER if address.version == network.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _forms(address: Address) -> Iterator[Address]:
    """`address` and the IPv4 addresses that are inside it; for a mapped one only the inner, as it is the one connected to."""
    if isinstance(address, IPv4Address):
        yield address
        return
    low = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _MAPPED:
        yield low
        return
    if address in _SIX_TO_FOUR:
        yield IPv4Address((int(address) >> 80) & 0xFFFF_FFFF)
    elif address in _TEREDO:
        yield IPv4Address(int(low) ^ 0xFFFF_FFFF)
    elif any(address in network for network in _NAT64) or (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        yield low
    # NAT64 prefixes are not global themselves, but lead to the address inside
    yield low if any(address in network for network in _NAT64) else address
