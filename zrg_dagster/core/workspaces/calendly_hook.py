"""The one webhook subscription that a workspace has at Calendly: where it points, whether it is sound, what is stored.

The key that signs its deliveries is ours: it is made here, told to the vendor once and kept sealed in `raw.route`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.providers.calendly.client import Account, Subscription
from zrg_dagster.core.providers.outcome import ReadFailed
from zrg_dagster.core.workspaces.audit import record
from zrg_dagster.core.workspaces.sealing import UNREADABLE, Keys

PROVIDER = "calendly"
PATH = "/api/webhooks/calendly/"
EVENTS = ("invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted")


class HookError(ValueError):
    """A subscription cannot be made or repaired. One line: what is wrong and what to do."""


class HookState(StrEnum):
    """What a look at the subscription found; the codes stand in `app.vendor_notice.value`."""

    ACTIVE = "subscription_active"
    NOT_CONNECTED = "subscription_missing"
    GONE = "subscription_gone"
    DISABLED = "subscription_disabled"
    ELSEWHERE = "subscription_points_elsewhere"
    INCOMPLETE = "subscription_lacks_events"
    NO_ACCESS = "no_usable_token"
    REFUSED = "token_refused"
    UNREACHABLE = "vendor_unreachable"


# A vendor that could not be asked today says nothing about the subscription.
QUIET = frozenset({HookState.ACTIVE, HookState.UNREACHABLE})


@dataclass(frozen=True, slots=True)
class StoredHook:
    """What we know of a workspace's subscription. `has_key`: its deliveries can be verified."""

    workspace_id: UUID
    key: str
    uri: str | None
    has_key: bool = True


@dataclass(frozen=True, slots=True)
class HookPlan:
    """What to keep and what to remove at the vendor; nothing to keep means that one must be made."""

    keep: Subscription | None
    remove: tuple[Subscription, ...]


def hook_address(public_url: str, vendor_url: str, key: str, *, is_development: bool) -> str:
    """Where the vendor delivers to. `HookError` when that address could never be reached, or not safely. Pure."""
    parts = urlsplit(public_url.strip().rstrip("/"))
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise HookError("PUBLIC_URL is no address; set it to the receiver's public address, https://host")
    if parts.scheme != "https" and not is_development:
        raise HookError(f"PUBLIC_URL is {parts.scheme}://{parts.netloc}; deliveries need https outside development")
    if _is_loopback(host) and not _is_loopback(urlsplit(vendor_url).hostname or ""):
        raise HookError("PUBLIC_URL is not set, or names this machine only; set it to the receiver's public address")
    return f"{parts.geturl()}{PATH}{key}"


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def state_of(subscription: Subscription | ReadFailed, address: str) -> HookState:
    """What one subscription, or the failure to read it, means. Pure."""
    if isinstance(subscription, ReadFailed):
        if subscription.reason == "not_found":
            return HookState.GONE
        return HookState.REFUSED if subscription.reason == "credentials_rejected" else HookState.UNREACHABLE
    if subscription.state != "active":
        return HookState.DISABLED
    if subscription.callback_url != address:
        return HookState.ELSEWHERE
    return HookState.ACTIVE if subscription.events >= set(EVENTS) else HookState.INCOMPLETE


def make_plan(found: Iterable[Subscription], stored: StoredHook, address: str, scope: str) -> HookPlan:
    """Ours are the one that we remember and the one that points at our address; nobody else's is touched. Pure.

    Only the one that we remember can be kept: of another one with our address we do not know the signing key.
    """
    ours = [each for each in found if each.uri == stored.uri or each.callback_url == address]
    keep = next(
        (
            each
            for each in ours
            if each.uri == stored.uri
            and stored.has_key
            and each.scope == scope
            and state_of(each, address) is HookState.ACTIVE
        ),
        None,
    )
    return HookPlan(keep, tuple({each.uri: each for each in ours if each is not keep}.values()))


_STORED = text("""
    SELECT w.id, w.key, i.is_active, i.webhook_subscription_uri AS uri,
           (SELECT r.sealed_secret FROM raw.route r WHERE r.workspace_id = w.id AND r.provider = 'calendly'
              AND r.is_active LIMIT 1) AS sealed
    FROM app.workspace w LEFT JOIN app.integration i ON i.workspace_id = w.id AND i.provider = 'calendly'
    WHERE w.key = :key""")
_REMEMBER = text("""
    UPDATE app.integration SET user_uri = :user, organization_uri = :organization, webhook_subscription_uri = :uri,
        updated_at = :now
    WHERE workspace_id = :id AND provider = 'calendly'
      AND (user_uri, organization_uri, webhook_subscription_uri) IS DISTINCT FROM (:user, :organization, :uri)""")


async def load_hook(conn: AsyncConnection, key: str, keys: Keys) -> StoredHook:
    """What is stored for a workspace that is connected to Calendly; `HookError` for any other."""
    row = (await conn.execute(_STORED, {"key": key})).one_or_none()
    if row is None:
        raise HookError(f"no workspace has the key {key!r}; `zrg workspace list` shows them")
    if not row.is_active:
        raise HookError(f"workspace {key} is not connected to Calendly; add integrations.calendly to its file")
    opened = None if row.sealed is None else keys.open(row.id, "route", PROVIDER, row.sealed)
    return StoredHook(row.id, key, row.uri, has_key=opened is not None and opened != UNREADABLE)


async def remember_hook(
    conn: AsyncConnection, stored: StoredHook, account: Account, uri: str | None, *, actor: str, now: datetime
) -> None:
    """Note which subscription is the workspace's; in the audit log when that changed."""
    parameters = {"id": stored.workspace_id, "user": account.user_uri, "organization": account.organization_uri}
    changed = await conn.execute(_REMEMBER, {**parameters, "uri": uri, "now": now})
    if changed.rowcount:
        action, what = "integration.connect", "calendly webhook subscription"
        await record(conn, actor=actor, action=action, object=what, workspace_id=stored.workspace_id, now=now)


@dataclass(frozen=True, slots=True)
class Seen:
    """What today's look at one workspace's subscription found."""

    hook: StoredHook
    state: HookState


_WATCHED = text("""
    SELECT w.id, w.key, i.webhook_subscription_uri AS uri
    FROM app.integration i JOIN app.workspace w ON w.id = i.workspace_id
    WHERE i.provider = 'calendly' AND i.is_active AND w.is_active ORDER BY w.key LIMIT :limit""")
# One a day while it lasts, so that each digest reminds; and one when it is over.
_NOTE = text("""
    INSERT INTO app.vendor_notice (workspace_id, notice_key, provider, kind, value, subject, is_trouble, noticed_at,
                                   created_at)
    SELECT s.workspace_id, 'calendly:' || s.state || ':' || CAST(:day AS text), 'calendly', 'webhook_subscription', s.state,
           s.subject, s.is_trouble, :now, :now
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:states AS text[]), CAST(:subjects AS text[]),
                CAST(:troubles AS boolean[])) AS s (workspace_id, state, subject, is_trouble)
    WHERE s.is_trouble OR (SELECT n.is_trouble FROM app.vendor_notice n
                           WHERE n.workspace_id = s.workspace_id AND n.kind = 'webhook_subscription'
                           ORDER BY n.noticed_at DESC, n.is_trouble LIMIT 1)
    ON CONFLICT (workspace_id, notice_key) DO NOTHING""")


async def watched_hooks(conn: AsyncConnection, limit: int) -> list[StoredHook]:
    """The subscriptions of every active workspace that is connected to Calendly."""
    return [StoredHook(row.id, row.key, row.uri) for row in await conn.execute(_WATCHED, {"limit": limit})]


async def note_hooks(conn: AsyncConnection, seen: Sequence[Seen], now: datetime) -> int:
    """Write troubles, and the end of a trouble, where operators and the digest find them. Returns how many are new."""
    told = [each for each in seen if each.state is not HookState.UNREACHABLE]
    parameters = {
        "workspaces": [each.hook.workspace_id for each in told],
        "states": [each.state.value for each in told],
        "subjects": [each.hook.uri or "" for each in told],
        "troubles": [each.state not in QUIET for each in told],
        "day": now.date().isoformat(),
        "now": now,
    }
    return (await conn.execute(_NOTE, parameters)).rowcount
