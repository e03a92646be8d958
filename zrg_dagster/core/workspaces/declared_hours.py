"""Sending hours as a workspace file says them: a mode, a week of its own, and days on which nothing leaves by itself.

What passes here is what `core/sending/hours.py` reads: plain JSON, days and times as text.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from zrg_dagster.core.text.hours import MAX_EXTRA_DATES, MAX_RANGE_DAYS, MAX_RANGES
from zrg_dagster.core.workspaces.declared_values import Zone

# Unknown keys are refused, and no message repeats a value: a secret may stand where it should not.
FILE_PART = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _no_twins(values: list[int]) -> list[int]:
    return sorted(set(values))


def _iso_day(value: Any) -> Any:
    """YAML reads a day that is not quoted as a date; it is stored as it is written."""
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError("no day; write it as 2026-12-24") from None


Weekday = Annotated[int, Field(ge=0, le=6)]
ClockTime = Annotated[str, Field(pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$")]
Day = Annotated[str, BeforeValidator(_iso_day)]
ScheduleMode = Literal["ALWAYS", "BUSINESS_HOURS", "CUSTOM"]


class SchedulePart(BaseModel):
    """A week of sending hours: days from 0 (Sunday), quoted times, the end exclusive, overnight when it is not later."""

    model_config = FILE_PART

    days: Annotated[list[Weekday], AfterValidator(_no_twins)] = Field(min_length=1)
    start: ClockTime
    end: ClockTime
    timezone: Zone | None = None

    @model_validator(mode="after")
    def _has_length(self) -> "SchedulePart":
        if self.start == self.end:
            raise ValueError("start and end are the same time")
        return self


class HolidayRangePart(BaseModel):
    model_config = FILE_PART

    start: Day
    end: Day

    @model_validator(mode="after")
    def _ordered(self) -> "HolidayRangePart":
        length = date.fromisoformat(self.end) - date.fromisoformat(self.start)
        if not 0 <= length.days < MAX_RANGE_DAYS:
            raise ValueError(f"a range ends on or after its start and has at most {MAX_RANGE_DAYS} days")
        return self


class HolidaysPart(BaseModel):
    """Days on which nothing is sent by itself (SC-05)."""

    model_config = FILE_PART

    preset: Literal["US_FEDERAL_PLUS_COMMON"] | None = None
    excluded: list[Day] = Field(default=[], max_length=MAX_EXTRA_DATES)
    extra: list[Day] = Field(default=[], max_length=MAX_EXTRA_DATES)
    ranges: list[HolidayRangePart] = Field(default=[], max_length=MAX_RANGES)


PARTS = (SchedulePart, HolidayRangePart, HolidaysPart)
