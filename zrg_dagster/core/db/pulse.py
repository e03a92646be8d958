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


# A delivery is seen by others somewhat later than the time it was received at, and clocks differ.
COMMIT_MARGIN_S = 5


def lane_pulse(
    connection: "psycopg.Connection[dict[str, Any]]",
    lane: Lane,
    now: datetime,
    *,
    with_parked: bool = False,
    thorough: bool = True,
) -> Pulse:
    """Is anything due, since when, is anybody working on it, and did a dead worker leave claims behind?

    `with_parked` also counts replies that wait for the model, once their pause is over: ask so only when a model is
    configured, or an idle platform would start drains for nothing.

    Unless `thorough`, what was due before the lane came to rest is not looked for. The index entries of finished work
    stay until a vacuum may take them, and beside a forgotten transaction each question would read all of them. Ask
    thoroughly once a minute: a delivery whose commit took longer than `COMMIT_MARGIN_S` shows then.
    """
    queue = QUEUES[lane]
    also = f"AND {queue.also}" if queue.also else ""
    claimed = f"EXISTS (SELECT FROM {queue.table} WHERE {queue.running} {also})"
    since = ""
    if queue.rests and not thorough:
        rested_at = f"(SELECT rested_at FROM ops.lane_state WHERE lane = '{lane}' AND at_rest)"
        since = f"AND {queue.due} >= coalesce({rested_at} - interval '{COMMIT_MARGIN_S} s', '-infinity')"
        claimed = f"CASE WHEN {rested_at} IS NULL THEN {claimed} ELSE false END"
    parked = (
        f"EXISTS (SELECT FROM {queue.table} WHERE state = 'parked' {also} AND {queue.due} <= %(now)s)"
        if with_parked and lane is Lane.REPLIES
        else "false"
    )
    row = connection.execute(
        f"""
        SELECT (SELECT {queue.due} FROM {queue.table} WHERE {queue.waiting} {also} AND {queue.due} <= %(now)s {since}
                ORDER BY {queue.due} LIMIT 1) AS oldest,
               {claimed} AS claimed,
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
