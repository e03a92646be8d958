"""The replies lane: jobs of several kinds, each finished, retried, parked or dead with a reason.

`reply` runs the pipeline, `review_action` and `regenerate` carry out what a reviewer clicked, `card_update` redraws the
cards of a draft. `also` adds kinds that need other tools or belong to rooms above (jobs/replies.py).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.circuits import save_circuits
from zrg_dagster.core.ai.telemetry import calling_from
from zrg_dagster.core.base.log import bind_correlation, get_logger
from zrg_dagster.core.db import lanes, queue
from zrg_dagster.core.db.engine import autocommit, is_away, until_settled
from zrg_dagster.core.db.lane import LaneReport, LaneWork
from zrg_dagster.core.db.problems import describe
from zrg_dagster.core.db.queue import ClaimLost, Settlement
from zrg_dagster.core.drafting.runs import End, RunStatus, end_run, sweep_runs
from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Access
from zrg_dagster.core.providers.outcome import Accepted, Refused
from zrg_dagster.core.replies import cards, outbound, review
from zrg_dagster.core.replies.pipeline import ReplyPipeline
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow
from zrg_dagster.core.replies.regenerate import Regeneration
from zrg_dagster.core.replies.world import ReplyWorld

log = get_logger(__name__)

PARK_FOR = timedelta(minutes=5)
# Parked work may name its own pause (a circuit that closes soon, a budget that begins anew); never shorter than this.
PARK_AT_LEAST_S = 5.0
Handler = Callable[[Row[Any]], Awaitable[Ended | NotNow]]


class RepliesLane:
    """Works jobs of the replies lane. An item is one job."""

    def __init__(
        self,
        world: ReplyWorld,
        vendors: VendorClients,
        *,
        access: Access,
        lease_s: float,
        report: LaneReport,
        run_id: str | None,
        also: Mapping[str, Handler],
    ) -> None:
        """`also` are the kinds of jobs that rooms above bring along, by name."""
        self._world = world
        self._engine = world.engine
        self._vendors = vendors
        self._access = access
        self._lease_s = lease_s
        self._report = report
        self._run_id = run_id
        self._handlers: dict[str, Handler] = {
            "reply": self._reply,
            "review_action": self._review_action,
            "regenerate": Regeneration(world),
            "card_update": self._card_update,
            **also,
        }

    def work(self) -> LaneWork[Row[Any]]:
        return LaneWork(claim=self._claim, work=self._work, release=self._release)

    async def _claim(self, worker_id: int, room: int, now: datetime) -> Sequence[Row[Any]]:
        async with self._engine.begin() as conn:
            return await queue.claim(conn, lanes.REPLIES, worker_id=worker_id, limit=room, now=now, run_id=self._run_id)

    async def _release(self, now: datetime) -> int:
        async with self._engine.begin() as conn:
            released = await queue.release_stale(conn, lanes.REPLIES, now=now, lease_s=self._lease_s)
            await sweep_runs(conn, now)
            if self._world.has_model_key:
                released += await unpark(conn, now)
        return released

    async def _work(self, worker_id: int, job: Row[Any]) -> None:
        bind_correlation(job.correlation_id)
        calling_from(f"job/{job.kind}")
        try:
            ended = await self._handlers[job.kind](job)
        except ClaimLost:
            raise
        except Exception as error:
            if is_away(error):
                raise
            now = self._world.clock()
            description = describe(error)
            settlement = queue.failed(
                job.id, job.attempts, job.max_attempts, now, reason="handler_error", error=description
            )
            # A database error's traceback quotes the row that it is about, and rows hold what people wrote.
            write = log.error if isinstance(error, DBAPIError) else log.exception
            write("job_failed", job_id=str(job.id), kind=job.kind, attempt=job.attempts, problem=description)
        else:
            settlement = self._settlement(job, ended)
        await self._settle(worker_id, job, settlement)

    def _settlement(self, job: Row[Any], ended: Ended | NotNow) -> Settlement:
        now = self._world.clock()
        if isinstance(ended, Ended):
            return Settlement(job.id, job.attempts, ended.state, ended.reason)
        if ended.park:
            pause = timedelta(seconds=max(PARK_AT_LEAST_S, ended.after_s)) if ended.after_s is not None else PARK_FOR
            return Settlement(job.id, job.attempts, "parked", ended.reason, run_at=now + pause)
        settlement = queue.failed(job.id, job.attempts, job.max_attempts, now, reason=ended.reason, error=ended.reason)
        if settlement.state == "dead":
            # A model that stays away is nobody's fault here: the work waits and is redone, it is never dropped.
            return (
                Settlement(job.id, job.attempts, "parked", ended.reason, run_at=now + PARK_FOR)
                if ended.passes
                else settlement
            )
        if ended.after_s is not None and settlement.run_at is not None:
            wished = now + timedelta(seconds=min(ended.after_s, queue.MAX_BACKOFF_S))
            return replace(settlement, run_at=max(settlement.run_at, wished))
        return settlement

    async def _settle(self, worker_id: int, job: Row[Any], settlement: Settlement) -> None:
        now = self._world.clock()
        ends_run = settlement.state == "dead" and job.kind == "reply"
        # Mostly it is one statement. What changed of the circuits is nobody's effect: it may be there without the rest.
        async with self._engine.begin() if ends_run else autocommit(self._engine) as conn:
            await queue.settle(conn, lanes.REPLIES, [settlement], worker_id=worker_id, now=now)
            if ends_run:
                await end_run(conn, job.message_id, End(RunStatus.FAILED, settlement.reason), now)
            await save_circuits(conn, self._world.breakers, now)
        outcome = "retried" if settlement.state == "pending" else settlement.state
        self._report.count(outcome, settlement.reason)

    async def _reply(self, job: Row[Any]) -> Ended | NotNow:
        return await ReplyPipeline(self._world, job.correlation_id).run(job.message_id)

    async def _review_action(self, job: Row[Any]) -> Ended:
        payload = job.payload
        request = review.ReviewRequest(
            workspace_id=job.workspace_id,
            action=payload["action"],
            draft_id=UUID(payload["draft_id"]),
            version=payload["version"],
            slack_user=payload["slack_user"],
            edited_text=payload["edited_text"],
            reason=payload["reason"],
            correlation_id=job.correlation_id,
            super_admins=self._world.super_admins,
        )

        async def decide() -> review.Reviewed:
            async with self._engine.begin() as conn:
                return await review.apply(conn, request, self._world.clock())

        reviewed = await until_settled(decide)
        return Ended("done", f"review_{reviewed.outcome}")

    async def _card_update(self, job: Row[Any]) -> Ended:
        draft_id = UUID(job.payload["draft_id"])
        async with self._engine.connect() as conn:
            draft = await outbound.load_draft(conn, draft_id)
            copies = (await conn.execute(_CARDS, {"draft_id": draft_id})).all()
            send = (await conn.execute(_SEND, {"draft_id": draft_id})).one_or_none()
            credential = await self._access(conn, job.workspace_id, "slack")
        if draft is None or not copies:
            return Ended("skipped", "no_card")
        if credential is None:
            return Ended("skipped", "slack_not_connected")
        # What a gate stopped on its way from the model waits for a person; what a person sent is theirs no longer.
        is_open = draft.status == "pending" and (send is None or (send.state == "blocked" and send.origin == "ai"))
        card = outbound.card_of(draft)
        slack = self._vendors.slack(credential)
        for copy in copies:
            if is_open and copy.draft_version == draft.version:
                if not job.payload.get("redraw"):
                    continue
                blocks = cards.pending_blocks(card)
            else:
                says = "Replaced by a newer draft" if is_open else _headline(draft.status, send.state if send else None)
                blocks = cards.settled_blocks(card, says)
            result = await slack.update_message(copy.slack_channel, copy.slack_ts, cards.notification(card), blocks)
            if not isinstance(result, Accepted):
                if isinstance(result, Refused) and result.permanent:
                    continue  # the message was deleted in Slack: nothing to redraw
                raise RuntimeError(f"card not updated: {result.reason}")
        return Ended("done", "card_updated")


def _headline(status: str, send_state: str | None) -> str:
    match send_state, status:
        case "sent", _:
            return "Sent"
        case (("planned" | "sending"), "pending"):
            return "Approved, sending"
        case (("unknown" | "needs_human"), _):
            return "Sent? The vendor did not confirm; check before sending again"
        case (("blocked" | "refused"), "pending"):
            return "Not sent"
        case _, "rejected":
            return "Rejected"
        case _:
            return "Handled"


_CARDS = text("""
    SELECT slack_channel, slack_ts, draft_version FROM app.review_card
    WHERE draft_id = :draft_id ORDER BY slack_ts""")
_SEND = text("SELECT state, origin FROM app.send WHERE draft_id = :draft_id AND kind = 'draft'")
_UNPARK = text("""
    UPDATE app.job SET state = 'pending', attempts = 0, finished_at = NULL
    WHERE lane = 'replies' AND state = 'parked' AND run_at <= :now""")


async def unpark(conn: AsyncConnection, now: datetime) -> int:
    """Give parked work another chance: the model may be back. Its attempts start anew."""
    return (await conn.execute(_UNPARK, {"now": now})).rowcount
