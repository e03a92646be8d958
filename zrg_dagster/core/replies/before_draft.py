"""Between the tag of a reply and its draft: what it asks for is heard, and a booking is tried. Two recorded stages."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.drafting.reply_stage import Done
from zrg_dagster.core.drafting.steps import DraftSteps
from zrg_dagster.core.replies import booking_attempt, signals, stages
from zrg_dagster.core.replies.booking_attempt import Booked, BookingQuestion, NotAttempted
from zrg_dagster.core.replies.decide import ReviewReason
from zrg_dagster.core.replies.listen import Listening
from zrg_dagster.core.replies.signals import Heard, SignalKind
from zrg_dagster.core.replies.sorted_reply import SortedReply
from zrg_dagster.core.replies.stages import Stage

_NOT_TRIED = NotAttempted(booking_attempt.NotBooked.NOBODY_BOOKS)
_ON_RECORD = text("""
    SELECT jsonb_object_agg(stage, detail) FROM app.reply_stage
    WHERE message_id = :message_id AND stage IN ('signals', 'booking')""")


async def told_before(conn: AsyncConnection, context: DraftContext) -> dict[str, str]:
    """The sections of the pack that the two stages of a message made, for another draft of the same answer."""
    found = (await conn.execute(_ON_RECORD, {"message_id": context.trigger.id})).scalar_one() or {}
    heard = signals.again(found[Stage.SIGNALS]) if Stage.SIGNALS in found else signals.NOTHING
    booking = booking_attempt.answer_of(found[Stage.BOOKING]) if Stage.BOOKING in found else _NOT_TRIED
    return _sections(context, heard, booking)


def _sections(context: DraftContext, heard: Heard, booking: Booked | NotAttempted) -> dict[str, str]:
    told = signals.sections(heard, has_phone=bool(context.lead.phone))
    return {**told, **booking_attempt.hint_of(booking)}


class BeforeDraft:
    """The two stages of one reply. `run` or `restore` comes first; `heard` and `booking` are what they came to."""

    def __init__(self, given: SortedReply) -> None:
        self.heard: Heard = signals.NOTHING
        self.booking: Booked | NotAttempted = _NOT_TRIED
        self._listening = Listening(given)
        self._world = given.world
        self._reply = given.reply
        self._tag = given.tag.tag
        self._context = given.context

    async def listen(self) -> None:
        """The first stage alone, for a reply that gets no draft now."""
        self.heard = await self._listening.run()

    async def run(self, steps: DraftSteps) -> None:
        """Both stages and the first steps of the draft; hearing and reading need nothing of each other."""
        await asyncio.gather(self.listen(), steps.prepare())
        if (stored := self._reply.done.get(Stage.BOOKING)) is not None:
            self.booking = booking_attempt.answer_of(stored)
        else:
            now = self._world.clock()
            self.booking = await booking_attempt.attempt(self._world.book, self._question(steps), now)
            if isinstance(self.booking, Booked):
                async with self._world.engine.begin() as conn:
                    await stages.record(conn, self._reply, [self._booking_done()], self._world.clock())
        self._tell(steps)

    async def restore(self, steps: DraftSteps) -> None:
        """What the stages came to before the draft that exists. Nobody is asked."""
        await self.listen()
        if (stored := self._reply.done.get(Stage.BOOKING)) is not None:
            self.booking = booking_attempt.answer_of(stored)
        self._tell(steps)

    def unrecorded(self) -> list[Done]:
        """Those of the two stages that are not on record yet, for the transaction of the draft."""
        unrecorded = self._listening.unrecorded(self.heard)
        return unrecorded if Stage.BOOKING in self._reply.done else [*unrecorded, self._booking_done()]

    def hold(self) -> ReviewReason | None:
        """Why a person answers: the lead asked for what nobody does by itself (AM-05, AM-06)."""
        if self.heard.signal(SignalKind.CALL_REQUESTED) is not None:
            has_phone = bool(self._context.lead.phone)
            return ReviewReason.CALL_PHONE_ON_FILE if has_phone else ReviewReason.CALL_PHONE_MISSING
        leads_own = self.heard.signal(SignalKind.LEADS_CALENDAR) is not None
        return ReviewReason.LEADS_SCHEDULER if leads_own else None

    def _tell(self, steps: DraftSteps) -> None:
        steps.tell(**_sections(self._context, self.heard, self.booking))

    def _question(self, steps: DraftSteps) -> BookingQuestion:
        message = self._reply.message
        return BookingQuestion(
            workspace_id=message.workspace_id,
            lead_id=self._reply.lead.id,
            message_id=message.id,
            channel=message.channel,
            tag=self._tag,
            contract=steps.contract,
            heard=self.heard,
            zone=self._context.zone,
            is_replayed=self._reply.is_replayed,
            has_booking=self._reply.has_booking,
        )

    def _booking_done(self) -> Done:
        outcome = "booked" if isinstance(self.booking, Booked) else "not_attempted"
        return Done(Stage.BOOKING, outcome, booking_attempt.detail_of(self.booking, self.heard))
