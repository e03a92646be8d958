"""The seam of a booking: the one place where a reply may become a meeting, asked after its signals and before its draft.

Whoever books implements `BookingAttempt`; the pipeline asks it at most once for a message that is on record, tells the
draft what came of it, and never books anything itself. Nobody does so far: `nobody_books` is the whole answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from zrg_dagster.core.drafting.overseer import Contract
from zrg_dagster.core.replies.classify import POSITIVE, Tag
from zrg_dagster.core.replies.signals import Heard, SignalKind


class NotBooked(StrEnum):
    """Why no time was taken. Stable: they stand in the record of the stage."""

    REPLAYED = "booking_of_a_replay"
    ALREADY_BOOKED = "booking_exists_already"
    NOT_POSITIVE = "booking_not_for_this_tag"
    CALL_REQUESTED = "booking_gives_way_to_call"
    LEADS_CALENDAR = "booking_on_the_leads_calendar"
    NOT_READ = "booking_without_reading"
    SHOULD_NOT = "booking_not_asked_for_now"
    NOBODY_BOOKS = "booking_by_hand_only"


@dataclass(frozen=True, slots=True)
class BookingQuestion:
    """One reply that may be booked. `message_id` is the key of the attempt: asked again about the same message, whoever
    books answers with the booking that it made (BK-61). `contract` is the overseer's decision, None when there is none;
    `zone` the reader's IANA zone."""

    workspace_id: UUID
    lead_id: UUID
    message_id: UUID
    channel: str
    tag: Tag
    contract: Contract | None
    heard: Heard
    zone: str | None
    is_replayed: bool
    has_booking: bool


@dataclass(frozen=True, slots=True)
class Booked:
    """A time was taken. `label` names it as the lead reads it, with its zone."""

    appointment_id: UUID
    starts_at: datetime
    label: str


@dataclass(frozen=True, slots=True)
class NotAttempted:
    """Nothing was taken, and nothing is left half done. `reason` is one of `NotBooked`, or a code of whoever books."""

    reason: str


class BookingAttempt(Protocol):
    """Takes a time at the vendor, or says why not. Holds no connection of the caller; may ask vendors.

    Raises only for what a later try may mend (the job is tried again); everything else is a `NotAttempted`. Asked twice
    with one `message_id` it books once.
    """

    async def __call__(self, asked: BookingQuestion, now: datetime, /) -> Booked | NotAttempted: ...


async def nobody_books(_asked: BookingQuestion, _now: datetime) -> Booked | NotAttempted:
    """There is no room yet that reserves a slot: a person books."""
    return NotAttempted(NotBooked.NOBODY_BOOKS)


def barred(asked: BookingQuestion) -> NotBooked | None:
    """Why nobody is even asked; None when they are. Pure, in the order in which a person would say it (BK-12, BK-46,
    OV-01): unknown qualification never books, because then the contract says no."""
    if asked.is_replayed:
        return NotBooked.REPLAYED
    if asked.has_booking:
        return NotBooked.ALREADY_BOOKED
    if asked.tag not in POSITIVE:
        return NotBooked.NOT_POSITIVE
    if asked.heard.signal(SignalKind.CALL_REQUESTED) is not None:
        return NotBooked.CALL_REQUESTED
    if asked.heard.signal(SignalKind.LEADS_CALENDAR) is not None:
        return NotBooked.LEADS_CALENDAR
    if asked.contract is None:
        return NotBooked.NOT_READ
    return None if asked.contract.should_book_now == "yes" else NotBooked.SHOULD_NOT


async def attempt(book: BookingAttempt, asked: BookingQuestion, now: datetime) -> Booked | NotAttempted:
    """The answer for one reply. Network where somebody books."""
    why_not = barred(asked)
    return NotAttempted(why_not) if why_not is not None else await book(asked, now)


def detail_of(answer: Booked | NotAttempted, heard: Heard) -> dict[str, Any]:
    """The record of the stage, as `answer_of` reads it."""
    route = heard.route and int(heard.route.process)
    if isinstance(answer, NotAttempted):
        return {"reason": answer.reason, "route": route}
    made = {"appointment": str(answer.appointment_id), "starts_at": answer.starts_at.isoformat(), "label": answer.label}
    return {**made, "route": route}


def answer_of(detail: Mapping[str, Any]) -> Booked | NotAttempted:
    """What an earlier try put on record."""
    if "appointment" not in detail:
        return NotAttempted(detail["reason"])
    return Booked(UUID(detail["appointment"]), datetime.fromisoformat(detail["starts_at"]), detail["label"])


def hint_of(answer: Booked | NotAttempted) -> dict[str, str]:
    """What the pack of the draft gets: a booked time is confirmed and nothing else is offered; else nothing."""
    if isinstance(answer, NotAttempted):
        return {}
    return {"booking_hints": f"A meeting is booked for {answer.label}: confirm it, and offer nothing else"}
