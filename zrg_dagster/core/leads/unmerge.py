"""Undoing a merge: every row goes back by the journal, both leads are what they were.

Only while nothing was added to the kept lead. What was said or done since would belong to one of the two, and nobody could
tell to which.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.leads import merge_journal
from zrg_dagster.core.leads.locks import hold_leads
from zrg_dagster.core.leads.merge import MergeError, keep_others_out, mark_facts, snapshot, write_lead
from zrg_dagster.core.workspaces.audit import record
from zrg_dagster.core.workspaces.users import release_leads

_MERGE = text("SELECT * FROM app.lead_merge WHERE workspace_id = :workspace_id AND id = :id FOR UPDATE")
_CLOSE = text("UPDATE app.lead_merge SET undone_at = :now, undone_by = :actor WHERE id = :id")
# What the former rows refer to may be gone meanwhile.
_KNOWN = text("""
    SELECT (SELECT c.id FROM app.email_campaign c WHERE c.workspace_id = :workspace_id AND c.id = CAST(:campaign AS uuid)),
           (SELECT u.id FROM app.user u WHERE u.id = CAST(:user AS uuid))""")
# The newest one first: each earlier one is undone only behind it.
_LATER = text("""
    SELECT id FROM app.lead_merge WHERE workspace_id = :workspace_id AND undone_at IS NULL AND id <> :id
      AND merged_at >= :merged_at AND (kept_lead_id = :keep OR gone_lead_id = :keep) ORDER BY merged_at DESC, id DESC LIMIT 1""")


async def unmerge(conn: AsyncConnection, merge_id: UUID, *, workspace_id: UUID, actor: str, now: datetime) -> UUID:
    """Undo a merge in the caller's transaction; returns the lead that exists again. `MergeError` when it was undone
    before, when something was written since, or when the person was erased; `LeadBusy` while work is under way."""
    await keep_others_out(conn, workspace_id)
    merge = (await conn.execute(_MERGE, {"workspace_id": workspace_id, "id": merge_id})).one_or_none()
    if merge is None:
        raise MergeError(f"this workspace has no merge {merge_id}")
    keep, gone = merge.kept_lead_id, merge.gone_lead_id
    await hold_leads(conn, {keep, gone})
    await _check(conn, merge)
    await merge_journal.take_back(conn, merge_id, gone=gone, keep=keep)
    for lead_id, row in ((keep, merge.before["kept"]), (gone, merge.before["gone"])):
        await write_lead(conn, lead_id, {**row, **await _references(conn, workspace_id, row)}, now)
    await release_leads(conn, workspace_id, now)
    await mark_facts(conn, gone)
    await mark_facts(conn, keep)
    await conn.execute(_CLOSE, {"id": merge_id, "actor": actor, "now": now})
    await record(
        conn,
        actor=actor,
        action="lead.unmerge",
        object=f"lead {keep}",
        now=now,
        workspace_id=workspace_id,
        changes=[{"object": f"lead {gone}", "merge": str(merge_id)}],
    )
    return gone


async def _check(conn: AsyncConnection, merge: Row[Any]) -> None:
    """Refuse what cannot be undone, with the reason."""
    if merge.undone_at is not None:
        raise MergeError(f"merge {merge.id} was undone before")
    if not merge.before:
        raise MergeError("the journal of this merge was emptied when a person that it names was erased")
    keep, gone = merge.kept_lead_id, merge.gone_lead_id
    place = {"workspace_id": merge.workspace_id, "id": merge.id, "keep": keep, "merged_at": merge.merged_at}
    if later := (await conn.execute(_LATER, place)).scalar_one_or_none():
        raise MergeError(f"lead {keep} was merged again since: undo merge {later} first")
    now_there = await merge_journal.belongings(conn, (keep, gone))
    stood = merge.after["rows"]
    tables = [
        _told(name, each, stood.get(name)) for name, each in now_there.items() if not _same(each, stood.get(name))
    ]
    rows = await snapshot(conn, keep, gone)
    fields = sorted({*_changed(merge.after["kept"], rows["kept"]), *_changed(merge.after["gone"], rows["gone"])})
    if tables or fields:
        what = ", ".join([*tables, *([f"changed fields ({', '.join(fields)})"] if fields else [])])
        raise MergeError(f"lead {keep} was written after the merge: {what}")


def _same(found: list[Any], stood: list[Any] | None) -> bool:
    """A table that a later revision made held nothing then."""
    return found == stood if stood is not None else found[0] == 0


def _told(table: str, found: list[Any], stood: list[Any] | None) -> str:
    more = found[0] - (stood or [0])[0]
    return f"{more} new in {table}" if more > 0 else f"other rows in {table}"


def _changed(stood: Mapping[str, Any], found: Mapping[str, Any]) -> set[str]:
    return {name for name in stood if name != "updated_at" and stood[name] != found.get(name)}


async def _references(conn: AsyncConnection, workspace_id: UUID, row: Mapping[str, Any]) -> dict[str, UUID | None]:
    parameters = {
        "workspace_id": workspace_id,
        "campaign": row["email_campaign_id"],
        "user": row["assigned_to_user_id"],
    }
    campaign, user = (await conn.execute(_KNOWN, parameters)).one()
    return {"email_campaign_id": campaign, "assigned_to_user_id": user}
