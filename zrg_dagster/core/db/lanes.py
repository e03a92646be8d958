"""The lanes: which queues exist, where their work lies, and how their workers prove that they live.

Names only. Sensors load this with the code location, so it imports neither a driver nor SQLAlchemy.
"""

from dataclasses import dataclass
from enum import StrEnum


class Lane(StrEnum):
    """One queue with its sensor, its Dagster job and its limits."""

    INBOUND = "inbound"
    REPLIES = "replies"
    SENDS = "sends"


@dataclass(frozen=True, slots=True)
class Queue:
    """Where a lane's work lies and how its columns are called. `lock_class` is the advisory lock class of its workers.

    `rests`: the lane records in `ops.lane_state` that it has nothing to do. Only for a queue whose rows fall due no
    earlier than when they appear: a row that is added late with a time in the past would be seen a minute later.
    `attempts`: the table with a row for each attempt at a row of the queue.
    """

    lane: Lane
    lock_class: int
    table: str
    ready: str
    running: str
    due: str
    fair: str
    channel: str
    also: str = ""
    serial: str | None = None
    rests: bool = False
    attempts: str | None = None

    @property
    def waiting(self) -> str:
        """The rows that `ready` means, in the words of the index by time alone (`*_waiting`).

        Claims must never be planned over that index: a planner whose statistics say that nothing is ready takes any
        index for it, and reads the whole backlog once for every workspace.
        """
        return f"{self.ready} AND attempts >= 0"


INBOUND = Queue(
    lane=Lane.INBOUND,
    lock_class=7101,
    table="raw.webhook_event",
    ready="state = 'pending'",
    running="state = 'running'",
    due="run_at",
    fair="fair_key",
    channel="zrg_inbound",
    rests=True,
)
REPLIES = Queue(
    lane=Lane.REPLIES,
    lock_class=7102,
    table="app.job",
    ready="state = 'pending'",
    running="state = 'running'",
    due="run_at",
    fair="workspace_id",
    channel="zrg_replies",
    also="lane = 'replies'",
    serial="serial_key",
    attempts="app.job_attempt",
)
SENDS = Queue(
    lane=Lane.SENDS,
    lock_class=7103,
    table="app.send",
    ready="state IN ('planned', 'unknown')",
    running="state = 'sending'",
    due="due_at",
    fair="workspace_id",
    channel="zrg_sends",
    serial="serial_key",
)
QUEUES: dict[Lane, Queue] = {queue.lane: queue for queue in (INBOUND, REPLIES, SENDS)}
