"""A draft that nobody decides: after so many minutes of work people are told again, and more people than before."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from zrg_dagster.core.db.jobs import NewJob, enqueue
from zrg_dagster.core.db.lanes import Lane
from zrg_dagster.core.notifications.alerts import people_who_may, plan_alert
from zrg_dagster.core.notifications.digest import escape
from zrg_dagster.core.replies.pipeline_result import Ended
from zrg_dagster.core.sending.hours import holidays_of
from zrg_dagster.core.text.hours import MONDAY_TO_FRIDAY, Hours, Week, after_working
from zrg_dagster.core.text.zones import WORKSPACE_ZONE, first_zone
from zrg_dagster.core.workspaces.access import Action
from zrg_dagster.core.workspaces.recipients import recipients_sql

KIND = "escalate_review"

# Of a workspace `w` with its settings `s`: the time at which its people work, whatever hours its automatic answers keep.
PATIENCE_COLUMNS = """coalesce(s.review_escalation_minutes, 60) AS review_minutes, s.work_start_time, s.work_end_time,
           s.auto_send_holidays, w.timezone AS workspace_zone"""
# Locked: a click that is being carried out now comes first, and then there is nothing to escalate.
_WAITING = text(f"""
    SELECT d.id, d.lead_id, d.workspace_id, d.channel, l.sentiment_tag, w.key AS workspace_key, {PATIENCE_COLUMNS},
           {recipients_sql("d.workspace_id", "l.assigned_to_user_id")} AS recipients
    FROM app.draft d JOIN app.lead l ON l.id = d.lead_id JOIN app.workspace w ON w.id = d.workspace_id
    LEFT JOIN app.workspace_setting s ON s.workspace_id = w.id
    WHERE d.id = :draft_id AND d.version = :version AND d.status = 'pending'
      AND NOT EXISTS (SELECT FROM app.send n WHERE n.draft_id = d.id AND n.kind = 'draft'
                      AND n.state IN ('planned', 'sending', 'unknown', 'needs_human', 'sent'))
    FOR UPDATE OF d""")
_DECISION = text("""
    INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
    VALUES (:workspace_id, :lead_id, 'review', :draft_id, 'review_escalated',
            jsonb_build_object('after_minutes', CAST(:minutes AS int), 'told', CAST(:told AS int)), :now)""")


def deadline(draft: Row[Any], now: datetime) -> datetime | None:
    """When a card shown at `now` has waited for the workspace's minutes of work; None for never. Pure.

    `draft` has `PATIENCE_COLUMNS`.
    """
    if not draft.review_minutes:
        return None
    week = Week(MONDAY_TO_FRIDAY, draft.work_start_time or time(9), draft.work_end_time or time(17))
    holidays = holidays_of(draft.auto_send_holidays)
    zone = first_zone(draft.workspace_zone, default=WORKSPACE_ZONE)
    hours = Hours(week=week, zone=zone, holidays=(holidays,) if holidays else ())
    return after_working(hours, now, timedelta(minutes=draft.review_minutes))


async def watch(conn: AsyncConnection, draft: Row[Any], correlation_id: str, now: datetime) -> None:
    """Queue the look at a draft that people are asked about now, in the caller's transaction. Once for each version."""
    due = deadline(draft, now)
    if due is None:
        return
    job = NewJob(
        workspace_id=draft.workspace_id,
        lane=Lane.REPLIES,
        kind=KIND,
        job_key=f"escalate:{draft.id}:{draft.version}",
        serial_key=f"escalate:{draft.id}",
        correlation_id=correlation_id,
        run_at=due,
        payload={"draft_id": str(draft.id), "version": draft.version},
    )
    await enqueue(conn, [job])


class Escalation:
    """Works jobs of kind `escalate_review`: tells the reviewers again, and whoever may give the lead to somebody else."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    async def __call__(self, job: Row[Any]) -> Ended:
        now, asked = self._clock(), {"draft_id": UUID(job.payload["draft_id"]), "version": job.payload["version"]}
        async with self._engine.begin() as conn:
            draft = (await conn.execute(_WAITING, asked)).one_or_none()
            if draft is None:
                return Ended("skipped", "draft_already_handled")
            if not draft.review_minutes:
                return Ended("skipped", "review_escalation_off")
            people = await people_who_may(conn, draft.workspace_id, Action.ASSIGN_LEADS)
            told = sorted({*draft.recipients, *people})
            shown = f"A reply by {draft.channel} ({escape(draft.sentiment_tag)})"
            await plan_alert(
                conn,
                draft.workspace_id,
                told,
                key=f"escalation:{draft.id}:{asked['version']}",
                title="A reply has waited too long for a decision",
                said=f"{shown} has waited {draft.review_minutes} working minutes for a decision.\n"
                f"Its card still works; so does `zrg drafts show {draft.id}`.",
                now=now,
                correlation_id=job.correlation_id,
                lead_id=draft.lead_id,
            )
            facts = {"workspace_id": draft.workspace_id, "lead_id": draft.lead_id, "draft_id": draft.id}
            await conn.execute(_DECISION, {**facts, "minutes": draft.review_minutes, "told": len(told), "now": now})
        return Ended("done", "review_escalated" if told else "no_review_recipient")
