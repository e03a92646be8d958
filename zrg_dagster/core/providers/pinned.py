"""Calling an address that a customer typed: resolved once, checked, and connected to exactly what was checked.

No redirect is followed, no connection is shared (two customers may sit behind one machine), no proxy of the environment is
used, and of the answer little more than its status is read.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import ip_address

import httpx

from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.base.public_address import Target, is_public
from zrg_dagster.core.base.tls import client_context
from zrg_dagster.core.providers.http import CONNECT_TIMEOUT_S, USER_AGENT, retry_after_s
from zrg_dagster.core.providers.outcome import Accepted, CallFailure, Refused

log = get_logger(__name__)

RESOLVE_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 64 * 1024
MAX_CONNECTIONS = 16
# CO-05. Every other status is the customer's last word about this delivery.
RETRYABLE = frozenset({408, 425, 429})

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as text. `OSError` when there is none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(address[0]) for *_, address in found]


def make_pinned_client(context: ssl.SSLContext | None = None) -> httpx.AsyncClient:
    """The HTTP client for such calls; the caller closes it. `context` replaces the certificates that are trusted."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return httpx.AsyncClient(
        verify=context or client_context(),
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"},
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=0),
    )


class PinnedPoster:
    """Posts to checked targets. `resolver` and `allowed` are the two questions about a name; tests answer them."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        resolver: Resolve = resolve,
        allowed: Callable[[str], bool] = is_public,
    ) -> None:
        self._client = client
        self._resolve = resolver
        self._allowed = allowed

    async def post(
        self, target: Target, body: bytes, headers: Mapping[str, str], *, timeout_s: float
    ) -> Accepted | CallFailure:
        """One POST. `Refused` permanent: never again; not permanent: try again. Repeating is the receiver's to sort out."""
        address = await self._address(target)
        if isinstance(address, Refused):
            return address
        literal = f"[{address}]" if ip_address(address).version == 6 else address
        timeout = httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s))
        try:
            request = self._client.build_request(
                "POST",
                f"https://{literal}:{target.port}{target.path}",
                content=body,
                headers={**headers, "Host": target.authority},
                timeout=timeout,
                # The certificate must be that of the name, though we connect to the number.
                extensions={"sni_hostname": target.host},
            )
            async with asyncio.timeout(timeout_s):
                response = await self._client.send(request, stream=True)
                try:
                    await _skim(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError, TimeoutError) as error:
            timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
            return Refused(
                "timeout" if timed_out else "connection_failed", permanent=False, detail=type(error).__name__
            )
        return verdict(response.status_code, response.headers)

    async def _address(self, target: Target) -> str | Refused:
        """The machine to connect to. One private address among several spoils them all: it is how rebinding begins."""
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                found = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError, TimeoutError) as error:
            return Refused("name_not_resolved", permanent=False, detail=type(error).__name__)
        if not found:
            return Refused("name_not_resolved", permanent=False)
        if not all(self._allowed(address) for address in found):
            log.warning("private_address_refused", host=target.host)
            return Refused("private_address", permanent=True)
        return found[0]


async def _skim(response: httpx.Response) -> None:
    """Read the answer up to the bound, so that an orderly server sees its answer taken, and no further."""
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > MAX_ANSWER_BYTES:
            return


def verdict(status: int, headers: Mapping[str, str]) -> Accepted | Refused:
    """What a status means (CO-05). Pure."""
    if 200 <= status < 300:
        return Accepted(None, {"status": status})
    is_passing = status in RETRYABLE or status >= 500
    after_s = retry_after_s(headers) if is_passing else None
    return Refused(f"http_{status}", permanent=not is_passing, retry_after_s=after_s)
