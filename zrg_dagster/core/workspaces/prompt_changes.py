"""Changing a workspace's own prompts: by an admin only, with one entry in the audit log and never its text."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.overrides import Override, OverrideError, save
from zrg_dagster.core.workspaces.access import Action, Role, allowed
from zrg_dagster.core.workspaces.audit import record


async def change_prompt(
    conn: AsyncConnection,
    workspace_id: UUID,
    key: str,
    content: str | None,
    *,
    actor: str,
    role: Role | None,
    now: datetime,
) -> Override | None:
    """Save `content` as the workspace's words for `key`, or go back to ours with None. None when nothing changes.

    `role` is what the actor is in this workspace. `OverrideError` for who may not and for words that cannot be used.
    """
    if not allowed(role, Action.EDIT_PROMPTS):
        raise OverrideError(f"{actor} may not change prompts of this workspace; an admin may")
    made = await save(conn, workspace_id, key, content, changed_by=actor, now=now)
    if made is None:
        return None
    await record(
        conn,
        actor=actor,
        action="prompt.reset" if content is None else "prompt.set",
        object=f"prompt {key}",
        workspace_id=workspace_id,
        changes=[{"object": f"prompt {key}", "version": made.version, "base_hash": made.base_hash}],
        now=now,
    )
    return made
