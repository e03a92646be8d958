"""Erasing a person: one transaction after which nothing of this database names them, and the ledgers still add up.

Rows that count (leads, sends, appointments, executions, decisions, deliveries) stay, emptied; rows that only say
something (messages, drafts, identities) go. Mentions in other people's conversations are masked. What stays is a keyed
hash of each identity (`erased.py`): a list that names the person again finds them suppressed.

Outside of this database nothing is erased: vendors, Slack channels and backups keep what they were given.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.db.dirty import mark_dirty
from zrg_dagster.core.leads import mentions, merge_journal
from zrg_dagster.core.leads.erased import exclude_intake, remember_erased
from zrg_dagster.core.leads.locks import LeadBusy, hold_leads
from zrg_dagster.core.leads.person import Person, is_still
from zrg_dagster.core.workspaces.audit import record

# Every column of a lead that says who somebody is or what they want; a test holds it against the catalogue.
LEAD_ERASED = (
    *("email", "phone", "first_name", "last_name", "company_name", "job_title", "linkedin_url", "timezone"),
    *("sender_account_id", "snoozed_until", "current_replier_email", "current_replier_name", "current_replier_since"),
)

# The job of a click names its delivery; the delivery itself names a draft only inside its body.
_DELIVERIES = text("""
    SELECT id, received_at FROM raw.webhook_event WHERE lead_id = ANY(CAST(:leads AS uuid[]))
    UNION SELECT e.id, e.received_at FROM app.message m JOIN raw.webhook_event e ON e.id = m.event_id
          WHERE m.lead_id = ANY(CAST(:leads AS uuid[]))
    UNION SELECT e.id, e.received_at FROM app.appointment a JOIN raw.webhook_event e ON e.id = a.event_id
          WHERE a.lead_id = ANY(CAST(:leads AS uuid[]))
    UNION SELECT e.id, e.received_at FROM app.job j
          JOIN raw.webhook_event e ON e.id = CAST(split_part(j.job_key, ':', 2) AS uuid)
          WHERE j.kind = 'review_action' AND j.job_key LIKE 'review_action:%'
            AND j.payload ->> 'draft_id' = ANY(CAST(:drafts AS text[]))""")

_STATEMENTS: tuple[tuple[str, TextClause], ...] = (
    # A planned send is blocked for the reason that a gate would give it; one that may be out cannot be read back any more.
    (
        "sends",
        text("""
            UPDATE app.send SET content = '{}', vendor_detail = '{}', error = NULL,
                recipient = CASE channel WHEN 'slack' THEN recipient ELSE '' END,
                reason = CASE state WHEN 'planned' THEN 'suppressed' WHEN 'unknown' THEN 'outcome_unknown' ELSE reason END,
                finished_at = CASE WHEN state IN ('planned', 'unknown') THEN CAST(:now AS timestamptz) ELSE finished_at END,
                state = CASE state WHEN 'planned' THEN 'blocked' WHEN 'unknown' THEN 'needs_human' ELSE state END
            WHERE (lead_id = ANY(CAST(:leads AS uuid[])) OR draft_id = ANY(CAST(:drafts AS uuid[])))
              AND (content <> '{}' OR vendor_detail <> '{}' OR state IN ('planned', 'unknown'))"""),
    ),
    (
        "jobs",
        text("""
            UPDATE app.job SET payload = '{}', error = NULL, message_id = NULL,
                reason = CASE WHEN state IN ('pending', 'parked', 'dead') THEN 'person_erased' ELSE reason END,
                finished_at = CASE WHEN state IN ('pending', 'parked') THEN CAST(:now AS timestamptz) ELSE finished_at END,
                state = CASE WHEN state IN ('pending', 'parked', 'dead') THEN 'discarded' ELSE state END
            WHERE (lead_id = ANY(CAST(:leads AS uuid[]))
                   OR payload ->> 'draft_id' = ANY(CAST(CAST(:drafts AS uuid[]) AS text[])))
              AND (payload <> '{}' OR error IS NOT NULL OR message_id IS NOT NULL OR state IN ('pending', 'parked', 'dead'))"""),
    ),
    (
        "decisions",
        text("""
            UPDATE app.decision SET detail = '{}'
            WHERE (lead_id = ANY(CAST(:leads AS uuid[])) OR subject_id = ANY(CAST(:subjects AS uuid[])))
              AND detail <> '{}'"""),
    ),
    (
        "instances",
        text("""
            UPDATE app.follow_up_instance SET status = 'cancelled', paused_reason = NULL, next_step_due = NULL,
                completed_at = :now, updated_at = :now
            WHERE lead_id = ANY(CAST(:leads AS uuid[])) AND status IN ('active', 'paused')"""),
    ),
    (
        "tasks",
        text("""
            UPDATE app.follow_up_task SET subject = NULL, suggested_message = NULL,
                status = CASE status WHEN 'pending' THEN 'cancelled' ELSE status END
            WHERE lead_id = ANY(CAST(:leads AS uuid[]))
              AND (subject IS NOT NULL OR suggested_message IS NOT NULL OR status = 'pending')"""),
    ),
    ("memories", text("DELETE FROM app.lead_memory WHERE lead_id = ANY(CAST(:leads AS uuid[]))")),
    ("drafts", text("DELETE FROM app.draft WHERE lead_id = ANY(CAST(:leads AS uuid[]))")),
    ("messages", text("DELETE FROM app.message WHERE lead_id = ANY(CAST(:leads AS uuid[]))")),
    (
        "appointments",
        text("""
            UPDATE app.appointment SET attendee_email = NULL, timezone = NULL,
                secondary_id = CASE provider WHEN 'ghl' THEN NULL ELSE secondary_id END
            WHERE workspace_id = :workspace_id AND (lead_id = ANY(CAST(:leads AS uuid[]))
                OR attendee_email = ANY(CAST(:emails AS text[]))
                OR (provider = 'ghl' AND secondary_id = ANY(CAST(:contacts AS text[]))))
              AND (attendee_email IS NOT NULL OR timezone IS NOT NULL OR (provider = 'ghl' AND secondary_id IS NOT NULL))"""),
    ),
    ("enrichments", text("DELETE FROM app.lead_enrichment WHERE lead_id = ANY(CAST(:leads AS uuid[]))")),
    (
        "relations",
        text("""
            DELETE FROM app.linkedin_relation WHERE workspace_id = :workspace_id
              AND (member_id = ANY(CAST(:members AS text[])) OR profile_url = ANY(CAST(:profiles AS text[])))"""),
    ),
    ("identities", text("DELETE FROM app.lead_identity WHERE lead_id = ANY(CAST(:leads AS uuid[]))")),
    (
        "merge_candidates",
        text("""
            DELETE FROM app.lead_merge_candidate
            WHERE lead_id = ANY(CAST(:leads AS uuid[])) OR other_lead_id = ANY(CAST(:leads AS uuid[]))"""),
    ),
    (
        "suppressions",
        text("""
            DELETE FROM app.suppression WHERE workspace_id = :workspace_id
              AND ((kind = 'email' AND value = ANY(CAST(:emails AS text[])))
                OR (kind = 'phone' AND value = ANY(CAST(:phones AS text[]))))"""),
    ),
    (
        "leads",
        text(f"""
            UPDATE app.lead SET {", ".join(f"{name} = NULL" for name in LEAD_ERASED)}, provenance = '{{}}',
                auto_follow_up_enabled = false, status = 'blacklisted', sentiment_tag = 'Blacklist',
                sentiment_source = 'human', erased_at = :now, updated_at = :now
            WHERE id = ANY(CAST(:leads AS uuid[])) AND erased_at IS NULL"""),
    ),
)
_EXECUTIONS = text("""
    UPDATE app.follow_up_step_execution SET outcome = 'skipped', reason = 'person_erased', executed_at = :now
    WHERE lead_id = ANY(CAST(:leads AS uuid[])) AND outcome = 'planned' RETURNING workspace_id""")
# The lead's own row on the list keeps every gate closed, whatever the hashes are compared with.
_SUPPRESS_LEADS = text("""
    INSERT INTO app.suppression (workspace_id, kind, value, channel, reason, source, suppressed_at)
    SELECT :workspace_id, 'lead', l::text, 'all', 'person_erased', 'erasure', :now
    FROM unnest(CAST(:leads AS uuid[])) AS l ORDER BY l
    ON CONFLICT DO NOTHING""")
_DECIDE = text("""
    INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
    SELECT :workspace_id, l, 'erasure', l, 'person_erased', '{}', :now FROM unnest(CAST(:leads AS uuid[])) AS l
    WHERE NOT EXISTS (SELECT FROM app.decision d WHERE d.lead_id = l AND d.code = 'person_erased')""")


@dataclass(frozen=True, slots=True)
class Erased:
    """What one erasure changed: rows by kind. `waiting` deliveries name the person and are not processed yet: intake
    recognises and empties them when it comes to them."""

    rows: Counter[str]
    waiting: int


async def erase_person(conn: AsyncConnection, person: Person, *, sealer: Sealer, actor: str, now: datetime) -> Erased:
    """Erase `person` in the caller's transaction, for `actor`. A second call finds nothing left and changes nothing.

    `LeadBusy` when a message to this person is being sent or a job about them runs: what these write afterwards would
    stay. Also when the person's leads changed since they were looked up. What takes long, looking for mentions, is done
    before intake is kept out.
    """
    leads = list(person.lead_ids)
    rows: Counter[str] = Counter()
    named = bool(person.identifiers.pattern)
    if named:
        rows += await mentions.mask(conn, person.workspace_id, person.identifiers, leads, now)
    found = await mentions.deliveries(conn, person.workspace_id, person.identifiers) if named else []
    await exclude_intake(conn, person.workspace_id)
    drafts, messages = await hold_leads(conn, leads)
    if not await is_still(conn, person):
        raise LeadBusy("leads of this person were merged or parted meanwhile; try again")
    linked = (await conn.execute(_DELIVERIES, {"leads": leads, "drafts": [str(each) for each in drafts]})).all()
    if named:
        late = await mentions.deliveries(conn, person.workspace_id, person.identifiers, since=now - mentions.OVERLAP)
        found = list({each.id: each for each in (*found, *late)}.values())
    rows += await mentions.empty(conn, [*linked, *(each for each in found if each.is_settled)], now)
    if person.identities:
        await remember_erased(conn, person.workspace_id, person.identities, sealer, now)
    parameters = {
        "workspace_id": person.workspace_id,
        "leads": leads,
        "drafts": drafts,
        "subjects": [*drafts, *messages],
        "emails": [value for kind, value in person.identities if kind == "email"],
        "phones": [value for kind, value in person.identities if kind == "phone"],
        "contacts": [value for kind, value in person.identities if kind == "ghl_contact"],
        "members": [value for kind, value in person.identities if kind == "linkedin_member"],
        "profiles": [value for kind, value in person.identities if kind == "linkedin_url"],
        "now": now,
    }
    rows["merges"] += await merge_journal.forget(conn, person.workspace_id, leads, person.identifiers.pattern)
    for name, statement in _STATEMENTS:
        rows[name] += (await conn.execute(statement, parameters)).rowcount
    skipped = set((await conn.execute(_EXECUTIONS, {"leads": leads, "now": now})).scalars())
    await mark_dirty(conn, "step_execution", {(now.date(), workspace_id) for workspace_id in skipped})
    for statement in (_SUPPRESS_LEADS, _DECIDE):
        await conn.execute(statement, parameters)
    rows = +rows
    if rows:
        counts = [{"object": name, "changed": number} for name, number in sorted(rows.items())]
        for lead_id in leads:
            await record(
                conn,
                actor=actor,
                action="person.erase",
                object=f"lead {lead_id}",
                now=now,
                workspace_id=person.workspace_id,
                changes=counts,
            )
    return Erased(rows, sum(not each.is_settled for each in found))
