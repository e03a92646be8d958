"""What a batch of read deliveries does to the database: everything in one transaction, a few statements per batch.

Handlers are commutative: any order, any duplication and any number of workers end in the same state. New effects go
where they can be written as an upsert, a `greatest()`, or a winner by (rank, event time, value).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.db.dirty import mark_dirty
from zrg_dagster.core.db.jobs import NewJob, enqueue
from zrg_dagster.core.db.lanes import Lane
from zrg_dagster.core.followups.pause import Touch, complete_on_booking, pause_on_reply, resume_on_touch
from zrg_dagster.core.followups.start import start_on_booking
from zrg_dagster.core.intake import leads, messages
from zrg_dagster.core.intake.appointments import NewAppointment, store_appointments
from zrg_dagster.core.intake.fields import best, claims_of
from zrg_dagster.core.intake.identity import Resolution, lookups, resolve
from zrg_dagster.core.intake.read import ClaimedEvent, ReadEvent
from zrg_dagster.core.leads.suppression import Stop, suppress
from zrg_dagster.core.providers.records import LeadRecord, Parsed, SignalRecord


@dataclass(frozen=True, slots=True)
class Ending:
    """How one event ends, with the columns that make it readable without its body."""

    event: ClaimedEvent
    state: str
    reason: str | None = None
    error: str | None = None
    parsed: Parsed | None = None
    workspace_id: UUID | None = None
    lead_id: UUID | None = None
    message_id: UUID | None = None


@dataclass(slots=True)
class Batch:
    """The accepted events of one batch while their effects are gathered."""

    now: datetime
    items: list[tuple[ClaimedEvent, Parsed]] = field(default_factory=list)
    found: Resolution = field(default_factory=Resolution)
    changes: dict[UUID, leads.LeadChange] = field(default_factory=dict)
    stops: list[Stop] = field(default_factory=list)
    jobs: list[NewJob] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)
    message_ids: dict[int, UUID] = field(default_factory=dict)

    def change(self, lead_id: UUID) -> leads.LeadChange:
        return self.changes.setdefault(lead_id, leads.LeadChange(lead_id))


async def apply(conn: AsyncConnection, events: Sequence[ReadEvent], now: datetime) -> list[Ending]:
    """Write the effects of `events` and return how each of them ends. The caller settles them in the same transaction."""
    endings: list[Ending] = []
    batch = Batch(now)
    slack_keys = await _workspaces_by_key(conn, events)
    for each in events:
        ending = _without_effect(each)
        if ending is not None:
            endings.append(ending)
            continue
        assert each.parsed is not None
        if each.parsed.review_action is not None:
            endings.append(_review_click(batch, each.event, each.parsed, slack_keys))
            continue
        batch.items.append((each.event, each.parsed))

    await _resolve(conn, batch)
    await _store_messages(conn, batch)
    _gather_signals(batch)
    await _store_appointments(conn, batch, now)
    await leads.write_changes(conn, batch.changes, now)
    await suppress(conn, batch.stops, now)
    await _move_sequences(conn, batch, now)
    await enqueue(conn, batch.jobs)
    return endings + [_ending(batch, number) for number in range(len(batch.items))]


def _without_effect(each: ReadEvent) -> Ending | None:
    if each.problem is not None:
        reason = "unknown_event_type" if each.problem.code == "unknown_event_type" else "shape_mismatch"
        return Ending(each.event, "quarantined", reason, str(each.problem))
    assert each.parsed is not None
    if each.parsed.outcome == "ignore":
        return Ending(each.event, "ignored", each.parsed.reason or "nothing_to_do", parsed=each.parsed)
    if each.event.workspace_id is None and each.parsed.review_action is None:
        return Ending(each.event, "quarantined", "no_workspace", "the delivery names no workspace", parsed=each.parsed)
    return None


_KEYS = text("SELECT key, id FROM app.workspace WHERE key = ANY(CAST(:keys AS text[])) AND is_active")


async def _workspaces_by_key(conn: AsyncConnection, events: Sequence[ReadEvent]) -> dict[str, UUID]:
    clicks = (each.parsed.review_action for each in events if each.parsed and each.parsed.review_action)
    keys = sorted({click.workspace_key for click in clicks if click.workspace_key})
    return {row.key: row.id for row in await conn.execute(_KEYS, {"keys": keys})} if keys else {}


def _review_click(batch: Batch, event: ClaimedEvent, parsed: Parsed, workspaces: dict[str, UUID]) -> Ending:
    """A click becomes a job of the draft's workspace. What the button claims is checked there, against the database."""
    click = parsed.review_action
    assert click is not None
    workspace_id = workspaces.get(click.workspace_key or "")
    if workspace_id is None or click.draft_id is None:
        reason = "unreadable_click" if click.draft_id is None else "unknown_workspace"
        return Ending(event, "quarantined", reason, "the button names no draft or workspace of ours", parsed=parsed)
    batch.jobs.append(
        NewJob(
            workspace_id=workspace_id,
            lane=Lane.REPLIES,
            kind="review_action",
            job_key=f"review_action:{event.id}",
            serial_key=f"draft:{click.draft_id}",
            correlation_id=event.correlation_id,
            run_at=batch.now,
            payload={
                "action": click.action,
                "draft_id": click.draft_id,
                "version": click.version,
                "slack_user": click.user_id,
                "slack_channel": click.channel_id,
                "slack_ts": click.message_ts,
                "edited_text": click.edited_text,
                "reason": click.reason,
            },
        )
    )
    return Ending(event, "processed", parsed=parsed, workspace_id=workspace_id)


def _may_create(parsed: Parsed) -> bool:
    """Messages make leads. A booking or a signal about somebody unknown does not: there is nobody to talk to."""
    return parsed.message is not None


async def _resolve(conn: AsyncConnection, batch: Batch) -> None:
    records: list[tuple[int, UUID, LeadRecord, bool]] = [
        (number, event.workspace_id, parsed.lead, _may_create(parsed))
        for number, (event, parsed) in enumerate(batch.items)
        if parsed.lead is not None and event.workspace_id is not None
    ]
    keys = {key for _, workspace, lead, _ in records for key in lookups(workspace, lead)}
    batch.found = resolve(records, await leads.known_identities(conn, keys) if keys else {})
    await leads.write_resolution(conn, batch.found)


async def _store_messages(conn: AsyncConnection, batch: Batch) -> None:
    new: dict[int, messages.NewMessage] = {}
    for number, (event, parsed) in enumerate(batch.items):
        lead_id = batch.found.lead_of.get(number)
        if parsed.message is None or event.workspace_id is None:
            continue
        if lead_id is None:
            batch.reasons[number] = "lead_not_identified"
            continue
        new[number] = messages.NewMessage(
            event.workspace_id, lead_id, event.provider, parsed.message, event.id, event.correlation_id
        )
    pending = list(new.values())
    near = await messages.known_near(conn, pending)
    echoes = await messages.own_echoes(conn, pending)
    kept = {n: m for n, m in new.items() if m.record.key not in near and m.record.key not in echoes}
    for number, message in new.items():
        if message.record.key in near:
            batch.reasons[number] = "duplicate_message"
        elif message.record.key in echoes:
            batch.reasons[number] = "own_send_confirmed"
    stored = await messages.store_messages(conn, list(kept.values()))
    campaigns = await _campaigns(conn, batch)
    counts: Counter[tuple[UUID, str]] = Counter()
    touches: list[tuple[messages.NewMessage, UUID]] = []
    fresh = {key for key, row in stored.items() if row.is_new}
    for number, message in kept.items():
        row = stored[(message.workspace_id, message.record.key)]
        batch.message_ids[number] = row.id
        _note_lead(batch, number, message, campaigns)
        key = (message.workspace_id, message.record.key)
        if key not in fresh:
            batch.reasons.setdefault(number, "duplicate_message")
            continue
        fresh.discard(key)  # of several deliveries of one message in this batch, the first counts
        campaign = batch.changes[message.lead_id].email_campaign
        if campaign:
            counts[(campaign[1], message.record.direction)] += 1
        if message.record.source == "bounce":
            continue
        if message.record.direction == "inbound":
            batch.jobs.append(_reply_job(message, row.id, batch.now))
        else:
            touches.append((message, row.id))
    await messages.store_touches(conn, touches)
    # What a vendor or a colleague sent without us counts as a touch: it resumes and moves sequences (FU-28, FU-29).
    batch.touches += [Touch(m.lead_id, m.record.sent_at, m.record.source == "human") for m, _ in touches]
    ids = {campaign for campaign, _ in counts}
    await messages.count_campaigns(conn, {i: (counts[(i, "outbound")], counts[(i, "inbound")]) for i in ids})


async def _campaigns(conn: AsyncConnection, batch: Batch) -> dict[tuple[UUID, str, str], UUID]:
    wanted = {
        (event.workspace_id, parsed.lead.campaign.provider, parsed.lead.campaign.external_id): parsed.lead.campaign
        for event, parsed in batch.items
        if event.workspace_id and parsed.lead and parsed.lead.campaign
    }
    return await messages.ensure_campaigns(conn, wanted) if wanted else {}


def _note_lead(
    batch: Batch, number: int, message: messages.NewMessage, campaigns: dict[tuple[UUID, str, str], UUID]
) -> None:
    """Gather what this message says about its lead: contact fields, roll-ups, campaign, replier, and stops."""
    record = message.record
    parsed = batch.items[number][1]
    change = batch.change(message.lead_id)
    if parsed.lead is not None:
        claims = claims_of(parsed.lead, at=record.sent_at, source=f"{message.provider}:{parsed.event_type}")
        change.claims = best([change.claims, claims])
        if parsed.lead.campaign:
            reference = parsed.lead.campaign
            campaign = campaigns[(message.workspace_id, reference.provider, reference.external_id)]
            change.offer_campaign(record.sent_at, campaign)
    if record.source == "bounce":
        # A mail system wrote it: the lead said nothing. A hard bounce stops the address, a soft one passes.
        if record.flags.bounce:
            batch.stops.append(_stop(message, record.flags.bounce_rule or "bounce", batch.message_ids[number]))
        return
    change.saw(record.direction, record.sent_at)
    if record.direction == "inbound":
        if record.channel == "email":
            replier = parsed.lead.current_replier if parsed.lead else None
            change.offer_replier(record.sent_at, replier.email if replier else None, replier.name if replier else None)
        if record.flags.opt_out:
            batch.stops.append(_stop(message, record.flags.opt_out_rule or "opt_out", batch.message_ids[number]))


def _stop(message: messages.NewMessage, rule: str, message_id: UUID | None) -> Stop:
    return Stop(message.workspace_id, message.lead_id, message_id, rule, message.provider, message.record.sent_at)


def _reply_job(message: messages.NewMessage, message_id: UUID, now: datetime) -> NewJob:
    return NewJob(
        workspace_id=message.workspace_id,
        lane=Lane.REPLIES,
        kind="reply",
        job_key=f"reply:{message_id}",
        serial_key=f"lead:{message.lead_id}",
        correlation_id=message.correlation_id,
        run_at=now,
        lead_id=message.lead_id,
        message_id=message_id,
    )


def _gather_signals(batch: Batch) -> None:
    for number, (event, parsed) in enumerate(batch.items):
        lead_id = batch.found.lead_of.get(number)
        if parsed.message is not None:
            continue  # the message's own flags say the same, with the message as the proof
        for signal in parsed.signals:
            if _is_stop(signal) and event.workspace_id:
                if lead_id is None:
                    batch.reasons[number] = "lead_not_identified"
                    continue
                rule = signal.detail or signal.kind
                batch.stops.append(Stop(event.workspace_id, lead_id, None, rule, event.provider, signal.at))


def _is_stop(signal: SignalRecord) -> bool:
    """Vendor unsubscribes and hard bounces stop a person; a soft bounce or a delivery status does not."""
    return signal.kind == "opt_out" or (signal.kind == "bounce" and signal.value == "hard")


async def _store_appointments(conn: AsyncConnection, batch: Batch, now: datetime) -> None:
    found = [
        NewAppointment(event.workspace_id, batch.found.lead_of.get(number), parsed.appointment, event.id)
        for number, (event, parsed) in enumerate(batch.items)
        if parsed.appointment is not None and event.workspace_id is not None
    ]
    for number, (_, parsed) in enumerate(batch.items):
        if parsed.appointment is not None and number not in batch.found.lead_of:
            batch.reasons[number] = "lead_not_identified"
    booked = await store_appointments(conn, found, now)
    if booked.lead_ids:
        await complete_on_booking(conn, booked.lead_ids, now)
        await start_on_booking(conn, booked.lead_ids, now)
    if booked.dirty_days:
        await mark_dirty(conn, "booking", booked.dirty_days)


async def _move_sequences(conn: AsyncConnection, batch: Batch, now: datetime) -> None:
    inbound = {change.lead_id: change.last_inbound_at for change in batch.changes.values() if change.last_inbound_at}
    if inbound:
        await pause_on_reply(conn, inbound, now)
    await resume_on_touch(conn, batch.touches, now)


def _ending(batch: Batch, number: int) -> Ending:
    event, parsed = batch.items[number]
    has_effect = parsed.message or parsed.appointment or any(_is_stop(signal) for signal in parsed.signals)
    return Ending(
        event,
        "processed" if has_effect else "ignored",
        batch.reasons.get(number) if has_effect else "signal_without_effect",
        parsed=parsed,
        lead_id=batch.found.lead_of.get(number),
        message_id=batch.message_ids.get(number),
    )
