"""Another address of a lead becomes the one it is written to (CC-10, CC-11).

One transaction, and refused when another lead owns the address. Who may not do it can ask for it: the request is a
decision on the lead's own list.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.leads.erased import exclude_intake
from zrg_dagster.core.leads.fields import HUMAN, Claim
from zrg_dagster.core.leads.replier import set_repliers
from zrg_dagster.core.leads.suppression import suppress_new_addresses
from zrg_dagster.core.text.address import normalise_email
from zrg_dagster.core.workspaces.access import Action, allowed
from zrg_dagster.core.workspaces.audit import record

SUBJECT = "lead_address"
SOURCE = "promotion"


class PromotionError(ValueError):
    """The address cannot become the lead's primary one. One line: why."""


class Promotion(StrEnum):
    """How a promotion ended; the last two are codes of decisions too."""

    UNCHANGED = "unchanged"
    PROMOTED = "address_promoted"
    REQUESTED = "address_promotion_requested"


_LEAD = text("""
    SELECT email, erased_at, merged_into_lead_id FROM app.lead
    WHERE workspace_id = :workspace_id AND id = :lead FOR NO KEY UPDATE""")
_OWNERS = text("""
    SELECT lead_id FROM app.lead_identity
    WHERE workspace_id = :workspace_id AND kind IN ('email', 'alternate_email') AND value = :address
    UNION SELECT id FROM app.lead WHERE workspace_id = :workspace_id AND lower(email) = :address""")
_PROMOTE = text("""
    UPDATE app.lead SET email = :address, updated_at = :now,
        provenance = provenance || jsonb_build_object('email', jsonb_build_object(
            'rank', CAST(:rank AS int), 'at', CAST(:at AS text), 'source', CAST(:source AS text)))
    WHERE id = :lead""")
# The former address stays one by which the person is known, stopped and erased, and becomes one of the alternates as well:
# intake keeps an address that came as both in the same way.
_IDENTITIES = text("""
    INSERT INTO app.lead_identity (workspace_id, kind, value, lead_id, source)
    SELECT :workspace_id, k.kind, k.value, :lead, :source
    FROM (VALUES ('alternate_email', CAST(:former AS text)), ('email', CAST(:address AS text))) AS k (kind, value)
    WHERE k.value IS NOT NULL
    ON CONFLICT DO NOTHING""")
# An alternate is never the primary (CC-02).
_NO_ALTERNATE = text("""
    DELETE FROM app.lead_identity
    WHERE workspace_id = :workspace_id AND kind = 'alternate_email' AND value = :address AND lead_id = :lead""")
# One open request for an address, however often the same person asks; a promotion settles what was asked before it.
_DECIDE = text("""
    INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
    SELECT :workspace_id, :lead, :subject, :lead, :code, CAST(:detail AS jsonb), :now
    WHERE :code = :settled OR NOT EXISTS (
        SELECT FROM app.decision d WHERE d.lead_id = :lead AND d.subject = :subject AND d.code = :code
          AND d.detail = CAST(:detail AS jsonb)
          AND NOT EXISTS (SELECT FROM app.decision p WHERE p.lead_id = d.lead_id AND p.subject = :subject
                          AND p.code = :settled AND p.id > d.id))""")


async def promote_address(
    conn: AsyncConnection,
    workspace_id: UUID,
    lead_id: UUID,
    address: str,
    *,
    actor: str,
    role: str | None,
    now: datetime,
    assigned: bool = True,
) -> Promotion:
    """Make `address` the lead's primary one, or ask for it, as `role` allows; `PromotionError` when neither is possible.

    `assigned` says whether the lead is assigned to the actor; it matters to a SETTER alone.
    """
    may_promote = allowed(role, Action.PROMOTE_ADDRESS)
    if not may_promote and not allowed(role, Action.EDIT_LEADS, assigned=assigned):
        raise PromotionError("this role may neither promote an address of this lead nor ask for it")
    wanted = normalise_email(address)
    if wanted is None:
        raise PromotionError(f"{address!r} is no e-mail address")
    # Intake could give the address to somebody else between the check and the commit.
    await exclude_intake(conn, workspace_id)
    who = {"workspace_id": workspace_id, "lead": lead_id, "address": wanted, "now": now}
    former = await _check(conn, who)
    if former == wanted:
        return Promotion.UNCHANGED
    if not may_promote:
        await _decide(conn, who, Promotion.REQUESTED, actor)
        await _record(conn, who, "lead.request_promotion", actor)
        return Promotion.REQUESTED
    claim = Claim(HUMAN, now.isoformat(), wanted, SOURCE)
    await conn.execute(_PROMOTE, {**who, "rank": claim.rank, "at": claim.at, "source": claim.source})
    await conn.execute(_IDENTITIES, {**who, "former": former, "source": SOURCE})
    await conn.execute(_NO_ALTERNATE, who)
    await suppress_new_addresses(conn, [lead_id])
    await set_repliers(conn, [lead_id])
    await _decide(conn, who, Promotion.PROMOTED, actor)
    await _record(conn, who, "lead.promote_address", actor)
    return Promotion.PROMOTED


async def _check(conn: AsyncConnection, who: Mapping[str, Any]) -> str | None:
    """Lock the lead; returns its primary address. Raises when the wanted one cannot take its place."""
    lead = (await conn.execute(_LEAD, who)).one_or_none()
    if lead is None:
        raise PromotionError("this workspace has no lead of that id")
    if lead.erased_at is not None:
        raise PromotionError("the lead was erased")
    if lead.merged_into_lead_id is not None:
        raise PromotionError(f"the lead became part of lead {lead.merged_into_lead_id}: name that one")
    if lead.email == who["address"]:
        return lead.email
    owners = set((await conn.execute(_OWNERS, who)).scalars())
    if others := owners - {who["lead"]}:
        raise PromotionError(f"the address belongs to lead {min(others)}; merge the two if they are one person")
    if not owners:
        raise PromotionError("the address is not among the lead's alternate addresses")
    return lead.email


async def _decide(conn: AsyncConnection, who: Mapping[str, Any], code: Promotion, actor: str) -> None:
    detail = json.dumps({"address": who["address"], "by": actor})
    parameters = {**who, "subject": SUBJECT, "code": code.value, "settled": Promotion.PROMOTED.value, "detail": detail}
    await conn.execute(_DECIDE, parameters)


async def _record(conn: AsyncConnection, who: Mapping[str, Any], action: str, actor: str) -> None:
    """The audit log names no address: it is kept when the person is erased."""
    await record(
        conn, actor=actor, action=action, object=f"lead {who['lead']}", now=who["now"], workspace_id=who["workspace_id"]
    )
