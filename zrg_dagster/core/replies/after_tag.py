"""What a tag sets in motion at its lead, beside its status: a snooze, follow-ups, a setter, a note that it is doubtful.

Everything here runs in the transaction that writes the tag, with the lead's row locked, and leaves a decision.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.db.jobs import enqueue
from zrg_dagster.core.leads.assignment import UNREMARKABLE, Assignment, AssignmentCode, assign_lead
from zrg_dagster.core.leads.contacts import contact_job
from zrg_dagster.core.notifications.alerts import people_who_may, plan_alert
from zrg_dagster.core.replies.classify import POSITIVE, SettledTag, Tag
from zrg_dagster.core.replies.stages import Reply, decide_row
from zrg_dagster.core.text.deferral import Deferral, find_deferral
from zrg_dagster.core.text.zones import known_zone, local_instant
from zrg_dagster.core.workspaces.access import Action

# The model calls an answer below this a guess. Its tag stands, because no tag at all would say less.
UNCERTAIN_BELOW = 0.6
# SN-03: people who are back read their mail in the morning of their own day.
BACK_AT = time(9, 0)
# SN-05: a wish is acted on when it is this sure, and lies at least so far ahead.
SURE_WISH = 0.95
SOONEST_WISH = timedelta(hours=1)
# Nobody waits for these people.
UNHEARD = frozenset({Tag.AUTOMATED_REPLY, Tag.BLACKLIST, Tag.MEETING_BOOKED})


class TagCode(StrEnum):
    """What was done, or not done, about a lead because of its newest tag."""

    UNCERTAIN = "tag_uncertain"
    SNOOZED = "snoozed_until_return"
    SNOOZED_AS_ASKED = "snoozed_as_asked"
    NO_RETURN_DATE = "no_return_date"
    NO_TIME_ZONE = "no_time_zone"
    OOO_NOT_PAUSED = "pause_for_ooo_off"
    FOLLOW_UPS_ON = "auto_follow_ups_switched_on"


_SNOOZE = text("""
    UPDATE app.lead SET snoozed_until = greatest(snoozed_until, :until), updated_at = :now WHERE id = :lead_id""")
_FOLLOW_UPS = text("""
    UPDATE app.lead SET auto_follow_up_enabled = true, updated_at = :now
    WHERE id = :lead_id AND NOT auto_follow_up_enabled RETURNING id""")


def is_uncertain(tag: SettledTag, *, flag: bool) -> bool:
    """Whether a person should look because the model guessed. What a rule decided is never a guess."""
    return flag and tag.confidence < UNCERTAIN_BELOW


def snooze_until(
    returns_on: date | None, zones: tuple[str | None, ...], now: datetime, *, is_on: bool
) -> datetime | TagCode:
    """Until when an absent lead is left alone: 09:00 of the day of return on their clock, or why they are not."""
    if not is_on:
        return TagCode.OOO_NOT_PAUSED
    if returns_on is None:
        return TagCode.NO_RETURN_DATE
    zone = known_zone(*zones)
    if zone is None:
        return TagCode.NO_TIME_ZONE
    until = local_instant(returns_on, BACK_AT, zone)
    return until if until > now else TagCode.NO_RETURN_DATE


def wish_to_wait(
    body: str, said_at: datetime, zones: tuple[str | None, ...], now: datetime
) -> tuple[datetime, Deferral] | TagCode | None:
    """Until when somebody asked to be left alone, with what said so; None when they did not ask (SN-03, SN-05)."""
    zone = known_zone(*zones)
    wish = find_deferral(body, said_at.astimezone(zone or UTC).date())
    if wish is None or wish.confidence < SURE_WISH:
        return None
    if zone is None:
        return TagCode.NO_TIME_ZONE
    until = local_instant(wish.day, BACK_AT, zone)
    return (until, wish) if until > now + SOONEST_WISH else None


async def after_tag(
    conn: AsyncConnection, reply: Reply, tag: SettledTag, lead: Row[Any], correlation_id: str, now: datetime
) -> None:
    """Carry out what `tag` means for the lead, whose newest word it is. `lead` is the row that `apply_tag` locked."""
    subject, message_id = "reply", reply.message.id
    if is_uncertain(tag, flag=lead.flag_uncertain):
        detail = {"tag": tag.tag.value, "confidence": tag.confidence, "below": UNCERTAIN_BELOW}
        await decide_row(conn, reply, subject, message_id, TagCode.UNCERTAIN, now, detail)
    await _snooze(conn, reply, tag, lead, now)
    if tag.tag not in POSITIVE:
        return
    if lead.has_contacts:
        job = contact_job(reply.message.workspace_id, reply.lead.id, str(message_id), correlation_id, now)
        await enqueue(conn, [job])
    if lead.auto_follow_ups:
        switched = await conn.execute(_FOLLOW_UPS, {"lead_id": reply.lead.id, "now": now})
        if switched.one_or_none() is not None:
            await decide_row(conn, reply, subject, message_id, TagCode.FOLLOW_UPS_ON, now, {"tag": tag.tag.value})
    if not lead.round_robin_enabled:
        return  # as `refusal` would say first, without the question for its people
    given = await assign_lead(
        conn,
        workspace_id=reply.message.workspace_id,
        lead_id=reply.lead.id,
        message_id=message_id,
        channel=reply.message.channel,
        is_positive=True,
        is_assigned=lead.assigned_to_user_id is not None,
        now=now,
    )
    await _note(conn, reply, given, correlation_id, now)


async def _snooze(conn: AsyncConnection, reply: Reply, tag: SettledTag, lead: Row[Any], now: datetime) -> None:
    """Leave the lead alone until the day of return, or until the day that they named themselves."""
    message, zones, detail = reply.message, (lead.timezone, lead.workspace_timezone), {}
    if tag.tag is Tag.OUT_OF_OFFICE:
        until = snooze_until(message.returns_on, zones, now, is_on=lead.pause_for_ooo)
        code = TagCode.SNOOZED
    elif tag.tag in UNHEARD or message.is_auto_reply:
        return
    else:
        asked = wish_to_wait(message.body, message.sent_at, zones, now)
        if asked is None:
            return
        until, code = asked, TagCode.SNOOZED_AS_ASKED
        if not isinstance(asked, TagCode):
            until, wish = asked
            detail = {"words": wish.words, "confidence": wish.confidence}
    if isinstance(until, TagCode):
        await decide_row(conn, reply, "reply", message.id, until, now)
        return
    await conn.execute(_SNOOZE, {"lead_id": reply.lead.id, "until": until, "now": now})
    await decide_row(conn, reply, "reply", message.id, code, now, {"until": until, **detail})


async def _note(conn: AsyncConnection, reply: Reply, given: Assignment, correlation_id: str, now: datetime) -> None:
    if given.code in UNREMARKABLE:
        return
    detail = {"user": given.user_id, "channel": reply.message.channel}
    await decide_row(conn, reply, "assignment", reply.message.id, given.code, now, detail)
    if given.code is AssignmentCode.NOBODY_OF_SEQUENCE:
        await _alert(conn, reply.message.workspace_id, correlation_id, now)


async def _alert(conn: AsyncConnection, workspace_id: UUID, correlation_id: str, now: datetime) -> None:
    """Once a day to each admin (AS-A2): interested leads wait for nobody."""
    said = (
        "Interested leads are given to nobody: none of `settings.round_robin_sequence` is a setter of this workspace "
        "any more. Change the list, or empty it to take every setter in turn."
    )
    admins = await people_who_may(conn, workspace_id, Action.CHANGE_SETTINGS)
    await plan_alert(
        conn,
        workspace_id,
        admins,
        key=f"assignment_nobody:{now.date()}",
        title="Interested leads are given to nobody",
        said=said,
        now=now,
        correlation_id=correlation_id,
    )
