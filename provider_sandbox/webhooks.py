"""Webhooks that the sandbox sends, signed as each vendor signs.

Only to loopback, and side effects (a reply's MANUAL_EMAIL_SENT, a booking's invitee.created) only after a target was
configured: a sandbox must not surprise a receiver that expects a quiet door.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import time
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from provider_sandbox.state import Clock, iso_micro

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 15.0
ECHO_ATTEMPTS = 6  # the first delivery and five more, as EmailBison retries; waits 1, 2, 4, 8, 16 s
MAX_KEPT_DELIVERIES = 2_000
TAMPERS = ("body", "signature", "timestamp")


class TargetError(ValueError):
    """A webhook target or firing order that is refused; the message names the field."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a provider's webhooks go. `secret` signs (Calendly, Slack, Resend) or travels in `header` (GHL, EmailBison, Clay).

    `ed25519_seed` (hex, 32 bytes) adds the marketplace signature `x-ghl-signature`.
    """

    url: str
    secret: str = ""
    header: str = "x-zrg-key"
    headers: Mapping[str, str] = field(default_factory=dict)
    ed25519_seed: str = ""


def check_url(url: Any) -> str:
    """A loopback http(s) URL; anything else raises TargetError."""
    if not isinstance(url, str):
        raise TargetError("url: missing")
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if parts.scheme not in ("http", "https") or not loopback:
        raise TargetError("url: the sandbox talks to loopback addresses only")
    return url


def hex_hmac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def signature_headers(provider: str, target: Target, raw: bytes, timestamp: int) -> dict[str, str]:
    """The headers by which the receiver recognises this vendor (vendor reference 4.1, 5.1, 9.1, 11.1, 12.1)."""
    if provider == "calendly":
        digest = hex_hmac(target.secret, f"{timestamp}.".encode() + raw)
        return {"Calendly-Webhook-Signature": f"t={timestamp},v1={digest}"}
    if provider == "slack":
        digest = hex_hmac(target.secret, f"v0:{timestamp}:".encode() + raw)
        return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}
    if provider == "resend":
        message_id = f"msg_{hashlib.sha256(raw).hexdigest()[:24]}"  # the same on retries
        key = b64decode(target.secret.removeprefix("whsec_"))
        digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + raw, hashlib.sha256).digest()
        signature = f"v1,{b64encode(digest).decode()}"
        return {"svix-id": message_id, "svix-timestamp": str(timestamp), "svix-signature": signature}
    headers = {target.header: target.secret} if target.secret else {}
    if provider == "ghl" and target.ed25519_seed:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(target.ed25519_seed))
        headers["x-ghl-signature"] = b64encode(key.sign(raw)).decode()
    return headers


def _flip_last(value: str) -> str:
    return value[:-1] + ("0" if value[-1:] != "0" else "1")


class Webhooks:
    """Targets, deliveries made, and echoes still to come."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.targets: dict[str, Target] = {}
        self.deliveries: deque[dict[str, Any]] = deque(maxlen=MAX_KEPT_DELIVERIES)
        self._echoes: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    @property
    def pending(self) -> int:
        return len(self._echoes)

    async def reset(self) -> None:
        self.targets.clear()
        self.deliveries.clear()
        for task in list(self._echoes):
            task.cancel()
        await asyncio.gather(*self._echoes, return_exceptions=True)

    async def close(self) -> None:
        await self.reset()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def echo(self, provider: str, body: Mapping[str, Any], *, delay_s: float, repeat: int) -> None:
        """Deliver in the background, with the vendor's retries, when this provider has a target."""
        if provider not in self.targets:
            return
        raw = json.dumps(body, separators=(",", ":")).encode()
        for _ in range(repeat):
            task = asyncio.get_running_loop().create_task(self._echo(provider, raw, delay_s))
            self._echoes.add(task)
            task.add_done_callback(self._echoes.discard)

    async def _echo(self, provider: str, raw: bytes, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        for attempt in range(ECHO_ATTEMPTS):
            target = self.targets.get(provider)
            if target is None:
                return
            result = await self.deliver(provider, target, raw)
            if result["status"] is not None and result["status"] < 300:
                return
            await asyncio.sleep(2.0**attempt)

    async def deliver(
        self,
        provider: str,
        target: Target,
        raw: bytes,
        *,
        content_type: str = "application/json",
        sign: bool = True,
        tamper: str | None = None,
    ) -> dict[str, Any]:
        """One delivery. `tamper` breaks the body, the signature or the timestamp after signing."""
        if tamper is not None and tamper not in TAMPERS:
            raise TargetError(f"tamper: one of {', '.join(TAMPERS)}")
        timestamp = int(self.clock.now().timestamp()) - (3_600 if tamper == "timestamp" else 0)
        headers = {"content-type": content_type, **target.headers}
        if sign:
            signed = signature_headers(provider, target, raw, timestamp)
            if tamper == "signature":
                signed = {
                    name: _flip_last(value) if "imestamp" not in name else value for name, value in signed.items()
                }
            headers |= signed
        return await self._post(provider, target.url, raw[:-1] + b" " if tamper == "body" else raw, headers)

    async def _post(self, provider: str, url: str, raw: bytes, headers: dict[str, str]) -> dict[str, Any]:
        import httpx

        if self._client is None:
            # trust_env off: a proxy from the environment must not see loopback traffic.
            self._client = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False)
        started = time.monotonic()
        status, text, error = None, "", None
        try:
            response = await self._client.post(url, content=raw, headers=headers)
            status, text = response.status_code, response.text[:2_000]
        except httpx.HTTPError as failure:
            error = f"{type(failure).__name__}: {failure}"
        result = {
            "provider": provider,
            "at": iso_micro(self.clock.now()),
            "status": status,
            "answer": text,
            "error": error,
            "duration_ms": round((time.monotonic() - started) * 1000),
            "bytes": len(raw),
        }
        self.deliveries.append(result)
        return result
