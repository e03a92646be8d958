"""Addresses that others typed and that we call: which of them, and which machines behind a name, may be called at all.

A customer's address must never reach our own network, this machine or a cloud's metadata service, in whatever way it is
written (server-side request forgery). Two questions, both pure: is the text an address we call (`checked_url`), and is a
resolved machine on the public internet (`is_public`). Who calls must ask the second about the very machine that it then
connects to: a name may resolve to another one a moment later.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

MAX_URL_CHARS = 2000
PORTS = frozenset({443, 8443})
# Names that never leave somebody's own network (RFC 6761, 6762, 8375, 9476 and what is used without being reserved).
_LOCAL_SUFFIXES = frozenset(
    {
        *("localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "arpa"),
        *("test", "invalid", "onion", "alt", "cluster", "svc", "consul", "kubernetes"),
    }
)
_NAME = re.compile(
    r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])", re.ASCII
)

# Beside what the standard library calls not global: whether it does differs between its versions, and some of these
# are "global" to it.
_REFUSED_V4 = [
    ip_network(each)
    for each in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; a cloud's metadata service lives here too
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's host agent, on a public address
        "169.254.0.0/16",  # link-local: metadata services
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; another metadata service
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",
    )
]
_GLOBAL_V6 = ip_network("2000::/3")
_REFUSED_V6 = [
    ip_network(each)
    for each in (
        "2001::/23",  # Teredo, ORCHID and other protocol assignments
        "2001:db8::/32",
        "2002::/16",  # 6to4: leads into IPv4 through somebody's relay
        "2620:4f:8000::/48",
        "3fff::/20",
        "5f00::/16",
    )
]
_NAT64 = ip_network("64:ff9b::/96")
# Interface ids under which a router of the far network unpacks IPv4 (ISATAP).
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


class UnsafeUrl(ValueError):
    """The address is none that we call. One line: why. `code` is a stable word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """A checked https address: lower-case host name, port, and what follows it, query included."""

    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        return f"https://{self.authority}{self.path}"

    @property
    def authority(self) -> str:
        return self.host if self.port == 443 else f"{self.host}:{self.port}"


def checked_url(url: str) -> Target:
    """`url` taken apart, or `UnsafeUrl`. Pure: no name is resolved.

    Strict on purpose. Numbers are refused in every spelling, so that no two programs can read one differently: a decimal,
    octal or hexadecimal address, a short one, IPv6, one with a zone. So are characters outside printable ASCII (full-width
    digits and dots, soft hyphens), backslashes and user names, with which parsers disagree about where the host ends.
    """
    if not url or len(url) > MAX_URL_CHARS:
        raise UnsafeUrl("length", f"expected an address of at most {MAX_URL_CHARS} characters")
    if not all("!" <= char <= "~" for char in url) or "\\" in url:
        raise UnsafeUrl("characters", "only printable ASCII without blanks and backslashes; write other names as xn--…")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UnsafeUrl("syntax", "not an address; write https://host/path") from None
    if parts.scheme != "https":
        raise UnsafeUrl("scheme", "only https:// is called")
    if not parts.netloc:
        raise UnsafeUrl("syntax", "not an address; write https://host/path")
    if "@" in parts.netloc:
        raise UnsafeUrl("userinfo", "no user name or password in an address")
    if "#" in url:
        raise UnsafeUrl("fragment", "no # in an address")
    if parts.netloc.endswith(":") or (port is not None and port not in PORTS):
        raise UnsafeUrl("port", f"only the ports {', '.join(map(str, sorted(PORTS)))} are called")
    host = _checked_host(parts.netloc.partition(":")[0] if "[" not in parts.netloc else parts.netloc)
    path = parts.path or "/"
    return Target(host, port or 443, f"{path}?{parts.query}" if parts.query else path)


def _checked_host(written: str) -> str:
    host = written.lower()
    last = host.rstrip(".").rpartition(".")[2]
    if "[" in host or last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last):
        raise UnsafeUrl("number", "a host is a name, never a number")
    labels = host.split(".")
    if labels[-1] in _LOCAL_SUFFIXES or len(labels) == 1:
        raise UnsafeUrl("local_name", f"{host} is a name of a private network")
    if not _NAME.fullmatch(host):
        raise UnsafeUrl("host", "not a host name")
    return host


def is_public(address: str) -> bool:
    """Whether a resolved address (text as `getaddrinfo` gives it) is a machine on the public internet."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(ip) if isinstance(ip, IPv4Address) else _is_public_v6(ip)


def _is_public_v4(ip: IPv4Address) -> bool:
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not any(ip in net for net in _REFUSED_V4)


def _is_public_v6(ip: IPv6Address) -> bool:
    if ip.scope_id is not None:
        return False
    if ip in _NAT64:
        # How a network without IPv4 reaches all of it: as public as the address inside.
        return _is_public_v4(IPv4Address(int(ip) & 0xFFFFFFFF))
    if ip not in _GLOBAL_V6 or not ip.is_global or ip.is_multicast or any(ip in net for net in _REFUSED_V6):
        return False
    if (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP:
        return _is_public_v4(IPv4Address(int(ip) & 0xFFFFFFFF))
    return True
