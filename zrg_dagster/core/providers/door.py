"""What every vendor's door shares: the shapes of a delivery, constant-time checks, and the key that dedupes deliveries.

Pure and light on purpose: the receiver process loads this module and the vendors' `door.py`, nothing else of the
providers. A vendor's `door.py` answers four questions and ends with its `DOOR`: which routing keys to try, is it
authentic, what identifies it, and is there an answer that needs no storing.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal
from urllib.parse import parse_qsl
from uuid import UUID

MAX_LABEL_CHARS = 120
MAX_HEADER_CHARS = 256
MAX_FORM_FIELDS = 64
# Where a body says neither when nor which, a retry is told from a second event by the time of receipt.
RETRY_BUCKET_S = 600
JSON_TYPES = frozenset({"", "application/json", "text/json"})
FORM_TYPE = "application/x-www-form-urlencoded"

# Kept with the body because they help to replay or to date a delivery. Never credentials, cookies or signatures.
KEPT_HEADERS = (
    "content-type",
    "user-agent",
    "x-slack-request-timestamp",
    "x-slack-retry-num",
    "x-slack-retry-reason",
    "svix-id",
    "svix-timestamp",
    "webhook-id",
    "webhook-timestamp",
)

# Numbers stay text: the door compares ids only, and a number of 5,000 digits must not raise inside int().
# Raw control characters are let through: a workflow author's unescaped line break is quarantined later, not lost here.
_DECODER = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)


class Refused(Exception):
    """The door says no. `status` is the HTTP answer, `code` a stable word for the counter, the log and the answer."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Delivery:
    """One request as received. Header names are lower case, `content_type` is the media type without parameters."""

    method: str
    path_params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    content_type: str = ""

    @cached_property
    def document(self) -> object:
        """The JSON body, numbers as text. `Refused(400)` when the bytes are not JSON."""
        return parse_json(self.body)

    @property
    def fields(self) -> Mapping[str, object]:
        """The top-level object of the JSON body; empty when the body is JSON of another kind."""
        return as_object(self.document)


@dataclass(frozen=True, slots=True)
class RouteKey:
    """What a delivery says about its workspace, in the vendor's words (`raw.route`: provider, routing_key)."""

    provider: str
    key: str


@dataclass(frozen=True, slots=True)
class Route:
    """One usable row of `raw.route` with its verification secrets opened, newest first; none means unsigned."""

    provider: str
    key: str
    workspace_id: UUID
    workspace_key: str
    allowed_hosts: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """Names one delivery. Two deliveries with the same `delivery_key` (32 bytes) are one.

    `claims` are routing keys that the body states beside the one it was routed by: if one of them belongs to another
    workspace the delivery is refused, because a leaked secret of one tenant must not write about another.
    """

    provider: str
    scope: str
    event_type: str
    delivery_key: bytes
    claims: tuple[RouteKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with status 200 that needs no storing (Slack's handshakes)."""

    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


def no_reply(_delivery: Delivery) -> Reply | None:
    return None


@dataclass(frozen=True, slots=True)
class Door:
    """One vendor's door.

    `verified_by` says whose secrets `verify` gets: the route's, or for a vendor with one app-wide signature the app's.
    `route_keys` is None for a vendor whose deliveries name no workspace: then there is no route and `identify` gets
    None. `verify` raises `Refused(401)`; `identify` raises `Refused(400)` for bytes that cannot be decoded and
    `Refused(401)` when the content contradicts the route. `unknown_route` is the answer when the delivery names a
    workspace that nobody has; without one it is refused (404).

    Of the vendors in `rivals` and this one a workspace has one. A delivery for a workspace that is connected to another
    of them is answered 200 and not stored: its hook was left behind at the former vendor (seed 003, E9 and E13).
    """

    provider: str
    content_types: frozenset[str]
    verify: Callable[[Delivery, Sequence[str], datetime], None]
    identify: Callable[[Delivery, Route | None], Identity]
    route_keys: Callable[[Delivery], Iterator[RouteKey]] | None = None
    verified_by: Literal["route", "app"] = "route"
    unknown_route: Reply | None = None
    reply_before_auth: Callable[[Delivery], Reply | None] = no_reply
    reply_after_auth: Callable[[Delivery], Reply | None] = no_reply
    accepted: Reply | None = None
    rivals: tuple[str, ...] = ()


def parse_json(body: bytes | str) -> object:
    """Decode JSON, or `Refused(400)`. Nesting deeper than the interpreter's stack counts as undecodable."""
    try:
        text = body if isinstance(body, str) else body.decode(json.detect_encoding(body))
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise Refused(400, "invalid_json") from None


def form_fields(body: bytes) -> dict[str, str]:
    """A form body, first value of each field. `Refused(400)` when it is not a form."""
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS, errors="strict")
    except ValueError:
        raise Refused(400, "invalid_form") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


def as_object(value: object) -> Mapping[str, object]:
    """`value` when it is a JSON object, else an empty one: odd shapes are stored, never refused."""
    return value if isinstance(value, dict) else {}


def as_text(value: object) -> str:
    """`value` stripped when it is text (numbers are, see `parse_json`), else the empty string."""
    return value.strip() if isinstance(value, str) else ""


def label(value: object, default: str = "unknown") -> str:
    """`value` as a short printable word for a text column and a log line.

    NUL or a lone surrogate in one event type would make Postgres or the driver refuse the whole batch.
    """
    text = as_text(value)[:MAX_LABEL_CHARS]
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "?" for char in text)
    return text or default


def delivery_key(provider: str, scope: str, event_type: str, *said: str | bytes) -> bytes:
    """sha256 over provider, scope, event type and what names the delivery, each with its length in front.

    The lengths keep ("ab", "c") and ("a", "bc") apart.
    """
    digest = hashlib.sha256()
    for part in (provider, scope, event_type, *said):
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.digest()


def receipt_bucket(received_at: datetime) -> str:
    """The ten minutes in which a delivery was received, as a part of its key."""
    return str(int(received_at.timestamp()) // RETRY_BUCKET_S)


def secret_matches(given: str, secrets: Sequence[str]) -> bool:
    """Compare in constant time with every secret; several exist while a key is rotated (newest first, any fits)."""
    offered = given.encode("utf-8", "surrogatepass")
    found = False
    for secret in secrets:
        found |= hmac.compare_digest(offered, secret.encode())
    return found


def bearer_token(headers: Mapping[str, str]) -> str:
    """The token of `Authorization: Bearer …`, else the empty string, which matches no secret."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def hmac_matches(given_hex: Sequence[str], message: bytes, secrets: Sequence[str]) -> bool:
    """Whether one of `given_hex` is HMAC-SHA256 of `message` under one of `secrets`, in constant time."""
    offered = [candidate.encode("utf-8", "surrogatepass") for candidate in given_hex]
    found = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest().encode()
        for candidate in offered:
            found |= hmac.compare_digest(candidate, expected)
    return found


def within_window(stamp: str, now: datetime, window_s: int) -> bool:
    """Whether `stamp` (Unix seconds as text) lies at most `window_s` seconds before or after `now`."""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    return abs(now.timestamp() - int(stamp)) <= window_s


def split_secrets(opened: str) -> tuple[str, ...]:
    """The secrets inside one sealed value: comma-separated, newest first. A secret itself holds no comma."""
    return tuple(part for part in (piece.strip() for piece in opened.split(",")) if part)


def kept_headers(headers: Mapping[str, str]) -> bytes:
    """The headers worth keeping as ASCII JSON bytes (bytea: no value of a header can fail the batch)."""
    kept = {name: headers[name][:MAX_HEADER_CHARS] for name in KEPT_HEADERS if name in headers}
    return json.dumps(kept, separators=(",", ":")).encode("ascii")
