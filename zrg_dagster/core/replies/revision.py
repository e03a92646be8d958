"""The revision loop of one draft: select, revise, check, evaluate, and keep the better text, at most three times.

Every turn is on record before the next call is made, so a retry replays it without paying again. A text is only ever
replaced by a better one, in the database at once; an error ends the loop and the best text so far goes on (RV-06, RV-07).
"""

import time
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.result import ModelResult
from zrg_dagster.core.drafting.generate import finished
from zrg_dagster.core.drafting.guards import check, facts_of
from zrg_dagster.core.drafting.record import RunRecord
from zrg_dagster.core.drafting.reply_stage import Done
from zrg_dagster.core.drafting.runs import Artifact, RunStage
from zrg_dagster.core.drafting.steps import DraftSteps, Refusal
from zrg_dagster.core.replies import draft_rows, evaluate, stages
from zrg_dagster.core.replies.evaluate import Evaluation, Source
from zrg_dagster.core.replies.revise import (
    EVALUATOR_S,
    LOOP_S,
    LOOP_TOKENS,
    MAX_ITERATIONS,
    RESERVE_S,
    StopReason,
    broken,
    is_better,
    is_good,
    is_wanted,
    revise,
    select,
    unsigned,
)
from zrg_dagster.core.replies.sorted_reply import SortedReply
from zrg_dagster.core.replies.stages import Stage


@dataclass(frozen=True, slots=True)
class Start:
    """The draft as it stands, and what its first evaluation said."""

    draft_id: UUID
    version: int
    body: str
    evaluation: Evaluation
    threshold: Decimal


class Revision:
    """One loop. `run` gives the best evaluation with its text; nothing in it fails the decision."""

    def __init__(self, given: SortedReply, steps: DraftSteps, record: RunRecord, start: Start) -> None:
        self._world = given.world
        self._reply = given.reply
        self._tag = given.tag
        self._context = given.context
        self._steps = steps
        self._record = record
        self._start = start
        self._best, self._body, self._version = start.evaluation, start.body, start.version
        self._stored = start.body
        self._rejected: tuple[str, ...] = ()
        self._ran = 0
        self._tokens = 0
        self._replayed = 0
        self._began = time.monotonic()

    @property
    def _left_s(self) -> float:
        return LOOP_S - (time.monotonic() - self._began)

    async def run(self, refusal: Refusal) -> tuple[Evaluation, str]:
        """`refusal` says whether the day's budget forbids it; then the draft stays as it is."""
        most = self._context.steps.revisions
        if not is_wanted(self._start.evaluation, self._start.threshold, iterations=most):
            return self._best, self._body
        if await refusal(Purpose.REVISION) is not None:
            return self._best, self._body
        stop = await self._claimed()
        while stop is None:
            stop = await self._turn(self._ran + 1) if self._ran < most else StopReason.EXHAUSTED
        await self._finish(stop)
        return self._best, self._body

    async def _claimed(self) -> StopReason | None:
        """The first attempt takes the draft; a later one goes on only with what the first left (RV-08)."""
        async with self._world.engine.begin() as conn:
            claimed = await draft_rows.claim_revision(
                conn, self._start.draft_id, self._start.evaluation.confidence, self._world.clock()
            )
        if claimed or self._record.kept(RunStage.REVISER, 1) is not None:
            return None
        return StopReason.CLAIMED_BEFORE

    async def _turn(self, iteration: int) -> StopReason | None:
        """One iteration; None when the next one may follow."""
        text = await self._revised(iteration)
        if isinstance(text, StopReason):
            return text
        body, unresolved = text
        self._ran = iteration
        problems = broken(body, check(body, facts_of(self._context)), self._context, self._steps.contract, unresolved)
        if problems:
            rejected = Artifact(RunStage.EVALUATION, {"rejected": list(problems)}, iteration=iteration)
            await self._record.write(rejected)
            self._rejected = problems
            return None
        self._rejected = ()
        verdict = await self._evaluated(iteration, body)
        if isinstance(verdict, StopReason):
            return verdict
        if not is_better(verdict, self._best):
            return StopReason.NO_IMPROVEMENT
        if not await self._accept(iteration, body):
            return StopReason.DRAFT_CHANGED
        self._best = verdict
        return StopReason.THRESHOLD_MET if is_good(verdict, self._start.threshold) else None

    async def _revised(self, iteration: int) -> tuple[str, list[str]] | StopReason:
        known = self._record.kept(RunStage.REVISER, iteration)
        if known is not None and known.body is not None:
            self._replayed += 1
            return known.body, known.payload["unresolved"]
        if (stop := await self._must_stop()) is not None:
            return stop
        selection = select(self._best, self._rejected, self._steps.pack)
        draft = unsigned(self._body, self._context.persona.signature)
        call = await revise(
            self._steps.model,
            self._context,
            self._steps.pack,
            selection,
            draft,
            tag=self._tag.tag.value,
            total_s=self._left_s,
        )
        self._spent(call)
        chosen = Artifact(RunStage.SELECTOR, selection.payload, iteration=iteration)
        if call.value is None:
            failed = Artifact(RunStage.ERROR, {"reason": call.reason}, iteration=iteration, call=call)
            await self._record.write(chosen, failed)
            return StopReason.ERROR
        body, said = finished(self._context, call.value.body), call.value
        payload = {
            "changes": [line[:200] for line in said.changes[:20]],
            "unresolved": [line[:200] for line in said.unresolved[:20] if line.strip()],
            "confidence": evaluate.clamp_confidence(said.confidence),
        }
        await self._record.write(chosen, Artifact(RunStage.REVISER, payload, body, iteration, call))
        return body, payload["unresolved"]

    async def _evaluated(self, iteration: int, body: str) -> Evaluation | StopReason:
        known = self._record.kept(RunStage.EVALUATION, iteration)
        if known is not None and "confidence" in known.payload:
            self._replayed += 1
            return evaluate.again(known.payload)
        if (stop := await self._must_stop()) is not None:
            return stop
        verdict = await evaluate.evaluate(
            self._steps.model,
            self._context,
            self._steps.pack,
            body,
            tag=self._tag.tag,
            total_s=min(EVALUATOR_S, self._left_s),
        )
        self._spent(verdict.call)
        if verdict.source is Source.MODEL_FAILURE:
            failed = Artifact(RunStage.ERROR, {"reason": verdict.reason}, iteration=iteration, call=verdict.call)
            await self._record.write(failed)
            return StopReason.ERROR
        await self._record.write(Artifact(RunStage.EVALUATION, verdict.document, None, iteration, verdict.call))
        return verdict

    async def _must_stop(self) -> StopReason | None:
        """Asked before every call: time, tokens, and whether automatic answers have been stopped meanwhile (AM-07)."""
        if self._left_s < RESERVE_S:
            return StopReason.TIMEOUT
        if self._tokens >= LOOP_TOKENS:
            return StopReason.OUT_OF_TOKENS
        async with self._world.engine.connect() as conn:
            stopped = await stages.is_stopped(conn, self._reply)
        return StopReason.SWITCHED_OFF if stopped else None

    async def _accept(self, iteration: int, body: str) -> bool:
        """The better text replaces the draft at once (RV-04). False when a person changed or decided it meanwhile.

        What an earlier try put there, this text or a later one, stays: a replay never writes an older text over it.
        """
        known = (self._record.kept(RunStage.REVISER, number) for number in range(iteration, MAX_ITERATIONS + 1))
        if self._stored in {each.body for each in known if each is not None}:
            self._body = body
            return True
        async with self._world.engine.begin() as conn:
            place = (self._start.draft_id, self._version)
            if not await draft_rows.replace_text(conn, *place, body, self._world.clock()):
                return False
        self._body = self._stored = body
        self._version += 1
        return True

    def _spent(self, call: ModelResult[Any] | None) -> None:
        if call is not None:
            self._tokens += (call.input_tokens or 0) + (call.output_tokens or 0)

    async def _finish(self, stop: StopReason) -> None:
        first, best = self._start.evaluation, self._best
        summary = {
            "stop": stop.value,
            "iterations": self._ran,
            "threshold": float(self._start.threshold),
            "start_confidence": round(first.confidence, 3),
            "end_confidence": round(best.confidence, 3),
            "delta": round(best.confidence - first.confidence, 3),
            "start_safe": first.is_safe,
            "end_safe": best.is_safe,
            "replayed": self._replayed,
            "tokens": self._tokens,
            "elapsed_ms": round((time.monotonic() - self._began) * 1000),
            "channel": self._context.channel,
        }

        async def keep(conn: AsyncConnection, now: datetime) -> tuple[list[Done], None]:
            await draft_rows.keep_revision(
                conn, self._start.draft_id, best.confidence, self._ran, applied=best is not first, now=now
            )
            return [Done(Stage.REVISE, stop.value, best.detail)], None

        await self._record.write(Artifact(RunStage.LOOP, summary), also=keep)
