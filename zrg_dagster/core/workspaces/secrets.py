"""Secrets of a workspace one by one: set, remove, show masked.

A value enters once, is cleaned, sealed and never comes back: what is shown is its last characters at most.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.providers.outcome import ReadFailed
from zrg_dagster.core.workspaces import tables
from zrg_dagster.core.workspaces.apply import take_turn
from zrg_dagster.core.workspaces.audit import record
from zrg_dagster.core.workspaces.declared_integrations import EMAIL_PROVIDERS
from zrg_dagster.core.workspaces.sealing import CREDENTIALS, SECRET_NAMES, UNREADABLE, VERIFIERS, Keys
from zrg_dagster.core.workspaces.wanted import routes_of

if TYPE_CHECKING:
    from zrg_dagster.core.providers.slack.client import SlackClient

# A value shorter than this shows none of its characters: four of eight would be half of it.
TAIL_FROM_CHARS = 12
TAIL_CHARS = 4

_PROVIDER = {name: provider for provider, name in (*CREDENTIALS.items(), *VERIFIERS.items())}
_URIS = ("user_uri", "organization_uri", "webhook_subscription_uri")

_WORKSPACE = text("SELECT id FROM app.workspace WHERE key = :key")
_INTEGRATION = text(
    "SELECT base_url, external_id, is_active FROM app.integration WHERE workspace_id = :id AND provider = :provider"
)
_STORED = text("""
    SELECT 'credential' AS section, c.name AS place, c.sealed, c.updated_at
    FROM secret.credential c WHERE c.workspace_id = :id
    UNION ALL
    SELECT DISTINCT ON (r.provider) 'route', r.provider, r.sealed_secret, r.updated_at
    FROM raw.route r WHERE r.workspace_id = :id AND r.sealed_secret IS NOT NULL
    ORDER BY 1, 2""")
_SAVE_CREDENTIAL = text("""
    INSERT INTO secret.credential (workspace_id, name, sealed, updated_at) VALUES (:id, :name, :sealed, :now)
    ON CONFLICT (workspace_id, name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at""")
_SAVE_VERIFIER = text("""
    UPDATE raw.route SET sealed_secret = :sealed, updated_at = :now
    WHERE workspace_id = :id AND provider = :provider RETURNING routing_key""")
_ACTIVATE = text("""
    UPDATE app.integration SET is_active = true, updated_at = :now
    WHERE workspace_id = :id AND provider = :provider AND NOT is_active""")
_DELETE_CREDENTIAL = text("DELETE FROM secret.credential WHERE workspace_id = :id AND name = :name")
_DELETE_ROUTES = text("DELETE FROM raw.route WHERE workspace_id = :id AND provider = :provider")
# Seed 003 §4 (E5). What was read with the token says nothing about the next one.
_FORGET_CALENDLY = text(f"""
    UPDATE app.integration SET {", ".join(f"{name} = NULL" for name in _URIS)}, is_active = false, updated_at = :now
    WHERE workspace_id = :id AND provider = 'calendly'""")


class SecretError(ValueError):
    """A secret cannot be set or removed. One line: what is wrong and what to do. Never contains a value."""


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """What may be told about a secret: `masked` shows its last characters at most."""

    name: str
    masked: str
    updated_at: datetime


def mask(value: SecretStr) -> str:
    """Enough to tell two secrets apart, too little to use one."""
    if value == UNREADABLE:
        return "cannot be opened with these keys"
    plain = value.get_secret_value()
    tail = plain[-TAIL_CHARS:] if len(plain) >= TAIL_FROM_CHARS else ""
    return f"••••••••{tail} ({len(plain)} characters)"


def checked_name(name: str) -> str:
    if name not in SECRET_NAMES:
        raise SecretError(f"unknown secret {name!r}; the names are {', '.join(SECRET_NAMES)}")
    return name


async def slack_problem(client: "SlackClient") -> str | None:
    """Why a Slack token must not be saved, or None (seed 003 §4, E9). A Slack that cannot be asked is a reason too."""
    answer = await client.auth_test()
    if not isinstance(answer, ReadFailed):
        return None
    if answer.permanent:
        return f"Slack refuses the token: {answer.detail or answer.reason}"
    return f"Slack could not be asked whether the token is valid ({answer.reason}); try again"


async def show_secrets(conn: AsyncConnection, key: str, keys: Keys) -> list[StoredSecret]:
    """Every stored secret of a workspace, masked, in the order of SECRET_NAMES."""
    workspace_id = await _workspace(conn, key)
    found = []
    for row in await conn.execute(_STORED, {"id": workspace_id}):
        name = row.place if row.section == "credential" else VERIFIERS[row.place]
        value = keys.open(workspace_id, row.section, row.place, row.sealed)
        found.append(StoredSecret(name, mask(value), row.updated_at))
    return sorted(found, key=lambda each: SECRET_NAMES.index(each.name))


async def set_secret(
    conn: AsyncConnection,
    key: str,
    name: str,
    value: SecretStr,
    keys: Keys,
    *,
    actor: str,
    now: datetime,
    keep_old: bool = False,
) -> bool:
    """Store a cleaned value; False when it is the stored one already, and then nothing is written.

    `keep_old` lets the receiver accept the previous verification secret too, while the vendor is switched over (two
    secrets, newest first). Setting the value again without it ends the overlap. A Slack token was checked before.
    """
    provider = _PROVIDER[checked_name(name)]
    await take_turn(conn, key)
    workspace_id = await _workspace(conn, key)
    integration = (await conn.execute(_INTEGRATION, {"id": workspace_id, "provider": provider})).one_or_none()
    if integration is None:
        raise SecretError(f"workspace {key} has no {provider} integration; add it to its file and apply it")
    if name in VERIFIERS.values():
        changed = await _set_verifier(conn, workspace_id, key, provider, integration, value, keys, now, keep_old)
    elif keep_old:
        raise SecretError(f"{name} is what we send, and only one is sent; --keep-old is for secrets that verify")
    elif provider in EMAIL_PROVIDERS and not integration.is_active:
        raise SecretError(f"workspace {key} is not connected to {provider}; connect it in its file and apply it")
    else:
        changed = await _set_credential(conn, workspace_id, name, value, keys, now)
        switched_on = await conn.execute(_ACTIVATE, {"id": workspace_id, "provider": provider, "now": now})
        changed |= switched_on.rowcount > 0
    if changed:
        await record(conn, actor=actor, action="secret.set", object=name, workspace_id=workspace_id, now=now)
    return changed


async def _stored(conn: AsyncConnection, workspace_id: UUID, section: str, place: str, keys: Keys) -> SecretStr | None:
    for row in await conn.execute(_STORED, {"id": workspace_id}):
        if (row.section, row.place) == (section, place):
            return keys.open(workspace_id, section, place, row.sealed)
    return None


async def _set_credential(
    conn: AsyncConnection, workspace_id: UUID, name: str, value: SecretStr, keys: Keys, now: datetime
) -> bool:
    if await _stored(conn, workspace_id, "credential", name, keys) == value:
        return False
    sealed = keys.seal(workspace_id, "credential", name, value)
    await conn.execute(_SAVE_CREDENTIAL, {"id": workspace_id, "name": name, "sealed": sealed, "now": now})
    return True


async def _set_verifier(
    conn: AsyncConnection,
    workspace_id: UUID,
    key: str,
    provider: str,
    integration: Row[Any],
    value: SecretStr,
    keys: Keys,
    now: datetime,
    keep_old: bool,
) -> bool:
    stored = await _stored(conn, workspace_id, "route", provider, keys)
    if keep_old and stored not in (None, UNREADABLE, value):
        newest = stored.get_secret_value().split(",")[0] if stored else ""
        if newest != value.get_secret_value():
            value = SecretStr(f"{value.get_secret_value()},{newest}")
    if stored == value:
        return False
    sealed = keys.seal(workspace_id, "route", provider, value)
    parameters = {"id": workspace_id, "provider": provider, "sealed": sealed, "now": now}
    if (await conn.execute(_SAVE_VERIFIER, parameters)).all():
        return True
    # Removed together with the token before: the route is made anew. Of e-mail vendors only the file says which one is
    # in use and under which hosts.
    if provider in EMAIL_PROVIDERS:
        raise SecretError(f"workspace {key} has no {provider} route; apply its file")
    rows = routes_of(provider, key, {"external_id": integration.external_id}, (), value)
    await tables.write_rows(
        conn,
        tables.ROUTE,
        "insert",
        list(rows.values()),
        workspace_id=workspace_id,
        now=now,
        seal=lambda _section, place, secret: keys.seal(workspace_id, "route", str(place[0]), secret),
    )
    return True


async def remove_secret(conn: AsyncConnection, key: str, name: str, *, actor: str, now: datetime) -> bool:
    """Delete a secret; False when there was none. Without its token Calendly loses cached URIs, signing key and route.

    A verification secret goes with its routes: a route without secret would accept unsigned deliveries.
    """
    provider = _PROVIDER[checked_name(name)]
    await take_turn(conn, key)
    workspace_id = await _workspace(conn, key)
    removed = 0
    if name in VERIFIERS.values():
        removed = (await conn.execute(_DELETE_ROUTES, {"id": workspace_id, "provider": provider})).rowcount
    else:
        removed = (await conn.execute(_DELETE_CREDENTIAL, {"id": workspace_id, "name": name})).rowcount
        if provider == "calendly" and removed:
            await conn.execute(_DELETE_ROUTES, {"id": workspace_id, "provider": provider})
            await conn.execute(_FORGET_CALENDLY, {"id": workspace_id, "now": now})
    if removed:
        await record(conn, actor=actor, action="secret.remove", object=name, workspace_id=workspace_id, now=now)
    return removed > 0


async def _workspace(conn: AsyncConnection, key: str) -> UUID:
    workspace_id = (await conn.execute(_WORKSPACE, {"key": key})).scalar_one_or_none()
    if workspace_id is None:
        raise SecretError(f"no workspace has the key {key!r}; `zrg workspace list` shows them")
    return workspace_id
