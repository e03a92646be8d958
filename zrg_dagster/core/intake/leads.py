"""Set-based writes of leads: identities, contact fields, roll-ups. A handful of statements for a whole batch."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json, to_json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.intake.identity import EMAIL_KINDS, Identity, Resolution
from zrg_dagster.core.leads.fields import FIELDS, Claim, merge
from zrg_dagster.core.leads.replier import set_repliers

# Beside the classes of the lanes' workers (core/db/queue.py).
NAME_LOCK_CLASS = 7111


class IdentityRace(RuntimeError):
    """Another worker made one of our new identities meanwhile. The batch rolls back and is read again."""


class CampaignClaim(NamedTuple):
    """A delivery's word about the campaign of its lead. First touch wins; of two at one instant the smaller vendor id,
    because our own ids follow the order of arrival. A tuple, because they are made and compared by the thousand."""

    at: datetime
    provider: str
    external_id: str
    campaign_id: UUID


@dataclass(slots=True)
class LeadChange:
    """What a batch says about one lead. Times are the latest of each direction."""

    lead_id: UUID
    claims: dict[str, Claim] = field(default_factory=dict)
    last_inbound_at: datetime | None = None
    last_outbound_at: datetime | None = None
    email_campaign: CampaignClaim | None = None

    def saw(self, direction: str, at: datetime) -> None:
        if direction == "inbound":
            self.last_inbound_at = max(self.last_inbound_at or at, at)
        else:
            self.last_outbound_at = max(self.last_outbound_at or at, at)

    def offer_campaign(self, claim: CampaignClaim) -> None:
        """First touch decides the campaign, whatever arrives first (LM-04)."""
        if self.email_campaign is None or claim < self.email_campaign:
            self.email_campaign = claim


_KNOWN = text("""
    SELECT k.nth, i.lead_id
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:kinds AS text[]), CAST(:values AS text[]))
        WITH ORDINALITY AS k (workspace_id, kind, value, nth)
    JOIN app.lead_identity i USING (workspace_id, kind, value)""")


async def known_identities(conn: AsyncConnection, keys: Sequence[Identity]) -> dict[Identity, UUID]:
    """The leads behind identities that are already stored; one object for each lead."""
    rows = await conn.execute(_KNOWN, _columns(keys))
    leads: dict[UUID, UUID] = {}
    return {keys[nth - 1]: leads.setdefault(lead_id, lead_id) for nth, lead_id in rows}


def _columns(keys: Sequence[Identity]) -> dict[str, Any]:
    return {
        "workspaces": [workspace for workspace, _, _ in keys],
        "kinds": [kind for _, kind, _ in keys],
        "values": [value for _, _, value in keys],
    }


_NEW_LEADS = text("""
    INSERT INTO app.lead (id, workspace_id)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:workspaces AS uuid[]))""")
_NEW_IDENTITIES = text("""
    INSERT INTO app.lead_identity (workspace_id, kind, value, lead_id, source)
    SELECT * FROM unnest(CAST(:workspaces AS uuid[]), CAST(:kinds AS text[]), CAST(:values AS text[]),
                         CAST(:leads AS uuid[]), CAST(:sources AS text[]))
    ON CONFLICT (workspace_id, kind, value) DO NOTHING""")
_CANDIDATES = text("""
    INSERT INTO app.lead_merge_candidate (workspace_id, lead_id, other_lead_id, kind)
    SELECT * FROM unnest(CAST(:workspaces AS uuid[]), CAST(:leads AS uuid[]), CAST(:others AS uuid[]), CAST(:kinds AS text[]))
    ON CONFLICT DO NOTHING""")


async def write_resolution(conn: AsyncConnection, found: Resolution, *, source: str = "webhook") -> None:
    """Insert new leads, identities and merge candidates; `IdentityRace` when another worker was faster."""
    if found.new_identities:
        await _arbitrate_addresses(conn, found.new_identities)
    if found.new_leads:
        parameters = {"ids": list(found.new_leads), "workspaces": list(found.new_leads.values())}
        await conn.execute(_NEW_LEADS, parameters)
    if found.new_identities:
        # Sorted, because two batches that insert the same keys in opposite order would deadlock.
        keys = sorted(found.new_identities)
        parameters = {
            **_columns(keys),
            "leads": [found.new_identities[key] for key in keys],
            "sources": [source] * len(keys),
        }
        inserted = await conn.execute(_NEW_IDENTITIES, parameters)
        if inserted.rowcount != len(keys):
            raise IdentityRace(f"{len(keys) - inserted.rowcount} identities were made by another worker")
    if found.candidates:
        ordered = sorted(found.candidates)
        parameters = {
            "workspaces": [row[0] for row in ordered],
            "leads": [row[1] for row in ordered],
            "others": [row[2] for row in ordered],
            "kinds": [row[3] for row in ordered],
        }
        await conn.execute(_CANDIDATES, parameters)


_NAME_LOCKS = text("""
    SELECT pg_advisory_xact_lock(:class, l.hash)
    FROM (SELECT DISTINCT hashtext(k.workspace_id || ' ' || k.value) AS hash
          FROM unnest(CAST(:workspaces AS uuid[]), CAST(:values AS text[])) AS k (workspace_id, value) ORDER BY 1) l""")
_OTHER_OWNER = text("""
    SELECT count(*)
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:values AS text[]), CAST(:leads AS uuid[])) AS k (workspace_id, value, lead_id)
    JOIN app.lead_identity i ON i.workspace_id = k.workspace_id AND i.value = k.value
        AND i.kind IN ('email', 'alternate_email') AND i.lead_id <> k.lead_id""")


async def lock_names(conn: AsyncConnection, names: Collection[Identity]) -> None:
    """Until the end of the transaction nobody else gives one of these addresses or contacts to a lead, and who looks for the
    lead of one waits. Other kinds of names are passed over."""
    kept = [(workspace, value) for workspace, kind, value in names if kind in EMAIL_KINDS or kind == "ghl_contact"]
    if kept:
        parameters = {"workspaces": [each for each, _ in kept], "values": [each for _, each in kept]}
        await conn.execute(_NAME_LOCKS, {**parameters, "class": NAME_LOCK_CLASS})


async def _arbitrate_addresses(conn: AsyncConnection, new: Mapping[Identity, UUID]) -> None:
    """One address belongs to one lead, be it as own or as alternate address.

    The primary key holds the kind, so that two workers could give one address to two leads without ever noticing.
    """
    await lock_names(conn, new)
    addresses = [(key[0], key[2], lead_id) for key, lead_id in new.items() if key[1] in EMAIL_KINDS]
    if not addresses:
        return
    parameters = {"workspaces": [each[0] for each in addresses], "values": [each[1] for each in addresses]}
    taken = await conn.execute(_OTHER_OWNER, {**parameters, "leads": [each[2] for each in addresses]})
    if number := taken.scalar_one():
        raise IdentityRace(f"{number} addresses were given to another lead meanwhile")


# Not FOR UPDATE: that waits for every insert that refers to the lead, and two workers would wait for each other.
_LOCK = text("SELECT id FROM app.lead WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE")


async def lock_leads(conn: AsyncConnection, lead_ids: Iterable[UUID]) -> None:
    """Hold the leads of a batch, taken in id order, until its transaction ends."""
    if ids := list(lead_ids):
        await conn.execute(_LOCK, {"ids": ids})


_STORED = text(f"""
    SELECT id, CAST(provenance AS text) AS provenance, {", ".join(FIELDS)} FROM app.lead WHERE id = ANY(CAST(:ids AS uuid[]))""")

_CHANGED = {
    "id": "uuid",
    **dict.fromkeys(FIELDS, "text"),
    "provenance": "text",  # JSON; none when no claim wins
    "inbound_at": "timestamptz",
    "outbound_at": "timestamptz",
    "campaign_at": "timestamptz",
    "campaign_id": "uuid",
    "campaign_provider": "text",
    "campaign_external_id": "text",
}
_UPDATE = text(f"""
    UPDATE app.lead l SET
        {", ".join(f"{name} = coalesce(r.{name}, l.{name})" for name in FIELDS)},
        provenance = CASE WHEN r.provenance IS NULL THEN l.provenance ELSE l.provenance || CAST(r.provenance AS jsonb) END
            || CASE WHEN r.takes_campaign THEN jsonb_build_object('campaign', jsonb_build_object('at', r.campaign_at))
                    ELSE '{{}}' END,
        email_campaign_id = CASE WHEN r.takes_campaign THEN r.campaign_id ELSE l.email_campaign_id END,
        snoozed_until = CASE WHEN r.inbound_at > l.last_inbound_at THEN NULL ELSE l.snoozed_until END,
        last_inbound_at = greatest(l.last_inbound_at, r.inbound_at),
        last_outbound_at = greatest(l.last_outbound_at, r.outbound_at),
        updated_at = :now
    FROM (
        SELECT j.*,
            j.campaign_id IS NOT NULL AND (o.email_campaign_id IS NULL OR
                (j.campaign_at, j.campaign_provider, j.campaign_external_id)
                    < ((o.provenance #>> '{{campaign,at}}')::timestamptz, c.provider, c.external_id)) AS takes_campaign
        FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _CHANGED.items())})
            AS j ({", ".join(_CHANGED)})
        JOIN app.lead o ON o.id = j.id
        LEFT JOIN app.email_campaign c ON c.id = o.email_campaign_id
    ) r WHERE l.id = r.id""")


async def write_changes(conn: AsyncConnection, changes: Mapping[UUID, LeadChange], now: datetime) -> None:
    """Let the winning claims in and move the roll-ups forward. The leads are locked and their messages stored."""
    if not changes:
        return
    stored = await conn.execute(_STORED, {"ids": list(changes)})
    columns = tuple(stored.keys())
    rows = [_row(changes[lead.id], dict(zip(columns, lead, strict=True))) for lead in stored]
    await conn.execute(_UPDATE, {**{name: [row.get(name) for row in rows] for name in _CHANGED}, "now": now})
    await set_repliers(
        conn, [change.lead_id for change in changes.values() if change.last_inbound_at or "email" in change.claims]
    )


def _row(change: LeadChange, stored: Mapping[str, Any]) -> dict[str, Any]:
    winners = merge(stored, from_json(stored["provenance"]), change.claims)
    row: dict[str, Any] = {name: claim.value for name, claim in winners.items()}
    row |= {
        "id": change.lead_id,
        "provenance": to_json({name: claim.as_json() for name, claim in winners.items()}).decode() if winners else None,
        "inbound_at": change.last_inbound_at,
        "outbound_at": change.last_outbound_at,
    }
    if claim := change.email_campaign:
        row |= {
            "campaign_at": claim.at,
            "campaign_id": claim.campaign_id,
            "campaign_provider": claim.provider,
            "campaign_external_id": claim.external_id,
        }
    return row
