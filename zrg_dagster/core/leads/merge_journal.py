"""What a merge writes down of every row it touches, and the statements that move rows to and fro by it."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows belong to a lead.

    `once` are the columns that a lead may have once each: where the kept lead has such a row, the other one stays with
    the gone lead. `also` is set beside lead_id. `is_log`: rows of it that come later do not keep a merge from being undone.
    """

    name: str
    key: tuple[tuple[str, str], ...] = (("id", "uuid"),)
    once: tuple[str, ...] = ()
    also: str = ""
    is_log: bool = False

    @property
    def row_key(self) -> str:
        pairs = ", ".join(f"'{name}', t.{name}" for name, _ in self.key)
        return f"jsonb_build_object({pairs})"

    @property
    def is_row_of_journal(self) -> str:
        """SQL condition: row `t` is the one that row `r` of the journal is about."""
        same = (f"t.{name} = CAST(r.row_key ->> '{name}' AS {kind})" for name, kind in self.key)
        return " AND ".join((f"r.table_name = '{self.name}'", *same))


_NUMBERED = (("id", "bigint"),)
# Every table with a lead_id, except the candidates; a test holds it against the catalogue. Facts follow by their flags.
TABLES = (
    Table("app.lead_identity", key=(("kind", "text"), ("value", "text"))),
    Table("app.message"),
    Table("app.draft"),
    Table("app.send"),
    Table("app.touch"),
    Table("app.sentiment_event", key=_NUMBERED),
    Table("app.lead_assignment_event", key=_NUMBERED),
    Table("app.draft_pipeline_run"),
    Table("app.appointment"),
    Table("app.follow_up_instance", once=("sequence_id",)),
    Table("app.follow_up_step_execution"),
    Table("app.follow_up_task"),
    Table("app.lead_memory"),
    Table("app.lead_enrichment", key=(("kind", "text"),), once=("kind",)),
    Table("app.decision", key=_NUMBERED, is_log=True),
    Table(
        "app.job",
        also="""serial_key = CASE t.serial_key WHEN 'lead:' || CAST(:from AS text) THEN 'lead:' || CAST(:to AS text)
                             ELSE t.serial_key END""",
        is_log=True,
    ),
    Table("raw.webhook_event", is_log=True),
)
# Rows that a merge changes beyond their lead, and the columns that it writes.
CHANGED: Mapping[str, tuple[str, ...]] = {
    "app.follow_up_instance": ("status", "paused_reason", "next_step_due", "completed_at", "updated_at"),
    "app.draft": ("status", "reason", "updated_at"),
    "app.appointment": ("email_campaign_id",),
}
_BY_NAME = {table.name: table for table in TABLES}


def journal(
    change: str, table: str, source: str, *, key: str = "row_key", before: str = "'{}'", old: str = "NULL"
) -> str:
    """The INSERT that writes the rows of `source` down; the arguments are SQL over it."""
    return f"""INSERT INTO app.lead_merge_row (workspace_id, merge_id, change, table_name, row_key, old_lead_id, before)
    SELECT :workspace_id, :merge, '{change}', '{table}', {key}, CAST({old} AS uuid), {before} FROM {source}"""


def movable(table: Table) -> str:
    """SQL condition: row `t` of the gone lead can become one of the kept lead."""
    if not table.once:
        return "t.lead_id = :from"
    same = " AND ".join(f"k.{name} = t.{name}" for name in table.once)
    return f"t.lead_id = :from AND NOT EXISTS (SELECT FROM {table.name} k WHERE k.lead_id = :to AND {same})"


@lru_cache(maxsize=1)
def _moves() -> tuple[tuple[str, TextClause], ...]:
    found = []
    for table in TABLES:
        sets = ", ".join(filter(None, ("lead_id = :to", table.also)))
        found.append((table.name, text(f"""
            WITH moved AS (
                UPDATE {table.name} t SET {sets} WHERE {movable(table)} RETURNING {table.row_key} AS row_key
            ) {journal("moved", table.name, "moved", old=":from")}""")))  # fmt: skip
    return tuple(found)


async def move(conn: AsyncConnection, workspace_id: UUID, merge: UUID, *, gone: UUID, keep: UUID) -> Counter[str]:
    """Give every row of the gone lead to the kept one; returns how many by table."""
    parameters = {"workspace_id": workspace_id, "merge": merge, "from": gone, "to": keep}
    return +Counter({name: (await conn.execute(statement, parameters)).rowcount for name, statement in _moves()})


async def count(conn: AsyncConnection, *, gone: UUID, keep: UUID) -> Counter[str]:
    """How many rows `move` would give to the kept lead, by table."""
    counts = (
        f"SELECT '{each.name}' AS name, count(*) AS n FROM {each.name} t WHERE {movable(each)}" for each in TABLES
    )
    rows = await conn.execute(text(" UNION ALL ".join(counts)), {"from": gone, "to": keep})
    return +Counter({row.name: row.n for row in rows})


@lru_cache(maxsize=1)
def _moves_back() -> tuple[TextClause, ...]:
    found = []
    for table in TABLES:
        sets = ", ".join(filter(None, ("lead_id = :to", table.also)))
        found.append(
            text(f"""
            UPDATE {table.name} t SET {sets} FROM app.lead_merge_row r
            WHERE r.merge_id = :merge AND r.change = 'moved' AND t.lead_id = :from AND {table.is_row_of_journal}""")
        )
    return tuple(found)


# What was written since about rows that go back goes with them.
_FOLLOWERS = tuple(
    text(f"""
        UPDATE {table} t SET {sets} FROM app.lead_merge_row r
        WHERE r.merge_id = :merge AND r.change = 'moved' AND t.lead_id = :from AND t.{column}::text = r.row_key ->> 'id'""")
    for table, column, sets in (
        ("app.decision", "subject_id", "lead_id = :to"),
        ("app.job", "message_id", f"lead_id = :to, {_BY_NAME['app.job'].also}"),
        ("raw.webhook_event", "message_id", "lead_id = :to"),
    )
)


@lru_cache(maxsize=1)
def _restores() -> tuple[TextClause, ...]:
    return tuple(
        text(f"""
            UPDATE {name} t SET {", ".join(f"{column} = b.{column}" for column in columns)}
            FROM app.lead_merge_row r CROSS JOIN LATERAL jsonb_populate_record(CAST(NULL AS {name}), r.before) b
            WHERE r.merge_id = :merge AND r.change = 'changed' AND {_BY_NAME[name].is_row_of_journal}""")
        for name, columns in CHANGED.items()
    )


# A suppression that says something else by now is somebody else's.
_TAKE_BACK = (
    text("""
        DELETE FROM app.suppression t USING app.lead_merge_row r
        WHERE r.merge_id = :merge AND r.change = 'inserted' AND r.table_name = 'app.suppression'
          AND t.workspace_id = r.workspace_id AND to_jsonb(t) = r.row_key"""),
    text("""
        DELETE FROM app.lead_merge_candidate t USING app.lead_merge_row r
        WHERE r.merge_id = :merge AND r.change = 'inserted' AND r.table_name = 'app.lead_merge_candidate'
          AND t.workspace_id = r.workspace_id AND to_jsonb(t) = r.row_key"""),
    text("""
        INSERT INTO app.lead_merge_candidate
        SELECT b.* FROM app.lead_merge_row r
        CROSS JOIN LATERAL jsonb_populate_record(CAST(NULL AS app.lead_merge_candidate), r.before) b
        WHERE r.merge_id = :merge AND r.change = 'deleted' AND r.table_name = 'app.lead_merge_candidate'
        ON CONFLICT DO NOTHING"""),
)


async def take_back(conn: AsyncConnection, merge: UUID, *, gone: UUID, keep: UUID) -> None:
    """Undo what the journal of `merge` says."""
    parameters = {"merge": merge, "from": keep, "to": gone}
    for statement in (*_moves_back(), *_FOLLOWERS):
        await conn.execute(statement, parameters)
    for statement in (*_restores(), *_TAKE_BACK):
        await conn.execute(statement, {"merge": merge})


async def belongings(conn: AsyncConnection, lead_ids: Collection[UUID]) -> dict[str, list[Any]]:
    """What belongs to these leads, by table: how many rows, and a hash over which ones. Logs are left out."""
    asked = (
        f"""SELECT '{table.name}' AS name, count(*) AS n,
                   md5(coalesce(string_agg(k.key, ',' ORDER BY k.key COLLATE "C"), '')) AS hash
            FROM {table.name} t CROSS JOIN LATERAL (SELECT t.lead_id || ' ' || {table.row_key} AS key) k
            WHERE t.lead_id = ANY(CAST(:leads AS uuid[]))"""
        for table in TABLES
        if not table.is_log
    )
    rows = await conn.execute(text(" UNION ALL ".join(asked)), {"leads": sorted(lead_ids)})
    return {row.name: [row.n, row.hash] for row in rows}


_FORGET = text("""
    WITH emptied AS (
        UPDATE app.lead_merge m SET before = '{}', after = '{}'
        WHERE m.workspace_id = :workspace_id AND m.before <> '{}' AND (
            m.kept_lead_id = ANY(CAST(:leads AS uuid[])) OR m.gone_lead_id = ANY(CAST(:leads AS uuid[]))
            OR (CAST(:pattern AS text) <> '' AND (
                m.before::text ~* :pattern OR m.after::text ~* :pattern OR EXISTS (
                    SELECT FROM app.lead_merge_row r WHERE r.merge_id = m.id
                      AND (r.row_key::text ~* :pattern OR r.before::text ~* :pattern)))))
        RETURNING m.id
    ), gone AS (DELETE FROM app.lead_merge_row r USING emptied e WHERE r.merge_id = e.id)
    SELECT count(*) FROM emptied""")


async def forget(conn: AsyncConnection, workspace_id: UUID, lead_ids: Collection[UUID], pattern: str) -> int:
    """Empty the journals of merges of these leads, and those that name the person of `pattern`; such a merge stays as it
    is for good. Returns how many were emptied."""
    parameters = {"workspace_id": workspace_id, "leads": sorted(lead_ids), "pattern": pattern}
    return (await conn.execute(_FORGET, parameters)).scalar_one()
