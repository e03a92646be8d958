"""Everything a draft is made of, read in one go: who writes, to whom, about what, and which times are free."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.drafting.slots import Slot, make_slot, pick
from zrg_dagster.core.drafting.transcript import MAX_LINES, TranscriptLine, format_transcript
from zrg_dagster.core.leads.memory import Note, in_force
from zrg_dagster.core.text.times import load_zone
from zrg_dagster.core.workspaces.personas import DEFAULT_TONE
from zrg_dagster.core.workspaces.voice import (
    DEFAULT_GREETING,
    DEFAULT_NAME,
    persona_columns_sql,
    persona_id_sql,
    setting_columns_sql,
    voice_of,
)

log = get_logger(__name__)

HORIZON = timedelta(days=14)
# A time offered now must still lie ahead when the mail is read.
NOTICE = timedelta(hours=2)
MAX_SLOTS = 500
# Four characters a token: 1,600 tokens of each asset and 8,000 of all (CX-01, EV-04).
MAX_ASSETS = 10
ASSET_CHARS = 6_400
KNOWLEDGE_CHARS = 32_000
# Of a mail's raw parts, for its signature: what a person signs with stands above the quoted thread.
RAW_CHARS = 60_000


@dataclass(frozen=True, slots=True)
class Persona:
    """Who writes and what for: the campaign's persona, else the default one, else the settings (PE-01).

    Empty strings where nobody says anything. A greeting may hold `{firstName}`.
    """

    company_name: str
    sender_name: str
    signature: str
    service_description: str
    tone: str
    booking_link: str | None
    greeting: str = DEFAULT_GREETING
    sms_greeting: str = DEFAULT_GREETING
    goals: str = ""
    ideal_customer_profile: str = ""


@dataclass(frozen=True, slots=True)
class KnowledgeAsset:
    """Something that a draft may state as fact about the workspace."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class DraftLead:
    """The person. `sentiment_tag` and `status` as stored; `email` is where a reply goes unless a colleague answered."""

    id: UUID
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    company_name: str | None
    job_title: str | None
    timezone: str | None
    sentiment_tag: str
    status: str
    current_replier_email: str | None
    current_replier_name: str | None

    @property
    def answering_name(self) -> str:
        """The name of whoever wrote last; empty when it is not known."""
        return self.current_replier_name or " ".join(part for part in (self.first_name, self.last_name) if part)


@dataclass(frozen=True, slots=True)
class Trigger:
    """The inbound message that is answered. The raw parts are those of a mail, for its signature; `raw_text` comes first."""

    id: UUID
    channel: str
    subject: str | None
    body: str
    sent_at: datetime
    is_auto_reply: bool
    is_bounce: bool
    opt_out_rule: str | None
    raw_text: str | None = None
    raw_html: str | None = None


@dataclass(frozen=True, slots=True)
class StepSwitches:
    """Which steps of a draft the workspace wants, and how many times a draft may be revised (0: never). `routing`: the model
    says which way leads to the conversation (SI-01)."""

    verification: bool = True
    overseer: bool = True
    revisions: int = 0
    routing: bool = True


@dataclass(frozen=True)
class DraftContext:
    """A frozen picture of the conversation at one instant.

    `available` holds every known free start of the next 14 days, ascending, on the reader's clock; `offered` the few
    that a draft should name. Both are empty when no zone is known: a time without zone is not offered. `notes` is what is
    remembered of the lead and the workspace, empty where the workspace does not want drafts to be told.
    """

    workspace_id: UUID
    persona: Persona
    lead: DraftLead
    trigger: Trigger
    lines: tuple[TranscriptLine, ...]
    available: tuple[Slot, ...]
    offered: tuple[Slot, ...]
    availability_refreshed_at: datetime | None
    knowledge: tuple[KnowledgeAsset, ...] = ()
    zone: str | None = None
    steps: StepSwitches = StepSwitches()
    notes: tuple[Note, ...] = ()

    @property
    def channel(self) -> str:
        return self.trigger.channel

    @cached_property
    def transcript_text(self) -> str:
        return format_transcript(self.lines)

    @cached_property
    def knowledge_text(self) -> str:
        """The assets in reading order, each under its title, within their budgets; an empty string without any."""
        return "\n\n".join(f"{each.title}\n{each.body[:ASSET_CHARS]}" for each in self.knowledge)[:KNOWLEDGE_CHARS]

    def offered_times_text(self) -> str:
        """The offered times, one a line, or an empty string."""
        return "\n".join(slot.label for slot in self.offered)


# Ten, the newest (CX-01), in the order in which a person arranged them: [[title, body], …].
_KNOWLEDGE = f"""
    coalesce((SELECT jsonb_agg(jsonb_build_array(k.title, k.body) ORDER BY k.position, k.title)
              FROM (SELECT title, body, position FROM app.knowledge_asset WHERE workspace_id = m.workspace_id
                    ORDER BY updated_at DESC, id DESC LIMIT {MAX_ASSETS}) k), '[]')"""
_MESSAGE = text(f"""
    SELECT m.workspace_id, m.id AS message_id, m.channel, m.subject, m.body, m.sent_at, m.is_auto_reply, m.is_bounce,
           m.opt_out_rule, left(m.raw_text, {RAW_CHARS}) AS raw_text,
           CASE WHEN coalesce(btrim(m.raw_text), '') = '' THEN left(m.raw_html, {RAW_CHARS}) END AS raw_html,
           l.id AS lead_id, l.first_name, l.last_name, l.email, l.phone,
           l.company_name AS lead_company, l.job_title, l.timezone AS lead_timezone, l.sentiment_tag, l.status,
           l.current_replier_email, l.current_replier_name, w.name AS workspace_name, w.timezone AS workspace_timezone,
           s.draft_verification_enabled, s.meeting_overseer_enabled, s.auto_send_revision_enabled,
           s.ai_route_booking_process_enabled,
           s.auto_send_revision_max_iterations, s.lead_context_bundle_enabled, s.company_name, s.booking_link,
           c.id AS campaign_id, c.ai_persona_id AS campaign_persona_id,
           {_KNOWLEDGE} AS knowledge,
           {setting_columns_sql("s")}, {persona_columns_sql("p")}
    FROM app.message m
    JOIN app.lead l ON l.workspace_id = m.workspace_id AND l.id = m.lead_id
    JOIN app.workspace w ON w.id = m.workspace_id
    LEFT JOIN app.workspace_setting s ON s.workspace_id = m.workspace_id
    LEFT JOIN app.email_campaign c ON c.workspace_id = l.workspace_id AND c.id = l.email_campaign_id
    LEFT JOIN app.ai_persona p ON p.workspace_id = m.workspace_id
        AND p.id = {persona_id_sql("m.workspace_id", "c.ai_persona_id")}
    WHERE m.id = :message_id""")

_TRANSCRIPT = text("""
    SELECT id, sent_at, channel, direction, subject, body
    FROM app.message
    WHERE lead_id = :lead_id AND NOT is_bounce
    ORDER BY sent_at DESC, id DESC
    LIMIT :max_lines""")

_SLOTS = text("""
    SELECT a.starts_at, min(c.refreshed_at) AS refreshed_at
    FROM app.availability_slot a
    JOIN app.calendar c ON c.workspace_id = a.workspace_id AND c.id = a.calendar_id
    WHERE a.workspace_id = :workspace_id AND c.is_active AND a.starts_at >= :first AND a.starts_at < :last
    GROUP BY a.starts_at
    ORDER BY a.starts_at
    LIMIT :max_slots""")


class MessageNotFound(LookupError):
    """No such message: it was removed after the work was planned."""


async def load_context(
    conn: AsyncConnection, message_id: UUID, *, now: datetime, with_memory: bool = True
) -> DraftContext:
    """The context of answering `message_id` at `now`. `MessageNotFound` when it is gone.

    Without `with_memory` nothing that is remembered is read, whatever the workspace wants (LC-02).
    """
    row = (await conn.execute(_MESSAGE, {"message_id": message_id})).mappings().one_or_none()
    if row is None:
        raise MessageNotFound(str(message_id))
    line_rows = (await conn.execute(_TRANSCRIPT, {"lead_id": row["lead_id"], "max_lines": MAX_LINES})).mappings()
    window = {
        "workspace_id": row["workspace_id"],
        "first": now + NOTICE,
        "last": now + HORIZON,
        "max_slots": MAX_SLOTS,
    }
    slot_rows = (await conn.execute(_SLOTS, window)).all()
    notes: tuple[Note, ...] = ()
    if with_memory and row["lead_context_bundle_enabled"]:
        notes = await in_force(conn, row["workspace_id"], row["lead_id"], now)
    zone = load_zone(row["lead_timezone"]) or load_zone(row["workspace_timezone"])
    available = _slots([slot.starts_at for slot in slot_rows], zone)
    return DraftContext(
        workspace_id=row["workspace_id"],
        persona=_persona(row),
        lead=_lead(row),
        trigger=_trigger(row),
        lines=tuple(_line(line) for line in line_rows),
        available=available,
        offered=pick(available),
        availability_refreshed_at=min((slot.refreshed_at for slot in slot_rows if slot.refreshed_at), default=None),
        knowledge=tuple(KnowledgeAsset(title, body) for title, body in row["knowledge"]),
        zone=zone.key if zone else None,
        steps=_steps(row),
        notes=notes,
    )


def _steps(row: Any) -> StepSwitches:
    """Without settings: what the columns default to. Other channels than e-mail are revised once (RV-02)."""
    most = (row["auto_send_revision_max_iterations"] or 3) if row["channel"] == "email" else 1
    return StepSwitches(
        verification=row["draft_verification_enabled"] is not False,
        overseer=row["meeting_overseer_enabled"] is not False,
        revisions=most if row["auto_send_revision_enabled"] else 0,
        routing=row["ai_route_booking_process_enabled"] is not False,
    )


def _slots(starts: list[datetime], zone: ZoneInfo | None) -> tuple[Slot, ...]:
    return tuple(make_slot(start, zone) for start in starts) if zone else ()


def _persona(row: Any) -> Persona:
    voice = voice_of(row, campaign_persona_id=row["campaign_persona_id"])
    log.info(
        "voice_chosen",
        source=voice.source,
        persona_id=voice.persona_id and str(voice.persona_id),
        campaign_id=row["campaign_id"] and str(row["campaign_id"]),
        message_id=str(row["message_id"]),
    )
    return Persona(
        company_name=row["company_name"] or row["workspace_name"],
        sender_name=voice.persona_name or row["workspace_name"] or DEFAULT_NAME,
        signature=voice.signature,
        service_description=voice.service_description,
        tone=voice.tone or DEFAULT_TONE,
        booking_link=row["booking_link"],
        greeting=voice.greeting,
        sms_greeting=voice.sms_greeting,
        goals=voice.goals,
        ideal_customer_profile=voice.ideal_customer_profile,
    )


def _lead(row: Any) -> DraftLead:
    return DraftLead(
        id=row["lead_id"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        email=row["email"],
        phone=row["phone"],
        company_name=row["lead_company"],
        job_title=row["job_title"],
        timezone=row["lead_timezone"],
        sentiment_tag=row["sentiment_tag"],
        status=row["status"],
        current_replier_email=row["current_replier_email"],
        current_replier_name=row["current_replier_name"],
    )


def _trigger(row: Any) -> Trigger:
    return Trigger(
        id=row["message_id"],
        channel=row["channel"],
        subject=row["subject"],
        body=row["body"],
        sent_at=row["sent_at"],
        is_auto_reply=row["is_auto_reply"],
        is_bounce=row["is_bounce"],
        opt_out_rule=row["opt_out_rule"],
        raw_text=row["raw_text"] if row["channel"] == "email" else None,
        raw_html=row["raw_html"] if row["channel"] == "email" else None,
    )


def _line(row: Any) -> TranscriptLine:
    return TranscriptLine(
        row["id"], row["sent_at"], row["channel"], row["direction"] == "inbound", row["subject"], row["body"]
    )
