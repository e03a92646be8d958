"""Where each part of a workspace lies, described once, so that reading, comparing and writing are the same for all.

A row is a mapping of column name to value; its key names it inside the workspace (a campaign by its vendor's id, a
member by address and role). Rows are read with one statement a table and written with at most three.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.models import columns_of_settings
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.workspaces.personas import FIELDS

Key = tuple[Any, ...]
Row = dict[str, Any]
Rows = dict[Key, Row]
State = dict[str, Rows]
Seal = Callable[[str, Key, SecretStr], str]  # (section, key, value) -> sealed


@dataclass(frozen=True, slots=True)
class Column:
    """`read` and `write` are SQL where the file speaks of something by name that the table holds by id."""

    name: str
    type: str = "text"
    target: str = ""  # the column of the table, where it is called otherwise
    read: str = ""  # over the table's row `t`
    write: str = ""  # over the given row `r`
    is_secret: bool = False
    is_words: bool = False  # long and confidential: told by size and hash alone

    @property
    def stored(self) -> str:
        return self.target or self.name


@dataclass(frozen=True, slots=True)
class Section:
    """One table of a workspace. `absent`: what becomes of a row that a complete list does not name."""

    name: str
    table: str
    key: tuple[Column, ...]
    columns: tuple[Column, ...] = ()
    absent: Literal["keep", "delete", "switch_off"] = "keep"
    has_id: bool = True
    is_stamped: bool = False  # has updated_at

    def key_of(self, row: Mapping[str, Any]) -> Key:
        return tuple(row[column.name] for column in self.key)

    @property
    def reading(self) -> TextClause:
        wanted = ", ".join(f"{c.read or f't.{c.stored}'} AS {c.name}" for c in (*self.key, *self.columns))
        return text(f"SELECT {wanted} FROM {self.table} t WHERE t.workspace_id = :workspace_id")

    def inserting(self) -> TextClause:
        names = [c.stored for c in (*self.key, *self.columns)]
        values = [c.write or f"r.{c.name}" for c in (*self.key, *self.columns)]
        if self.has_id:
            names, values = ["id", *names], ["r.new_id", *values]
        if self.is_stamped:
            names, values = [*names, "updated_at"], [*values, "CAST(:now AS timestamptz)"]
        return text(
            f"INSERT INTO {self.table} (workspace_id, {', '.join(names)}) "
            f"SELECT :workspace_id, {', '.join(values)} FROM {self._given()}"
        )

    def updating(self) -> TextClause:
        sets = [f"{c.stored} = {c.write or f'r.{c.name}'}" for c in self.columns]
        if self.is_stamped:
            sets.append("updated_at = CAST(:now AS timestamptz)")
        return text(f"UPDATE {self.table} t SET {', '.join(sets)} FROM {self._given()} WHERE {self._match()}")

    def deleting(self) -> TextClause:
        return text(f"DELETE FROM {self.table} t USING {self._given()} WHERE {self._match()}")

    def _given(self) -> str:
        types = ", ".join(f"{c.name} {c.type}" for c in (*self.key, *self.columns))
        return f"jsonb_to_recordset(CAST(:rows AS jsonb)) AS r ({types}, new_id uuid)"

    def _match(self) -> str:
        keys = [f"t.{c.stored} = {c.write or f'r.{c.name}'}" for c in self.key]
        return " AND ".join(["t.workspace_id = :workspace_id", *keys])


def _sequence_of(row: str) -> str:
    return (
        f"(SELECT q.id FROM app.follow_up_sequence q WHERE q.workspace_id = :workspace_id AND q.name = {row}.sequence)"
    )


# The seed's ownership check of a persona (seed 000) is this: a name is looked up in its own workspace only.
PERSONA_OF = Column(
    "persona",
    target="ai_persona_id",
    read="(SELECT p.name FROM app.ai_persona p WHERE p.workspace_id = t.workspace_id AND p.id = t.ai_persona_id)",
    write="(SELECT p.id FROM app.ai_persona p WHERE p.workspace_id = :workspace_id AND p.name = r.persona)",
)
PROVIDER, EXTERNAL_ID, NAME = Column("provider"), Column("external_id"), Column("name")
IS_ACTIVE = Column("is_active", "boolean")

SETTING = Section(
    "setting",
    "app.workspace_setting",
    (),
    (
        *(Column(name) for name in ("company_name", "sender_name", "signature", "service_description", "tone")),
        *(Column(name) for name in ("greeting", "sms_greeting", "goals", "ideal_customer_profile")),
        Column("booking_link"),
        Column("follow_ups_paused_until", "timestamptz"),
        Column("digest_local_time", "time"),
        Column("crm_webhook_events", "text[]"),
        *(Column(name, "boolean") for name in ("flag_uncertain_replies", "pause_for_ooo", "auto_follow_ups_on_reply")),
        *(Column(name, "boolean") for name in ("round_robin_enabled", "round_robin_email_only")),
        *(Column(name, "boolean") for name in ("draft_verification_enabled", "meeting_overseer_enabled")),
        *(Column(name, "boolean") for name in ("ai_route_booking_process_enabled", "auto_send_revision_enabled")),
        Column("auto_send_revision_max_iterations", "integer"),
        Column("review_escalation_minutes", "integer"),
        Column("lead_context_bundle_enabled", "boolean"),
        Column("linkedin_daily_cap", "integer"),
        Column("auto_send_schedule_mode"),
        *(Column(name, "time") for name in ("work_start_time", "work_end_time")),
        *(Column(name, "jsonb") for name in ("auto_send_custom_schedule", "auto_send_holidays")),
        *(Column(column) for column in columns_of_settings()),
        Column("model_daily_budget_usd", "numeric"),
    ),
    has_id=False,
    is_stamped=True,
)
EMAIL_OF = Column(
    "email",
    target="user_id",
    read="(SELECT u.email FROM app.user u WHERE u.id = t.user_id)",
    write="(SELECT u.id FROM app.user u WHERE u.email = r.email)",
)
MEMBER = Section("member", "app.member", (EMAIL_OF, Column("role")), absent="delete", has_id=False)
RECIPIENT = Section("recipient", "app.slack_recipient", (EMAIL_OF,), absent="delete", has_id=False)
TURN = Section(
    "turn", "app.round_robin_turn", (Column("position", "integer"),), (EMAIL_OF,), absent="delete", has_id=False
)
INTEGRATION = Section(
    "integration",
    "app.integration",
    (PROVIDER,),
    (
        Column("base_url"),
        EXTERNAL_ID,
        IS_ACTIVE,
        Column("from_email"),
        Column("phone_table_url"),
        Column("linkedin_table_url"),
        Column("user_uri"),
        Column("organization_uri"),
        Column("webhook_subscription_uri"),
    ),
    has_id=False,
    is_stamped=True,
)
# Read here, written by `apply_personas`, which keeps the default and its mirror (seed 004).
PERSONA = Section(
    "persona",
    "app.ai_persona",
    (Column("handle", read="lower(t.name)"),),
    (NAME, Column("is_default", "boolean"), *(Column(name) for name in FIELDS)),
)
CREDENTIAL = Section(
    "credential",
    "secret.credential",
    (NAME,),
    (Column("value", target="sealed", is_secret=True),),
    has_id=False,
    is_stamped=True,
)
ROUTE = Section(
    "route",
    "raw.route",
    (PROVIDER, Column("routing_key")),
    (
        Column("workspace_key"),
        Column("allowed_hosts", "text[]"),
        Column("value", target="sealed_secret", is_secret=True),
        IS_ACTIVE,
    ),
    has_id=False,
    is_stamped=True,
)
CAMPAIGN = Section(
    "campaign",
    "app.email_campaign",
    (PROVIDER, EXTERNAL_ID),
    (
        NAME,
        Column("response_mode"),
        Column("auto_send_threshold", "numeric"),
        Column("delay_min_s", "integer"),
        Column("delay_max_s", "integer"),
        Column("auto_send_schedule_mode"),
        *(Column(name, "jsonb") for name in ("auto_send_custom_schedule", "auto_send_holidays")),
        PERSONA_OF,
    ),
)
SMS_CAMPAIGN = Section("sms_campaign", "app.sms_campaign", (Column("label"),))
GHL_CAMPAIGN = Section("ghl_campaign", "app.ghl_campaign", (EXTERNAL_ID,), (NAME,))
CALENDAR = Section("calendar", "app.calendar", (PROVIDER, EXTERNAL_ID), (NAME, IS_ACTIVE), absent="switch_off")
SEQUENCE = Section(
    "sequence",
    "app.follow_up_sequence",
    (NAME,),
    (Column("description"), Column("trigger_on"), IS_ACTIVE, PERSONA_OF),
    absent="switch_off",
    is_stamped=True,
)
STEP = Section(
    "step",
    "app.follow_up_step",
    (
        Column(
            "sequence",
            target="sequence_id",
            read="(SELECT q.name FROM app.follow_up_sequence q WHERE q.id = t.sequence_id)",
            write=_sequence_of("r"),
        ),
        Column("step_order", "integer"),
    ),
    (
        Column("day_offset", "integer"),
        Column("minute_offset", "integer"),
        Column("channel"),
        Column("subject"),
        Column("message_template"),
    ),
    absent="delete",
)
KNOWLEDGE = Section(
    "knowledge",
    "app.knowledge_asset",
    (Column("title"),),
    (Column("body"), Column("position", "integer")),
    absent="delete",
    is_stamped=True,
)
QUESTION = Section(
    "question",
    "app.qualification_question",
    (Column("position", "integer"),),
    (Column("question"), Column("is_required", "boolean")),
    absent="delete",
    is_stamped=True,
)

# Read here, written by `overrides.save`, which keeps every revision. A reset key has no row.
PROMPT = Section(
    "prompt",
    """(SELECT * FROM (SELECT DISTINCT ON (workspace_id, prompt_key) * FROM app.prompt_revision
                     ORDER BY workspace_id, prompt_key, revision DESC) n WHERE content IS NOT NULL)""",
    (Column("key", target="prompt_key"),),
    (Column("base_hash"), Column("content", is_words=True)),
    absent="delete",
    has_id=False,
)

# In the order in which they are written: what others refer to comes first.
SECTIONS = (
    *(SETTING, MEMBER, RECIPIENT, TURN, INTEGRATION, CREDENTIAL, ROUTE, PERSONA, CAMPAIGN, SMS_CAMPAIGN, GHL_CAMPAIGN),
    *(CALENDAR, SEQUENCE, STEP, KNOWLEDGE, QUESTION, PROMPT),
)


async def read_rows(conn: AsyncConnection, section: Section, workspace_id: UUID) -> Rows:
    """All rows of a workspace by key. Secret columns hold what is stored: sealed."""
    rows = (await conn.execute(section.reading, {"workspace_id": workspace_id})).mappings()
    return {section.key_of(row): row for row in [{**each} for each in rows]}


async def write_rows(
    conn: AsyncConnection,
    section: Section,
    verb: Literal["insert", "update", "delete"],
    rows: Sequence[Row],
    *,
    workspace_id: UUID,
    now: datetime,
    seal: Seal,
) -> None:
    """Insert, update or delete all `rows` with one statement."""
    if not rows:
        return
    statement = {"insert": section.inserting, "update": section.updating, "delete": section.deleting}[verb]()
    given = [_plain(section, row, seal) for row in rows]
    parameters: dict[str, Any] = {"workspace_id": workspace_id, "rows": json.dumps(given)}
    if section.is_stamped and verb != "delete":
        parameters["now"] = now
    await conn.execute(statement, parameters)


def _plain(section: Section, row: Row, seal: Seal) -> dict[str, Any]:
    """A row as JSON knows it, a secret sealed, a new id beside it (the database makes none)."""
    plain: dict[str, Any] = {"new_id": str(new_id())}
    for column in (*section.key, *section.columns):
        value = row.get(column.name)
        if column.is_secret and isinstance(value, SecretStr):
            value = seal(section.name, section.key_of(row), value)
        plain[column.name] = value if value is None or isinstance(value, int | list | dict | str | bool) else str(value)
    return plain
