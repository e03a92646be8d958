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
# The same inside one workspace. Dictionaries below are nested by workspace, because a UUID takes long to hash.
Name = tuple[str, str]
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
    return [(workspace_id, kind, value) for kind, value in _names(lead)]


def _names(lead: LeadRecord) -> list[Name]:
    alternates = [("alternate_email", address) for address in lead.alternate_emails]
    return sorted(dict.fromkeys([*lead.identities, *alternates]), key=lambda pair: _RANK[pair[0]])


def lookups(records: Iterable[tuple[UUID, LeadRecord]]) -> list[Identity]:
    """Every key under which the records' people may already be known: an address also as somebody's alternate."""
    found: dict[UUID, dict[Name, None]] = {}
    for workspace, lead in records:
        names = found.setdefault(workspace, {})
        for kind, value in _names(lead):
            if kind in EMAIL_KINDS:
                names |= {(each, value): None for each in EMAIL_KINDS}
            else:
                names[kind, value] = None
    return [(workspace, kind, value) for workspace, names in found.items() for kind, value in names]


def _owner(known: Mapping[Name, UUID], name: Name) -> UUID | None:
    kind, value = name
    if kind not in EMAIL_KINDS:
        return known.get(name)
    # Spelled out: a drain asks this ten times a delivery.
    return known.get(("email", value)) or known.get(("alternate_email", value))


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
    seen: dict[UUID, dict[Name, UUID]] = {}
    for (workspace, kind, value), lead_id in known.items():
        seen.setdefault(workspace, {})[kind, value] = lead_id
    result = Resolution()
    for number, workspace, record, may_create in records:
        names = _names(record)
        here = seen.setdefault(workspace, {})
        # An alternate address names a colleague: it may find the lead, but never makes one (CC-02).
        owners = (owner for each in names if (owner := _owner(here, each)) is not None)
        lead_id = given.get(number) or next(owners, None)
        if lead_id is None:
            if not may_create or not any(kind != "alternate_email" for kind, _ in names):
                continue
            lead_id = new_id()
            result.new_leads[lead_id] = workspace
        result.lead_of[number] = lead_id
        if not (may_create or number in linking or number in given):
            continue
        for name in names:
            owner = _owner(here, name)
            # An address that came as an alternate and as an own one is kept as both, whichever was first.
            if owner is None or (owner == lead_id and name not in here):
                here[name] = lead_id
                result.new_identities[workspace, *name] = lead_id
            elif owner != lead_id:
                low, high = sorted((owner, lead_id))
                result.candidates.add((workspace, low, high, name[0]))
    return result
