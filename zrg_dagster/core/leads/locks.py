"""Holding everything that a worker could write for some leads, for those who change these leads as a whole."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


class LeadBusy(RuntimeError):
    """Work on this person is under way in another process. Nothing was changed; it can be asked for again."""


# Sends before leads: a worker that settles a send holds it while it moves its lead's roll-up.
_BUSY_SENDS = text("""
    SELECT s.state FROM app.send s
    WHERE s.lead_id = ANY(CAST(:leads AS uuid[])) OR s.draft_id IN (
        SELECT d.id FROM app.draft d WHERE d.lead_id = ANY(CAST(:leads AS uuid[])))
    ORDER BY s.id FOR UPDATE OF s""")
_LOCK_LEADS = text("SELECT id FROM app.lead WHERE id = ANY(CAST(:leads AS uuid[])) ORDER BY id FOR UPDATE")
_BUSY_JOBS = text("""
    SELECT j.state FROM app.job j
    WHERE j.lead_id = ANY(CAST(:leads AS uuid[])) OR j.payload ->> 'draft_id' = ANY(CAST(:drafts AS text[]))
    ORDER BY j.id FOR UPDATE OF j""")
_DRAFTS = text("SELECT id FROM app.draft WHERE lead_id = ANY(CAST(:leads AS uuid[])) ORDER BY id")
_MESSAGES = text("SELECT id FROM app.message WHERE lead_id = ANY(CAST(:leads AS uuid[])) ORDER BY id")


async def hold_leads(conn: AsyncConnection, lead_ids: Collection[UUID]) -> tuple[list[UUID], list[UUID]]:
    """Lock sends, leads (in id order) and jobs until the transaction ends; returns ids of the leads' drafts and messages.

    `LeadBusy` when a message is being sent or a job runs: what these write afterwards would come too late.
    """
    leads = sorted(lead_ids)
    if "sending" in (await conn.execute(_BUSY_SENDS, {"leads": leads})).scalars():
        raise LeadBusy("a message to this person is being sent; try again in a minute")
    await conn.execute(_LOCK_LEADS, {"leads": leads})
    drafts = list((await conn.execute(_DRAFTS, {"leads": leads})).scalars())
    jobs = {"leads": leads, "drafts": [str(each) for each in drafts]}
    if "running" in (await conn.execute(_BUSY_JOBS, jobs)).scalars():
        raise LeadBusy("work on this person is running; try again in a minute")
    return drafts, list((await conn.execute(_MESSAGES, {"leads": leads})).scalars())
