"""Which follow-up step earned a booking: the rule, in plain Python.

`workflow_attribution.py` is the same rule over tables, and a property test holds the two together. Read this one to
learn what a number means.

A booking is credited to follow-up steps of the same lead that reached the lead (outcome sent or task_created) strictly
before the booking was made. Without such a step it is credited to `initial`, the outreach itself. Three models share
the credit: the first step takes all, the last step takes all, or every step takes the same part. Equal times are
settled by the earlier start of the sequence's run, then by the smaller sequence id: never by arrival.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from zrg_dagster.core.analytics.windows import Window

# Weights have eight decimals in the table. They are dealt in whole units so that they add up to exactly 1.
WEIGHT_UNITS = 10**8
CREDITED_OUTCOMES = ("sent", "task_created")


class Model(StrEnum):
    FIRST_TOUCH = "first_touch"
    LAST_TOUCH = "last_touch"
    LINEAR = "linear"


class Kind(StrEnum):
    INITIAL = "initial"
    WORKFLOW = "workflow"


@dataclass(frozen=True, slots=True)
class Booking:
    """One row of facts/booking of one workspace. `superseded_by` is the appointment id that replaced this one."""

    provider: str
    appointment_id: str
    lead_id: UUID
    booked_at: datetime
    final_status: str | None = "confirmed"
    cancelled_at: datetime | None = None
    superseded_by: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.provider, self.appointment_id)


@dataclass(frozen=True, slots=True)
class Step:
    """One row of facts/step_execution."""

    lead_id: UUID
    sequence_id: UUID
    step_id: UUID
    instance_id: UUID
    attempt: int
    outcome: str
    executed_at: datetime
    instance_started_at: datetime

    @property
    def tie_order(self) -> tuple[datetime, UUID, UUID, UUID, int]:
        return (self.instance_started_at, self.sequence_id, self.step_id, self.instance_id, self.attempt)


@dataclass(frozen=True, slots=True)
class Episode:
    """One booking through all its reschedules: made when its first appointment was, kept if its last one is."""

    provider: str
    appointment_id: str
    lead_id: UUID
    booked_at: datetime
    is_kept: bool


@dataclass(frozen=True, slots=True)
class Credit:
    """One row of marts.booking_credit. `minutes_from_step` are whole minutes from the step to the booking."""

    provider: str
    appointment_id: str
    model: Model
    credit_no: int
    kind: Kind
    sequence_id: UUID | None
    step_id: UUID | None
    weight: Decimal
    minutes_from_step: int | None


def is_kept(final_status: str | None, cancelled_at: datetime | None) -> bool:
    """Whether a meeting still stands. A booking without status is kept (in SQL `status <> 'canceled'` loses it)."""
    return final_status != "canceled" and cancelled_at is None


def episodes(bookings: Iterable[Booking]) -> list[Episode]:
    """Reschedules joined: an appointment that replaced an earlier one is no booking of its own."""
    by_key = {booking.key: booking for booking in bookings}
    later = {key: follower for key, booking in by_key.items() if (follower := _follower(booking, by_key)) is not None}
    followers = {booking.key for booking in later.values()}
    found = []
    for key, booking in by_key.items():
        if key in followers:
            continue
        last = booking
        while last.key in later:
            last = later[last.key]
        found.append(
            Episode(*key, booking.lead_id, booking.booked_at, is_kept(last.final_status, last.cancelled_at)),
        )
    return found


def _follower(booking: Booking, by_key: Mapping[tuple[str, str], Booking]) -> Booking | None:
    """The appointment that replaced this one. Only one booked later, or at the same instant with a greater id.

    Vendors' links are not trusted to be free of circles: in a circle every booking would follow another and vanish.
    """
    if booking.superseded_by is None:
        return None
    other = by_key.get((booking.provider, booking.superseded_by))
    if other is None or (other.booked_at, other.appointment_id) <= (booking.booked_at, booking.appointment_id):
        return None
    return other


def linear_weights(count: int) -> list[Decimal]:
    """`count` equal weights that add up to exactly 1; what does not divide goes to the earliest, a unit each."""
    share, rest = divmod(WEIGHT_UNITS, count)
    return [Decimal(share + (1 if number < rest else 0)) / WEIGHT_UNITS for number in range(count)]


def credit(episode: Episode, steps: Iterable[Step]) -> list[Credit]:
    """The credits of one booking under every model, from any steps of its workspace."""
    reached = [
        step
        for step in steps
        if step.lead_id == episode.lead_id
        and step.outcome in CREDITED_OUTCOMES
        and step.executed_at < episode.booked_at
    ]
    if not reached:
        return [_credit(episode, model, 1, None, Decimal(1)) for model in Model]
    in_order = sorted(reached, key=lambda step: (step.executed_at, step.tie_order))
    newest = in_order[-1].executed_at
    last = min((step for step in in_order if step.executed_at == newest), key=lambda step: step.tie_order)
    shares = zip(in_order, linear_weights(len(in_order)), strict=True)
    return [
        _credit(episode, Model.FIRST_TOUCH, 1, in_order[0], Decimal(1)),
        _credit(episode, Model.LAST_TOUCH, 1, last, Decimal(1)),
        *(_credit(episode, Model.LINEAR, number, step, weight) for number, (step, weight) in enumerate(shares, 1)),
    ]


def _credit(episode: Episode, model: Model, number: int, step: Step | None, weight: Decimal) -> Credit:
    return Credit(
        provider=episode.provider,
        appointment_id=episode.appointment_id,
        model=model,
        credit_no=number,
        kind=Kind.INITIAL if step is None else Kind.WORKFLOW,
        sequence_id=step and step.sequence_id,
        step_id=step and step.step_id,
        weight=weight,
        minutes_from_step=step and (episode.booked_at - step.executed_at) // timedelta(minutes=1),
    )


@dataclass(frozen=True, slots=True)
class Total:
    """One row of marts/workflow_attribution: what one sequence (None: initial) earned in one window."""

    bookings: Decimal
    kept: Decimal


def summarise(
    booked: Sequence[Episode], steps: Sequence[Step], window: Window
) -> dict[tuple[Model, UUID | None], Total]:
    """Totals of one window by model and sequence. A lead counts once: with its earliest booking in the window."""
    first: dict[UUID, Episode] = {}
    for episode in sorted(booked, key=lambda each: (each.booked_at, each.provider, each.appointment_id)):
        if episode.booked_at in window:
            first.setdefault(episode.lead_id, episode)
    totals: dict[tuple[Model, UUID | None], Total] = {(model, None): Total(Decimal(0), Decimal(0)) for model in Model}
    for episode in first.values():
        for each in credit(episode, steps):
            key = (each.model, each.sequence_id)
            before = totals.get(key, Total(Decimal(0), Decimal(0)))
            kept = each.weight if episode.is_kept else Decimal(0)
            totals[key] = Total(before.bookings + each.weight, before.kept + kept)
    return totals
