"""The suppression list of people who were erased: keyed hashes, so that the list itself names nobody.

Each workspace has a pepper of its own, 32 random bytes made at its first erasure and sealed under ZRG_SECRET_KEYS. A
hash is the HMAC of one identity under it. The pepper never changes: rotating the keys re-seals it, and hashes of people
whose addresses are gone stay comparable. Hashes derived from ZRG_SECRET_KEYS itself would die with the key that made
them, and unkeyed ones could be undone by hashing every phone number there is.

Somebody who has the database without the keys can undo nothing; a process without the keys can compare nothing and
refuses to take in deliveries of a workspace that has erased somebody.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.seal import Sealer, SealError

Identity = tuple[UUID, str, str]  # workspace, kind, normalised value
NAME = "erasure"
LOCK_CLASS = 7120  # intake holds it shared while it writes for a workspace, an erasure exclusively
# An address is the same address whoever's list calls it an alternate.
_SAME = {"alternate_email": "email"}

_SHARE = text("""
    SELECT pg_advisory_xact_lock_shared(:class, k) FROM (
        SELECT DISTINCT hashtext(w::text) AS k FROM unnest(CAST(:workspaces AS uuid[])) AS w ORDER BY 1) AS ordered""")
_EXCLUDE = text("SELECT pg_advisory_xact_lock(:class, hashtext(CAST(:workspace AS uuid)::text))")
_PEPPERS = text("""
    SELECT workspace_id, sealed FROM secret.pepper
    WHERE name = :name AND workspace_id = ANY(CAST(:workspaces AS uuid[]))""")
_NEW_PEPPER = text("""
    INSERT INTO secret.pepper (workspace_id, name, sealed, created_at) VALUES (:workspace, :name, :sealed, :now)
    ON CONFLICT DO NOTHING""")
_KNOWN = text("""
    SELECT workspace_id, value
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:hashes AS text[])) AS k (workspace_id, value)
    JOIN app.suppression s USING (workspace_id, value) WHERE s.kind = 'erased'""")
_ADD = text("""
    INSERT INTO app.suppression (workspace_id, kind, value, channel, reason, source, suppressed_at)
    SELECT :workspace, 'erased', h, 'all', 'person_erased', 'erasure', :now
    FROM unnest(CAST(:hashes AS text[])) AS h ORDER BY h
    ON CONFLICT DO NOTHING""")


def hash_of(pepper: str, kind: str, value: str) -> str:
    """The keyed hash of one identity: 64 hexadecimal digits. Pure."""
    return hmac.new(pepper.encode(), f"{_SAME.get(kind, kind)}:{value}".encode(), hashlib.sha256).hexdigest()


async def share_workspaces(conn: AsyncConnection, workspaces: Collection[UUID]) -> None:
    """Keep erasures of these workspaces out until the transaction ends: what is compared now stays true."""
    if workspaces:
        await conn.execute(_SHARE, {"class": LOCK_CLASS, "workspaces": sorted(workspaces)})


async def exclude_intake(conn: AsyncConnection, workspace_id: UUID) -> None:
    """Wait for intake that writes for this workspace, and keep it out until the transaction ends."""
    await conn.execute(_EXCLUDE, {"class": LOCK_CLASS, "workspace": workspace_id})


async def erased_among(
    conn: AsyncConnection, identities: Iterable[Identity], sealer: Sealer | None
) -> frozenset[Identity]:
    """Those of `identities` that belong to somebody who was erased. `SealError` when a pepper cannot be opened."""
    wanted = set(identities)
    peppers = await open_peppers(conn, {workspace for workspace, _, _ in wanted}, sealer)
    return await erased_by(conn, wanted, peppers)


async def erased_by(
    conn: AsyncConnection, wanted: Collection[Identity], peppers: Mapping[UUID, str]
) -> frozenset[Identity]:
    """The same with the peppers of the workspaces at hand."""
    hashed = {
        (workspace, hash_of(peppers[workspace], kind, value)): (workspace, kind, value)
        for workspace, kind, value in wanted
        if workspace in peppers
    }
    if not hashed:
        return frozenset()
    keys = list(hashed)
    rows = await conn.execute(_KNOWN, {"workspaces": [key[0] for key in keys], "hashes": [key[1] for key in keys]})
    found = {(row.workspace_id, row.value) for row in rows}
    # Two kinds of one address have one hash, so every identity is asked for itself.
    return frozenset(
        (workspace, kind, value)
        for workspace, kind, value in wanted
        if workspace in peppers and (workspace, hash_of(peppers[workspace], kind, value)) in found
    )


async def remember_erased(
    conn: AsyncConnection, workspace_id: UUID, identities: Iterable[tuple[str, str]], sealer: Sealer, now: datetime
) -> None:
    """Put the hashes of `(kind, value)` on the suppression list; makes the workspace's pepper at the first time."""
    sealed = sealer.seal(secrets.token_urlsafe(32), scope=_scope(workspace_id))
    await conn.execute(_NEW_PEPPER, {"workspace": workspace_id, "name": NAME, "sealed": sealed, "now": now})
    pepper = (await open_peppers(conn, {workspace_id}, sealer))[workspace_id]
    hashes = sorted({hash_of(pepper, kind, value) for kind, value in identities})
    await conn.execute(_ADD, {"workspace": workspace_id, "hashes": hashes, "now": now})


async def open_peppers(conn: AsyncConnection, workspaces: Collection[UUID], sealer: Sealer | None) -> dict[UUID, str]:
    """The peppers of those workspaces that have erased somebody. `SealError` when one cannot be opened."""
    if not workspaces:
        return {}
    rows = (await conn.execute(_PEPPERS, {"name": NAME, "workspaces": sorted(workspaces)})).all()
    if rows and sealer is None:
        raise SealError("ZRG_SECRET_KEYS is not set, so people who were erased cannot be told from others")
    assert sealer is not None or not rows
    return {row.workspace_id: sealer.open(row.sealed, scope=_scope(row.workspace_id)) for row in rows if sealer}


def _scope(workspace_id: UUID) -> str:
    return f"{workspace_id}:pepper:{NAME}"
