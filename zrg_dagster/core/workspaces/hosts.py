"""The hosts that a workspace's e-mail API address may name. The key of a workspace is sent to no other host."""

import re
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.workspaces.audit import record

_HOST = re.compile(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$")

_LIST = text("SELECT host, label FROM app.email_host ORDER BY host")
_ADD = text("""
    INSERT INTO app.email_host (host, label, created_at) VALUES (:host, :label, :now)
    ON CONFLICT (host) DO NOTHING RETURNING host""")
_REMOVE = text("DELETE FROM app.email_host WHERE host = :host RETURNING host")
_USED = text("""
    SELECT w.key FROM app.integration i JOIN app.workspace w ON w.id = i.workspace_id
    WHERE i.provider = 'emailbison' AND i.is_active
      AND regexp_replace(lower(i.base_url), '^[a-z]+://|/.*$', '', 'g') = :host
    ORDER BY w.key""")


class HostError(ValueError):
    """A host cannot be allowed or removed. One line: what is wrong and what to do."""


async def list_hosts(conn: AsyncConnection) -> list[tuple[str, str]]:
    """(host, label), by host."""
    return [(row.host, row.label) for row in await conn.execute(_LIST)]


async def add_host(conn: AsyncConnection, host: str, label: str, *, actor: str, now: datetime) -> bool:
    """Allow a host (`name` or `name:port`); False when it is allowed already."""
    host = host.strip().lower()
    if not _HOST.match(host):
        raise HostError(f"{host!r} is not a host; write mail.example.com, without https:// and path")
    added = (await conn.execute(_ADD, {"host": host, "label": label, "now": now})).all()
    if added:
        await record(conn, actor=actor, action="email_host.add", object=host, now=now)
    return bool(added)


async def remove_host(conn: AsyncConnection, host: str, *, actor: str, now: datetime) -> None:
    """Disallow a host that no workspace uses."""
    host = host.strip().lower()
    users = list((await conn.execute(_USED, {"host": host})).scalars())
    if users:
        raise HostError(f"{host} is used by {', '.join(users)}; change their base_url first")
    if not (await conn.execute(_REMOVE, {"host": host})).all():
        raise HostError(f"{host} is not on the list; `zrg workspace host list` shows it")
    await record(conn, actor=actor, action="email_host.remove", object=host, now=now)
