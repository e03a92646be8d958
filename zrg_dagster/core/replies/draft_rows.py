"""The draft of a reply as the pipeline writes it: made, improved, judged, out of date."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.replies.stages import DECISION_SQL, Reply, decision_values

_SUPERSEDE = text("""
    UPDATE app.draft d SET status = 'rejected', reason = :reason, updated_at = :now
    FROM app.message t
    WHERE d.lead_id = :lead_id AND d.status = 'pending' AND t.id = d.trigger_message_id AND t.sent_at < :sent_at
      AND NOT EXISTS (SELECT FROM app.send s WHERE s.draft_id = d.id AND s.kind = 'draft'
                      AND s.state IN ('sending', 'sent', 'unknown', 'needs_human'))
    RETURNING d.id""")


async def reject_older_drafts(conn: AsyncConnection, reply: Reply, reason: str, now: datetime) -> list[UUID]:
    """Drafts that answer an older message are out of date. One whose send has begun is left to the ledger."""
    parameters = {
        "lead_id": reply.lead.id,
        "sent_at": reply.message.sent_at,
        "reason": reason,
        "now": now,
    }
    return list((await conn.execute(_SUPERSEDE, parameters)).scalars())


_DRAFT = text("""
    INSERT INTO app.draft (id, workspace_id, lead_id, trigger_message_id, channel, subject, body, ai_body, created_at,
        updated_at)
    VALUES (:id, :workspace_id, :lead_id, :message_id, :channel, :subject, :body, :body, :now, :now)
    ON CONFLICT (trigger_message_id, channel) DO UPDATE SET updated_at = excluded.updated_at
    RETURNING id""")


async def store_draft(conn: AsyncConnection, reply: Reply, subject: str | None, body: str, now: datetime) -> UUID:
    """One draft per trigger and channel, whoever comes second finds the first."""
    message = reply.message
    parameters = {
        "id": new_id(),
        "workspace_id": message.workspace_id,
        "lead_id": message.lead_id,
        "message_id": message.id,
        "channel": message.channel,
        "subject": subject,
        "body": body,
        "now": now,
    }
    return (await conn.execute(_DRAFT, parameters)).scalar_one()


# Whether the first attempt at revising this draft is ours; its time is never set twice (RV-08).
_CLAIM_REVISION = text("""
    UPDATE app.draft SET revision_attempted_at = :now, original_confidence = :confidence, updated_at = :now
    WHERE id = :id AND status = 'pending' AND revision_attempted_at IS NULL RETURNING id""")
_REPLACE_TEXT = text("""
    UPDATE app.draft SET body = :body, ai_body = :body, version = version + 1, updated_at = :now
    WHERE id = :id AND status = 'pending' AND version = :version RETURNING id""")
_KEEP_REVISION = text("""
    UPDATE app.draft SET revision_confidence = :confidence, revision_iterations = :iterations, revision_applied = :applied,
        updated_at = :now
    WHERE id = :id""")


async def claim_revision(conn: AsyncConnection, draft_id: UUID, confidence: float, now: datetime) -> bool:
    """Take the draft for its revision and keep what it began with. False when somebody has taken it before."""
    parameters = {"id": draft_id, "confidence": round(confidence, 3), "now": now}
    return (await conn.execute(_CLAIM_REVISION, parameters)).scalar_one_or_none() is not None


async def replace_text(conn: AsyncConnection, draft_id: UUID, version: int, body: str, now: datetime) -> bool:
    """Put a better text in place of the one of this version. False when the draft is another one by now."""
    parameters = {"id": draft_id, "version": version, "body": body, "now": now}
    return (await conn.execute(_REPLACE_TEXT, parameters)).scalar_one_or_none() is not None


async def keep_revision(
    conn: AsyncConnection, draft_id: UUID, confidence: float, iterations: int, *, applied: bool, now: datetime
) -> None:
    """What the revisions came to (seed 002 §5). Without an iteration there is no confidence of one."""
    best = round(confidence, 3) if iterations else None
    parameters = {"id": draft_id, "confidence": best, "iterations": iterations, "applied": applied, "now": now}
    await conn.execute(_KEEP_REVISION, parameters)


_VERDICT = text(f"""
    WITH verdict AS (
        UPDATE app.draft SET action = :code, reason = :reason, confidence = :confidence, threshold = :threshold,
            updated_at = :now
        WHERE id = :subject_id AND status = 'pending'
    ) {DECISION_SQL}""")


async def store_verdict(
    conn: AsyncConnection,
    reply: Reply,
    draft_id: UUID,
    *,
    action: str,
    reason: str | None,
    confidence: Decimal | None,
    threshold: Decimal | None,
    schedule: str | None = None,
    now: datetime,
) -> None:
    """The decision on the draft, and on the lead's list."""
    said = {"reason": reason, "confidence": confidence, "threshold": threshold}
    detail = {**said, "schedule": schedule}
    await conn.execute(_VERDICT, {**decision_values(reply, "draft", draft_id, action, now, detail), **said})
