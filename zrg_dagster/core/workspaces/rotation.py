"""Rotation of the keys that seal secrets: everything under the newest key, online, any number of times.

Processes open values under any key of their list, so they run on while this does, provided they hold the new key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from zrg_dagster.core.base.seal import Sealer, SealError
from zrg_dagster.core.workspaces.audit import record
from zrg_dagster.core.workspaces.sealing import Keys

ROTATE_BATCH = 500


@dataclass(frozen=True, slots=True)
class Rotation:
    """What one pass over a table did. `unreadable`: sealed with a key that is gone; must be set again."""

    seen: int = 0
    rotated: int = 0
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """Where sealed values lie: the table, its key columns (cast to text) and the column."""

    table: str
    keys: tuple[str, str]
    column: str


SEALED_COLUMNS: Mapping[str, SealedColumn] = {
    "credential": SealedColumn("secret.credential", ("workspace_id", "name"), "sealed"),
    "pepper": SealedColumn("secret.pepper", ("workspace_id", "name"), "sealed"),
    "verification": SealedColumn("raw.route", ("provider", "routing_key"), "sealed_secret"),
}


async def rotate_batch(
    conn: AsyncConnection, where: SealedColumn, sealer: Sealer, after: tuple[str, str], *, limit: int = ROTATE_BATCH
) -> tuple[Rotation, tuple[str, str] | None]:
    """Bring up to `limit` values behind `after` under the newest key; returns what was done and the last key seen.

    The update compares the old value: a secret that somebody sets meanwhile is newer and stays. Nothing else of the
    row changes, not its time stamp either, which tells the age of the value and not of its wrapping.
    """
    first, second = where.keys
    rows = (
        await conn.execute(
            text(f"""
                SELECT {first}::text AS a, {second} AS b, {where.column} AS sealed FROM {where.table}
                WHERE ({first}::text, {second}) > (:first, :second) AND {where.column} IS NOT NULL
                ORDER BY {first}::text, {second} LIMIT :limit"""),
            {"first": after[0], "second": after[1], "limit": limit},
        )
    ).all()
    changed, unreadable = [], []
    for row in rows:
        try:
            fresh = sealer.rotated(row.sealed)
        except SealError:
            unreadable.append(f"{where.table} {row.a} {row.b}")
            continue
        if fresh is not None:
            changed.append((row.a, row.b, row.sealed, fresh))
    rotated = 0
    if changed:
        a, b, old, new = (list(values) for values in zip(*changed, strict=True))
        result = await conn.execute(
            text(f"""
                UPDATE {where.table} t SET {where.column} = u.fresh
                FROM unnest(CAST(:a AS text[]), CAST(:b AS text[]), CAST(:old AS text[]), CAST(:new AS text[]))
                    AS u (a, b, stale, fresh)
                WHERE t.{first}::text = u.a AND t.{second} = u.b AND t.{where.column} = u.stale"""),
            {"a": a, "b": b, "old": old, "new": new},
        )
        rotated = result.rowcount
    last = (rows[-1].a, rows[-1].b) if len(rows) == limit else None
    return Rotation(len(rows), rotated, tuple(unreadable)), last


async def rotate_all(
    engine: AsyncEngine, keys: Keys, *, actor: str, now: datetime, batch: int = ROTATE_BATCH
) -> dict[str, Rotation]:
    """Rotate every sealed value, a transaction a batch; the audit log gets one entry when anything changed."""
    done: dict[str, Rotation] = {}
    sealers = (("credential", keys.credentials), ("pepper", keys.credentials), ("verification", keys.verifiers))
    for name, sealer in sealers:
        total, after = Rotation(), ("", "")
        while after is not None:
            async with engine.begin() as conn:
                step, after = await rotate_batch(conn, SEALED_COLUMNS[name], sealer, after, limit=batch)
            total = Rotation(
                total.seen + step.seen, total.rotated + step.rotated, (*total.unreadable, *step.unreadable)
            )
        done[name] = total
    counts = [{"object": name, "seen": each.seen, "rotated": each.rotated} for name, each in done.items()]
    if any(each.rotated for each in done.values()):
        async with engine.begin() as conn:
            await record(conn, actor=actor, action="secret.rotate", object="all secrets", changes=counts, now=now)
    return done
