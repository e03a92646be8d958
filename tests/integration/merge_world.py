"""Two leads of one workspace with rows in every table, and what a merge of them did."""

import random
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import Database
from tests.integration.seeds import NOW
from tests.integration.tenancy_world import World, discover
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.leads.merge import SEQUENCE_ENDED, Merged, merge
from zrg_dagster.core.leads.unmerge import unmerge

# Its own records, and flags that only ask for a rebuild.
NOT_COMPARED = {"app.lead_merge", "app.lead_merge_row", "ops.audit", "ops.fact_dirty", "ops.alembic_version"}
STATUSES = ("new", "qualified", "meeting-requested", "meeting-booked", "not-interested", "blacklisted")
TAGS = ("New", "Interested", "Meeting Requested", "Neutral", "Blacklist")


@dataclass
class Pair:
    """Workspace `a` of a populated database and its two leads."""

    database: Database
    engine: AsyncEngine
    workspace: UUID
    keep: UUID
    gone: UUID

    async def merge(self, keep: UUID | None = None, gone: UUID | None = None) -> Merged:
        async with self.engine.begin() as conn:
            return await merge(
                conn, self.workspace, keep or self.keep, gone or self.gone, actor="ada@example.com", now=NOW
            )

    async def unmerge(self, merged: Merged) -> UUID:
        async with self.engine.begin() as conn:
            return await unmerge(conn, merged.id, workspace_id=self.workspace, actor="ada@example.com", now=NOW)

    def run(self, statement: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.database.dsn("bootstrap"), autocommit=True) as conn:
            cursor = conn.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, *values: Any) -> Any:
        ((found,),) = self.run(statement, *values)
        return found


def populate(database: Database, engine: AsyncEngine) -> Pair:
    """Every table has rows of both leads; both run the same sequence."""
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True) as conn:
        world = World(conn)
        conn.execute("DELETE FROM app.lead_merge")
        conn.execute("UPDATE app.job SET serial_key = 'lead:' || lead_id")
    keep, gone = (row["id"] for row in world.rows["app.lead", "a"])
    return Pair(database, engine, world.workspace("a"), keep, gone)


def shuffle(pair: Pair, seed: int) -> None:
    """Make the two leads differ in what a merge looks at."""
    choose = random.Random(seed)
    third = new_id()
    pair.run("INSERT INTO app.lead (id, workspace_id) VALUES (%s, %s)", third, pair.workspace)
    campaigns = []
    for number in range(2):
        campaigns.append(new_id())
        pair.run(
            "INSERT INTO app.email_campaign (id, workspace_id, provider, external_id) VALUES (%s, %s, 'emailbison', %s)",
            *(campaigns[-1], pair.workspace, str(number)),
        )
    for number, lead in enumerate((pair.keep, pair.gone)):
        rank, day = choose.randint(0, 2), choose.randint(1, 9)
        at = f"2026-03-0{day}T10:00:00+00:00"
        pair.run(
            """UPDATE app.lead SET status = %s, sentiment_tag = %s, auto_follow_up_enabled = %s, job_title = %s,
                   email_campaign_id = %s, last_inbound_at = %s, last_outbound_at = %s, snoozed_until = %s,
                   current_replier_email = 'jo@x.example', provenance = jsonb_build_object(
                       'email', jsonb_build_object('rank', %s::int, 'at', %s::text, 'source', 'test'),
                       'campaign', jsonb_build_object('at', %s::text)) WHERE id = %s""",
            *(choose.choice(STATUSES), choose.choice(TAGS), choose.random() < 0.5, choose.choice((None, "COO"))),
            *(choose.choice((None, *campaigns)), choose.choice((None, at)), choose.choice((None, NOW))),
            *(choose.choice((None, NOW)), rank, at, at, lead),
        )
        pair.run(
            """UPDATE app.message SET direction = 'inbound', channel = 'email', from_email = %s, sent_at = %s
               WHERE lead_id = %s""",
            *(choose.choice(("jo@x.example", "bo@x.example")), at, lead),
        )
        status = choose.choice(("active", "paused", "completed", "cancelled"))
        pair.run(
            "UPDATE app.follow_up_instance SET status = %s, paused_reason = %s, next_step_due = %s WHERE lead_id = %s",
            *(status, "lead_replied" if status == "paused" else None, choose.choice((None, NOW)), lead),
        )
        pair.run(
            "UPDATE app.draft SET status = %s WHERE lead_id = %s",
            choose.choice(("pending", "approved", "rejected")),
            lead,
        )
        for channel in choose.sample(("all", "sms"), choose.randint(0, 2)):
            pair.run(
                "INSERT INTO app.suppression VALUES (%s, 'lead', %s, %s, 'stop', 'ghl', %s)",
                *(pair.workspace, str(lead), channel, at),
            )
        pair.run(
            "UPDATE app.sentiment_event SET changed_at = %s WHERE lead_id = %s", f"2026-03-1{number}T00:00:00Z", lead
        )
        for kind, value in (("email", f"own{number}@x.example"), ("phone", f"+1415555013{number}")):
            pair.run(
                "INSERT INTO app.lead_identity VALUES (%s, %s, %s, %s, 'test', now())",
                pair.workspace,
                kind,
                value,
                lead,
            )
        if choose.random() < 0.6:
            low, high = sorted((lead, third))
            pair.run("INSERT INTO app.lead_merge_candidate VALUES (%s, %s, %s, 'phone')", pair.workspace, low, high)


def every_row(database: Database) -> dict[str, list[str]]:
    """All rows of all tables as text, but for stamps of leads and what a merge records about itself."""
    found: dict[str, list[str]] = {}
    with psycopg.connect(database.dsn("bootstrap")) as conn:
        for name, table in discover(conn).items():
            if name in NOT_COMPARED:
                continue
            stamps = " - 'updated_at'" if name == "app.lead" else ""
            own = f"WHERE code <> '{SEQUENCE_ENDED}'" if name == "app.decision" else ""
            query = f"SELECT (to_jsonb(t){stamps})::text FROM {table.identifier.as_string(conn)} t {own} ORDER BY 1"
            found[name] = [row[0] for row in conn.execute(query.encode())]
    return found
