"""A lead's conversation as its vendors keep it: read beside the deliveries, stored under their keys (JB-09).

What is found here becomes part of the conversation and moves nothing: no reply is written to it, no sequence starts or
goes on, no campaign counts it. Only what makes us stricter is taken over: the times of the last words, and a request to
stop. A delivery that comes later finds its message and does what it would have done without us.

The history is asked for where a reply cannot be understood alone: a short SMS with no SMS of ours before it. That reply
waits for the answer, but not longer than `HEAD_START`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.db import lanes, queue
from zrg_dagster.core.db.jobs import NewJob
from zrg_dagster.core.intake import leads, messages
from zrg_dagster.core.intake.messages import NewMessage
from zrg_dagster.core.intake.twins import settle_twins
from zrg_dagster.core.leads.suppression import Stop, suppress
from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.emailbison import history as emailbison
from zrg_dagster.core.providers.ghl import history as ghl
from zrg_dagster.core.providers.outcome import ReadFailed
from zrg_dagster.core.providers.records import MessageRecord
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow
from zrg_dagster.core.replies.vendor_job import VendorTools

KIND = "conversation_sync"
SHORT_SMS_CHARS = 25
HEAD_START = timedelta(seconds=60)
# What is newer comes by its own delivery, which may do more with it.
SETTLED_AFTER = timedelta(minutes=15)
MAX_ACCOUNTS = 5  # a merged lead may have several contacts at one vendor


def wants_history(message: NewMessage) -> bool:
    """Whether a reply to this message waits for the conversation before it. Pure, and of the message alone: whether the
    conversation is known already is asked when the job runs, so that the order of deliveries does not matter."""
    record = message.record
    is_sms = message.provider == "ghl" and record.channel == "sms" and record.direction == "inbound"
    return is_sms and 0 < len(" ".join(record.body.split())) <= SHORT_SMS_CHARS


def jobs_of(reply: NewJob, message: NewMessage) -> list[NewJob]:
    """The reply's job, after the job that reads the conversation before it where there is one to read."""
    if not wants_history(message):
        return [reply]
    sync = replace(reply, kind=KIND, job_key=f"{KIND}:{reply.message_id}")
    return [sync, replace(reply, run_at=reply.run_at + HEAD_START)]


def manual_job(workspace_id: UUID, lead_id: UUID, asked_by: str, now: datetime) -> NewJob:
    """A person asks for the whole conversation of a lead, at all its vendors. `asked_by` makes it one of its kind."""
    return NewJob(
        workspace_id=workspace_id,
        lane=lanes.Lane.REPLIES,
        kind=KIND,
        job_key=f"{KIND}:{lead_id}:{asked_by}",
        serial_key=f"lead:{lead_id}",
        correlation_id=asked_by,
        run_at=now,
        lead_id=lead_id,
    )


_LEADS = text("""
    SELECT DISTINCT ON (l.id) l.id, l.workspace_id,
        (SELECT count(*) FROM app.lead_identity c WHERE c.lead_id = l.id AND c.kind = 'ghl_contact') AS contacts,
        (SELECT count(*) FROM app.lead_identity c WHERE c.lead_id = l.id AND c.kind = 'emailbison_lead') AS mail_leads
    FROM app.workspace w JOIN app.lead l ON l.workspace_id = w.id
    LEFT JOIN app.lead_identity i ON i.lead_id = l.id AND i.kind IN ('email', 'alternate_email')
    WHERE w.key = :workspace AND l.merged_into_lead_id IS NULL
      AND (l.id::text = ANY(CAST(:wanted AS text[])) OR i.value = ANY(CAST(:wanted AS text[])))
    ORDER BY l.id""")


async def find_leads(conn: AsyncConnection, workspace_key: str, wanted: Sequence[str]) -> Sequence[Row[Any]]:
    """Leads of a workspace by id or address, each with how many contacts it has at both vendors."""
    parameters = {"workspace": workspace_key, "wanted": [each.lower() for each in wanted]}
    return (await conn.execute(_LEADS, parameters)).all()


@dataclass(frozen=True, slots=True)
class Target:
    """Whose conversation is read, and up to when. `host` is the one that the lead's e-mail deliveries name."""

    workspace_id: UUID
    lead_id: UUID
    email: str | None
    zone: str | None
    contacts: Sequence[str]
    mail_leads: Sequence[str]
    host: str | None
    until: datetime
    is_known: bool


@dataclass(slots=True)
class Found:
    """What the vendors answered. `failed` is the first vendor that could not be read."""

    records: list[tuple[str, MessageRecord]] = field(default_factory=list)
    unreadable: int = 0
    asked: int = 0
    failed: ReadFailed | None = None


_TARGET = text("""
    SELECT l.email, w.timezone, t.sent_at,
        ARRAY(SELECT i.value FROM app.lead_identity i WHERE i.lead_id = l.id AND i.kind = 'ghl_contact'
              ORDER BY i.value LIMIT :most) AS contacts,
        ARRAY(SELECT i.value FROM app.lead_identity i WHERE i.lead_id = l.id AND i.kind = 'emailbison_lead'
              ORDER BY i.value LIMIT :most) AS mail_leads,
        (SELECT split_part(m.message_key, ':', 2) FROM app.message m WHERE m.lead_id = l.id
         AND m.provider = 'emailbison' AND m.message_key LIKE 'emailbison:%' ORDER BY m.sent_at LIMIT 1) AS host,
        EXISTS (SELECT FROM app.message m WHERE m.lead_id = l.id AND m.channel = 'sms'
                AND m.direction = 'outbound') AS is_known
    FROM app.lead l JOIN app.workspace w ON w.id = l.workspace_id
    LEFT JOIN app.message t ON t.id = CAST(:message AS uuid)
    WHERE l.id = :lead AND l.merged_into_lead_id IS NULL""")


async def load(conn: AsyncConnection, job: Row[Any], now: datetime) -> Target | None:
    """What the job is about; None when the lead is gone. A reply's job asks for SMS alone, a person's for everything."""
    parameters = {"lead": job.lead_id, "message": job.message_id, "most": MAX_ACCOUNTS}
    row = (await conn.execute(_TARGET, parameters)).one_or_none()
    if row is None:
        return None
    return Target(
        workspace_id=job.workspace_id,
        lead_id=job.lead_id,
        email=row.email,
        zone=row.timezone,
        contacts=row.contacts,
        mail_leads=() if job.message_id else row.mail_leads,
        host=row.host,
        until=row.sent_at or now - SETTLED_AFTER,
        is_known=bool(job.message_id and row.is_known),
    )


async def fetch(vendors: VendorClients, target: Target, accounts: dict[str, Credential], now: datetime) -> Found:
    """Read the conversation at each vendor that knows the lead. Network only; bounded by the pages that clients read."""
    found = Found()
    sms, mail = accounts.get("ghl"), accounts.get("emailbison")
    for contact in target.contacts if sms and sms.external_id else ():
        assert sms is not None
        assert sms.external_id is not None
        items = await vendors.ghl(sms).history(sms.external_id, contact)
        if not isinstance(items, ReadFailed):
            _take(found, "ghl", ghl.read(items, sms.external_id, now, target.zone))
        else:
            found.failed = found.failed or items
    for external_id in target.mail_leads if mail and target.host else ():
        assert mail is not None
        assert target.host is not None
        answer = await vendors.emailbison(mail).history(external_id)
        if not isinstance(answer, ReadFailed):
            lead = {"id": external_id, "email": target.email}
            records = emailbison.read(*answer, host=target.host, lead=lead, now=now, zone=target.zone)
            _take(found, "emailbison", records)
        else:
            found.failed = found.failed or answer
    return found


def _take(found: Found, provider: str, read: tuple[list[MessageRecord], int]) -> None:
    records, unreadable = read
    found.records += [(provider, record) for record in records]
    found.unreadable += unreadable
    found.asked += 1


async def store(conn: AsyncConnection, target: Target, found: Found, correlation_id: str, now: datetime) -> int:
    """Add what is not known yet, in the caller's transaction; returns how many messages were new."""
    await leads.lock_leads(conn, [target.lead_id])
    new = [
        NewMessage(target.workspace_id, target.lead_id, provider, record, None, correlation_id, is_history=True)
        for provider, record in found.records
        if record.sent_at <= target.until
    ]
    echoes = await messages.own_echoes(conn, new)
    new = [each for each in new if each.record.key not in echoes]
    twins = await settle_twins(conn, new)
    kept = [twins.message_of(each) for each in new if (each.lead_id, each.record.key) not in twins.known]
    stored = await messages.store_messages(conn, kept)
    added = {key: row.id for key, row in stored.items() if row.is_new}
    sent = {(each.workspace_id, each.record.key): each for each in kept if each.record.direction == "outbound"}
    await messages.store_touches(conn, [(sent[key], added[key]) for key in sent.keys() & added.keys()])
    change, stops = leads.LeadChange(target.lead_id), []
    for each in kept:
        change.saw(each.record.direction, each.record.sent_at)
        if each.record.direction == "inbound" and each.record.flags.opt_out:
            message_id = stored[each.workspace_id, each.record.key].id
            rule = each.record.flags.opt_out_rule or "opt_out"
            at = each.record.sent_at
            stops.append(Stop(each.workspace_id, each.lead_id, message_id, rule, each.provider, at, is_wish=True))
    await leads.write_changes(conn, {target.lead_id: change}, now)
    await suppress(conn, stops, now)
    return len(added)


_RELEASE = text("""
    UPDATE app.job SET run_at = :now
    WHERE message_id = :message AND kind = 'reply' AND state = 'pending' AND run_at > :now""")


class ConversationSync:
    """The jobs of this kind in the replies lane."""

    def __init__(self, tools: VendorTools) -> None:
        self._tools = tools

    async def __call__(self, job: Row[Any]) -> Ended | NotNow:
        """One job. A vendor that is away or asks us to wait is asked again later; one that refuses us is not (JB-09)."""
        found, target, accounts = Found(), None, {}
        async with self._tools.engine.connect() as conn:
            target = await load(conn, job, self._tools.clock())
            if target is not None and not target.is_known:
                for vendor in ("ghl", "emailbison"):
                    if credential := await self._tools.access(conn, target.workspace_id, vendor):
                        accounts[vendor] = credential
        if target is None:
            return Ended("skipped", "lead_gone")
        if not target.is_known:
            found = await fetch(self._tools.vendors, target, accounts, self._tools.clock())
        if found.failed is not None and not found.failed.permanent:
            return NotNow(
                f"history_{found.failed.reason}", park=False, after_s=found.failed.retry_after_s, passes=False
            )
        async with self._tools.engine.begin() as conn:
            now = self._tools.clock()
            added = await store(conn, target, found, job.correlation_id, now)
            if job.message_id is not None:
                await conn.execute(_RELEASE, {"message": job.message_id, "now": now})
                await queue.wake(conn, lanes.REPLIES)
        return _ended(target, found, added)


def _ended(target: Target, found: Found, added: int) -> Ended:
    if target.is_known:
        return Ended("skipped", "history_known")
    if found.failed is not None:
        return Ended("skipped", f"history_{found.failed.reason}")
    if not found.asked:
        return Ended("skipped", "history_nowhere")
    return Ended("done", "history_added" if added else "history_complete")
