"""The stage that hears what a reply asks for: at most one short model call, on record before anybody uses it (SI rules)."""

from typing import Any

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.result import ModelResult
from zrg_dagster.core.ai.telemetry import calls_document
from zrg_dagster.core.db.engine import autocommit
from zrg_dagster.core.drafting.reply_stage import Done
from zrg_dagster.core.drafting.signature import sent_part
from zrg_dagster.core.replies import signals, stages
from zrg_dagster.core.replies.budget import refusal
from zrg_dagster.core.replies.route import ask_link, ask_route
from zrg_dagster.core.replies.signal_record import keep_signals
from zrg_dagster.core.replies.signals import Heard, HeardBy
from zrg_dagster.core.replies.sorted_reply import SortedReply
from zrg_dagster.core.replies.stages import Stage


class Listening:
    """Hears one reply once. A retry reads what is on record and asks nobody."""

    def __init__(self, given: SortedReply) -> None:
        self._world = given.world
        self._model = given.ai.model(given.world.model, Purpose.ROUTING)
        self._reply = given.reply
        self._tag = given.tag.tag
        self._context = given.context
        self._correlation_id = given.correlation_id

    async def run(self) -> Heard:
        """Network and database. What cost a call or found something is on record when this returns; what did neither is
        `unrecorded`, for the transaction of the next stage."""
        if (stored := self._reply.done.get(Stage.SIGNALS)) is not None:
            return signals.again(stored)
        if Stage.DRAFT in self._reply.done:
            # Its draft was written before replies were heard: nothing new is found out about it now.
            return signals.NOTHING
        heard, calls = await self._hear()
        if calls or heard.signals:
            # Mostly nothing is heard, and then it is one statement.
            engine = self._world.engine
            async with engine.begin() if heard.signals else autocommit(engine) as conn:
                now, message = self._world.clock(), self._reply.message
                await keep_signals(conn, self._reply, heard, self._correlation_id, now)
                made = calls_document(message.workspace_id, message.id, calls, self._correlation_id, now)
                await stages.record(conn, self._reply, self.unrecorded(heard), now, calls_made=made)
        return heard

    def unrecorded(self, heard: Heard) -> list[Done]:
        """The stage, unless it is on record."""
        return [] if Stage.SIGNALS in self._reply.done else [Done(Stage.SIGNALS, heard.outcome, heard.detail())]

    async def _hear(self) -> tuple[Heard, list[ModelResult[Any]]]:
        context, tag = self._context, self._tag
        if not context.trigger.body.strip():
            return Heard(HeardBy.EMPTY), []
        text = signals.written(context.trigger.body, sent_part(context.trigger), context.persona.booking_link)
        if context.steps.routing and (refused := await self._refusal()) is not None:
            return signals.by_keywords(tag, text, reason=refused), []
        if context.steps.routing:
            call = await ask_route(self._model, context, text, tag=tag.value)
            if call.value is None:
                return signals.without_router(tag, text, self._last_of_ours()), [call]
            return signals.by_router(call.value.process, call.value.confidence, tag, text), [call]
        heard = signals.by_keywords(tag, text)
        if not signals.in_question(heard, tag, text) or await self._refusal() is not None:
            return heard, []
        link = await ask_link(self._model, text)
        if link.value is not None and link.value.asks_to_book_there:
            heard = signals.with_signature_link(heard, text, link.value.confidence)
        return heard, [link]

    async def _refusal(self) -> str | None:
        """Why the day's budget lets nobody ask. It stands in the record of this stage, not on the lead's list: what it costs
        the reply is said there by the stages that cannot do without a model."""
        return await refusal(self._world, self._reply.message.workspace_id, Purpose.ROUTING, self._correlation_id)

    def _last_of_ours(self) -> str:
        """What we wrote last before the message; the lines run from the newest to the oldest."""
        context = self._context
        before = (line for line in context.lines if not line.is_inbound and line.sent_at <= context.trigger.sent_at)
        return next((line.body for line in before), "")
