"""One person of a workspace: the leads that are this person, and what names them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.leads.erased import erased_among
from zrg_dagster.core.leads.identifiers import Identifiers
from zrg_dagster.core.text.address import normalise_email
from zrg_dagster.core.text.linkedin import profile_url

# Two leads that share one of these are one person. A colleague who answered in a thread (alternate_email) and a number
# of an office line join nobody.
PERSONAL = ("ghl_contact", "emailbison_lead", "linkedin_member", "linkedin_url", "email")


class PersonError(ValueError):
    """Nobody is found under what was asked for. One line: why, and what to do."""


class PersonErased(PersonError):
    """The person was erased before."""


@dataclass(frozen=True, slots=True)
class Person:
    """The leads that are one person, their vendors' and own identities `(kind, value)`, and what names them in texts."""

    workspace_id: UUID
    lead_ids: tuple[UUID, ...]
    identities: tuple[tuple[str, str], ...]
    identifiers: Identifiers


_BY_ID = text("SELECT id FROM app.lead WHERE workspace_id = :workspace_id AND id = :id")
_BY_EMAIL = text("""
    SELECT kind, lead_id FROM app.lead_identity
    WHERE workspace_id = :workspace_id AND kind IN ('email', 'alternate_email') AND value = :email
    UNION ALL SELECT 'email', id FROM app.lead WHERE workspace_id = :workspace_id AND email = :email
    ORDER BY 1 DESC, 2""")
# Also what is left of leads that became part of one of these: somebody may still write to their ids.
_JOINED = text("""
    WITH RECURSIVE same (id) AS (
        SELECT CAST(:id AS uuid)
        UNION
        SELECT n.id FROM same s CROSS JOIN LATERAL (
            SELECT CASE c.lead_id WHEN s.id THEN c.other_lead_id ELSE c.lead_id END AS id FROM app.lead_merge_candidate c
            WHERE c.workspace_id = :workspace_id AND s.id IN (c.lead_id, c.other_lead_id)
              AND c.kind = ANY(CAST(:kinds AS text[]))
            UNION ALL
            SELECT CASE m.gone_lead_id WHEN s.id THEN m.kept_lead_id ELSE m.gone_lead_id END FROM app.lead_merge m
            WHERE m.workspace_id = :workspace_id AND s.id IN (m.gone_lead_id, m.kept_lead_id) AND m.undone_at IS NULL
        ) n
    )
    SELECT id FROM same ORDER BY id""")
_IDENTITIES = text("""
    SELECT kind, value FROM app.lead_identity
    WHERE workspace_id = :workspace_id AND lead_id = ANY(CAST(:ids AS uuid[])) AND kind <> 'alternate_email'
    ORDER BY kind, value""")
# Also what they were called before a merge, which keeps one name and one number of two.
_LEADS = text("""
    SELECT l.id, l.email, l.phone, l.first_name, l.last_name, l.linkedin_url FROM app.lead l
    WHERE l.workspace_id = :workspace_id AND l.id = ANY(CAST(:ids AS uuid[]))
    UNION
    SELECT l.id, l.email, l.phone, l.first_name, l.last_name, l.linkedin_url FROM app.lead_merge m
    CROSS JOIN LATERAL jsonb_each(m.before) AS e (side, row)
    CROSS JOIN LATERAL jsonb_populate_record(CAST(NULL AS app.lead), e.row) l
    WHERE m.workspace_id = :workspace_id AND m.kept_lead_id = ANY(CAST(:ids AS uuid[])) AND m.undone_at IS NULL
    ORDER BY 1, 2, 3, 4, 5, 6""")
_SHARED_PHONES = text("""
    SELECT DISTINCT phone FROM app.lead
    WHERE workspace_id = :workspace_id AND phone = ANY(CAST(:phones AS text[])) AND NOT id = ANY(CAST(:ids AS uuid[]))""")


async def find_person(conn: AsyncConnection, workspace_id: UUID, who: str, *, sealer: Sealer | None = None) -> Person:
    """The person behind a lead id or an e-mail address; `PersonError` when there is none.

    With `sealer` an address of somebody who was erased is told from one that was never known: `PersonErased`.
    """
    lead_ids = await _joined(conn, workspace_id, await _lead_of(conn, workspace_id, who, sealer))
    parameters = {"workspace_id": workspace_id, "ids": list(lead_ids)}
    rows = (await conn.execute(_LEADS, parameters)).all()
    identities = {(row.kind, row.value) for row in await conn.execute(_IDENTITIES, parameters)}
    for row in rows:
        columns = (("email", row.email), ("phone", row.phone), ("linkedin_url", profile_url(row.linkedin_url)))
        identities.update((kind, value) for kind, value in columns if value)
    phones = [value for kind, value in identities if kind == "phone"]
    shared = set((await conn.execute(_SHARED_PHONES, {**parameters, "phones": phones})).scalars())
    # A number that another lead has as well is not this person's alone: it stays theirs, and reachable.
    identities = {pair for pair in identities if pair[0] != "phone" or pair[1] not in shared}
    return Person(workspace_id, lead_ids, tuple(sorted(identities)), _identifiers(identities, rows))


async def find_lead(conn: AsyncConnection, workspace_id: UUID, who: str) -> UUID:
    """The one lead behind a lead id or an e-mail address; `PersonError` when there is none."""
    return await _lead_of(conn, workspace_id, who, None)


async def is_still(conn: AsyncConnection, person: Person) -> bool:
    """Whether the person's leads are the ones that were found: leads may have been merged or parted since."""
    return await _joined(conn, person.workspace_id, person.lead_ids[0]) == person.lead_ids


async def _joined(conn: AsyncConnection, workspace_id: UUID, lead_id: UUID) -> tuple[UUID, ...]:
    parameters = {"workspace_id": workspace_id, "id": lead_id, "kinds": list(PERSONAL)}
    return tuple((await conn.execute(_JOINED, parameters)).scalars())


async def _lead_of(conn: AsyncConnection, workspace_id: UUID, who: str, sealer: Sealer | None) -> UUID:
    try:
        lead_id = UUID(who)
    except ValueError:
        lead_id = None
    if lead_id is not None:
        if (await conn.execute(_BY_ID, {"workspace_id": workspace_id, "id": lead_id})).one_or_none() is None:
            raise PersonError("this workspace has no lead of that id")
        return lead_id
    email = normalise_email(who)
    if email is None:
        raise PersonError("neither a lead id nor an e-mail address")
    rows = (await conn.execute(_BY_EMAIL, {"workspace_id": workspace_id, "email": email})).all()
    if not rows and sealer is not None and await erased_among(conn, [(workspace_id, "email", email)], sealer):
        raise PersonErased("the person of that address was erased before")
    if not rows:
        raise PersonError("this workspace knows nobody of that address")
    if rows[0].kind != "email":
        raise PersonError(
            f"the address answered as a colleague in the conversation of lead {rows[0].lead_id}: name that lead by its id"
        )
    return rows[0].lead_id


def _identifiers(identities: set[tuple[str, str]], leads: Sequence[Any]) -> Identifiers:
    def of(kind: str) -> frozenset[str]:
        return frozenset(value for found, value in identities if found == kind)

    names = {
        f"{lead.first_name.strip()} {lead.last_name.strip()}" for lead in leads if lead.first_name and lead.last_name
    }
    return Identifiers(of("email"), of("phone"), of("linkedin_url"), frozenset(name for name in names if len(name) > 3))
