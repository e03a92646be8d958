"""Where a vendor is reached and with what. Plain values, so that the rooms which open them need no HTTP library."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class BaseUrlError(ValueError):
    """A configured vendor address is not one we call. The message names the problem, never a secret."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One vendor account: API address without trailing slash, bearer token, and the vendor's id of our workspace."""

    base_url: str
    token: str = field(repr=False)
    external_id: str | None = None


# Opens a workspace's account at a vendor; None when it is not connected.
Access = Callable[["AsyncConnection", UUID, str], Awaitable[Credential | None]]


def checked_base_url(address: str) -> str:
    """`address` as https://host[/path] without trailing slash; a bare host gets https. Plain http only to loopback.

    Addresses come from settings and integrations alone, never from a delivery; this refuses what a slip of the
    operator could turn into a leak: credentials in the URL, an unencrypted host, a query.
    """
    url = address.strip().rstrip("/")
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise BaseUrlError("vendor address: expected https://host[/path]")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise BaseUrlError(f"vendor address of host {parts.hostname}: only https (plain http for loopback) is called")
    return parts.geturl()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
