"""When automatic answers of a workspace may leave: its rule and its campaign's, read and applied (SC-01 to SC-11)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.sending.gates import BlockReason
from zrg_dagster.core.text.hours import ALWAYS, MONDAY_TO_FRIDAY, Holidays, Hours, Placed, Week, place
from zrg_dagster.core.text.zones import known_zone

# What `hours_of` reads, of a workspace `w`, its settings `s` and a campaign `c`; beside them it wants `lead_zone`.
RULE_COLUMNS = """w.timezone AS workspace_zone, s.auto_send_schedule_mode, s.work_start_time, s.work_end_time,
           s.auto_send_custom_schedule, s.auto_send_holidays, c.auto_send_schedule_mode AS campaign_mode,
           c.auto_send_custom_schedule AS campaign_schedule, c.auto_send_holidays AS campaign_holidays"""
# What nobody decided about: a person who approves a draft at night means now.
_DUE = text(f"""
    SELECT {RULE_COLUMNS}, l.timezone AS lead_zone, d.*
    FROM app.send d JOIN app.workspace w ON w.id = d.workspace_id
    LEFT JOIN app.lead l ON l.id = d.lead_id
    LEFT JOIN app.workspace_setting s ON s.workspace_id = w.id
    LEFT JOIN app.email_campaign c ON c.workspace_id = w.id AND c.id = d.email_campaign_id
    WHERE d.id = ANY(CAST(:ids AS uuid[])) AND d.state = 'planned' AND d.kind = 'draft' AND d.origin = 'ai'
    ORDER BY d.id FOR UPDATE OF d SKIP LOCKED""")
_POSTPONE = text("UPDATE app.send SET due_at = :due_at WHERE id = :id AND state = 'planned'")
_CLOSE = text("""
    UPDATE app.send SET state = 'blocked', reason = :reason, finished_at = :now
    WHERE id = :id AND state = 'planned' RETURNING *""")
_NOTE = text("""
    INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
    VALUES (:workspace_id, :lead_id, 'send', :id, 'postponed_to_hours', CAST(:detail AS jsonb), :now)""")


def week_of(schedule: Mapping[str, Any] | None) -> Week | None:
    """A stored custom schedule; None for none, and for one that says nothing usable."""
    try:
        assert schedule is not None
        days = frozenset(int(day) for day in schedule["days"])
        week = Week(days, time.fromisoformat(schedule["start"]), time.fromisoformat(schedule["end"]))
    except (AssertionError, KeyError, TypeError, ValueError):
        return None
    return week if days and week.start != week.end else None


def holidays_of(stored: Mapping[str, Any] | None) -> Holidays | None:
    """Stored holidays; None for none. `ValueError` and its kin when nobody could have saved them."""
    if not stored:
        return None
    return Holidays(
        stored.get("preset"),
        frozenset(date.fromisoformat(day) for day in stored.get("excluded", ())),
        frozenset(date.fromisoformat(day) for day in stored.get("extra", ())),
        tuple(
            (date.fromisoformat(each["start"]), date.fromisoformat(each["end"])) for each in stored.get("ranges", ())
        ),
    )


def hours_of(row: Mapping[Any, Any]) -> Hours:
    """The rule that holds: the campaign's mode, else the workspace's; the holidays of both (SC-06, SC-07). Pure."""
    mode = row["campaign_mode"] or row["auto_send_schedule_mode"] or "ALWAYS"
    if mode == "ALWAYS":
        return ALWAYS
    custom = row["campaign_schedule"] if row["campaign_mode"] else row["auto_send_custom_schedule"]
    if mode == "CUSTOM":
        week = week_of(custom)
    else:
        week = Week(MONDAY_TO_FRIDAY, row["work_start_time"] or time(9), row["work_end_time"] or time(17))
    own = custom.get("timezone") if mode == "CUSTOM" and isinstance(custom, dict) else None
    zone = known_zone(own, row["lead_zone"], row["workspace_zone"])
    try:
        found = (holidays_of(row["auto_send_holidays"]), holidays_of(row["campaign_holidays"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        return Hours(zone=zone)  # days that nobody can read must not become days on which we write
    return Hours(week=week, zone=zone, holidays=tuple(each for each in found if each))


@dataclass(frozen=True, slots=True)
class Held:
    """What must not leave now: `later` got a new due time, `closed` will never have one and is blocked."""

    later: frozenset[UUID]
    closed: tuple[Row[Any], ...]


async def hold_outside_hours(conn: AsyncConnection, ids: Sequence[UUID], now: datetime) -> Held:
    """Look again at automatic answers that are due (RC-07), in the claim's transaction, before it takes them.

    The rule may have changed since, and a lane that stood still works off what was due inside the hours outside of them.
    """
    later: set[UUID] = set()
    closed: list[Row[Any]] = []
    for row in (await conn.execute(_DUE, {"ids": list(ids)})).mappings().all():
        placed = place(hours_of(row), now)
        if placed.at is None:
            blocked = await conn.execute(_CLOSE, {"id": row["id"], "reason": BlockReason.NO_SEND_WINDOW, "now": now})
            closed += blocked.all()
        elif placed.at > now:
            await _postpone(conn, row, placed, now)
            later.add(row["id"])
    return Held(frozenset(later), tuple(closed))


async def _postpone(conn: AsyncConnection, row: Mapping[Any, Any], placed: Placed, now: datetime) -> None:
    await conn.execute(_POSTPONE, {"id": row["id"], "due_at": placed.at})
    detail = json.dumps({"schedule": placed.reason, "due_at": placed.at}, default=str)
    parameters = {"id": row["id"], "workspace_id": row["workspace_id"], "lead_id": row["lead_id"]}
    await conn.execute(_NOTE, {**parameters, "detail": detail, "now": now})
