"""Who answers a lead that showed interest: setters in turn (AS-A1 to AS-A4), one event row for each lead that is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


class AssignmentCode(StrEnum):
    """What came of the question whose lead this is."""

    ASSIGNED = "assigned_by_turn"
    OFF = "round_robin_off"
    NOT_POSITIVE = "tag_not_positive"
    ALREADY = "already_assigned"
    CHANNEL = "assignment_email_only"
    NOBODY = "no_active_setter"
    # Setters are named, and none of them is a setter any more: somebody has to change the list.
    NOBODY_OF_SEQUENCE = "no_setter_of_sequence_active"


# Nothing was asked for, so nothing was refused.
UNREMARKABLE = frozenset({AssignmentCode.OFF, AssignmentCode.NOT_POSITIVE, AssignmentCode.ALREADY})


@dataclass(frozen=True, slots=True)
class Rotation:
    """The workspace's rule. `setters` are active ones by creation, `sequence` the configured order, weights included."""

    is_enabled: bool
    email_only: bool
    sequence: tuple[UUID, ...]
    setters: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """`user_id` exactly when the lead was given to somebody."""

    code: AssignmentCode
    user_id: UUID | None = None


def effective_sequence(rotation: Rotation) -> tuple[UUID, ...]:
    """The people in turn: the configured order without those who left, else every active setter (AS-A2)."""
    if not rotation.sequence:
        return rotation.setters
    active = set(rotation.setters)
    return tuple(person for person in rotation.sequence if person in active)


def next_index(last: int | None, length: int) -> int | None:
    """Whose turn is next; None with nobody to take it. Nothing sensible stored reads as "nobody yet" (AS-A3)."""
    if length <= 0:
        return None
    return 0 if last is None or last < 0 else (last + 1) % length


def refusal(rotation: Rotation, *, is_positive: bool, is_assigned: bool, channel: str | None) -> AssignmentCode | None:
    """The first reason not to give the lead to anybody (AS-A1)."""
    if not rotation.is_enabled:
        return AssignmentCode.OFF
    if not is_positive:
        return AssignmentCode.NOT_POSITIVE
    if is_assigned:
        return AssignmentCode.ALREADY
    if rotation.email_only and channel != "email":
        return AssignmentCode.CHANNEL
    if effective_sequence(rotation):
        return None
    return AssignmentCode.NOBODY_OF_SEQUENCE if rotation.sequence else AssignmentCode.NOBODY


_ROTATION = text("""
    SELECT s.round_robin_enabled, s.round_robin_email_only,
           ARRAY(SELECT t.user_id FROM app.round_robin_turn t WHERE t.workspace_id = s.workspace_id
                 ORDER BY t.position) AS sequence,
           ARRAY(SELECT m.user_id FROM app.member m WHERE m.workspace_id = s.workspace_id AND m.role = 'SETTER'
                 ORDER BY m.created_at, m.user_id) AS setters
    FROM app.workspace_setting s WHERE s.workspace_id = :workspace_id""")
_ENSURE = text("""
    INSERT INTO app.assignment_rotation (workspace_id, updated_at) VALUES (:workspace_id, :now) ON CONFLICT DO NOTHING""")
_LOCK = text("""
    SELECT people, last_index FROM app.assignment_rotation WHERE workspace_id = :workspace_id FOR UPDATE""")
_ASSIGN = text("""
    UPDATE app.lead SET assigned_to_user_id = :user_id, updated_at = :now
    WHERE id = :lead_id AND assigned_to_user_id IS NULL RETURNING id""")
_ADVANCE = text("""
    UPDATE app.assignment_rotation SET people = CAST(:people AS uuid[]), last_index = :last_index, updated_at = :now
    WHERE workspace_id = :workspace_id""")
_EVENT = text("""
    INSERT INTO app.lead_assignment_event (workspace_id, lead_id, message_id, user_id, source, channel, assigned_at)
    VALUES (:workspace_id, :lead_id, :message_id, :user_id, 'round_robin', :channel, :now)""")


async def load_rotation(conn: AsyncConnection, workspace_id: UUID) -> Rotation:
    """The workspace's rule; one without settings has it switched off."""
    row = (await conn.execute(_ROTATION, {"workspace_id": workspace_id})).one_or_none()
    if row is None:
        return Rotation(is_enabled=False, email_only=False, sequence=(), setters=())
    return Rotation(row.round_robin_enabled, row.round_robin_email_only, tuple(row.sequence), tuple(row.setters))


def turn(people: Sequence[UUID], counted: Sequence[UUID], last: int | None) -> int | None:
    """Whose turn it is among `people`, after `last` among `counted`: another order begins anew (AS-A4)."""
    return next_index(last if list(people) == list(counted) else -1, len(people))


async def assign_lead(
    conn: AsyncConnection,
    *,
    workspace_id: UUID,
    lead_id: UUID,
    message_id: UUID,
    channel: str,
    is_positive: bool,
    is_assigned: bool,
    now: datetime,
) -> Assignment:
    """Give the lead to the setter whose turn it is, in the caller's transaction, which holds the lead's row.

    The turn is locked, so two replies never take the same one, and advances only when the lead was still nobody's.
    """
    rotation = await load_rotation(conn, workspace_id)
    code = refusal(rotation, is_positive=is_positive, is_assigned=is_assigned, channel=channel)
    if code is not None:
        return Assignment(code)
    people = effective_sequence(rotation)
    await conn.execute(_ENSURE, {"workspace_id": workspace_id, "now": now})
    row = (await conn.execute(_LOCK, {"workspace_id": workspace_id})).one()
    index = turn(people, row.people, row.last_index)
    assert index is not None
    given = {"user_id": people[index], "lead_id": lead_id, "now": now}
    if (await conn.execute(_ASSIGN, given)).one_or_none() is None:
        return Assignment(AssignmentCode.ALREADY)
    state = {"workspace_id": workspace_id, "people": list(people), "last_index": index, "now": now}
    await conn.execute(_ADVANCE, state)
    event = {"workspace_id": workspace_id, "message_id": message_id, "channel": channel, **given}
    await conn.execute(_EVENT, event)
    return Assignment(AssignmentCode.ASSIGNED, people[index])
