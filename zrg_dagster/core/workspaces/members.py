"""Who works in a workspace. OWNER is derived from `workspace.owner_user_id` and never stored as a membership (TE-02)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.workspaces.apply import take_turn
from zrg_dagster.core.workspaces.audit import record
from zrg_dagster.core.workspaces.declared_values import Role, checked_email
from zrg_dagster.core.workspaces.users import release_leads, save_users

ROLES: tuple[str, ...] = get_args(Role)

_WORKSPACE = text("SELECT id, owner_user_id FROM app.workspace WHERE key = :key")
_LIST = text("""
    SELECT u.email, u.name, u.slack_user_id, m.role
    FROM (SELECT w.owner_user_id AS user_id, 'OWNER' AS role, 0 AS rank FROM app.workspace w
          WHERE w.id = :id AND w.owner_user_id IS NOT NULL
          UNION ALL
          SELECT m.user_id, m.role, array_position(CAST(:roles AS text[]), m.role) FROM app.member m
          WHERE m.workspace_id = :id) AS m
    JOIN app.user u ON u.id = m.user_id
    ORDER BY m.rank, u.email""")
_USER = text("SELECT email, name, slack_user_id FROM app.user WHERE email = :email")
_ADD = text("""
    INSERT INTO app.member (workspace_id, user_id, role) SELECT :id, u.id, :role FROM app.user u WHERE u.email = :email
    ON CONFLICT DO NOTHING RETURNING user_id""")
_REMOVE = text("""
    DELETE FROM app.member m USING app.user u
    WHERE m.workspace_id = :id AND u.id = m.user_id AND u.email = :email
      AND (CAST(:role AS text) IS NULL OR m.role = :role)
    RETURNING m.role""")
# Who is no longer of the workspace gets no more cards about its leads.
_SILENCE = text("""
    DELETE FROM app.slack_recipient r USING app.user u
    WHERE r.workspace_id = :id AND r.user_id = u.id AND u.email = :email
      AND NOT EXISTS (SELECT FROM app.member m WHERE m.workspace_id = :id AND m.user_id = u.id)
      AND NOT EXISTS (SELECT FROM app.workspace w WHERE w.id = :id AND w.owner_user_id = u.id)""")


class MemberError(ValueError):
    """A membership cannot be changed like this. One line: what is wrong and what to do."""


async def list_members(conn: AsyncConnection, key: str) -> Sequence[Row[Any]]:
    """Rows (email, name, slack_user_id, role): the owner first, then by role; a person with two roles stands twice."""
    workspace_id = (await _workspace(conn, key)).id
    return (await conn.execute(_LIST, {"id": workspace_id, "roles": list(ROLES)})).all()


async def add_member(
    conn: AsyncConnection,
    key: str,
    email: str,
    role: str,
    *,
    actor: str,
    now: datetime,
    name: str = "",
    slack_user: str | None = None,
) -> bool:
    """Give a person a role; False when they have it already. The user is made when the address is new."""
    await take_turn(conn, key)
    workspace_id = (await _workspace(conn, key)).id
    email, role = _email(email), _role(role)
    known = (await conn.execute(_USER, {"email": email})).mappings().one_or_none()
    user = {"email": email, "name": "", "slack_user_id": None, **(known or {})}
    await save_users(
        conn, [{**user, "name": name or user["name"], "slack_user_id": slack_user or user["slack_user_id"]}]
    )
    added = (await conn.execute(_ADD, {"id": workspace_id, "email": email, "role": role})).all()
    if added:
        await _record(conn, workspace_id, "member.add", email, [role], actor, now)
    return bool(added)


async def remove_member(
    conn: AsyncConnection, key: str, email: str, role: str | None = None, *, actor: str, now: datetime
) -> list[str]:
    """Take one role, or all of them; returns the roles taken. The owner stays the owner."""
    await take_turn(conn, key)
    workspace = await _workspace(conn, key)
    email = _email(email)
    parameters = {"id": workspace.id, "email": email, "role": _role(role) if role else None}
    taken = sorted((await conn.execute(_REMOVE, parameters)).scalars())
    if not taken:
        raise MemberError(
            f"{email} has no such membership in {key}; the owner is changed by `workspace.owner` in the file"
        )
    await conn.execute(_SILENCE, {"id": workspace.id, "email": email})
    await release_leads(conn, workspace.id, now)
    await _record(conn, workspace.id, "member.remove", email, taken, actor, now)
    return taken


async def _record(
    conn: AsyncConnection, workspace_id: UUID, action: str, email: str, roles: list[str], actor: str, now: datetime
) -> None:
    changes = [{"object": f"member {email} {role}", "verb": action.partition(".")[2]} for role in roles]
    subject = f"member {email}"
    await record(conn, actor=actor, action=action, object=subject, workspace_id=workspace_id, changes=changes, now=now)


async def _workspace(conn: AsyncConnection, key: str) -> Row[Any]:
    row = (await conn.execute(_WORKSPACE, {"key": key})).one_or_none()
    if row is None:
        raise MemberError(f"no workspace has the key {key!r}; `zrg workspace list` shows them")
    return row


def _email(value: str) -> str:
    try:
        return checked_email(value)
    except ValueError as error:
        raise MemberError(f"{value!r}: {error}") from None


def _role(value: str) -> str:
    role = value.strip().upper().replace("-", "_")
    if role == "OWNER":
        raise MemberError("OWNER is not a membership; write `workspace.owner` in the workspace's file")
    if role not in ROLES:
        raise MemberError(f"unknown role {value!r}; the roles are {', '.join(ROLES)}")
    return role
