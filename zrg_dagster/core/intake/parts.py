"""Claimed deliveries in batches that share nobody, which are written at the same time without waiting for each other's
leads."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row

from zrg_dagster.core.intake.identity import EMAIL_KINDS
from zrg_dagster.core.intake.read import ReadEvent

PARTS = 2  # one is computed here while the other is in Postgres


def portions_of(rows: Sequence[Row[Any]], most_bytes: int) -> Iterator[list[Row[Any]]]:
    """Claimed rows, oldest first, in portions whose bodies have `most_bytes` together at most; a larger one is alone. Pure.

    Worked one after the other: what is said first of a person is worked first.
    """
    portion: list[Row[Any]] = []
    held = 0
    for row in sorted(rows, key=lambda each: (each.received_at, each.id.int)):
        if portion and held + row.body_bytes > most_bytes:
            yield portion
            portion, held = [], 0
        portion.append(row)
        held += row.body_bytes
    if portion:
        yield portion


def parts_of(events: Sequence[ReadEvent], size: int) -> list[list[ReadEvent]]:
    """More than `size` events in two parts of about equal size; what names the same person stands in one part. Pure.

    Only for speed. Two names of one person that are known to be one in the database alone may come apart: then one part
    waits for the other, as two workers do.
    """
    if len(events) <= size:
        return [list(events)]
    parts: list[list[ReadEvent]] = [[] for _ in range(PARTS)]
    for group in _groups(events):
        min(parts, key=len).extend(group)
    return [part for part in parts if part]


def _groups(events: Sequence[ReadEvent]) -> list[list[ReadEvent]]:
    """Who is named together, directly or through others: each event joins the groups of all its names into one."""
    group_of: dict[tuple[str, str], list[ReadEvent]] = {}
    groups: dict[int, list[ReadEvent]] = {}
    for event in events:
        names = list(_names(event))
        found = {id(group): group for name in names if (group := group_of.get(name)) is not None}
        group = max(found.values(), key=len, default=[])
        groups[id(group)] = group
        for other in found.values():
            if other is not group:
                group += other
                del groups[id(other)]
                group_of |= {name: group for each in other for name in _names(each)}
        group.append(event)
        group_of |= dict.fromkeys(names, group)
    return list(groups.values())


def _names(event: ReadEvent) -> Iterator[tuple[str, str]]:
    """What names the event's person. The same name in two workspaces is two people; putting them together harms nothing."""
    if event.parsed is None:
        return
    if (lead := event.parsed.lead) is not None:
        for kind, value in lead.identities:
            yield ("email" if kind in EMAIL_KINDS else kind, value)
        for address in lead.alternate_emails:
            yield ("email", address)
    if event.parsed.enrichment is not None:
        yield ("lead", event.parsed.enrichment.lead_id)
