"""Notes about a lead and about a workspace that drafts are written with: who may write them, and which are in force.

A note is material for a draft, never an instruction to the model (MM-10), and holds no address or number (MM-02). Notes that
the model proposes would come here with another source and wait for approval; people's own are approved when they are written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.text.chars import trimmed
from zrg_dagster.core.text.scrub import scrub
from zrg_dagster.core.workspaces.access import Action, Role, allowed
from zrg_dagster.core.workspaces.audit import record

# MM-01, MM-06, MM-07.
MAX_CONTENT_CHARS = 500
MAX_CATEGORY_CHARS = 64
MOST_IN_FORCE = 50
DEFAULT_CATEGORY = "Note"
DEFAULT_DAYS = 90
MAX_DAYS = 3_650


class NoteError(ValueError):
    """The note cannot be written, or there is none. One line."""


class Scope(StrEnum):
    """What a note is about, and so which table holds it."""

    LEAD = "lead"
    WORKSPACE = "workspace"

    @property
    def table(self) -> str:
        return f"app.{self.value}_memory"


@dataclass(frozen=True, slots=True)
class Note:
    """`source` is MANUAL, SYSTEM or INFERENCE, `status` APPROVED or PENDING. `lead_id` is None for a workspace's note."""

    id: UUID
    scope: Scope
    lead_id: UUID | None
    category: str
    content: str
    source: str
    status: str
    created_by: str
    created_at: datetime
    expires_at: datetime

    def is_in_force(self, now: datetime) -> bool:
        return self.status == "APPROVED" and self.expires_at > now


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: `role` is what the actor is in the workspace."""

    actor: str
    role: Role | None


@dataclass(frozen=True, slots=True)
class Saved:
    """`scrubbed` is how many addresses and numbers were taken out. `is_new` is False when the same note stood there."""

    id: UUID
    scrubbed: int
    expires_at: datetime
    is_new: bool = True


_COLUMNS = "id, {lead} AS lead_id, category, content, source, status, created_by, created_at, expires_at"
_SELECT = {
    scope: f"SELECT '{scope}' AS scope, {_COLUMNS.format(lead='lead_id' if scope is Scope.LEAD else 'CAST(NULL AS uuid)')} "
    f"FROM {scope.table}"
    for scope in Scope
}
_NEWEST = f"status = 'APPROVED' AND expires_at > :now ORDER BY created_at DESC, id DESC LIMIT {MOST_IN_FORCE}"
_IN_FORCE = text(f"""
    SELECT * FROM ({_SELECT[Scope.LEAD]} WHERE lead_id = :lead_id AND {_NEWEST}) l
    UNION ALL
    SELECT * FROM ({_SELECT[Scope.WORKSPACE]} WHERE workspace_id = :workspace_id AND {_NEWEST}) w""")
_ORDER = "ORDER BY created_at DESC, id DESC LIMIT :limit"
_LIST = {
    Scope.LEAD: text(f"""
        {_SELECT[Scope.LEAD]} WHERE workspace_id = :workspace_id AND lead_id = :lead_id
        AND (:ended OR expires_at > :now) {_ORDER}"""),
    Scope.WORKSPACE: text(f"""
        {_SELECT[Scope.WORKSPACE]} WHERE workspace_id = :workspace_id AND (:ended OR expires_at > :now) {_ORDER}"""),
}
# Held to the end: a merge or an erasure of the lead waits for the note, and moves it or takes it along.
_LOCK_LEAD = text("""
    SELECT merged_into_lead_id, erased_at FROM app.lead
    WHERE workspace_id = :workspace_id AND id = :lead_id FOR NO KEY UPDATE""")
# Two who write the same note at once wait for each other.
_LOCK_WORKSPACE = text("SELECT id FROM app.workspace WHERE id = :workspace_id FOR NO KEY UPDATE")
_LOCK_NOTE = text(f"""
    SELECT * FROM ({_SELECT[Scope.LEAD]} WHERE workspace_id = :workspace_id AND id = :id FOR UPDATE) l
    UNION ALL
    SELECT * FROM ({_SELECT[Scope.WORKSPACE]} WHERE workspace_id = :workspace_id AND id = :id FOR UPDATE) w""")
_SAME = {
    Scope.LEAD: "t.workspace_id = :workspace_id AND t.lead_id = :lead_id",
    Scope.WORKSPACE: "t.workspace_id = :workspace_id",
}


def _renew(scope: Scope) -> str:
    return f"""
        UPDATE {scope.table} t SET expires_at = greatest(t.expires_at, CAST(:expires_at AS timestamptz)),
            status = 'APPROVED', updated_at = :now
        WHERE {_SAME[scope]} AND t.category = :category AND t.content = :content RETURNING t.id, t.expires_at"""


def _insert(scope: Scope) -> str:
    owner, value = ("lead_id, ", ":lead_id, ") if scope is Scope.LEAD else ("", "")
    return f"""
        INSERT INTO {scope.table} (id, workspace_id, {owner}category, content, source, status, created_by, created_at,
            updated_at, expires_at)
        VALUES (:id, :workspace_id, {value}:category, :content, 'MANUAL', 'APPROVED', :actor, :now, :now, :expires_at)"""


async def in_force(conn: AsyncConnection, workspace_id: UUID, lead_id: UUID, now: datetime) -> tuple[Note, ...]:
    """What a draft for this lead may be told: approved notes that have not ended, at most fifty of each scope; the lead's
    before the workspace's, the newest first (MM-06)."""
    rows = await conn.execute(_IN_FORCE, {"workspace_id": workspace_id, "lead_id": lead_id, "now": now})
    notes = sorted((_note(row) for row in rows), key=lambda note: (note.created_at, note.id), reverse=True)
    return tuple(sorted(notes, key=lambda note: note.scope is Scope.WORKSPACE))


async def notes(
    conn: AsyncConnection, workspace_id: UUID, lead_id: UUID | None, *, now: datetime, ended: bool, limit: int
) -> Sequence[Note]:
    """Notes of a lead, of the workspace without one, the newest first; with `ended` those too that have expired."""
    scope = Scope.WORKSPACE if lead_id is None else Scope.LEAD
    parameters = {"workspace_id": workspace_id, "now": now, "ended": ended, "limit": limit}
    if lead_id is not None:
        parameters["lead_id"] = lead_id
    return [_note(row) for row in await conn.execute(_LIST[scope], parameters)]


async def add(
    conn: AsyncConnection,
    workspace_id: UUID,
    lead_id: UUID | None,
    content: str,
    *,
    category: str = DEFAULT_CATEGORY,
    days: int = DEFAULT_DAYS,
    author: Author,
    now: datetime,
) -> Saved:
    """Write a note by hand, about a lead or about the workspace. The same note again only lasts longer (MM-05)."""
    _may(author)
    content, category, scrubbed = checked(content, category)
    scope = Scope.WORKSPACE if lead_id is None else Scope.LEAD
    if lead_id is None:
        await conn.execute(_LOCK_WORKSPACE, {"workspace_id": workspace_id})
    else:
        await _hold_lead(conn, workspace_id, lead_id)
    said: dict[str, Any] = {
        "workspace_id": workspace_id,
        "category": category,
        "content": content,
        "expires_at": _ends(days, now),
        "now": now,
        **({"lead_id": lead_id} if lead_id else {}),
    }
    renewed = (await conn.execute(text(_renew(scope)), said)).first()
    if renewed is not None:
        saved = Saved(renewed.id, scrubbed, renewed.expires_at, is_new=False)
    else:
        saved = Saved(new_id(), scrubbed, said["expires_at"])
        await conn.execute(text(_insert(scope)), {**said, "id": saved.id, "actor": author.actor})
    change = {"chars": len(content), "expires_at": saved.expires_at.isoformat()}
    await _audit(conn, workspace_id, "add" if saved.is_new else "renew", saved.id, scope, lead_id, author, now, change)
    return saved


async def edit(
    conn: AsyncConnection,
    workspace_id: UUID,
    note_id: UUID,
    content: str | None = None,
    *,
    category: str | None = None,
    days: int | None = None,
    author: Author,
    now: datetime,
) -> Saved:
    """Put other words, another category or another end in place; what is None stays. An empty text is refused."""
    _may(author)
    note = await _hold(conn, workspace_id, note_id)
    words, kind, scrubbed = checked(
        note.content if content is None else content, note.category if category is None else category
    )
    ends = note.expires_at if days is None else _ends(days, now)
    statement = text(f"""
        UPDATE {note.scope.table} SET content = :content, category = :category, expires_at = :ends, updated_at = :now
        WHERE id = :id""")
    await conn.execute(statement, {"content": words, "category": kind, "ends": ends, "now": now, "id": note_id})
    change = {"chars": len(words), "expires_at": ends.isoformat()}
    await _audit(conn, workspace_id, "edit", note_id, note.scope, note.lead_id, author, now, change)
    return Saved(note_id, scrubbed, ends, is_new=False)


async def expire(conn: AsyncConnection, workspace_id: UUID, note_id: UUID, *, author: Author, now: datetime) -> bool:
    """End a note now; it stays on the list of those that ended. False when it had ended before."""
    _may(author)
    note = await _hold(conn, workspace_id, note_id)
    if note.expires_at <= now:
        return False
    statement = text(f"UPDATE {note.scope.table} SET expires_at = :now, updated_at = :now WHERE id = :id")
    await conn.execute(statement, {"now": now, "id": note_id})
    await _audit(conn, workspace_id, "expire", note_id, note.scope, note.lead_id, author, now)
    return True


async def delete(conn: AsyncConnection, workspace_id: UUID, note_id: UUID, *, author: Author, now: datetime) -> None:
    """Take a note away for good."""
    _may(author)
    note = await _hold(conn, workspace_id, note_id)
    await conn.execute(text(f"DELETE FROM {note.scope.table} WHERE id = :id"), {"id": note_id})
    await _audit(conn, workspace_id, "delete", note_id, note.scope, note.lead_id, author, now)


def checked(content: str, category: str) -> tuple[str, str, int]:
    """Content and category as they are stored, and how many addresses and numbers were taken out. `NoteError` for what
    cannot be: nothing at all, or too much."""
    words, scrubbed = scrub(trimmed(content.replace("\x00", "")))
    kind, also = scrub(" ".join(category.replace("\x00", "").split()))
    if not words:
        raise NoteError("a note without words says nothing; delete or expire it instead")
    if not kind:
        raise NoteError("the category is empty")
    for name, value, most in (("note", words, MAX_CONTENT_CHARS), ("category", kind, MAX_CATEGORY_CHARS)):
        if len(value) > most:
            raise NoteError(f"the {name} has {len(value)} characters; at most {most} are allowed")
    return words, kind, scrubbed + also


def _ends(days: int, now: datetime) -> datetime:
    if not 1 <= days <= MAX_DAYS:
        raise NoteError(f"a note lasts between 1 and {MAX_DAYS} days")
    return now + timedelta(days=days)


def _may(author: Author) -> None:
    if not allowed(author.role, Action.EDIT_MEMORY):
        raise NoteError(f"{author.actor} may not write notes of this workspace; an admin may")


async def _hold_lead(conn: AsyncConnection, workspace_id: UUID, lead_id: UUID) -> None:
    lead = (await conn.execute(_LOCK_LEAD, {"workspace_id": workspace_id, "lead_id": lead_id})).one_or_none()
    if lead is None:
        raise NoteError(f"this workspace has no lead {lead_id}")
    if lead.erased_at is not None:
        raise NoteError(f"lead {lead_id} was erased")
    if lead.merged_into_lead_id is not None:
        raise NoteError(f"lead {lead_id} became part of lead {lead.merged_into_lead_id}: name that one")


async def _hold(conn: AsyncConnection, workspace_id: UUID, note_id: UUID) -> Note:
    row = (await conn.execute(_LOCK_NOTE, {"workspace_id": workspace_id, "id": note_id})).one_or_none()
    if row is None:
        raise NoteError(f"this workspace has no note {note_id}; `zrg memory list` shows them")
    return _note(row)


def _note(row: Row[Any]) -> Note:
    return Note(
        row.id,
        Scope(row.scope),
        row.lead_id,
        row.category,
        row.content,
        row.source,
        row.status,
        row.created_by,
        row.created_at,
        row.expires_at,
    )


async def _audit(
    conn: AsyncConnection,
    workspace_id: UUID,
    verb: str,
    note_id: UUID,
    scope: Scope,
    lead_id: UUID | None,
    author: Author,
    now: datetime,
    change: dict[str, Any] | None = None,
) -> None:
    """Who did what to which note, never what it says (MM-09)."""
    about = f"lead {lead_id}" if lead_id else "workspace"
    await record(
        conn,
        actor=author.actor,
        action=f"memory.{verb}",
        object=f"memory {note_id}",
        workspace_id=workspace_id,
        changes=[{"object": about, "scope": scope.value, **(change or {})}],
        now=now,
    )
