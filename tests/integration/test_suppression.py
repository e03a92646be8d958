"""Suppressions as the workspace grows: what a batch pays depends on the batch."""

from typing import Any
from uuid import UUID

import psycopg

from tests.integration.intake_support import Rows
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.leads import suppression

PEOPLE, STOPPED = 3000, 300


def test_new_addresses_are_compared_with_the_stops_without_reading_every_address_of_the_workspace(
    database: Any,
) -> None:
    workspace = Rows(database).workspace()
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO app.lead_identity (workspace_id, kind, value, lead_id, source) "
            "SELECT %s, 'email', n || '@mill.example', lpad(to_hex(n), 32, '0')::uuid, 'emailbison' "
            "FROM generate_series(1, %s) n",
            (workspace, PEOPLE),
        )
        connection.execute(
            "INSERT INTO app.suppression (workspace_id, kind, value, channel, reason, source, suppressed_at) "
            "SELECT %s, 'lead', lpad(to_hex(n), 32, '0')::uuid, 'all', 'opt_out', 'emailbison', now() "
            "FROM generate_series(1, %s) n",
            (workspace, STOPPED),
        )
        # As in a young database: nothing is known about any table, and the planner guesses.
        statement = str(suppression._EXTEND).replace(":leads", "%(leads)s")
        stopped = UUID(int=10)
        plan = connection.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}".encode(),
            {"leads": [stopped, *(new_id() for _ in range(200))]},
        ).fetchone()
        added = connection.execute("SELECT value FROM app.suppression WHERE kind = 'email'").fetchall()
    assert added == [("10@mill.example",)]
    assert plan is not None
    assert _rows_read(plan[0][0]["Plan"]) <= PEOPLE + STOPPED  # each row once at most, in a table as small as this


def _rows_read(plan: dict[str, Any]) -> float:
    """Rows that the scans of the plan looked at, those that a filter dropped included."""
    own = 0.0
    if "Relation Name" in plan and "Scan" in plan["Node Type"]:
        own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return own + sum(_rows_read(child) for child in plan.get("Plans", ()))
