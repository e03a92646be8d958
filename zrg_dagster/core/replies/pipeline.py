"""One reply from load to its answer: floor → classification → what the tag sets in motion → answer.py.

The stage runner: it opens short transactions, calls the model between them, and ends in an `Ended` or a `NotNow`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.result import ModelResult
from zrg_dagster.core.ai.telemetry import calls_document, record_call
from zrg_dagster.core.ai.workspace import WorkspaceAi, load_ai
from zrg_dagster.core.db.engine import autocommit
from zrg_dagster.core.db.jobs import enqueue
from zrg_dagster.core.drafting.context import DraftContext, load_context
from zrg_dagster.core.drafting.generate import is_eligible
from zrg_dagster.core.drafting.reply_stage import Done
from zrg_dagster.core.drafting.runs import End, RunStatus, abort_runs, end_run
from zrg_dagster.core.leads.suppression import Stop, suppress
from zrg_dagster.core.replies import draft_rows, stages
from zrg_dagster.core.replies.after_tag import after_tag
from zrg_dagster.core.replies.answer import Answer
from zrg_dagster.core.replies.classify import ClassificationContext, SettledTag, Tag, TagRule, classify, settle_tag
from zrg_dagster.core.replies.enrich import ask_about
from zrg_dagster.core.replies.listen import Listening
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow, not_now
from zrg_dagster.core.replies.review import card_update
from zrg_dagster.core.replies.signals import UNREAD
from zrg_dagster.core.replies.sorted_reply import SortedReply
from zrg_dagster.core.replies.stages import Reply, Stage
from zrg_dagster.core.replies.world import ReplyWorld


class ReplyPipeline:
    """Runs one reply. Stages already recorded are not repeated, so a retry costs no second model call for them."""

    def __init__(self, world: ReplyWorld, correlation_id: str) -> None:
        self._world = world
        self._correlation_id = correlation_id
        self._ai = WorkspaceAi({}, {})
        self._seen: DraftContext | None = None

    async def run(self, message_id: UUID) -> Ended | NotNow:
        async with autocommit(self._world.engine) as conn:
            reply = await stages.load(conn, message_id)
            if reply is None:
                return Ended("skipped", "message_gone")
            self._ai = await load_ai(conn, reply.message.workspace_id)
        if reply.message.opt_out_rule:
            return await self._end_at_floor(reply)
        tag = await self._tag(reply)
        if isinstance(tag, NotNow):
            return tag
        if not is_eligible(tag.tag.value):
            await self._listen(reply, tag)
            return await self._end_without_draft(reply, tag, "no_draft_for_tag")
        if reply.has_newer and Stage.DRAFT not in reply.done:
            # The person has written again, and that reply has its own job: an answer to this one talks past them. What
            # they asked for in this one, they asked for.
            await self._listen(reply, tag)
            return await self._end_without_draft(reply, tag, "newer_inbound_exists")
        ended = await self._answer(reply, tag)
        if isinstance(ended, Ended) and ended.reason == "draft_already_handled":
            # The rest of the pipeline has nothing to decide: somebody did, or a newer reply put the draft out of date.
            async with self._world.engine.begin() as conn:
                await end_run(conn, message_id, End(RunStatus.ABORTED, ended.reason), self._world.clock())
        return ended

    async def _end_at_floor(self, reply: Reply) -> Ended:
        """Intake has blacklisted and suppressed already, in the transaction of the message; no model is asked (SE-02)."""
        reason = "opt_out"
        now = self._world.clock()
        async with self._world.engine.begin() as conn:
            await stages.record(conn, reply, [Done(Stage.FLOOR, reason)], now)
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
            self._ai.model(self._world.model, Purpose.CLASSIFICATION),
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
            message = reply.message
            made = [] if call is None else [call]
            calls = calls_document(message.workspace_id, message.id, made, self._correlation_id, now)
            detail = {"tag": tag.tag.value, "confidence": tag.confidence, "reason": tag.reason, "rule": tag.rule.value}
            await stages.record(conn, reply, [Done(Stage.CLASSIFY, tag.tag.value, detail)], now, calls_made=calls)
            if tag.tag is Tag.BLACKLIST and source == "model":
                person = (message.workspace_id, message.lead_id, message.id)
                stop = Stop(*person, "model_opt_out", "model", message.sent_at, is_wish=True)
                await suppress(conn, [stop], now)
            elif not reply.message.is_auto_reply:
                await self._supersede(conn, reply, now)
            if message.has_enrichment and is_eligible(tag.tag.value) and not reply.is_replayed:
                said = (tag.tag.value, self._correlation_id, now)
                await ask_about(conn, message.workspace_id, message.lead_id, message.id, *said)
        return tag

    async def _supersede(self, conn: AsyncConnection, reply: Reply, now: datetime) -> None:
        reason = "superseded_by_newer_reply"
        rejected = await draft_rows.reject_older_drafts(conn, reply, reason, now)
        await abort_runs(conn, rejected, reason, now)
        for draft_id in rejected:
            await enqueue(conn, [card_update(reply.message.workspace_id, draft_id, self._correlation_id, now)])

    async def _model_away(self, reply: Reply, call: ModelResult[Any]) -> NotNow:
        now = self._world.clock()
        async with self._world.engine.begin() as conn:
            await record_call(conn, reply.message.workspace_id, reply.message.id, call, self._correlation_id, now)
            await stages.mark_unclassified(conn, reply.lead.id, now)
        return not_now(call)

    async def _end_without_draft(self, reply: Reply, tag: SettledTag, code: str) -> Ended:
        now = self._world.clock()
        async with self._world.engine.begin() as conn:
            await stages.decide_row(conn, reply, "reply", reply.message.id, code, now, {"tag": tag.tag.value})
            await end_run(conn, reply.message.id, End(RunStatus.ABORTED, code), now)
        return Ended("done", code)

    async def _answer(self, reply: Reply, tag: SettledTag) -> Ended | NotNow:
        if Stage.DECIDE in reply.done:
            return Ended("done", reply.done[Stage.DECIDE].get("reason"))
        context = await self._context(reply)
        return await Answer(self._sorted(reply, tag, context)).run()

    def _sorted(self, reply: Reply, tag: SettledTag, context: DraftContext) -> SortedReply:
        return SortedReply(self._world, self._ai, reply, tag, context, self._correlation_id)

    async def _listen(self, reply: Reply, tag: SettledTag) -> None:
        """What a reply without an answer asks for all the same."""
        if tag.tag not in UNREAD and not reply.message.is_auto_reply and Stage.SIGNALS not in reply.done:
            context = await self._context(reply)
            await Listening(self._sorted(reply, tag, context)).run()

    async def _context(self, reply: Reply) -> DraftContext:
        """Read once in a try: every stage sees the same conversation."""
        if self._seen is None:
            async with autocommit(self._world.engine) as conn:
                told = not self._world.memory_disabled
                self._seen = await load_context(conn, reply.message.id, now=self._world.clock(), with_memory=told)
        return self._seen


def _marked_interested(reply: Reply, tag: SettledTag) -> bool:
    """The vendor's people marked a reply that the model found neutral."""
    return reply.message.provider_interested and tag.tag is Tag.NEUTRAL


def _interested(tag: SettledTag) -> SettledTag:
    return SettledTag(Tag.INTERESTED, 1.0, "marked as interested", tag.rule)
