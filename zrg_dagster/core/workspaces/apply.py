"""Writing a workspace file to the database: read, compare, write what differs, all in one transaction.

An unchanged file writes nothing, not even a time stamp. Two applies of one workspace wait for each other.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.overrides import save as save_prompt
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.workspaces import tables
from zrg_dagster.core.workspaces.audit import record
from zrg_dagster.core.workspaces.changes import RowChange, audit_entries, compare
from zrg_dagster.core.workspaces.declare import WorkspaceFile
from zrg_dagster.core.workspaces.declared_integrations import SEVERAL_EMAIL_PROVIDERS
from zrg_dagster.core.workspaces.personas import apply_personas
from zrg_dagster.core.workspaces.references import clean_secret, references
from zrg_dagster.core.workspaces.sealing import Keys
from zrg_dagster.core.workspaces.source import WorkspaceFileError
from zrg_dagster.core.workspaces.users import release_leads, save_users
from zrg_dagster.core.workspaces.wanted import USER, WORKSPACE, Current, build_wanted

ORDER = (WORKSPACE, USER, *(section.name for section in tables.SECTIONS))

# Commands that change a workspace take turns; the lock ends with the transaction and needs no row to exist.
_TAKE_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('zrg.workspace.' || CAST(:key AS text), 0))")
# The writers of personas lock this row.
_LOCK_ROW = text("SELECT id FROM app.workspace WHERE key = :key FOR NO KEY UPDATE")
_WORKSPACE = text("""
    SELECT w.id, w.name, w.timezone, w.is_active, u.email AS owner
    FROM app.workspace w LEFT JOIN app.user u ON u.id = w.owner_user_id WHERE w.key = :key""")
_USERS = text("""
    SELECT u.email, u.name, u.slack_user_id FROM app.user u
    WHERE u.email = ANY(CAST(:emails AS text[]))
       OR u.id IN (SELECT m.user_id FROM app.member m WHERE m.workspace_id = :workspace_id)
       OR u.id = (SELECT w.owner_user_id FROM app.workspace w WHERE w.id = :workspace_id)""")
_HOSTS = text("SELECT host FROM app.email_host")
_TAKEN = text("""
    SELECT r.provider, r.routing_key FROM raw.route r
    JOIN unnest(CAST(:providers AS text[]), CAST(:keys AS text[])) AS n (provider, routing_key)
        ON n.provider = r.provider AND n.routing_key = r.routing_key
    WHERE r.workspace_id IS DISTINCT FROM :workspace_id""")
_CREATE = text("""
    INSERT INTO app.workspace (id, key, name, timezone, is_active, owner_user_id, created_at, updated_at)
    VALUES (:id, :key, :name, :timezone, :is_active, (SELECT id FROM app.user WHERE email = :owner), :now, :now)""")
_UPDATE = text("""
    UPDATE app.workspace SET name = :name, timezone = :timezone, is_active = :is_active, updated_at = :now,
        owner_user_id = (SELECT id FROM app.user WHERE email = :owner)
    WHERE id = :id""")


# `(file, wanted state, names of the sequences that change) -> problems`: rules of a room above this one.
Check = Callable[[WorkspaceFile, tables.State, Collection[str]], list[str]]


class RouteTaken(ValueError):
    """A vendor's routing id already belongs to another workspace; a delivery must find exactly one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one apply would change. `is_new`: the workspace does not exist yet."""

    workspace_id: UUID
    is_new: bool
    changes: tuple[RowChange, ...]

    def touches(self, section: str, *key: str) -> bool:
        return any(change.section == section and change.key == key for change in self.changes)


async def take_turn(conn: AsyncConnection, key: str) -> None:
    """Wait until no other command changes this workspace; held to the end of the transaction."""
    await conn.execute(_TAKE_TURN, {"key": key})


async def load_current(conn: AsyncConnection, key: str, keys: Keys, emails: Iterable[str] = ()) -> Current:
    """Everything a file can describe, as stored, secrets opened (`UNREADABLE` where no key fits)."""
    row = (await conn.execute(_WORKSPACE, {"key": key})).mappings().one_or_none()
    workspace_id = row["id"] if row else None
    state: tables.State = {WORKSPACE: {}}
    if row:
        state[WORKSPACE][()] = {name: value for name, value in row.items() if name != "id"}
    users = await conn.execute(_USERS, {"emails": sorted(set(emails)), "workspace_id": workspace_id})
    state[USER] = {(user["email"],): dict(user) for user in users.mappings()}
    for section in tables.SECTIONS:
        state[section.name] = await tables.read_rows(conn, section, workspace_id) if workspace_id else {}
    if workspace_id:
        _open_secrets(state, workspace_id, keys)
    hosts = frozenset((await conn.execute(_HOSTS)).scalars())
    return Current(workspace_id, state, hosts)


def _open_secrets(state: tables.State, workspace_id: UUID, keys: Keys) -> None:
    for section, place in (("credential", "name"), ("route", "provider")):
        for row in state[section].values():
            if row["value"] is not None:
                row["value"] = keys.open(workspace_id, section, row[place], row["value"])


async def make_plan(
    conn: AsyncConnection,
    file: WorkspaceFile,
    secrets: Mapping[str, SecretStr],
    keys: Keys,
    check: Check | None = None,
) -> Plan:
    """What applying `file` would change. `WorkspaceFileError` names every place that does not fit the database."""
    emails = [member.email for member in file.members] + [file.workspace.owner or ""]
    current = await load_current(conn, file.workspace.key, keys, emails)
    wanted, problems = build_wanted(file, current, secrets)
    problems += await _taken_routes(conn, file, current.workspace_id, wanted)
    changes = compare(current.state, wanted, ORDER)
    if check is not None:
        touched = {str(change.key[0]) for change in changes if change.section in ("sequence", "step")}
        problems += check(file, wanted, touched)
    if problems:
        raise WorkspaceFileError(problems)
    return Plan(current.workspace_id or new_id(), current.workspace_id is None, tuple(changes))


async def _taken_routes(
    conn: AsyncConnection, file: WorkspaceFile, workspace_id: UUID | None, wanted: tables.State
) -> list[str]:
    routes = list(wanted["route"])
    parameters = {
        "providers": [provider for provider, _ in routes],
        "keys": [key for _, key in routes],
        "workspace_id": workspace_id,
    }
    taken = (await conn.execute(_TAKEN, parameters)).all()
    message = "id {} is connected to another workspace; disconnect it there first"
    return [
        file.problem(("integrations", row.provider), message.format(row.routing_key))
        for row in sorted(taken, key=lambda row: (row.provider, row.routing_key))
    ]


async def apply_file(
    conn: AsyncConnection,
    file: WorkspaceFile,
    secrets: Mapping[str, SecretStr],
    keys: Keys,
    *,
    actor: str,
    now: datetime,
    check: Check | None = None,
) -> Plan:
    """Bring the workspace to what the file says, with one entry in the audit log. The caller holds the transaction.

    `actor` is who asked. Raises `WorkspaceFileError`, `RouteTaken`; then nothing may be kept.
    """
    await take_turn(conn, file.workspace.key)
    plan = await make_plan(conn, file, secrets, keys, check)
    if not plan.changes:
        return plan
    # Persona commands do not take the turn but the row: after it is ours, what they did is seen by a second look.
    await conn.execute(_LOCK_ROW, {"key": file.workspace.key})
    plan = await make_plan(conn, file, secrets, keys, check) if not plan.is_new else plan
    try:
        await _write(conn, file, plan, keys, actor, now)
    except IntegrityError as error:
        raise _translated(error) from None
    await record(
        conn,
        actor=actor,
        action="workspace.create" if plan.is_new else "workspace.apply",
        object=f"workspace {file.workspace.key}",
        workspace_id=plan.workspace_id,
        changes=audit_entries(plan.changes),
        now=now,
    )
    return plan


async def _write(conn: AsyncConnection, file: WorkspaceFile, plan: Plan, keys: Keys, actor: str, now: datetime) -> None:
    by_section: dict[str, list[RowChange]] = {name: [] for name in ORDER}
    for change in plan.changes:
        by_section[change.section].append(change)
    await save_users(conn, [change.after for change in by_section[USER] if change.after])
    for change in by_section[WORKSPACE]:
        parameters: dict[str, Any] = {**(change.after or {}), "id": plan.workspace_id, "now": now}
        if plan.is_new:
            parameters["key"] = file.workspace.key
        await conn.execute(_CREATE if plan.is_new else _UPDATE, parameters)

    def seal(section: str, key: tables.Key, value: SecretStr) -> str:
        return keys.seal(plan.workspace_id, section, str(key[0]), value)

    for section in tables.SECTIONS:
        changes = by_section[section.name]
        if section is tables.PERSONA:
            if changes:
                await apply_personas(conn, plan.workspace_id, file.personas, now)
            continue
        if section is tables.PROMPT:
            await _write_prompts(conn, plan.workspace_id, changes, actor, now)
            continue
        for verb in ("delete", "update", "insert"):
            rows = [(each.after or each.before or {}) for each in changes if each.verb == verb]
            # What is switched off goes first: of the e-mail vendors only one may be on at any moment.
            off = [row for row in rows if section is tables.INTEGRATION and not row["is_active"]]
            for some in (off, [row for row in rows if row not in off]):
                await tables.write_rows(conn, section, verb, some, workspace_id=plan.workspace_id, now=now, seal=seal)
    if any(change.verb == "delete" for change in by_section[tables.MEMBER.name]):
        await release_leads(conn, plan.workspace_id, now)


async def _write_prompts(
    conn: AsyncConnection, workspace_id: UUID, changes: Iterable[RowChange], actor: str, now: datetime
) -> None:
    """Each change is a revision, as `zrg prompts` writes them; words that the file no longer has go back to ours."""
    for change in changes:
        row = change.after or {"content": None, "base_hash": None}
        key, said = str(change.key[0]), {"changed_by": actor, "now": now, "base_hash": row["base_hash"]}
        await save_prompt(conn, workspace_id, key, row["content"], **said)


def _translated(error: IntegrityError) -> Exception:
    """What a constraint says, in the words of the file. Without the statement's parameters: rows are in them."""
    constraint = error.orig.diag.constraint_name if isinstance(error.orig, psycopg.Error) else None
    if constraint == "integration_one_email_provider":
        return WorkspaceFileError([SEVERAL_EMAIL_PROVIDERS])
    if constraint in ("route_pkey", "integration_routes_once"):
        return RouteTaken("a vendor id of this file is connected to another workspace; disconnect it there first")
    return RuntimeError(f"the database refused the change: constraint {constraint}")


class WorkspaceWriter:
    """Applies a file whose secrets come from a function: `secrets(reference)` gives the value."""

    def __init__(
        self,
        conn: AsyncConnection,
        *,
        secrets: Callable[[str], str],
        credentials: Sealer,
        verifiers: Sealer,
        now: datetime,
        actor: str = "system",
    ) -> None:
        self._conn = conn
        self._secrets = secrets
        self._keys = Keys(credentials, verifiers)
        self._now = now
        self._actor = actor

    async def apply(self, file: WorkspaceFile) -> UUID:
        """Write what differs; returns the workspace's id. The caller holds the transaction."""
        secrets = {
            name: clean_secret(self._secrets(reference), what=reference) for _, name, reference in references(file)
        }
        plan = await apply_file(self._conn, file, secrets, self._keys, actor=self._actor, now=self._now)
        return plan.workspace_id
