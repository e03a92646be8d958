"""Follow-up sequences as people write them: create, read, change, activate, delete.

What cannot run is refused here, with a reason, instead of pausing leads later: a persona of another workspace (FU-1),
unknown variables (FU-87), and on activation a trigger that nothing fires and values that nobody has set (FU-88, FU-89).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.text.template import INVALID_SPINTAX, problems_in, variables_in

INVALID_PERSONA = "Invalid persona for this workspace"
# FU-19: no code path starts a sequence because somebody did not answer, so an active one would wait for ever.
NOT_RUN_YET = {
    "no_response": "nothing starts sequences on no response yet: choose setter_reply, meeting_selected or manual, "
    "or save it switched off",
}
# FU-88: what a referenced value is called where people set it.
LABELS = {
    "sender_name": "AI persona name",
    "signature": "Signature",
    "company_name": "Company name",
    "result": "Target result",
    "qualification_question_1": "Qualification questions",
    "qualification_question_2": "Qualification questions",
    "calendar_link": "Default calendar link",
}
MAX_STEPS = 100


class SequenceError(ValueError):
    """A sequence cannot be saved or activated like this. One line: every reason, and what to do."""


class StepInput(BaseModel):
    """One step. `id` keeps a step the same when it moves; without it a step is the one that has this `order` now."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: UUID | None = None
    order: int = Field(ge=1, le=1000)
    day_offset: int = Field(default=1, ge=-3650, le=3650)
    minute_offset: int = Field(default=0, ge=0, le=525_600)
    channel: Literal["email", "sms", "linkedin"]
    subject: str | None = Field(default=None, max_length=1000)
    message: str = Field(min_length=1, max_length=20_000)


class SequenceInput(BaseModel):
    """A sequence with all its steps. `ai_persona_id` None means the campaign's or the default persona."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    description: str | None = Field(default=None, max_length=5000)
    trigger_on: Literal["no_response", "meeting_selected", "manual", "setter_reply"]
    is_active: bool = True
    ai_persona_id: UUID | None = None
    steps: tuple[StepInput, ...] = Field(default=(), max_length=MAX_STEPS)

    @model_validator(mode="after")
    def _distinct(self) -> "SequenceInput":
        if len({step.order for step in self.steps}) != len(self.steps):
            raise ValueError("two steps have the same order")
        return self


class StoredSequence(SequenceInput):
    """A stored sequence; its steps have their ids and come in order."""

    id: UUID
    created_at: datetime


_SELECT = """
    SELECT q.id, q.name, q.description, q.trigger_on, q.is_active, q.ai_persona_id, q.created_at
    FROM app.follow_up_sequence q WHERE q.workspace_id = :workspace_id"""
_LIST = text(f"{_SELECT} ORDER BY q.created_at DESC, q.id DESC")
_GET = text(f"{_SELECT} AND q.id = :id")
_LOCK = text(f"{_SELECT} AND q.id = :id FOR UPDATE")
_STEPS = text("""
    SELECT sequence_id, id, step_order AS "order", day_offset, minute_offset, channel, subject,
           message_template AS message
    FROM app.follow_up_step WHERE sequence_id = ANY(CAST(:ids AS uuid[])) ORDER BY sequence_id, step_order""")
_PERSONA = text("SELECT id FROM app.ai_persona WHERE workspace_id = :workspace_id AND id = :id")
_INSERT = text("""
    INSERT INTO app.follow_up_sequence (id, workspace_id, name, description, trigger_on, is_active, ai_persona_id,
                                        created_at, updated_at)
    VALUES (:id, :workspace_id, :name, :description, :trigger_on, :is_active, :ai_persona_id, :now, :now)
    ON CONFLICT (workspace_id, name) DO NOTHING RETURNING id""")
_TAKEN = text("SELECT id FROM app.follow_up_sequence WHERE workspace_id = :workspace_id AND name = :name AND id <> :id")
_UPDATE = text("""
    UPDATE app.follow_up_sequence SET name = :name, description = :description, trigger_on = :trigger_on,
        is_active = :is_active, ai_persona_id = :ai_persona_id, updated_at = :now
    WHERE id = :id""")
_ACTIVE = text("UPDATE app.follow_up_sequence SET is_active = :is_active, updated_at = :now WHERE id = :id")
_DELETE = text("DELETE FROM app.follow_up_sequence WHERE workspace_id = :workspace_id AND id = :id RETURNING id")
_DROP_STEPS = text("""
    DELETE FROM app.follow_up_step WHERE sequence_id = :sequence_id AND NOT (id = ANY(CAST(:kept AS uuid[])))""")
# Out of the way first: two steps that swap their places would meet the unique key.
_ASIDE = text("UPDATE app.follow_up_step SET step_order = step_order + 1000000 WHERE sequence_id = :sequence_id")
_WRITE_STEPS = text("""
    INSERT INTO app.follow_up_step (id, workspace_id, sequence_id, step_order, day_offset, minute_offset, channel,
                                    subject, message_template)
    SELECT s.id, :workspace_id, :sequence_id, s."order", s.day_offset, s.minute_offset, s.channel, s.subject, s.message
    FROM unnest(CAST(:ids AS uuid[]), CAST(:orders AS int[]), CAST(:days AS int[]), CAST(:minutes AS int[]),
                CAST(:channels AS text[]), CAST(:subjects AS text[]), CAST(:messages AS text[]))
         AS s (id, "order", day_offset, minute_offset, channel, subject, message)
    ON CONFLICT (id) DO UPDATE SET step_order = excluded.step_order, day_offset = excluded.day_offset,
        minute_offset = excluded.minute_offset, channel = excluded.channel, subject = excluded.subject,
        message_template = excluded.message_template""")
_POINTERS = text("""
    SELECT DISTINCT current_step FROM app.follow_up_instance WHERE sequence_id = :sequence_id AND current_step > 0""")
_REPOINT = text("""
    UPDATE app.follow_up_instance i SET current_step = m.new, updated_at = :now
    FROM unnest(CAST(:old AS int[]), CAST(:new AS int[])) AS m (old, new)
    WHERE i.sequence_id = :sequence_id AND i.current_step = m.old""")
_VALUES = text("""
    SELECT s.company_name, s.sender_name, s.signature, s.booking_link AS calendar_link, p.persona_name,
           p.signature AS persona_signature,
           (SELECT array_agg(n.question ORDER BY n.position) FROM app.qualification_question n
            WHERE n.workspace_id = w.id) AS questions
    FROM app.workspace w
    LEFT JOIN app.workspace_setting s ON s.workspace_id = w.id
    LEFT JOIN app.ai_persona p ON p.workspace_id = w.id AND p.id = :persona_id
    WHERE w.id = :workspace_id""")


async def list_sequences(conn: AsyncConnection, workspace_id: UUID) -> list[StoredSequence]:
    """All sequences with their steps, newest first."""
    rows = (await conn.execute(_LIST, {"workspace_id": workspace_id})).mappings().all()
    return await _with_steps(conn, rows)


async def get_sequence(conn: AsyncConnection, workspace_id: UUID, sequence_id: UUID) -> StoredSequence:
    """One sequence with its steps; `SequenceError` when this workspace has none of that id."""
    return await _read(conn, _GET, workspace_id, sequence_id)


async def create_sequence(conn: AsyncConnection, workspace_id: UUID, sequence: SequenceInput, now: datetime) -> UUID:
    """Save a new sequence; its name is unique in the workspace."""
    await _check(conn, workspace_id, sequence)
    columns = {"id": new_id(), "workspace_id": workspace_id, "now": now, **_columns(sequence)}
    sequence_id = (await conn.execute(_INSERT, columns)).scalar_one_or_none()
    if sequence_id is None:
        raise _taken(sequence.name)
    await _write_steps(conn, workspace_id, sequence_id, [(new_id(), step) for step in sequence.steps])
    return sequence_id


async def update_sequence(
    conn: AsyncConnection, workspace_id: UUID, sequence_id: UUID, sequence: SequenceInput, now: datetime
) -> bool:
    """Replace a sequence and its steps; False, and nothing written, when it says what is stored.

    Running instances keep standing on the step they stand on, wherever it moves (FU-90).
    """
    stored = await _read(conn, _LOCK, workspace_id, sequence_id)
    await _check(conn, workspace_id, sequence)
    steps = _matched(stored.steps, sequence.steps)
    after = tuple(step.model_copy(update={"id": step_id}) for step_id, step in steps)
    if _columns(stored) == _columns(sequence) and after == stored.steps:
        return False
    taken = {"workspace_id": workspace_id, "name": sequence.name, "id": sequence_id}
    if (await conn.execute(_TAKEN, taken)).one_or_none() is not None:
        raise _taken(sequence.name)
    await conn.execute(_UPDATE, {"id": sequence_id, "now": now, **_columns(sequence)})
    if after != stored.steps:
        await _replace_steps(conn, workspace_id, sequence_id, stored.steps, steps, now)
    return True


async def set_active(
    conn: AsyncConnection, workspace_id: UUID, sequence_id: UUID, is_active: bool, now: datetime
) -> None:
    """Switch a sequence on or off. Switching on asks everything again: settings may have changed since it was saved."""
    stored = await _read(conn, _LOCK, workspace_id, sequence_id)
    if is_active:
        await _check(conn, workspace_id, stored.model_copy(update={"is_active": True}))
    await conn.execute(_ACTIVE, {"id": sequence_id, "is_active": is_active, "now": now})


async def delete_sequence(conn: AsyncConnection, workspace_id: UUID, sequence_id: UUID) -> None:
    """Remove a sequence with its steps and instances."""
    found = await conn.execute(_DELETE, {"workspace_id": workspace_id, "id": sequence_id})
    if found.one_or_none() is None:
        raise _unknown()


def template_problems(steps: Iterable[StepInput]) -> list[str]:
    """What FU-87 refuses, by step number: unknown variables and broken option groups, in every option. Pure."""
    problems: list[str] = []
    for step in sorted(steps, key=lambda each: each.order):
        found = dict.fromkeys((*problems_in(step.subject or ""), *problems_in(step.message)))
        unknown = [token for token in found if token != INVALID_SPINTAX]
        if unknown:
            problems.append(f"step {step.order}: unknown variable {', '.join(unknown)}")
        if INVALID_SPINTAX in found:
            problems.append(f"step {step.order}: an option group [[a|b]] is not closed, nested or has a blank option")
    return problems


def missing_labels(steps: Iterable[StepInput], values: Mapping[str, Any]) -> list[str]:
    """Labels of the workspace values that the steps ask for and nobody has set (FU-88), in table order. Pure."""
    asked = {name for step in steps for name in variables_in(f"{step.subject or ''}\n{step.message}")}
    missing = [label for name, label in LABELS.items() if name in asked and not str(values.get(name) or "").strip()]
    return list(dict.fromkeys(missing))


def moved_pointer(pointer: int, before: Mapping[UUID, int], after: Mapping[UUID, int]) -> int:
    """Where an instance stands whose last executed step had the order `pointer` (FU-90). Pure.

    `before` and `after` map step ids to orders. Of a deleted step, the nearest one before it that is left; else 0.
    """
    passed = sorted((order, step_id) for step_id, order in before.items() if order <= pointer)
    return next((after[step_id] for _, step_id in reversed(passed) if step_id in after), 0)


async def _check(conn: AsyncConnection, workspace_id: UUID, sequence: SequenceInput) -> None:
    if sequence.ai_persona_id is not None:
        persona = {"workspace_id": workspace_id, "id": sequence.ai_persona_id}
        if (await conn.execute(_PERSONA, persona)).one_or_none() is None:
            raise SequenceError(INVALID_PERSONA)
    if problems := template_problems(sequence.steps):
        raise SequenceError("; ".join(problems))
    if not sequence.is_active:
        return
    if reason := NOT_RUN_YET.get(sequence.trigger_on):
        raise SequenceError(reason)
    parameters = {"workspace_id": workspace_id, "persona_id": sequence.ai_persona_id}
    row = (await conn.execute(_VALUES, parameters)).mappings().one()
    question = next((each for each in row["questions"] or () if each.strip()), None)  # one satisfies either token
    values = {
        **row,
        "sender_name": (row["persona_name"] or "").strip() or row["sender_name"],
        "signature": (row["persona_signature"] or "").strip() or row["signature"],
        "qualification_question_1": question,
        "qualification_question_2": question,
    }
    if missing := missing_labels(sequence.steps, values):
        raise SequenceError(f"cannot be switched on: set {', '.join(missing)} first")


def _matched(stored: Sequence[StepInput], wanted: Sequence[StepInput]) -> list[tuple[UUID, StepInput]]:
    """The wanted steps with the ids they have or get, in order."""
    known = {step.id for step in stored}
    named = {step.id for step in wanted if step.id is not None}
    if named - known:
        raise SequenceError("a step names an id that this sequence does not have")
    if len(named) != sum(step.id is not None for step in wanted):
        raise SequenceError("two steps name the same id")
    by_order = {step.order: step.id for step in stored if step.id not in named}
    ids = {step.order: step.id or by_order.get(step.order) or new_id() for step in wanted}
    return [(ids[step.order], step) for step in sorted(wanted, key=lambda each: each.order)]


async def _replace_steps(
    conn: AsyncConnection,
    workspace_id: UUID,
    sequence_id: UUID,
    stored: Sequence[StepInput],
    steps: Sequence[tuple[UUID, StepInput]],
    now: datetime,
) -> None:
    before = {step.id: step.order for step in stored if step.id is not None}
    after = {step_id: step.order for step_id, step in steps}
    pointers = (await conn.execute(_POINTERS, {"sequence_id": sequence_id})).scalars().all()
    await conn.execute(_DROP_STEPS, {"sequence_id": sequence_id, "kept": list(after)})
    await conn.execute(_ASIDE, {"sequence_id": sequence_id})
    await _write_steps(conn, workspace_id, sequence_id, steps)
    moves = {pointer: moved_pointer(pointer, before, after) for pointer in pointers}
    moves = {old: new for old, new in moves.items() if old != new}
    if moves:
        parameters = {"sequence_id": sequence_id, "old": list(moves), "new": list(moves.values()), "now": now}
        await conn.execute(_REPOINT, parameters)


async def _write_steps(
    conn: AsyncConnection, workspace_id: UUID, sequence_id: UUID, steps: Sequence[tuple[UUID, StepInput]]
) -> None:
    parameters: dict[str, Any] = {
        "workspace_id": workspace_id,
        "sequence_id": sequence_id,
        "ids": [step_id for step_id, _ in steps],
        "orders": [step.order for _, step in steps],
        "days": [step.day_offset for _, step in steps],
        "minutes": [step.minute_offset for _, step in steps],
        "channels": [step.channel for _, step in steps],
        "subjects": [step.subject for _, step in steps],
        "messages": [step.message for _, step in steps],
    }
    await conn.execute(_WRITE_STEPS, parameters)


async def _read(conn: AsyncConnection, statement: Any, workspace_id: UUID, sequence_id: UUID) -> StoredSequence:
    rows = (await conn.execute(statement, {"workspace_id": workspace_id, "id": sequence_id})).mappings().all()
    if not rows:
        raise _unknown()
    return (await _with_steps(conn, rows))[0]


async def _with_steps(conn: AsyncConnection, rows: Sequence[RowMapping]) -> list[StoredSequence]:
    steps: dict[UUID, list[StepInput]] = {row["id"]: [] for row in rows}
    for row in (await conn.execute(_STEPS, {"ids": list(steps)})).mappings():
        values = {name: value for name, value in row.items() if name != "sequence_id"}
        # What is stored may be older than today's limits; it is shown, and checked when it is saved again.
        steps[row["sequence_id"]].append(StepInput.model_construct(**values))
    return [StoredSequence.model_construct(**row, steps=tuple(steps[row["id"]])) for row in rows]


def _columns(sequence: SequenceInput) -> dict[str, Any]:
    return {
        name: getattr(sequence, name) for name in ("name", "description", "trigger_on", "is_active", "ai_persona_id")
    }


def _taken(name: str) -> SequenceError:
    return SequenceError(f"a sequence named {name!r} exists in this workspace; choose another name")


def _unknown() -> SequenceError:
    return SequenceError("no such sequence in this workspace")
