"""The record of one run while it goes: opened once, what each stage made kept in one short transaction.

Best effort where the rules say so: no draft fails because its record could not be written (PR-06). A stage that is not on
record is simply done again by a retry.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from zrg_dagster.core.ai.result import ModelResult
from zrg_dagster.core.ai.telemetry import calls_document
from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.db.engine import autocommit, is_away
from zrg_dagster.core.db.problems import describe
from zrg_dagster.core.drafting.pack import ContextPack
from zrg_dagster.core.drafting.reply_stage import Done
from zrg_dagster.core.drafting.runs import Artifact, End, Found, Kept, RunStage, keep, open_run

log = get_logger(__name__)

# What is written before the artifacts, in their transaction; returns the stages that are done with it, and the run's end.
Also = Callable[[AsyncConnection, datetime], Awaitable[tuple[Sequence[Done], End | None]]]
Calls = Sequence[ModelResult[Any]]


@dataclass(frozen=True, slots=True)
class Answered:
    """Which reply a run is about, and who asks the clock."""

    workspace_id: UUID
    lead_id: UUID
    message_id: UUID
    channel: str
    correlation_id: str


class RunRecord:
    """The stages of one run, those of earlier tries included. Only this class writes them."""

    def __init__(
        self, engine: AsyncEngine, reply: Answered, clock: Callable[[], datetime], run_id: UUID, found: Found
    ) -> None:
        self.reply = reply
        self.run_id = run_id
        self._engine = engine
        self._clock = clock
        self._found = found

    @classmethod
    async def open(
        cls, engine: AsyncEngine, reply: Answered, pack: ContextPack, clock: Callable[[], datetime]
    ) -> "RunRecord":
        # Its one statement writes; what it may ask besides sees what is on record by then, and nobody else writes there.
        async with autocommit(engine) as conn:
            run_id, found = await open_run(
                conn,
                workspace_id=reply.workspace_id,
                lead_id=reply.lead_id,
                message_id=reply.message_id,
                channel=reply.channel,
                snapshot=pack.snapshot(),
                now=clock(),
            )
        return cls(engine, reply, clock, run_id, found)

    def kept(self, stage: RunStage, iteration: int = 0) -> Kept | None:
        """What this stage made in an earlier try or in this one; None when it has to be done."""
        return self._found.get((stage, iteration))

    async def write(self, *artifacts: Artifact, done: Sequence[Done] = (), also: Also | None = None) -> None:
        """Keep `artifacts` with the facts of their calls, together with the stages that are `done` and what `also` writes.

        When the artifacts cannot be stored, everything else still is.
        """
        asked = [artifact.call for artifact in artifacts if artifact.call is not None]
        now = self._clock()
        try:
            await self._commit(asked, artifacts, done, also, now)
        except DBAPIError as error:
            if is_away(error) or not artifacts:
                raise
            stages = [artifact.stage.value for artifact in artifacts]
            log.warning(
                "artifacts_not_kept", stages=stages, message_id=str(self.reply.message_id), problem=describe(error)
            )
            await self._commit(asked, (), done, also, now)
        else:
            for artifact in artifacts:
                self._found[artifact.stage, artifact.iteration] = Kept(artifact.payload, artifact.body)

    async def _commit(
        self, calls: Calls, artifacts: Sequence[Artifact], done: Sequence[Done], also: Also | None, now: datetime
    ) -> None:
        reply = self.reply
        made = calls_document(reply.workspace_id, reply.message_id, calls, reply.correlation_id, now)
        end: End | None = None
        # Without `also` it is one statement, and a statement is a transaction of its own.
        async with autocommit(self._engine) if also is None else self._engine.begin() as conn:
            if also is not None:
                also_done, end = await also(conn, now)
                done = [*done, *also_done]
            about = (reply.workspace_id, reply.message_id, self.run_id)
            await keep(conn, *about, artifacts, done, now, calls_made=made, end=end)
