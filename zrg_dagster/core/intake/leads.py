"""Set-based writes of leads: identities, contact fields, roll-ups. A handful of statements for a whole batch."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.intake.fields import FIELDS, Claim, merge
from zrg_dagster.core.intake.identity import Identity, Resolution


class IdentityRace(RuntimeError):
    """Another worker made one of our new identities meanwhile. The batch rolls back and is read again."""


@dataclass(slots=True)
class LeadChange:
    """What a batch says about one lead. Times are the latest of each direction; `replier` is that of the latest inbound."""

    lead_id: UUID
    claims: dict[str, Claim] = field(default_factory=dict)
    last_inbound_at: datetime | None = None
    last_outbound_at: datetime | None = None
    email_campaign: tuple[datetime, UUID] | None = None
    replier: tuple[datetime, str | None, str | None] | None = None

    def saw(self, direction: str, at: datetime) -> None:
        if direction == "inbound":
            self.last_inbound_at = max(self.last_inbound_at or at, at)
        else:
            self.last_outbound_at = max(self.last_outbound_at or at, at)

    def offer_campaign(self, at: datetime, campaign_id: UUID) -> None:
        """First touch decides the campaign, whatever arrives first (LM-04)."""
        self.email_campaign = min(self.email_campaign or (at, campaign_id), (at, campaign_id))

    def offer_replier(self, at: datetime, email: str | None, name: str | None) -> None:
        """The latest inbound e-mail decides who is answering: a colleague (CC-02), or the lead again (CC-04)."""
        if self.replier is None or at >= self.replier[0]:
            self.replier = (at, email, name)


_KNOWN = text("""
    SELECT i.workspace_id, i.kind, i.value, i.lead_id
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:kinds AS text[]), CAST(:values AS text[])) AS k (workspace_id, kind, value)
    JOIN app.lead_identity i USING (workspace_id, kind, value)""")


async def known_identities(conn: AsyncConnection, keys: Iterable[Identity]) -> dict[Identity, UUID]:
    """The leads behind identities that are already stored."""
    rows = await conn.execute(_KNOWN, _columns(sorted(keys)))
    return {(row.workspace_id, row.kind, row.value): row.lead_id for row in rows}


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


_LOCK = text(f"""
    SELECT id, provenance, {", ".join(FIELDS)} FROM app.lead
    WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE""")

_UPDATE = text(f"""
    UPDATE app.lead l SET
        {", ".join(f"{name} = coalesce(r.{name}, l.{name})" for name in FIELDS)},
        provenance = l.provenance || r.provenance
            || CASE WHEN r.takes_campaign THEN jsonb_build_object('campaign', jsonb_build_object('at', r.campaign_at))
                    ELSE '{{}}' END
            || CASE WHEN r.takes_replier THEN jsonb_build_object('replier', jsonb_build_object('at', r.replier_at))
                    ELSE '{{}}' END,
        email_campaign_id = CASE WHEN r.takes_campaign THEN r.campaign_id ELSE l.email_campaign_id END,
        current_replier_email = CASE WHEN r.takes_replier THEN r.replier_email ELSE l.current_replier_email END,
        current_replier_name = CASE WHEN r.takes_replier THEN r.replier_name ELSE l.current_replier_name END,
        current_replier_since = CASE WHEN NOT r.takes_replier THEN l.current_replier_since
            WHEN r.replier_email IS NULL THEN NULL
            WHEN r.replier_email IS DISTINCT FROM l.current_replier_email THEN r.replier_at
            ELSE l.current_replier_since END,
        snoozed_until = CASE WHEN r.inbound_at > l.last_inbound_at THEN NULL ELSE l.snoozed_until END,
        last_inbound_at = greatest(l.last_inbound_at, r.inbound_at),
        last_outbound_at = greatest(l.last_outbound_at, r.outbound_at),
        updated_at = :now
    FROM (
        SELECT j.*,
            j.campaign_id IS NOT NULL AND (o.email_campaign_id IS NULL OR
                (j.campaign_at, j.campaign_id) < ((o.provenance #>> '{{campaign,at}}')::timestamptz, o.email_campaign_id))
                AS takes_campaign,
            j.replier_at IS NOT NULL AND
                j.replier_at >= coalesce((o.provenance #>> '{{replier,at}}')::timestamptz, '-infinity') AS takes_replier
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS j (id uuid, provenance jsonb,
            {", ".join(f"{name} text" for name in FIELDS)}, inbound_at timestamptz, outbound_at timestamptz,
            campaign_at timestamptz, campaign_id uuid, replier_at timestamptz, replier_email text, replier_name text)
        JOIN app.lead o ON o.id = j.id
    ) r WHERE l.id = r.id""")


async def write_changes(conn: AsyncConnection, changes: Mapping[UUID, LeadChange], now: datetime) -> None:
    """Lock the leads in id order, let the winning claims in, move the roll-ups forward."""
    if not changes:
        return
    stored = await conn.execute(_LOCK, {"ids": sorted(changes)})
    rows = [_row(changes[lead.id], lead._asdict()) for lead in stored]
    await conn.execute(_UPDATE, {"rows": json.dumps(rows, default=str), "now": now})


def _row(change: LeadChange, stored: Mapping[str, Any]) -> dict[str, Any]:
    winners = merge(stored, stored["provenance"], change.claims)
    row: dict[str, Any] = {name: claim.value for name, claim in winners.items()}
    row |= {
        "id": change.lead_id,
        "provenance": {name: claim.as_json() for name, claim in winners.items()},
        "inbound_at": change.last_inbound_at and change.last_inbound_at.isoformat(),
        "outbound_at": change.last_outbound_at and change.last_outbound_at.isoformat(),
    }
    if change.email_campaign:
        row |= {"campaign_at": change.email_campaign[0].isoformat(), "campaign_id": change.email_campaign[1]}
    if change.replier:
        at, email, name = change.replier
        row |= {"replier_at": at.isoformat(), "replier_email": email, "replier_name": name}
    return row
