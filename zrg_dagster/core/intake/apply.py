"""What a batch of read deliveries does to the database: everything in one transaction, a few statements per batch.

Handlers are commutative: any order, any duplication and any number of workers end in the same state. New effects go
where they can be written as an upsert, a `greatest()`, or a winner by (rank, event time, value).
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.db.dirty import mark_dirty
from zrg_dagster.core.db.jobs import NewJob, enqueue
from zrg_dagster.core.db.lanes import Lane
from zrg_dagster.core.followups.pause import Touch, complete_on_booking, pause_on_reply, resume_on_touch
from zrg_dagster.core.followups.start import start_on_booking
from zrg_dagster.core.intake import leads, messages
from zrg_dagster.core.intake.appointments import (
    NewAppointment,
    apply_to_leads,
    link_appointments,
    named_meanwhile,
    store_appointments,
)
from zrg_dagster.core.intake.batch import Batch, Ending
from zrg_dagster.core.intake.clicks import review_job, workspaces_of
from zrg_dagster.core.intake.enrichments import UNKNOWN_LEAD, NewEnrichment, store_enrichments
from zrg_dagster.core.intake.erasure import without_erased
from zrg_dagster.core.intake.history import jobs_of
from zrg_dagster.core.intake.notices import TROUBLE, NewNotice, store_notices
from zrg_dagster.core.intake.people import resolve_people
from zrg_dagster.core.intake.read import ClaimedEvent, ReadEvent
from zrg_dagster.core.intake.signals import has_effect, is_stop
from zrg_dagster.core.intake.twins import settle_twins
from zrg_dagster.core.leads.campaigns import sync_campaigns
from zrg_dagster.core.leads.contacts import contact_job
from zrg_dagster.core.leads.fields import ENRICHMENT, best, claims_of
from zrg_dagster.core.leads.suppression import Stop, suppress, suppress_new_addresses
from zrg_dagster.core.notifications.crm import crm_states, tell_crm_changes
from zrg_dagster.core.providers.records import Parsed


async def apply(
    conn: AsyncConnection, events: Sequence[ReadEvent], now: datetime, *, sealer: Sealer | None = None
) -> list[Ending]:
    """Write the effects of `events` and return how each of them ends. The caller settles them in the same transaction.

    `sealer` opens what erased people are recognised with; a workspace that erased somebody needs it.
    """
    events, refused = await without_erased(conn, events, sealer, now)
    endings = [Ending(each.event, "ignored", "person_erased", parsed=each.parsed) for each in refused]
    batch = Batch(now)
    workspaces = await workspaces_of(
        conn, (each.parsed.review_action for each in events if each.parsed and each.parsed.review_action)
    )
    for each in events:
        ending = _without_effect(each)
        if ending is not None:
            endings.append(ending)
            continue
        assert each.parsed is not None
        if each.parsed.review_action is not None:
            endings.append(_clicked(batch, each.event, each.parsed, workspaces))
            continue
        batch.items.append((each.event, each.parsed))

    await resolve_people(conn, batch)
    await _store_messages(conn, batch)
    _gather_signals(batch)
    _gather_enrichments(batch)
    known_to_crm = await crm_states(conn, _may_move(batch))
    await leads.write_changes(conn, batch.changes, now)
    await _store_appointments(conn, batch, now)
    await suppress(conn, batch.stops, now)
    await suppress_new_addresses(conn, sorted(set(batch.found.new_identities.values())))
    await tell_crm_changes(conn, known_to_crm, now, source="intake")
    await store_notices(conn, batch.notices, now)
    await store_enrichments(conn, batch.enrichments)
    await _move_sequences(conn, batch, now)
    await enqueue(conn, batch.jobs)
    await _count(conn, batch)
    return endings + [_ending(batch, number) for number in range(len(batch.items))]


def _may_move(batch: Batch) -> set[UUID]:
    """The leads whose status or meeting this batch may change."""
    booked = {batch.found.lead_of.get(number) for number, (_, parsed) in enumerate(batch.items) if parsed.appointment}
    return {lead_id for lead_id in booked | {stop.lead_id for stop in batch.stops} if lead_id is not None}


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


def _clicked(batch: Batch, event: ClaimedEvent, parsed: Parsed, workspaces: dict[str, UUID]) -> Ending:
    assert parsed.review_action is not None
    job = review_job(event, parsed.review_action, workspaces, batch.now)
    if isinstance(job, str):
        return Ending(event, "quarantined", job, "the button names no draft or workspace of ours", parsed=parsed)
    batch.jobs.append(job)
    return Ending(event, "processed", parsed=parsed, workspace_id=job.workspace_id)


async def _store_messages(conn: AsyncConnection, batch: Batch) -> None:
    batch.campaign_of = await _campaigns(conn, batch)
    new = _new_messages(batch)
    kept, repeated, woken = await _tell_apart(conn, batch, new)
    stored = await messages.store_messages(conn, list(kept.values()))
    ids = await messages.ids_of(conn, list(repeated.values()))
    for number, key in repeated.items():
        # What it says of its lead counts, whichever report of the message came first.
        batch.message_ids[number] = ids[key]
        _note_lead(batch, number, new[number])
        if key in woken:
            woken.discard(key)
            batch.jobs += jobs_of(_reply_job(new[number], ids[key], batch.now), new[number])
    touches: list[tuple[messages.NewMessage, UUID]] = []
    fresh = {key for key, row in stored.items() if row.is_new}
    for number, message in kept.items():
        key = (message.workspace_id, message.record.key)
        message_id = batch.message_ids[number] = stored[key].id
        _note_lead(batch, number, new[number])
        if key not in fresh:
            if message.record.edited_at is None:
                batch.reasons.setdefault(number, "duplicate_message")
            if message.record.flags.provider_interested and not stored[key].is_new:
                batch.jobs.append(_reply_job(message, message_id, batch.now, again="interested"))
            continue
        fresh.discard(key)  # of several deliveries of one message in this batch, the first counts
        if message.record.source == "bounce":
            continue
        if campaign_id := batch.campaign_of.get(number):
            batch.counts[(campaign_id, message.record.direction)] += 1
        if message.record.direction == "inbound":
            batch.jobs += jobs_of(_reply_job(message, message_id, batch.now), message)
        else:
            touches.append((message, message_id))
    await messages.store_touches(conn, touches)
    # What a vendor or a colleague sent without us counts as a touch: it resumes and moves sequences (FU-28, FU-29).
    batch.touches += [Touch(m.lead_id, m.record.sent_at, m.record.source == "human") for m, _ in touches]


async def _count(conn: AsyncConnection, batch: Batch) -> None:
    """Counters and flags that every batch of a workspace writes: whoever writes them waits for the one before. So they
    come last, and are held for no longer than the commit."""
    await mark_dirty(conn, "booking", batch.booking_days)
    campaigns = {campaign for campaign, _ in batch.counts}
    counts = {each: (batch.counts[(each, "outbound")], batch.counts[(each, "inbound")]) for each in campaigns}
    await messages.count_campaigns(conn, counts)


def _new_messages(batch: Batch) -> dict[int, messages.NewMessage]:
    new: dict[int, messages.NewMessage] = {}
    for number, (event, parsed) in enumerate(batch.items):
        if parsed.message is None or event.workspace_id is None:
            continue
        if (lead_id := batch.found.lead_of.get(number)) is None:
            batch.reasons[number] = "lead_not_identified"
            continue
        new[number] = messages.NewMessage(
            event.workspace_id, lead_id, event.provider, parsed.message, event.id, event.correlation_id
        )
    return new


async def _tell_apart(
    conn: AsyncConnection, batch: Batch, new: dict[int, messages.NewMessage]
) -> tuple[dict[int, messages.NewMessage], dict[int, tuple[UUID, str]], set[tuple[UUID, str]]]:
    """The messages to store, those already known under another key, and which of the latter were known from the history
    alone. Reports of our own sends are in none of them."""
    pending = list(new.values())
    echoes = await messages.own_echoes(conn, pending)
    twins = await settle_twins(conn, pending)
    kept: dict[int, messages.NewMessage] = {}
    repeated: dict[int, tuple[UUID, str]] = {}
    for number, message in new.items():
        if message.record.key in echoes:
            batch.reasons[number] = "own_send_confirmed"
        elif known := twins.known.get((message.lead_id, message.record.key)):
            batch.reasons[number] = "duplicate_message"
            repeated[number] = (message.workspace_id, known)
        else:
            kept[number] = twins.message_of(message)
    workspace_of = {message.lead_id: message.workspace_id for message in pending}
    return kept, repeated, {(workspace_of[lead_id], key) for lead_id, key in twins.woken}


async def _campaigns(conn: AsyncConnection, batch: Batch) -> dict[int, UUID]:
    """The campaign that each delivery names, by its number."""
    keys, wanted = {}, {}
    for number, (event, parsed) in enumerate(batch.items):
        if event.workspace_id and parsed.lead and (reference := parsed.lead.campaign):
            keys[number] = key = (event.workspace_id, reference.provider, reference.external_id)
            wanted[key] = reference
    found = await messages.ensure_campaigns(conn, wanted) if wanted else {}
    return {number: found[key] for number, key in keys.items()}


def _note_person(batch: Batch, number: int, lead_id: UUID, at: datetime) -> leads.LeadChange:
    """Gather the contact fields and the campaign that a delivery claims for its lead."""
    event, parsed = batch.items[number]
    change = batch.change(lead_id)
    if parsed.lead is not None:
        claims = claims_of(parsed.lead, at=at, source=f"{event.provider}:{parsed.event_type}")
        change.claims = best([change.claims, claims]) if change.claims else claims
        if (reference := parsed.lead.campaign) and (campaign_id := batch.campaign_of.get(number)):
            change.offer_campaign(leads.CampaignClaim(at, reference.provider, reference.external_id, campaign_id))
    return change


def _note_lead(batch: Batch, number: int, message: messages.NewMessage) -> None:
    """Gather what this message says about its lead: contact fields, campaign, roll-ups, and stops."""
    record = message.record
    change = _note_person(batch, number, message.lead_id, record.sent_at)
    message_id = batch.message_ids[number]
    if record.source == "bounce":
        # A mail system wrote it: the lead said nothing. A hard bounce stops the address, a soft one passes.
        if record.flags.bounce:
            batch.stops.append(_stop(message, record.flags.bounce_rule or "bounce", message_id, is_wish=False))
        return
    change.saw(record.direction, record.sent_at)
    if record.direction == "inbound" and record.flags.opt_out:
        batch.stops.append(_stop(message, record.flags.opt_out_rule or "opt_out", message_id, is_wish=True))


def _stop(message: messages.NewMessage, rule: str, message_id: UUID | None, *, is_wish: bool) -> Stop:
    at = message.record.sent_at
    return Stop(message.workspace_id, message.lead_id, message_id, rule, message.provider, at, is_wish)


def _reply_job(message: messages.NewMessage, message_id: UUID, now: datetime, *, again: str | None = None) -> NewJob:
    """The job of a new message; `again` names what a later delivery added to it, so that it is looked at once more."""
    return NewJob(
        workspace_id=message.workspace_id,
        lane=Lane.REPLIES,
        kind="reply",
        job_key=f"reply:{message_id}:{again}" if again else f"reply:{message_id}",
        serial_key=f"lead:{message.lead_id}",
        correlation_id=message.correlation_id,
        run_at=now,
        lead_id=message.lead_id,
        message_id=message_id,
    )


def _gather_signals(batch: Batch) -> None:
    for number, (event, parsed) in enumerate(batch.items):
        if parsed.message is not None or event.workspace_id is None:
            continue  # the message's own flags say the same, with the message as the proof
        lead_id = batch.found.lead_of.get(number)
        for signal in parsed.signals:
            if signal.kind in TROUBLE:
                batch.notices.append(NewNotice(event.workspace_id, event.provider, signal, event.id))
            elif has_effect(signal) and lead_id is None:
                batch.reasons[number] = "lead_not_identified"
            elif is_stop(signal) and lead_id is not None:
                _note_person(batch, number, lead_id, signal.at)
                rule = signal.detail or signal.kind
                is_wish = signal.kind == "opt_out"
                batch.stops.append(Stop(event.workspace_id, lead_id, None, rule, event.provider, signal.at, is_wish))


def _gather_enrichments(batch: Batch) -> None:
    for number, (event, parsed) in enumerate(batch.items):
        lead_id = batch.found.lead_of.get(number)
        if parsed.enrichment is None or lead_id is None or event.workspace_id is None:
            continue
        record = parsed.enrichment
        batch.enrichments.append(NewEnrichment(event.workspace_id, lead_id, event.provider, record))
        if record.kind == "phone" and record.status == "success":
            # The number is of use where messages to it leave from.
            why = f"enriched:{event.id}"
            batch.jobs.append(contact_job(event.workspace_id, lead_id, why, event.correlation_id, batch.now))
        if parsed.lead is not None:
            change = batch.change(lead_id)
            source = f"{event.provider}:{parsed.event_type}"
            change.claims = best([change.claims, claims_of(parsed.lead, at=record.at, source=source, rank=ENRICHMENT)])


async def _store_appointments(conn: AsyncConnection, batch: Batch, now: datetime) -> None:
    found = [
        NewAppointment(
            event.workspace_id,
            batch.found.lead_of.get(number),
            parsed.appointment,
            parsed.lead.identity("ghl_contact") if parsed.lead else None,
            event.id,
        )
        for number, (event, parsed) in enumerate(batch.items)
        if parsed.appointment is not None and event.workspace_id is not None
    ]
    for number, (_, parsed) in enumerate(batch.items):
        if parsed.appointment is not None and number not in batch.found.lead_of:
            batch.reasons[number] = "lead_not_identified"
    stored = await store_appointments(conn, found)
    known = await named_meanwhile(conn, found)
    linked = await link_appointments(conn, {**known, **batch.found.new_identities})
    booked = await apply_to_leads(conn, [*stored, *linked], now)
    campaign_days = await sync_campaigns(conn, {*batch.changes, *batch.found.lead_of.values()})
    if booked:
        await complete_on_booking(conn, booked, now)
        by_hand = {
            batch.found.lead_of.get(number) for number, (event, _) in enumerate(batch.items) if event.is_replayed
        }
        await start_on_booking(conn, [lead_id for lead_id in booked if lead_id not in by_hand], now)
    batch.booking_days = campaign_days | {(day, each.workspace_id) for each in (*stored, *linked) for day in each.days}


async def _move_sequences(conn: AsyncConnection, batch: Batch, now: datetime) -> None:
    inbound = {change.lead_id: change.last_inbound_at for change in batch.changes.values() if change.last_inbound_at}
    if inbound:
        await pause_on_reply(conn, inbound, now)
    await resume_on_touch(conn, batch.touches, now)


def _ending(batch: Batch, number: int) -> Ending:
    event, parsed = batch.items[number]
    reason = batch.reasons.get(number)
    if reason == UNKNOWN_LEAD:
        return Ending(event, "quarantined", reason, "the answer names no lead of this workspace", parsed=parsed)
    says_something = parsed.message or parsed.appointment or parsed.enrichment
    is_effective = bool(says_something or any(has_effect(signal) for signal in parsed.signals))
    return Ending(
        event,
        "processed" if is_effective else "ignored",
        reason if is_effective else "signal_without_effect",
        parsed=parsed,
        lead_id=batch.found.lead_of.get(number),
        message_id=batch.message_ids.get(number),
    )
