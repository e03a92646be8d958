"""Another draft in the place of one that a reviewer did not want: jobs of kind `regenerate` (SK-10).

It keeps trigger and channel, has another shape, and is judged anew where its predecessor was: what was said of a text is
never said of the next one. Whoever asked for it decides about it; it never leaves by itself.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.result import StructuredModel
from zrg_dagster.core.ai.spend import RETRY_S
from zrg_dagster.core.ai.telemetry import calls_document, record_call, record_calls
from zrg_dagster.core.ai.workspace import load_ai
from zrg_dagster.core.db.jobs import enqueue
from zrg_dagster.core.drafting.context import DraftContext, load_context
from zrg_dagster.core.drafting.generate import generate, is_eligible
from zrg_dagster.core.drafting.guards import check, facts_of
from zrg_dagster.core.drafting.pack import ContextPack, make_pack
from zrg_dagster.core.replies import outbound, review
from zrg_dagster.core.replies.before_draft import told_before
from zrg_dagster.core.replies.budget import refusal
from zrg_dagster.core.replies.classify import Tag
from zrg_dagster.core.replies.decide import ReviewReason, doubt, guard_failed
from zrg_dagster.core.replies.draft_rows import replace_text
from zrg_dagster.core.replies.evaluate import Evaluation, Source, evaluate
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow, not_now
from zrg_dagster.core.replies.world import ReplyWorld

_SAID = text("""
    UPDATE app.draft SET action = 'needs_review', confidence = :confidence, reason = :reason WHERE id = :id""")


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the new text's card says of it. `evaluation` is None when nobody was asked."""

    reason: str
    evaluation: Evaluation | None = None

    @property
    def confidence(self) -> Decimal | None:
        said = self.evaluation
        return Decimal(str(round(said.confidence, 3))) if said and said.source is Source.MODEL else None


class Regeneration:
    """Works jobs of kind `regenerate`."""

    def __init__(self, world: ReplyWorld) -> None:
        self._world = world

    async def __call__(self, job: Row[Any]) -> Ended | NotNow:
        draft_id, version = UUID(job.payload["draft_id"]), job.payload["version"]
        async with self._world.engine.connect() as conn:
            draft = await outbound.load_draft(conn, draft_id)
            if draft is None or draft.status != "pending" or draft.version != version:
                return Ended("skipped", "draft_already_handled")
            context = await load_context(
                conn,
                draft.trigger_message_id,
                now=self._world.clock(),
                with_memory=not self._world.memory_disabled,
            )
            ai = await load_ai(conn, job.workspace_id)
            told = await told_before(conn, context)
        # The tag of the reply itself: the lead's own may have moved on to one that gets no draft.
        tag = draft.trigger_tag or draft.sentiment_tag
        if not is_eligible(tag):
            return Ended("skipped", "no_draft_for_tag")
        if (refused := await refusal(self._world, job.workspace_id, Purpose.DRAFTING, job.correlation_id)) is not None:
            return NotNow(refused, park=True, after_s=RETRY_S)
        model = ai.model(self._world.model, Purpose.DRAFTING)
        # Every version before this one was a press on the button or somebody's edit.
        pack = make_pack(context, tag=tag).plus(**told)
        made = await generate(model, context, pack, tag=tag, previous_draft=draft.body, count=version - 1)
        about = (job.workspace_id, draft.trigger_message_id)
        if made.body is None:
            async with self._world.engine.begin() as conn:
                await record_call(conn, *about, made.call, job.correlation_id, self._world.clock())
            return not_now(made.call)
        judged = await self._judged(job, model, context, pack, draft, made.body)
        calls = [call for call in (made.call, judged.evaluation and judged.evaluation.call) if call]
        now = self._world.clock()
        async with self._world.engine.begin() as conn:
            await record_calls(conn, calls_document(*about, calls, job.correlation_id, now))
            if not await replace_text(conn, draft_id, version, made.body, now):
                return Ended("skipped", "draft_already_handled")
            await conn.execute(_SAID, {"id": draft_id, "confidence": judged.confidence, "reason": judged.reason})
            fresh = await outbound.load_draft(conn, draft_id)
            assert fresh is not None
            await outbound.plan_cards(conn, fresh, now, job.correlation_id)
            await enqueue(conn, [review.card_update(job.workspace_id, draft_id, job.correlation_id, now)])
        return Ended("done", "regenerated")

    async def _judged(
        self,
        job: Row[Any],
        model: StructuredModel,
        context: DraftContext,
        pack: ContextPack,
        draft: Row[Any],
        body: str,
    ) -> _Judged:
        """What a reviewer should know of the new text: the guards first, then the evaluator where answers leave by themselves."""
        if codes := check(body, facts_of(context)).codes:
            return _Judged(guard_failed(codes))
        if draft.threshold is None:
            return _Judged(ReviewReason.REGENERATED)
        if (
            refused := await refusal(self._world, job.workspace_id, Purpose.EVALUATION, job.correlation_id)
        ) is not None:
            return _Judged(refused)
        said = await evaluate(model, context, pack, body, tag=Tag(draft.trigger_tag or draft.sentiment_tag))
        if said.source is not Source.MODEL:
            return _Judged(ReviewReason.EVALUATOR_FAILED, said)
        found = doubt(Decimal(str(said.confidence)), draft.threshold, is_safe=said.is_safe)
        return _Judged(found or ReviewReason.REGENERATED, said)
