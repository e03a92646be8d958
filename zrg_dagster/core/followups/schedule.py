"""When a step is due: pure arithmetic over elapsed time (FU-21 to FU-26).

Spacing is 24 hours a day, not calendar days (T-6), and counts from the execution of the step before, so delays add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

CHANNEL_ORDER = {"email": 0, "sms": 1, "linkedin": 2}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a sequence. `order` starts at 1 and may have gaps; `day_offset` 1 means the day of the start."""

    id: UUID
    order: int
    day_offset: int
    minute_offset: int
    channel: str
    subject: str | None
    template: str


def offset(step: Step | None) -> timedelta:
    """How long after the start the step belongs; day 0 or less reads as 1, before the first step it is zero (FU-21)."""
    if step is None:
        return timedelta(0)
    return timedelta(days=max(0, step.day_offset - 1), minutes=step.minute_offset)


def delta(previous: Step | None, following: Step) -> timedelta:
    """The wait between two steps; never negative, even when the steps are out of order (FU-22)."""
    return max(timedelta(0), offset(following) - offset(previous))


def next_step(steps: Sequence[Step], current: int) -> Step | None:
    """The step with the lowest order above `current`; None at the end (FU-35)."""
    return min((step for step in steps if step.order > current), key=lambda step: step.order, default=None)


def current_step(steps: Sequence[Step], current: int) -> Step | None:
    """The step that the pointer stands on. If it was deleted, the last one before it; None before the first."""
    return max((step for step in steps if 0 < step.order <= current), key=lambda step: step.order, default=None)


def first_due(anchor: datetime, steps: Sequence[Step]) -> datetime | None:
    """When the first step is due after a start at `anchor`; None for a sequence without steps (FU-11)."""
    first = next_step(steps, 0)
    return None if first is None else anchor + offset(first)


def due_after(at: datetime, steps: Sequence[Step], current: int) -> datetime | None:
    """When the step behind `current` is due if `current` was executed, or the lead touched, at `at`.

    None when no later step exists: the instance is completed (FU-23, FU-25, FU-28).
    """
    following = next_step(steps, current)
    return None if following is None else at + delta(current_step(steps, current), following)


def display_order(steps: Sequence[Step]) -> list[Step]:
    """Steps by day, then minute, then e-mail before SMS before LinkedIn (FU-26)."""
    return sorted(steps, key=lambda step: (*offset_key(step), CHANNEL_ORDER[step.channel], step.order))


def offset_key(step: Step) -> tuple[int, int]:
    """Day and minute as they are shown: a day of 0 or less is day 1."""
    return max(1, step.day_offset), step.minute_offset
