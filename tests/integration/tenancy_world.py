"""Two populated workspaces, made from the catalogue: a table that is added later is populated without a change here.

Every value says whose it is: ids and texts of workspace A begin with `aaa`, those of B with `bbb`. Rows that belong to a
lead exist twice in each workspace: `1ead0` marks the lead that is assigned to the setter, `1ead1` the other one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from graphlib import TopologicalSorter
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

SCHEMAS = ["raw", "app", "secret", "ops", "facts", "marts"]
ROLES = ["OWNER", "ADMIN", "INBOX_MANAGER", "SETTER", "CLIENT_PORTAL"]
AT = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)
OTHERS_LEAD = "aaa1ead1"

# Columns that carry their table's id without a foreign key (append-only tables outlive what they name).
_LINKS = {"workspace_id": "app.workspace", "lead_id": "app.lead", "message_id": "app.message", "draft_id": "app.draft"}


@dataclass
class Table:
    """A table as the catalogue describes it."""

    name: str  # schema.table
    columns: dict[str, tuple[str, bool, bool]] = field(default_factory=dict)  # name → type, not null, has default
    enums: dict[str, str] = field(default_factory=dict)  # column → first value that its check allows
    parents: list[tuple[str, list[str], list[str]]] = field(default_factory=list)  # table, own columns, its columns
    key: list[str] = field(default_factory=list)
    always: set[str] = field(default_factory=set)  # columns that only the database writes

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(*self.name.split(".", 1))


def discover(conn: psycopg.Connection, kinds: str = "rp", *, partitions: bool = False) -> dict[str, Table]:
    """The relations of our schemas by name; `kinds` are letters of pg_class.relkind."""
    found: dict[str, Table] = {}
    rows = conn.execute(
        """SELECT c.oid, n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = ANY (%s) AND c.relkind::text = ANY (%s) AND (%s OR NOT c.relispartition) ORDER BY 2""",
        (SCHEMAS, list(kinds), partitions),
    ).fetchall()
    for oid, name in rows:
        table = found[name] = Table(name)
        for column, kind, not_null, default, always in conn.execute(
            """SELECT attname, format_type(atttypid, NULL), attnotnull, atthasdef OR attidentity <> '',
                      attidentity = 'a' OR attgenerated <> ''
               FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum""",
            (oid,),
        ):
            table.columns[column] = (kind, not_null, default)
            if always:
                table.always.add(column)
        for kind, definition, parent, own, theirs in conn.execute(
            """SELECT contype, pg_get_constraintdef(c.oid), n.nspname || '.' || p.relname,
                      ARRAY(SELECT attname FROM unnest(conkey) WITH ORDINALITY k (n, i)
                            JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY i)::text[],
                      ARRAY(SELECT attname FROM unnest(confkey) WITH ORDINALITY k (n, i)
                            JOIN pg_attribute ON attrelid = confrelid AND attnum = n ORDER BY i)::text[]
               FROM pg_constraint c LEFT JOIN pg_class p ON p.oid = confrelid
               LEFT JOIN pg_namespace n ON n.oid = p.relnamespace WHERE conrelid = %s AND contype IN ('f', 'c', 'p')
               ORDER BY conname""",
            (oid,),
        ):
            if kind == "f":
                table.parents.append((parent, own, theirs))
            elif kind == "p":
                table.key = own
            elif listed := re.findall(r"\((\w+) = ANY \(ARRAY\['([^']*)'", definition):
                table.enums |= dict(listed)
            else:
                for name, only in re.findall(r"\((\w+) = '([^']*)'", definition):
                    table.enums.setdefault(name, only)
    return found


class World:
    """Fills every table for workspaces `a` and `b`, as superuser: nothing here is a test of rights."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self._conn = conn
        self._numbers = count(1)
        self.tables = discover(conn)
        self.rows: dict[tuple[str, str], list[dict[str, Any]]] = {}  # (table, tenant) → rows as stored
        self._of_lead = self._lead_tables()
        order = TopologicalSorter(
            {t.name: {*(p for p, _, _ in t.parents if p != t.name), *self._linked(t)} for t in self.tables.values()}
        )
        for name in order.static_order():
            if name != "ops.alembic_version":
                for tenant in "ab":
                    self.fill(self.tables[name], tenant)

    def workspace(self, tenant: str) -> UUID:
        return self.rows["app.workspace", tenant][0]["id"]

    def user(self, tenant: str, role: str) -> UUID:
        return self.rows["app.user", tenant][ROLES.index(role)]["id"]

    def fill(self, table: Table, tenant: str) -> None:
        """Insert the rows of one table: one for each role where people are meant, one for each lead, else one."""
        amount = {"app.user": 5, "app.member": 4, "app.lead_merge_candidate": 1}.get(table.name)
        for variant in range(amount or (2 if table.name in self._of_lead else 1)):
            row = self._row(table, tenant, variant)
            statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING *").format(
                table.identifier,
                sql.SQL(", ").join(map(sql.Identifier, row)),
                sql.SQL(", ").join(sql.Placeholder() for _ in row),
            )
            cursor = self._conn.execute(statement, [Jsonb(v) if isinstance(v, dict) else v for v in row.values()])
            stored = cursor.fetchone()
            assert stored is not None
            assert cursor.description is not None
            names = [column.name for column in cursor.description]
            self.rows.setdefault((table.name, tenant), []).append(dict(zip(names, stored, strict=True)))

    def _lead_tables(self) -> set[str]:
        """Tables whose rows belong to a lead, by a chain of references or by a lead_id."""
        of_lead = {"app.lead"} | {t.name for t in self.tables.values() if "lead_id" in t.columns}
        while True:
            more = {
                t.name for t in self.tables.values() for p, own, _ in t.parents
                if p in of_lead and all(t.columns[column][1] for column in own)
            } | of_lead  # fmt: skip
            if more == of_lead:
                return of_lead
            of_lead = more

    def _linked(self, table: Table) -> Iterator[str]:
        for column, parent in _LINKS.items():
            if column in table.columns and parent != table.name and parent in self.tables:
                yield parent

    def _row(self, table: Table, tenant: str, variant: int) -> dict[str, Any]:
        row: dict[str, Any] = {}
        marker = tenant * 3 + ("1ead" if table.name in self._of_lead else "0000") + str(variant)
        for column, (kind, not_null, default) in table.columns.items():
            if column in _LINKS and _LINKS[column] != table.name:
                row[column] = self._parent(_LINKS[column], tenant, variant)["id"]
            elif column in table.enums and not_null and not default:
                row[column] = table.enums[column]
            elif not_null and not default:
                row[column] = self._value(kind, column, marker, variant)
        for parent, own, theirs in table.parents:
            if (parent, tenant) in self.rows:
                source = self._parent(parent, tenant, variant)
                row |= {column: source[its] for column, its in zip(own, theirs, strict=True)}
        return row | self._special(table.name, tenant, variant, marker)

    def _parent(self, name: str, tenant: str, variant: int) -> dict[str, Any]:
        rows = self.rows[name, tenant]
        return rows[0] if name == "app.user" else rows[min(variant, len(rows) - 1)]

    def _value(self, kind: str, column: str, marker: str, variant: int) -> Any:
        number = next(self._numbers)
        return {
            "uuid": UUID(f"{marker}-0000-4000-8000-{number:012d}"),
            "text": f"{marker}-{column}-{number}",
            "text[]": [f"{marker}-{column}"],
            "bytea": f"{marker}-{number}".encode(),
            "jsonb": {"of": marker},
            "timestamp with time zone": AT,
            "date": date(2026, 3, 10),
            "time without time zone": time(8, 0),
            "boolean": False,
            "numeric": 1,
        }.get(kind, 1 + variant)

    def _special(self, name: str, tenant: str, variant: int, marker: str) -> dict[str, Any]:
        """What no type, reference or list of values can tell."""
        if name == "app.user":
            return {"email": f"{marker}@people.example"}
        if name == "app.member":
            return {"user_id": self.rows["app.user", tenant][variant + 1]["id"], "role": ROLES[variant + 1]}
        if name == "app.lead":
            return {"assigned_to_user_id": self.user(tenant, "OWNER" if variant else "SETTER"), "email": f"{marker}@x"}
        if name == "app.lead_merge_candidate":
            first, second = sorted(row["id"] for row in self.rows["app.lead", tenant])
            return {"lead_id": first, "other_lead_id": second}
        if name == "app.lead_merge":
            pair = [row["id"] for row in self.rows["app.lead", tenant]]
            return {"kept_lead_id": pair[variant], "gone_lead_id": pair[1 - variant]}
        if name == "app.kill_switch":
            return {"scope": "workspace"}
        if name == "ops.audit":
            return {"action": "test.row"}
        return {}
