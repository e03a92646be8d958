"""What a reviewer's decision does: approve, edit, reject, regenerate, all through one `apply`.

The button's payload is a claim: draft, version, workspace and person are checked against the database, and a stale or
already handled card never sends anything.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db.jobs import NewJob, enqueue
from zrg_dagster.core.db.lanes import Lane
from zrg_dagster.core.replies import outbound
from zrg_dagster.core.replies.content import AS_THEY_ARE, CannotSend, Recipients
from zrg_dagster.core.workspaces.access import Action, allowed, member_role


class ReviewOutcome(StrEnum):
    """What a click came to."""

    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"
    REGENERATING = "regenerating"
    NOT_A_RECIPIENT = "not_a_recipient"
    NOT_A_MEMBER = "not_a_member"
    NOT_ASSIGNED = "not_assigned"
    UNKNOWN_DRAFT = "unknown_draft"
    STALE_VERSION = "stale_version"
    ALREADY_HANDLED = "already_handled"
    ALREADY_SENDING = "already_sending"
    EMPTY_TEXT = "empty_text"
    CANNOT_SEND = "cannot_send"


DECIDED = frozenset({ReviewOutcome.APPROVED, ReviewOutcome.EDITED, ReviewOutcome.REJECTED, ReviewOutcome.REGENERATING})


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a decision came to; `detail` says why nothing can be sent, in one line."""

    outcome: ReviewOutcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """A decision as it came in, from a card, a command or a job.

    Who decides is a `slack_user`, mapped to a recipient of the workspace, or a `user_email`; `super_admins` are
    addresses. `chosen` names other recipients than the draft's.
    """

    workspace_id: UUID
    action: str
    draft_id: UUID
    version: int | None
    slack_user: str | None
    edited_text: str | None
    reason: str | None
    correlation_id: str
    super_admins: frozenset[str] = frozenset()
    user_email: str | None = None
    chosen: Recipients = AS_THEY_ARE


# The ledger settles a send before it touches its draft; locking in the same order keeps the two from a deadlock.
_LOCK_SEND = text("SELECT id FROM app.send WHERE draft_id = :id AND kind = 'draft' FOR UPDATE")
_LOCK = text("""
    SELECT d.id, d.status, d.version, d.workspace_id, l.assigned_to_user_id
    FROM app.draft d JOIN app.lead l ON l.id = d.lead_id WHERE d.id = :id FOR UPDATE OF d""")
_RECIPIENT = text("""
    SELECT u.id FROM app.slack_recipient r JOIN app.user u ON u.id = r.user_id
    WHERE r.workspace_id = :workspace_id AND u.slack_user_id = :slack_user
    ORDER BY u.id LIMIT 1""")
_USER = text("SELECT id FROM app.user WHERE email = lower(CAST(:email AS text))")
_SHOW_WHY = text("UPDATE app.draft SET reason = :reason, updated_at = :now WHERE id = :id AND status = 'pending'")
_REPLIER = text("""
    UPDATE app.lead SET current_replier_email = nullif(:to, email), updated_at = :now,
        current_replier_since = CASE WHEN :to = email THEN NULL ELSE CAST(:now AS timestamptz) END,
        current_replier_name = CASE WHEN current_replier_email = :to THEN current_replier_name END
    WHERE id = :lead_id AND current_replier_email IS DISTINCT FROM nullif(:to, email)""")
_EDIT = text("UPDATE app.draft SET body = :body, version = version + 1, updated_at = :now WHERE id = :id")
_REJECT = text("""
    UPDATE app.draft SET status = 'rejected', reason = :reason, decided_by_user_id = :member, updated_at = :now
    WHERE id = :id""")
_DECISION = text("""
    INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
    SELECT d.workspace_id, d.lead_id, 'review', d.id, CAST(:code AS text),
           jsonb_build_object('member', CAST(:member AS uuid))
               || CASE WHEN CAST(:why AS text) = '' THEN '{}' ELSE jsonb_build_object('reason', CAST(:why AS text)) END, :now
    FROM app.draft d WHERE d.id = :draft_id""")


async def apply(conn: AsyncConnection, request: ReviewRequest, now: datetime) -> Reviewed:
    """Carry out one decision in the caller's transaction. The draft row is locked, so two people cannot both decide."""
    await conn.execute(_LOCK_SEND, {"id": request.draft_id})
    draft = (await conn.execute(_LOCK, {"id": request.draft_id})).one_or_none()
    if draft is None or draft.workspace_id != request.workspace_id:
        return Reviewed(ReviewOutcome.UNKNOWN_DRAFT)
    reviewed, member = await _decide(conn, request, draft, now)
    failed = reviewed.outcome is ReviewOutcome.CANNOT_SEND
    if failed:
        # Failures are shown where people look (SK-12).
        await conn.execute(_SHOW_WHY, {"id": request.draft_id, "reason": f"cannot send: {reviewed.detail}", "now": now})
    code = f"review_{reviewed.outcome}"
    parameters = {"draft_id": request.draft_id, "code": code, "member": member, "why": reviewed.detail, "now": now}
    await conn.execute(_DECISION, parameters)
    await enqueue(
        conn, [card_update(request.workspace_id, request.draft_id, request.correlation_id, now, redraw=failed)]
    )
    return reviewed


async def _who(conn: AsyncConnection, request: ReviewRequest) -> tuple[UUID | None, ReviewOutcome]:
    """The user who decides, and what they are not when nobody is found."""
    if request.slack_user is not None:
        who = {"workspace_id": request.workspace_id, "slack_user": request.slack_user}
        return (await conn.execute(_RECIPIENT, who)).scalar_one_or_none(), ReviewOutcome.NOT_A_RECIPIENT
    user = (await conn.execute(_USER, {"email": (request.user_email or "").strip()})).scalar_one_or_none()
    return user, ReviewOutcome.NOT_A_MEMBER


async def _decide(
    conn: AsyncConnection, request: ReviewRequest, draft: Row[Any], now: datetime
) -> tuple[Reviewed, UUID | None]:
    member, nobody = await _who(conn, request)
    if member is None:
        return Reviewed(nobody), None
    refused = await _refused(conn, request, draft, member)
    if refused is not None:
        return Reviewed(refused), None if refused is ReviewOutcome.NOT_A_MEMBER else member
    if request.action == "reject":
        parameters = {"id": request.draft_id, "reason": f"rejected: {request.reason or 'by a reviewer'}"}
        await conn.execute(_REJECT, {**parameters, "member": member, "now": now})
        return Reviewed(ReviewOutcome.REJECTED), member
    if request.action == "regenerate":
        await enqueue(conn, [_regenerate(request, draft.version, now)])
        return Reviewed(ReviewOutcome.REGENERATING), member
    return await _send(conn, request, member, now), member


async def _refused(
    conn: AsyncConnection, request: ReviewRequest, draft: Row[Any], member: UUID
) -> ReviewOutcome | None:
    """Why this person may not decide this draft as it is; None when they may."""
    role = await member_role(conn, request.workspace_id, member, admins=request.super_admins)
    if not allowed(role, Action.DECIDE_DRAFTS):
        return ReviewOutcome.NOT_A_MEMBER
    if not allowed(role, Action.DECIDE_DRAFTS, assigned=draft.assigned_to_user_id == member):
        return ReviewOutcome.NOT_ASSIGNED
    if draft.status != "pending":
        return ReviewOutcome.ALREADY_HANDLED
    if request.version is not None and request.version != draft.version:
        return ReviewOutcome.STALE_VERSION
    return None


async def _send(conn: AsyncConnection, request: ReviewRequest, member: UUID, now: datetime) -> Reviewed:
    reviewed = Reviewed(ReviewOutcome.APPROVED)
    body = (request.edited_text or "").strip()
    if request.action == "edit" and not body:
        return Reviewed(ReviewOutcome.EMPTY_TEXT)
    savepoint = await conn.begin_nested()
    if request.action == "edit":
        await conn.execute(_EDIT, {"id": request.draft_id, "body": body, "now": now})
        reviewed = Reviewed(ReviewOutcome.EDITED)
    draft = await outbound.load_draft(conn, request.draft_id)
    assert draft is not None
    origin = outbound.Origin("setter", member)
    try:
        planned = await outbound.plan_draft(
            conn, draft, draft.body, origin, now, request.correlation_id, request.chosen
        )
        if not planned:
            reviewed = Reviewed(ReviewOutcome.ALREADY_SENDING)
        elif request.chosen.to is not None:
            # Whom a person chose is whom the conversation goes on with (CC-07).
            await conn.execute(
                _REPLIER, {"to": request.chosen.to.strip().lower(), "lead_id": draft.lead_id, "now": now}
            )
    except CannotSend as error:
        reviewed = Reviewed(ReviewOutcome.CANNOT_SEND, f"{error} {error.detail}".strip())
    if reviewed.outcome in DECIDED:
        await savepoint.commit()
    else:
        # The draft keeps the text and the version that its send, if there is one, was planned with.
        await savepoint.rollback()
    return reviewed


def _regenerate(request: ReviewRequest, version: int, now: datetime) -> NewJob:
    return NewJob(
        workspace_id=request.workspace_id,
        lane=Lane.REPLIES,
        kind="regenerate",
        job_key=f"regenerate:{request.draft_id}:{version}",
        serial_key=f"draft:{request.draft_id}",
        correlation_id=request.correlation_id,
        run_at=now,
        payload={"draft_id": str(request.draft_id), "version": version},
    )


def card_update(
    workspace_id: UUID, draft_id: UUID, correlation_id: str, now: datetime, *, redraw: bool = False
) -> NewJob:
    """Redraw all copies of a draft's card from the database. Idempotent, so every occasion has a job of its own.

    A card that still waits is left alone, because somebody may be typing in it, unless `redraw` has something to say.
    """
    return NewJob(
        workspace_id=workspace_id,
        lane=Lane.REPLIES,
        kind="card_update",
        job_key=f"card_update:{draft_id}:{new_id()}",
        serial_key=f"card:{draft_id}",
        correlation_id=correlation_id,
        run_at=now,
        payload={"draft_id": str(draft_id), "redraw": redraw},
    )
