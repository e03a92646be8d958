"""One reply from load to decision: floor → classification → draft → evaluation → send or review.

The stage runner: it opens short transactions, calls the model between them, and ends in an `Ended` or a `NotNow`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from zrg_dagster.core.ai.result import ModelResult, StructuredModel
from zrg_dagster.core.ai.telemetry import record_call
from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.db.jobs import enqueue
from zrg_dagster.core.drafting.context import DraftContext, load_context
from zrg_dagster.core.drafting.generate import generate, is_eligible
from zrg_dagster.core.drafting.guards import check, facts_of
from zrg_dagster.core.drafting.runs import Artifact, RunStage, RunStatus, abort_runs, end_run, keep_artifact, open_run
from zrg_dagster.core.leads.suppression import Stop, suppress
from zrg_dagster.core.replies import decide, evaluate, outbound, stages
from zrg_dagster.core.replies.after_tag import after_tag, is_uncertain, load_switches
from zrg_dagster.core.replies.classify import ClassificationContext, SettledTag, Tag, TagRule, classify, settle_tag
from zrg_dagster.core.replies.content import CannotSend
from zrg_dagster.core.replies.enrich import ask_about
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow
from zrg_dagster.core.replies.review import card_update
from zrg_dagster.core.replies.stages import Reply, Stage
from zrg_dagster.core.sending.hours import load_hours

log = get_logger(__name__)


def not_now(call: ModelResult[Any]) -> NotNow:
    """What a model call without an answer means for its job."""
    passes = call.is_transient or call.needs_operator
    return NotNow(call.reason, park=call.needs_operator, after_s=call.retry_after_s, passes=passes)


@dataclass(frozen=True, slots=True)
class ReplyWorld:
    """What the pipeline works with."""

    engine: AsyncEngine
    model: StructuredModel
    has_model_key: bool
    auto_send_disabled: bool
    clock: Callable[[], datetime]
    super_admins: frozenset[str] = frozenset()


class ReplyPipeline:
    """Runs one reply. Stages already recorded are not repeated, so a retry costs no second model call for them."""

    def __init__(self, world: ReplyWorld, correlation_id: str) -> None:
        self._world = world
        self._correlation_id = correlation_id

    async def run(self, message_id: UUID) -> Ended | NotNow:
        async with self._world.engine.connect() as conn:
            reply = await stages.load(conn, message_id)
        if reply is None:
            return Ended("skipped", "message_gone")
        if reply.message.opt_out_rule:
            return await self._end_at_floor(reply)
        tag = await self._tag(reply)
        if isinstance(tag, NotNow):
            return tag
        if not is_eligible(tag.tag.value):
            return await self._end_without_draft(reply, tag, "no_draft_for_tag")
        if reply.has_newer and Stage.DRAFT not in reply.done:
            # The person has written again, and that reply has its own job: an answer to this one talks past them.
            return await self._end_without_draft(reply, tag, "newer_inbound_exists")
        ended = await self._answer(reply, tag)
        if isinstance(ended, Ended) and ended.reason == "draft_already_handled":
            # The rest of the pipeline has nothing to decide: somebody did, or a newer reply put the draft out of date.
            async with self._world.engine.begin() as conn:
                await end_run(conn, message_id, RunStatus.ABORTED, ended.reason, self._world.clock())
        return ended

    async def _end_at_floor(self, reply: Reply) -> Ended:
        """Intake has blacklisted and suppressed already, in the transaction of the message; no model is asked (SE-02)."""
        reason = "opt_out"
        now = self._world.clock()
        async with self._world.engine.begin() as conn:
            await stages.record(conn, reply, Stage.FLOOR, reason, now)
            await stages.decide_row(conn, reply, "reply", reply.message.id, f"no_draft_{reason}", now)
        return Ended("skipped", reason)

    async def _tag(self, reply: Reply) -> SettledTag | NotNow:
        if (stored := reply.done.get(Stage.CLASSIFY)) is not None:
            tag = SettledTag(Tag(stored["tag"]), stored["confidence"], stored["reason"], TagRule(stored["rule"]))
            if not _marked_interested(reply, tag):
                return tag
            # The vendor's mark came after the model had its say (IN-03); in the other order it would have counted too.
            return await self._store_tag(reply, _interested(tag), "provider", None)
        if reply.lead.sentiment_tag == Tag.BLACKLIST:
            sticky = SettledTag(Tag.BLACKLIST, 1.0, "the lead is blacklisted", TagRule.FLOOR)
            return await self._store_tag(reply, sticky, "floor", None)
        if reply.message.is_auto_reply:
            away = reply.message.is_out_of_office
            tag_of = Tag.OUT_OF_OFFICE if away else Tag.AUTOMATED_REPLY
            automatic = SettledTag(tag_of, 1.0, "out of office" if away else "automatic reply", TagRule.FLOOR)
            return await self._store_tag(reply, automatic, "floor", None)
        context = await self._context(reply)
        classified = await classify(
            self._world.model,
            context.transcript_text,
            ClassificationContext(context.channel, context.persona.company_name, context.trigger.body),
        )
        if classified.answer is None:
            return await self._model_away(reply, classified.call)
        tag = settle_tag(classified.answer, has_booking_proof=reply.has_booking)
        source = "model"
        if _marked_interested(reply, tag):
            tag, source = _interested(tag), "provider"
        return await self._store_tag(reply, tag, source, classified.call)

    async def _store_tag(self, reply: Reply, tag: SettledTag, source: str, call: ModelResult[Any] | None) -> SettledTag:
        now = self._world.clock()
        async with self._world.engine.begin() as conn:
            lead = await stages.apply_tag(conn, reply, tag, source, now)
            if lead is not None:
                await after_tag(conn, reply, tag, lead, self._correlation_id, now)
            if call is not None:
                await self._record_call(conn, reply, call, now)
            detail = {"tag": tag.tag.value, "confidence": tag.confidence, "reason": tag.reason, "rule": tag.rule.value}
            await stages.record(conn, reply, Stage.CLASSIFY, tag.tag.value, now, detail)
            if tag.tag is Tag.BLACKLIST and source == "model":
                message = reply.message
                person = (message.workspace_id, message.lead_id, message.id)
                stop = Stop(*person, "model_opt_out", "model", message.sent_at, is_wish=True)
                await suppress(conn, [stop], now)
            elif not reply.message.is_auto_reply:
                await self._supersede(conn, reply, now)
            if is_eligible(tag.tag.value) and not reply.is_replayed:
                message = reply.message
                said = (tag.tag.value, self._correlation_id, now)
                await ask_about(conn, message.workspace_id, message.lead_id, message.id, *said)
        return tag

    async def _supersede(self, conn: AsyncConnection, reply: Reply, now: datetime) -> None:
        reason = "superseded_by_newer_reply"
        rejected = await stages.reject_older_drafts(conn, reply, reason, now)
        await abort_runs(conn, rejected, reason, now)
        for draft_id in rejected:
            await enqueue(conn, [card_update(reply.message.workspace_id, draft_id, self._correlation_id, now)])

    async def _model_away(self, reply: Reply, call: ModelResult[Any]) -> NotNow:
        now = self._world.clock()
        async with self._world.engine.begin() as conn:
            await self._record_call(conn, reply, call, now)
            await stages.mark_unclassified(conn, reply.lead.id, now)
        return not_now(call)

    async def _end_without_draft(self, reply: Reply, tag: SettledTag, code: str) -> Ended:
        now = self._world.clock()
        async with self._world.engine.begin() as conn:
            await stages.decide_row(conn, reply, "reply", reply.message.id, code, now, {"tag": tag.tag.value})
            await end_run(conn, reply.message.id, RunStatus.ABORTED, code, now)
        return Ended("done", code)

    async def _answer(self, reply: Reply, tag: SettledTag) -> Ended | NotNow:
        context = await self._context(reply)
        draft_id = await self._draft(reply, context, tag)
        if isinstance(draft_id, NotNow):
            return draft_id
        if Stage.DECIDE in reply.done:
            return Ended("done", reply.done[Stage.DECIDE].get("reason"))
        async with self._world.engine.connect() as conn:
            draft = await outbound.load_draft(conn, draft_id)
            switches, _ = await load_switches(conn, reply.message.workspace_id)
            hours = await load_hours(conn, reply.lead.id, reply.campaign.id if reply.campaign else None)
        if draft is None or draft.status != "pending":
            return Ended("done", "draft_already_handled")
        failures = check(draft.body, facts_of(context)).codes
        campaign = reply.campaign
        candidate = decide.Candidate(
            response_mode=campaign.response_mode if campaign else None,
            auto_send_disabled=self._world.auto_send_disabled,
            is_replayed=reply.is_replayed,
            tag=tag.tag.value,
            guard_failures=failures,
            threshold=campaign.auto_send_threshold if campaign else Decimal(1),
            confidence=None,
            is_safe=None,
            delay_min_s=campaign.delay_min_s if campaign else 0,
            delay_max_s=campaign.delay_max_s if campaign else 0,
            trigger_id=str(reply.message.id),
            trigger_sent_at=reply.message.sent_at,
            is_uncertain=is_uncertain(tag, switches),
            hours=hours,
        )
        candidate = await self._evaluate(reply, context, draft.body, tag, candidate)
        return await self._decide(reply, draft_id, candidate)

    async def _draft(self, reply: Reply, context: DraftContext, tag: SettledTag) -> UUID | NotNow:
        if (stored := reply.done.get(Stage.DRAFT)) is not None:
            return UUID(stored["draft_id"])
        message = reply.message
        async with self._world.engine.begin() as conn:
            await open_run(
                conn,
                workspace_id=message.workspace_id,
                lead_id=reply.lead.id,
                message_id=message.id,
                channel=message.channel,
                now=self._world.clock(),
            )
        made = await generate(self._world.model, context, tag=tag.tag.value)
        now = self._world.clock()
        if made.body is None:
            async with self._world.engine.begin() as conn:
                await self._record_call(conn, reply, made.call, now)
            await self._keep(reply, Artifact(RunStage.ERROR, {"reason": made.call.reason}, call=made.call))
            return not_now(made.call)
        await self._keep(reply, Artifact(RunStage.GENERATION, body=made.body, call=made.call))
        async with self._world.engine.begin() as conn:
            await self._record_call(conn, reply, made.call, now)
            draft_id = await stages.store_draft(conn, reply, made.subject, made.body, now)
            await stages.record(conn, reply, Stage.DRAFT, "drafted", now, {"draft_id": str(draft_id)})
        return draft_id

    async def _evaluate(
        self, reply: Reply, context: DraftContext, body: str, tag: SettledTag, candidate: decide.Candidate
    ) -> decide.Candidate:
        if not decide.wants_evaluation(candidate):
            return candidate
        if (stored := reply.done.get(Stage.EVALUATE)) is not None:
            return _evaluated(candidate, stored["confidence"], stored["is_safe"])
        block = evaluate.hard_block(
            draft=body,
            opt_out_rule=reply.message.opt_out_rule,
            tag=tag.tag,
            is_auto_reply=reply.message.is_auto_reply,
            has_model_key=self._world.has_model_key,
        )
        verdict = (
            evaluate.blocked(block) if block else await evaluate.evaluate(self._world.model, context, body, tag=tag.tag)
        )
        now = self._world.clock()
        if verdict.source is evaluate.Source.MODEL_FAILURE:
            # No stage record: the reviewer gets the draft now, and nothing claims that an evaluation was made.
            assert verdict.call is not None
            async with self._world.engine.begin() as conn:
                await self._record_call(conn, reply, verdict.call, now)
            await self._keep(reply, Artifact(RunStage.ERROR, {"reason": verdict.reason}, call=verdict.call))
            return candidate
        detail = {"confidence": round(verdict.confidence, 3), "is_safe": verdict.is_safe, "reason": verdict.reason}
        async with self._world.engine.begin() as conn:
            if verdict.call is not None:
                await self._record_call(conn, reply, verdict.call, now)
            await stages.record(conn, reply, Stage.EVALUATE, verdict.source.value, now, detail)
        said = {**detail, "source": verdict.source, "requires_human_review": verdict.needs_review}
        await self._keep(reply, Artifact(RunStage.EVALUATION, said, call=verdict.call))
        return _evaluated(candidate, detail["confidence"], verdict.is_safe)

    async def _decide(self, reply: Reply, draft_id: UUID, candidate: decide.Candidate) -> Ended:
        now = self._world.clock()
        verdict = decide.decide(candidate, now)
        async with self._world.engine.begin() as conn:
            threshold = candidate.threshold if candidate.response_mode == "AI_AUTO_SEND" else None
            action, reason = verdict.action, verdict.reason
            draft = await outbound.load_draft(conn, draft_id)
            assert draft is not None
            if action != "needs_review":
                try:
                    await outbound.plan_draft(
                        conn, draft, draft.body, outbound.AI, verdict.due_at, self._correlation_id
                    )
                except CannotSend as missing:
                    action, reason = "needs_review", str(missing)
            await stages.store_verdict(
                conn,
                reply,
                draft_id,
                action=action,
                reason=reason,
                confidence=candidate.confidence,
                threshold=threshold,
                schedule=verdict.schedule,
                now=now,
            )
            if action == "needs_review":
                shown = await outbound.load_draft(conn, draft_id)
                assert shown is not None
                if not await outbound.plan_cards(conn, shown, now, self._correlation_id):
                    await stages.decide_row(conn, reply, "draft", draft_id, "no_review_recipient", now)
            await stages.record(conn, reply, Stage.DECIDE, action, now, {"reason": reason})
            await end_run(conn, reply.message.id, RunStatus.COMPLETED, reason, now)
        await self._keep(reply, Artifact(RunStage.FINAL, {"action": action, "reason": reason}, draft.body))
        log.info("reply_decided", action=action, reason=reason)
        return Ended("done", reason)

    async def _context(self, reply: Reply) -> DraftContext:
        async with self._world.engine.connect() as conn:
            return await load_context(conn, reply.message.id, now=self._world.clock())

    async def _keep(self, reply: Reply, artifact: Artifact) -> None:
        message = reply.message
        await keep_artifact(self._world.engine, message.id, message.channel, artifact, self._world.clock())

    async def _record_call(self, conn: Any, reply: Reply, call: ModelResult[Any], now: datetime) -> None:
        await record_call(conn, reply.message.workspace_id, reply.message.id, call, self._correlation_id, now)


def _marked_interested(reply: Reply, tag: SettledTag) -> bool:
    """The vendor's people marked a reply that the model found neutral."""
    return reply.message.provider_interested and tag.tag is Tag.NEUTRAL


def _interested(tag: SettledTag) -> SettledTag:
    return SettledTag(Tag.INTERESTED, 1.0, "marked as interested", tag.rule)


def _evaluated(candidate: decide.Candidate, confidence: float, is_safe: bool) -> decide.Candidate:
    return replace(candidate, confidence=Decimal(str(confidence)), is_safe=is_safe)
