"""Which reports of SMS are one message: a pure function of all that was reported, so that no order of arrival shows.

One vendor reports an inbound SMS on two feeds. The workflow's webhook knows no message id: its key is made of what it
does know, and without a time of the vendor's also of a ten-minute bucket of our receipt. The marketplace app's webhook
names the id. Both speak of one message when the person and the words are the same and the times lie within ten minutes,
and a message has at most one report of each feed (providers §4.2). Reports come in any order and may come again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from zrg_dagster.core.providers.records import MessageRecord, TimeQuality

WINDOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Report:
    """What one feed said of one SMS. `vendor_id` is None on the feed without ids; `near` are the keys that a retry of a
    report without time may have."""

    key: str
    vendor_id: str | None
    quality: TimeQuality
    at: datetime
    body: str
    raw_text: str | None
    opt_out_rule: str | None
    near: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[str, datetime, str, str]:
        return self.quality, self.at, self.body, self.raw_text or ""

    def folded(self, other: "Report") -> "Report":
        """One report of two under one key: the vendor's time before our receipt, then the earlier; a stop in either
        stays."""
        first, second = (self, other) if self.rank <= other.rank else (other, self)
        return replace(first, opt_out_rule=first.opt_out_rule or second.opt_out_rule)

    def as_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "vendor_id": self.vendor_id,
            "quality": self.quality,
            "at": self.at.isoformat(),
            "body": self.body,
            "raw_text": self.raw_text,
            "opt_out_rule": self.opt_out_rule,
            "near": list(self.near),
        }


def report_of(record: MessageRecord) -> Report:
    return Report(
        key=record.key,
        vendor_id=record.provider_message_id,
        quality=record.sent_at_quality,
        at=record.sent_at,
        body=record.body,
        raw_text=record.raw_text,
        opt_out_rule=record.flags.opt_out_rule,
        near=record.near_keys,
    )


def from_json(stored: dict[str, Any]) -> Report:
    return Report(**{**stored, "at": datetime.fromisoformat(stored["at"]), "near": tuple(stored["near"])})


@dataclass(frozen=True, slots=True)
class Told:
    """One message and its reports. `head` gives its key, time and wording: the feed with ids has the last word, for the
    other one tidies white space and case, and mostly only our receipt of it is known; else the earliest report."""

    reports: tuple[Report, ...]

    @property
    def head(self) -> Report:
        first = next((each for each in self.reports if each.vendor_id is not None), self.reports[0])
        stops = (each.opt_out_rule for each in (first, *self.reports))
        return replace(first, opt_out_rule=next(filter(None, stops), None))

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(each.key for each in self.reports)

    def as_json(self) -> list[dict[str, Any]]:
        return [each.as_json() for each in self.reports]


def messages_of(reports: Iterable[Report]) -> list[Told]:
    """The messages that these reports of one text by one person are about. Pure; the order of `reports` does not matter.

    The earliest report opens a message, and the earliest ones within ten minutes that it can have join it. That makes as
    few messages as possible, and one more report makes at most one more and never one fewer, so that stored messages need
    not be taken back. (Except when an earlier receipt of the same report, more than ten minutes before the known one, or
    reports without times of two workflows in turn, shift what is near.)
    """
    by_key: dict[str, Report] = {}
    for each in reports:
        by_key[each.key] = each.folded(by_key[each.key]) if each.key in by_key else each
    rest = sorted(by_key.values(), key=lambda each: (each.at, each.key))
    found: list[Told] = []
    while rest:
        near = [each for each in rest if each.at - rest[0].at <= WINDOW]
        named = next((each for each in near if each.vendor_id is not None), None)
        nameless = next((each for each in near if each.vendor_id is None), None)
        again = [each for each in near if nameless is not None and each.key in nameless.near]
        one = {each.key: each for each in (named, nameless, *again) if each is not None}
        found.append(Told(tuple(sorted(one.values(), key=lambda each: (each.at, each.key)))))
        rest = [each for each in rest if each.key not in one]
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """A stored message and what it was made of."""

    id: UUID
    told: Told


@dataclass(frozen=True, slots=True)
class Plan:
    """`rows` are stored messages (row → what it is now), `made` new ones, each with at least one new report. A stored
    message that no report needs any more stays as it is: somebody may have answered it."""

    rows: dict[UUID, Told]
    made: list[Told]


def arrange(stored: Sequence[Row], new: Sequence[Report]) -> Plan:
    """Give each message that all these reports are about a row: a stored one as long as there is one. Pure."""
    added = {each.key for each in new}
    messages = messages_of([*(report for row in stored for report in row.told.reports), *new])
    free = {row.id: row.told for row in stored}
    rows: dict[UUID, Told] = {}
    # What was known before keeps a row first: a new row needs the delivery that makes it necessary.
    for waiting in (
        [each for each in messages if not each.keys & added],
        made := [each for each in messages if each.keys & added],
    ):
        for fits in (_same_head, _shares_report, _any):
            for message in waiting.copy():
                row = next((row for row, told in free.items() if fits(told, message)), None)
                if row is not None:
                    rows[row] = message
                    del free[row]
                    waiting.remove(message)
    return Plan(rows, made)


def _same_head(told: Told, message: Told) -> bool:
    return told.head.key == message.head.key


def _shares_report(told: Told, message: Told) -> bool:
    return bool(told.keys & message.keys)


def _any(_told: Told, _message: Told) -> bool:
    return True
