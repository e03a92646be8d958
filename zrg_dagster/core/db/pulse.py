"""The questions that sensors, schedules and `zrg doctor` ask: synchronous, indexed, one round trip each."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from zrg_dagster.core.db.lanes import QUEUES, Lane

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, slots=True)
class Pulse:
    """State of one lane. `oldest_due_s` is None when nothing is due; `stranded` means claimed rows but no live worker."""

    lane: Lane
    workers: int
    oldest_due_s: float | None
    stranded: bool
    parked: bool = False

    @property
    def has_work(self) -> bool:
        return self.oldest_due_s is not None or self.stranded or self.parked


def lane_pulse(
    connection: "psycopg.Connection[dict[str, Any]]", lane: Lane, now: datetime, *, with_parked: bool = False
) -> Pulse:
    """Is anything due, since when, is anybody working on it, and did a dead worker leave claims behind?

    `with_parked` also counts replies that wait for the model, once their pause is over: ask so only when a model is
    configured, or an idle platform would start drains for nothing.
    """
    queue = QUEUES[lane]
    also = f"AND {queue.also}" if queue.also else ""
    parked = (
        f"EXISTS (SELECT FROM {queue.table} WHERE state = 'parked' {also} AND {queue.due} <= %(now)s)"
        if with_parked and lane is Lane.REPLIES
        else "false"
    )
    row = connection.execute(
        f"""
        SELECT (SELECT {queue.due} FROM {queue.table} WHERE {queue.ready} {also} AND {queue.due} <= %(now)s
                ORDER BY {queue.due} LIMIT 1) AS oldest,
               EXISTS (SELECT FROM {queue.table} WHERE {queue.running} {also}) AS claimed,
               {parked} AS parked,
               (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = {queue.lock_class}
                  AND objsubid = 2 AND objid <> 0 AND granted
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS workers
        """.encode(),
        {"now": now},
    ).fetchone()
    assert row is not None
    oldest = (now - row["oldest"]).total_seconds() if row["oldest"] else None
    stranded = row["claimed"] and not row["workers"]
    return Pulse(lane, row["workers"], oldest, stranded=stranded, parked=row["parked"])
