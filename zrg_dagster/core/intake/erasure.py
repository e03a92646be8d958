"""Deliveries about people who were erased: nothing of them is taken in again, whichever list or thread names them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.intake.enrichments import leads_asked_about
from zrg_dagster.core.intake.identity import Identity, identities_of
from zrg_dagster.core.intake.read import ReadEvent
from zrg_dagster.core.leads import mentions
from zrg_dagster.core.leads.erased import erased_by, open_peppers, share_workspaces
from zrg_dagster.core.providers.records import Parsed


async def without_erased(
    conn: AsyncConnection, events: Sequence[ReadEvent], sealer: Sealer | None, now: datetime
) -> tuple[list[ReadEvent], list[ReadEvent]]:
    """(what to take in, what is about an erased person). The bodies of the latter are emptied here.

    No erasure of these workspaces can come between this answer and the caller's commit.
    """
    await share_workspaces(conn, {each.event.workspace_id for each in events if each.event.workspace_id})
    naming = (each.event.workspace_id for each in events if each.parsed and (each.parsed.lead or each.parsed.message))
    # Nearly always no workspace of a batch has erased anybody, and nobody need be compared.
    peppers = await open_peppers(conn, {workspace for workspace in naming if workspace}, sealer)
    about = {id(each): _identities(each) for each in events} if peppers else {}
    gone = await erased_by(conn, {key for keys in about.values() for key in keys}, peppers)
    answers = {
        number: (each.event.workspace_id, each.parsed.enrichment)
        for number, each in enumerate(events)
        if each.event.workspace_id and each.parsed and each.parsed.enrichment
    }
    _, of_erased = await leads_asked_about(conn, answers)
    if not gone and not of_erased:
        return list(events), []
    kept: list[ReadEvent] = []
    refused: list[ReadEvent] = []
    for number, each in enumerate(events):
        if number in of_erased:
            refused.append(each)
        elif each.parsed is None or not gone.intersection(about[id(each)]):
            kept.append(each)
        elif (parsed := stripped(each, each.parsed, gone)) is not None:
            kept.append(replace(each, parsed=parsed))
        else:
            refused.append(each)
    await mentions.empty(conn, [each.event for each in refused], now)
    return kept, refused


def _identities(each: ReadEvent) -> list[Identity]:
    workspace_id = each.event.workspace_id
    if each.parsed is None or workspace_id is None:
        return []
    lead = identities_of(workspace_id, each.parsed.lead) if each.parsed.lead else []
    copies = [(workspace_id, "email", person.email) for person in each.parsed.message.cc] if each.parsed.message else []
    return [*lead, *copies]


def stripped(each: ReadEvent, parsed: Parsed, gone: frozenset[Identity]) -> Parsed | None:
    """What may be taken in of a delivery that names an erased person; None when it is about that person. Pure.

    Somebody else's mail with them in copy loses that copy, or an answer to all would reach them. A number alone does not
    make somebody else's mail theirs (an office line), but it is not kept; a text from that number is theirs.
    """
    workspace_id, lead, message = each.event.workspace_id, parsed.lead, parsed.message
    assert workspace_id is not None
    hits = {identity for identity in identities_of(workspace_id, lead) if identity in gone} if lead else set()
    is_text = message is not None and message.channel != "email"
    if lead is not None and hits:
        if is_text or lead.email is None or any(kind != "phone" for _, kind, _ in hits):
            return None
        others = tuple(pair for pair in lead.identities if pair[0] != "phone")
        lead = replace(lead, identities=others, phone=None, phone_raw=None)
    if message is not None:
        cc = tuple(person for person in message.cc if (workspace_id, "email", person.email) not in gone)
        message = replace(message, cc=cc)
    return replace(parsed, lead=lead, message=message)
