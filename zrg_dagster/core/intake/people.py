"""Whose each delivery of a batch is: leads found, made, linked and locked."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.intake import leads
from zrg_dagster.core.intake.batch import Batch
from zrg_dagster.core.intake.enrichments import UNKNOWN_LEAD, leads_asked_about
from zrg_dagster.core.intake.identity import lookups, resolve
from zrg_dagster.core.intake.relations import NewRelation, relate, wake_invited
from zrg_dagster.core.intake.signals import is_stop
from zrg_dagster.core.leads.fields import best
from zrg_dagster.core.providers.records import LeadRecord, Parsed


def _may_create(parsed: Parsed) -> bool:
    """Messages make leads, and so does a stop: an unsubscribe that arrives before the first mail must not be lost.

    A booking or a status about somebody unknown does not: there is nobody to talk to.
    """
    return parsed.message is not None or any(is_stop(signal) for signal in parsed.signals)


def _matched_by(parsed: Parsed, lead: LeadRecord) -> LeadRecord:
    """A booking is matched by address or contact only. A reminder number may be anybody's, and the appointment keeps
    none by which a person who becomes known later could be found."""
    if parsed.appointment is None:
        return lead
    return replace(lead, identities=tuple(pair for pair in lead.identities if pair[0] != "phone"))


async def resolve_people(conn: AsyncConnection, batch: Batch) -> None:
    """Find or make the leads of the batch's deliveries, and hold them until its transaction ends."""
    records: list[tuple[int, UUID, LeadRecord, bool]] = [
        (number, event.workspace_id, _matched_by(parsed, parsed.lead), _may_create(parsed))
        for number, (event, parsed) in enumerate(batch.items)
        if parsed.lead is not None and event.workspace_id is not None
    ]
    relations = {
        number: NewRelation(workspace, lead, signal)
        for number, workspace, lead, _ in records
        for signal in batch.items[number][1].signals
        if signal.kind == "connection_accepted"
    }
    answers = {
        number: (event.workspace_id, parsed.enrichment)
        for number, (event, parsed) in enumerate(batch.items)
        if parsed.enrichment is not None and event.workspace_id is not None
    }
    given, _ = await leads_asked_about(conn, answers)
    batch.reasons |= dict.fromkeys(answers.keys() - given, UNKNOWN_LEAD)
    records = [record for record in records if record[0] not in answers or record[0] in given]
    records, related = await relate(conn, records, list(relations.values()))
    records.sort(key=lambda record: not record[3])  # who only looks for a person looks after those who make one
    keys = {key for _, workspace, lead, _ in records for key in lookups(workspace, lead)}
    known = await leads.known_identities(conn, keys) if keys else {}
    batch.found = resolve(records, known, linking=relations, given=given)
    await leads.write_resolution(conn, batch.found)
    # From here to the commit nobody else stores anything of these leads: what is looked up below stays true.
    await leads.lock_leads(conn, set(batch.found.lead_of.values()))
    connected = {lead_id for number in relations if (lead_id := batch.found.lead_of.get(number)) is not None}
    await wake_invited(conn, connected, batch.now)
    for number, claims in related.items():
        if (lead_id := batch.found.lead_of.get(number)) is not None:
            change = batch.change(lead_id)
            change.claims = best([change.claims, claims])
