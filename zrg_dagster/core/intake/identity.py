"""Who a delivery is about: matching inside one workspace by the priority of seed 003 §6 (LM-01…LM-03).

Pure. Every identity that a message or a stop carries is kept for its lead; what already belongs to another lead makes
the two merge candidates instead of moving (LM-09), so that the order of deliveries never decides who somebody is. What
only looks for its lead (a booking, a status) leaves no trace: a candidate that exists only when it came late would.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.providers.records import IDENTITY_PRIORITY, LeadRecord

Identity = tuple[UUID, str, str]  # workspace, kind, normalised value
EMAIL_KINDS = ("email", "alternate_email")
_RANK = {kind: number for number, kind in enumerate(IDENTITY_PRIORITY)}


@dataclass(slots=True)
class Resolution:
    """Which lead each record belongs to, and what has to be written for that."""

    lead_of: dict[int, UUID] = field(default_factory=dict)
    new_leads: dict[UUID, UUID] = field(default_factory=dict)  # lead → workspace
    new_identities: dict[Identity, UUID] = field(default_factory=dict)
    candidates: set[tuple[UUID, UUID, UUID, str]] = field(default_factory=set)  # workspace, lower, higher lead, kind


def identities_of(workspace_id: UUID, lead: LeadRecord) -> list[Identity]:
    """The record's identities in matching priority, without repetition."""
    alternates = [("alternate_email", address) for address in lead.alternate_emails]
    ordered = sorted(dict.fromkeys([*lead.identities, *alternates]), key=lambda pair: _RANK[pair[0]])
    return [(workspace_id, kind, value) for kind, value in ordered]


def lookups(workspace_id: UUID, lead: LeadRecord) -> set[Identity]:
    """Every key under which the record's person may already be known: an address also as somebody's alternate."""
    keys: set[Identity] = set()
    for workspace, kind, value in identities_of(workspace_id, lead):
        keys.update((workspace, each, value) for each in (EMAIL_KINDS if kind in EMAIL_KINDS else (kind,)))
    return keys


def _owner(known: Mapping[Identity, UUID], identity: Identity) -> UUID | None:
    workspace, kind, value = identity
    for each in EMAIL_KINDS if kind in EMAIL_KINDS else (kind,):
        if (owner := known.get((workspace, each, value))) is not None:
            return owner
    return None


def resolve(
    records: Iterable[tuple[int, UUID, LeadRecord, bool]],
    known: Mapping[Identity, UUID],
    *,
    linking: Collection[int] = (),
    given: Mapping[int, UUID] | None = None,
) -> Resolution:
    """Match `(number, workspace, record, may_create)` against `known`; leads made on the way are known to later records.

    The records of `linking` make no lead, but what they name beside one that is found is kept. `given` tells by number
    whose record it is, whatever else it names: an answer to what we asked about one lead.
    """
    given = given or {}
    seen = dict(known)
    result = Resolution()
    for number, workspace, record, may_create in records:
        identities = identities_of(workspace, record)
        # An alternate address names a colleague: it may find the lead, but never makes one (CC-02).
        owners = (owner for each in identities if (owner := _owner(seen, each)) is not None)
        lead_id = given.get(number) or next(owners, None)
        if lead_id is None:
            if not may_create or not any(kind != "alternate_email" for _, kind, _ in identities):
                continue
            lead_id = new_id()
            result.new_leads[lead_id] = workspace
        result.lead_of[number] = lead_id
        if not (may_create or number in linking or number in given):
            continue
        for identity in identities:
            owner = _owner(seen, identity)
            # An address that came as an alternate and as an own one is kept as both, whichever was first.
            if owner is None or (owner == lead_id and identity not in seen):
                seen[identity] = lead_id
                result.new_identities[identity] = lead_id
            elif owner != lead_id:
                low, high = sorted((owner, lead_id))
                result.candidates.add((workspace, low, high, identity[1]))
    return result
