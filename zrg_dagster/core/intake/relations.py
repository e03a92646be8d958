"""The two names of a person on LinkedIn, and who told us that they are one.

Messages name a member id, campaigns a profile's address; only a new relation names both. So relations are kept, and
whoever is looked up by one name is looked up by the other as well: it does not matter whether the relation, the lead or
the message came first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.db import lanes, queue
from zrg_dagster.core.leads.fields import VENDOR_RECORD, Claim
from zrg_dagster.core.providers.records import IDENTITY_PRIORITY, LeadRecord, SignalRecord

# Beside the class of names (core/intake/leads.py).
LINKEDIN_LOCK_CLASS = 7112
SOURCE = "unipile:new_relation"
MEMBER, PROFILE = "linkedin_member", "linkedin_url"

# (number of the delivery in its batch, workspace, record, whether it may make a lead)
Record = tuple[int, UUID, LeadRecord, bool]


@dataclass(frozen=True, slots=True)
class NewRelation:
    """Somebody connected with one of our accounts, as one delivery says."""

    workspace_id: UUID
    lead: LeadRecord
    signal: SignalRecord


# A relation and a lead that two workers write at once would not see each other.
_LOCKS = text("""
    SELECT pg_advisory_xact_lock(:class, l.hash)
    FROM (SELECT DISTINCT hashtext(k.workspace_id || ' ' || k.value) AS hash
          FROM unnest(CAST(:workspaces AS uuid[]), CAST(:values AS text[])) AS k (workspace_id, value) ORDER BY 1) l""")
_STORE = text("""
    INSERT INTO app.linkedin_relation AS x (workspace_id, account_id, member_id, profile_url, connected_at)
    SELECT r.workspace_id, r.account_id, r.member_id, r.profile_url, min(r.connected_at)
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:accounts AS text[]), CAST(:members AS text[]),
                CAST(:profiles AS text[]), CAST(:at AS timestamptz[]))
        AS r (workspace_id, account_id, member_id, profile_url, connected_at)
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 4, 2
    ON CONFLICT (workspace_id, member_id, profile_url, account_id) DO UPDATE SET connected_at = excluded.connected_at
        WHERE excluded.connected_at < x.connected_at""")
_FIND = text("""
    WITH k AS (
        SELECT * FROM unnest(CAST(:workspaces AS uuid[]), CAST(:kinds AS text[]), CAST(:values AS text[]))
            AS k (workspace_id, kind, value)
    )
    SELECT f.workspace_id, f.member_id, f.profile_url, min(f.connected_at) AS connected_at FROM (
        SELECT r.* FROM k JOIN app.linkedin_relation r ON r.workspace_id = k.workspace_id AND r.member_id = k.value
        WHERE k.kind = 'linkedin_member'
        UNION ALL
        SELECT r.* FROM k JOIN app.linkedin_relation r ON r.workspace_id = k.workspace_id AND r.profile_url = k.value
        WHERE k.kind = 'linkedin_url'
    ) f WHERE f.member_id <> '' AND f.profile_url <> '' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""")


# What waits for this very event (core/sending/linkedin.py) would else be looked at hours later.
_WAKE = text("""
    UPDATE app.send SET due_at = :now
    WHERE lead_id = ANY(CAST(:leads AS uuid[])) AND state = 'planned' AND reason = 'invitation_pending' AND due_at > :now
    RETURNING id""")


async def wake_invited(conn: AsyncConnection, lead_ids: Collection[UUID], now: datetime) -> int:
    """The invitation of these leads was accepted: what waits to be sent to them is due. Returns how many sends."""
    if not lead_ids:
        return 0
    woken = len((await conn.execute(_WAKE, {"leads": sorted(lead_ids), "now": now})).all())
    if woken:
        await queue.wake(conn, lanes.SENDS)
    return woken


async def relate(
    conn: AsyncConnection, records: Sequence[Record], relations: Sequence[NewRelation]
) -> tuple[list[Record], dict[int, dict[str, Claim]]]:
    """Store the relations; returns the records with the other name of each person added, and what that claims by number.

    Nobody else relates the people of these records until the transaction ends.
    """
    names = sorted({(workspace, kind, value) for _, workspace, lead, _ in records for kind, value in _names(lead)})
    if not names:
        return list(records), {}
    keys: dict[str, Any] = {
        "workspaces": [workspace for workspace, _, _ in names],
        "kinds": [kind for _, kind, _ in names],
        "values": [value for _, _, value in names],
    }
    await conn.execute(_LOCKS, {**keys, "class": LINKEDIN_LOCK_CLASS})
    if relations:
        await conn.execute(_STORE, _columns(relations))
    pairs: dict[tuple[UUID, str, str], dict[tuple[str, str], datetime]] = {}
    for row in await conn.execute(_FIND, keys):
        for name in ((MEMBER, row.member_id), (PROFILE, row.profile_url)):
            known = pairs.setdefault((row.workspace_id, *name), {})
            known[(row.member_id, row.profile_url)] = row.connected_at
    return _joined(records, pairs)


def _joined(
    records: Sequence[Record], pairs: Mapping[tuple[UUID, str, str], Mapping[tuple[str, str], datetime]]
) -> tuple[list[Record], dict[int, dict[str, Claim]]]:
    rank = {kind: number for number, kind in enumerate(IDENTITY_PRIORITY)}
    joined: list[Record] = []
    claims: dict[int, dict[str, Claim]] = {}
    for number, workspace, lead, may_create in records:
        own: dict[tuple[str, str], datetime] = {}
        for kind, value in _names(lead):
            own.update(pairs.get((workspace, kind, value), {}))
        if own:
            other = [each for member, profile in own for each in ((MEMBER, member), (PROFILE, profile))]
            identities = sorted(dict.fromkeys([*lead.identities, *other]), key=lambda pair: rank[pair[0]])
            lead = replace(lead, identities=tuple(identities))
            # Of several profiles the one we heard of first; the time is the relation's, whatever brought it up.
            at, profile = min((at.astimezone(UTC).isoformat(), profile) for (_, profile), at in own.items())
            claims[number] = {PROFILE: Claim(VENDOR_RECORD, at, profile, SOURCE)}
        joined.append((number, workspace, lead, may_create))
    return joined, claims


def _names(lead: LeadRecord) -> list[tuple[str, str]]:
    return [(kind, value) for kind, value in lead.identities if kind in (MEMBER, PROFILE)]


def _columns(relations: Sequence[NewRelation]) -> dict[str, Any]:
    return {
        "workspaces": [each.workspace_id for each in relations],
        "accounts": [each.signal.account_id or "" for each in relations],
        "members": [each.lead.identity("linkedin_member") or "" for each in relations],
        "profiles": [each.lead.identity("linkedin_url") or "" for each in relations],
        "at": [each.signal.at for each in relations],
    }
