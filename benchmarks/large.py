"""A database as after a year: 600,000 leads with their identities, 1.25 million messages, 5 million worked deliveries.

Written by the server itself from number series, in the ids and addresses of `traffic.py`, so that new deliveries are
about leads that exist. Bodies of the old deliveries are left out: the product drops them after 30 days.
"""

import time
from collections.abc import Sequence
from uuid import UUID

import psycopg

from benchmarks.common import note
from benchmarks.traffic import ID_BASE, PHONE_BASE, WORKSPACES
from tests.conftest import Database

LEADS, MESSAGES, EVENTS = 600_000, 1_250_000, 5_000_000
STEP = 250_000  # rows a transaction

# Version 7 ids that ascend with time, as the product makes them: index pages fill at the right edge.
_HELPERS = """
    CREATE FUNCTION pg_temp.v7(at timestamptz, salt text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
        SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || left(md5(salt), 3)
                || '8' || substr(md5(salt), 4, 15))::uuid $$;
    CREATE FUNCTION pg_temp.lead_at(n bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
        SELECT date_trunc('day', now()) - interval '365 days' + n * (interval '360 days' / %(leads)s) $$;
    CREATE FUNCTION pg_temp.lead_id(n bigint) RETURNS uuid LANGUAGE sql STABLE AS $$
        SELECT pg_temp.v7(pg_temp.lead_at(n), 'lead' || n) $$;
"""

_LEADS = """
    INSERT INTO app.lead (id, workspace_id, email, phone, first_name, last_name, company_name, job_title, linkedin_url,
                          email_campaign_id, sender_account_id, last_outbound_at, created_at, updated_at)
    SELECT pg_temp.lead_id(n), w.id, 'p' || %(id)s + n || '@mill.example', '+1' || %(phone)s + n, 'Mara', 'Okafor',
           'Brightloom Textiles', 'COO', 'https://linkedin.com/in/p-' || %(id)s + n, c.id, '512',
           pg_temp.lead_at(n), pg_temp.lead_at(n), pg_temp.lead_at(n)
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
    JOIN bench_workspace w ON w.place = CASE WHEN n %% 2 = 0 THEN 0 ELSE 1 + (n / 2) %% %(others)s END
    JOIN app.email_campaign c ON c.workspace_id = w.id"""

_IDENTITIES = """
    INSERT INTO app.lead_identity (workspace_id, kind, value, lead_id, source, created_at)
    SELECT l.workspace_id, i.kind, i.value, l.id, 'emailbison', l.created_at
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
    JOIN app.lead l ON l.id = pg_temp.lead_id(n)
    CROSS JOIN LATERAL (VALUES ('emailbison_lead', (%(id)s + n)::text), ('linkedin_url', l.linkedin_url),
                               ('email', l.email), ('phone', l.phone)) AS i (kind, value)"""

_MESSAGES = """
    INSERT INTO app.message (id, workspace_id, lead_id, message_key, channel, direction, source, provider,
                             provider_message_id, subject, body, raw_html, from_email, to_email, sent_at)
    SELECT pg_temp.v7(l.created_at + interval '1 day', 'message' || n), l.workspace_id, l.id,
           'emailbison:send.harbourline.example:old:' || n, 'email', d.direction,
           CASE d.direction WHEN 'inbound' THEN 'webhook' ELSE 'campaign' END, 'emailbison', n::text,
           'loom downtime at Brightloom', repeat('Worth a quick look at how other mills cut changeover time? ', 4),
           '<p>' || repeat('Worth a quick look at how <b>other mills</b> cut changeover time? ', 6) || '</p>',
           'noor@try-harbourline.example', l.email, l.created_at + interval '1 day'
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
    JOIN app.lead l ON l.id = pg_temp.lead_id(n %% %(leads)s)
    CROSS JOIN LATERAL (SELECT CASE WHEN n %% 8 = 0 THEN 'inbound' ELSE 'outbound' END AS direction) d"""

_EVENTS = """
    INSERT INTO raw.webhook_event (id, provider, scope, event_type, workspace_id, delivery_key, correlation_id, received_at,
                                   body_bytes, state, run_at, attempts, finished_at, lead_id, campaign_external_id)
    SELECT pg_temp.v7(t.at, 'event' || n), 'emailbison', w.key, 'EMAIL_SENT', w.id, sha256(int8send(n)),
           md5('event' || n), t.at, 1800, 'processed', t.at, 1, t.at + interval '2 seconds',
           pg_temp.lead_id(n %% %(leads)s), '318'
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
    JOIN bench_workspace w
      ON w.place = CASE WHEN n %% %(leads)s %% 2 = 0 THEN 0 ELSE 1 + (n %% %(leads)s / 2) %% %(others)s END
    CROSS JOIN LATERAL (SELECT date_trunc('day', now()) - interval '365 days'
                               + n * (interval '364 days' / %(events)s) AS at) t"""


def build(database: Database, workspaces: Sequence[UUID], *, scale: float) -> int:
    """Fill `database`, which has the workspaces and nothing else. Returns the number of leads.

    Foreign keys are right by construction and not checked in this session; everything else is as the product has it.
    """
    leads, messages, events = (max(1000, round(each * scale)) for each in (LEADS, MESSAGES, EVENTS))
    constants = {"leads": leads, "events": events, "others": WORKSPACES - 1, "id": ID_BASE, "phone": PHONE_BASE}
    started = time.monotonic()
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        connection.execute("CREATE TEMP TABLE bench_workspace (place bigint PRIMARY KEY, id uuid, key text)")
        for number, workspace in enumerate(workspaces):
            connection.execute(
                "INSERT INTO bench_workspace VALUES (%s, %s, %s)", (number, workspace, f"bench-{number:02d}")
            )
        connection.execute(_HELPERS.encode(), constants)
        connection.execute(
            "INSERT INTO app.email_campaign (id, workspace_id, provider, external_id, name) "
            "SELECT gen_random_uuid(), id, 'emailbison', '318', 'Textile COOs - West' FROM bench_workspace"
        )
        connection.execute("ANALYZE bench_workspace")
        for statement, rows in ((_LEADS, leads), (_IDENTITIES, leads), (_MESSAGES, messages), (_EVENTS, events)):
            for first in range(0, rows, STEP):
                span = {"first": first, "last": min(first + STEP, rows) - 1}
                connection.execute(statement.encode(), constants | span)
        # What years of autovacuum would have done; else it would do so in the middle of a measurement.
        connection.execute("VACUUM (ANALYZE)")
    note(
        "large",
        f"{leads} leads, {messages} messages, {events} old deliveries built in {time.monotonic() - started:.0f} s",
    )
    return leads
