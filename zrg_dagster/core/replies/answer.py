"""From a sorted reply to its answer: draft → evaluation → revision → decision, each on record before the next."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.spend import RETRY_S
from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.db.engine import autocommit
from zrg_dagster.core.drafting.generate import subject_of
from zrg_dagster.core.drafting.guards import GuardReport, check, facts_of
from zrg_dagster.core.drafting.overseer import draft_hash
from zrg_dagster.core.drafting.pack import make_pack
from zrg_dagster.core.drafting.record import Answered, RunRecord
from zrg_dagster.core.drafting.reply_stage import Done
from zrg_dagster.core.drafting.runs import Artifact, End, RunStage, RunStatus
from zrg_dagster.core.drafting.steps import DraftSteps, Stopped
from zrg_dagster.core.replies import decide, draft_rows, evaluate, outbound, stages
from zrg_dagster.core.replies.after_tag import is_uncertain
from zrg_dagster.core.replies.before_draft import BeforeDraft
from zrg_dagster.core.replies.budget import DayBudget
from zrg_dagster.core.replies.content import CannotSend
from zrg_dagster.core.replies.decide import ReviewReason
from zrg_dagster.core.replies.evaluate import Evaluation, Source
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow, not_now
from zrg_dagster.core.replies.revision import Revision, Start
from zrg_dagster.core.replies.sorted_reply import SortedReply
from zrg_dagster.core.replies.stages import Stage
from zrg_dagster.core.replies.standing import Standing, load_standing

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """The draft of this reply as it stands, and what stops it whatever anybody finds later. `standing` is None when the draft
    is no more."""

    standing: Standing | None
    hold: str | None


@dataclass(frozen=True, slots=True)
class Judged:
    """The draft as it comes before the decision. `evaluation` is None when none was made."""

    draft_id: UUID
    body: str
    evaluation: Evaluation | None
    candidate: decide.Candidate

    def is_about(self, body: str) -> bool:
        """Whether `body` is the text that the evaluation read. Without an evaluation nothing was read."""
        return self.evaluation is not None and self.evaluation.draft_sha256 == draft_hash(body)


class Answer:
    """One answer. What is on record is not done again."""

    def __init__(self, given: SortedReply) -> None:
        self._given = given
        self._world = given.world
        self._model = given.ai.model(given.world.model, Purpose.DRAFTING)
        self._budget = DayBudget(given.world, given.reply, given.correlation_id)
        self._before = BeforeDraft(given)
        self._reply = given.reply
        self._tag = given.tag
        self._context = given.context
        self._correlation_id = given.correlation_id
        self._checked: tuple[str, GuardReport] | None = None

    async def run(self) -> Ended | NotNow:
        message, pack = self._reply.message, make_pack(self._context, tag=self._tag.tag.value)
        about = Answered(message.workspace_id, self._reply.lead.id, message.id, message.channel, self._correlation_id)
        record = await RunRecord.open(self._world.engine, about, pack, self._world.clock)
        refusal = self._budget.refusal
        steps = DraftSteps(self._model, self._context, pack, record, tag=self._tag.tag.value, refusal=refusal)
        made = await self._draft(record, steps)
        if isinstance(made, NotNow):
            return made
        standing = made.standing
        if standing is None or standing.draft.status != "pending":
            return Ended("done", "draft_already_handled")
        judged, body, candidate = None, standing.draft.body, self._candidate(standing, made.hold)
        if decide.wants_evaluation(candidate):
            refused = None if Stage.EVALUATE in self._reply.done else await self._budget.refusal(Purpose.EVALUATION)
            if refused is not None:
                candidate = replace(candidate, unevaluated=refused)
            elif (first := await self._evaluation(record, steps, body)) is not None:
                judged, body = await self._revised(record, steps, standing.draft, first, candidate.threshold)
                confidence = Decimal(str(round(judged.confidence, 3)))
                candidate = replace(candidate, confidence=confidence, is_safe=judged.is_safe)
        return await self._decide(record, steps.pack.snapshot(), Judged(standing.draft.id, body, judged, candidate))

    # ── the draft ────────────────────────────────────────────────────────────

    async def _draft(self, record: RunRecord, steps: DraftSteps) -> Made | NotNow:
        if (stored := self._reply.done.get(Stage.DRAFT)) is not None:
            steps.restore()
            await self._before.restore(steps)
            async with autocommit(self._world.engine) as conn:
                return Made(await load_standing(conn, self._reply, UUID(stored["draft_id"])), stored.get("hold"))
        if (refused := await self._budget.refusal(Purpose.DRAFTING)) is not None:
            # Who asks to be called does not wait for tomorrow's budget.
            await self._before.listen()
            return NotNow(refused, park=True, after_s=RETRY_S)
        await self._before.run(steps)
        drafted = await steps.run()
        if isinstance(drafted, Stopped):
            reason = {"reason": drafted.call.reason}
            await record.write(Artifact(RunStage.ERROR, reason, call=drafted.call))
            return not_now(drafted.call)
        found: list[Standing | None] = []

        async def store(conn: AsyncConnection, now: datetime) -> tuple[list[Done], None]:
            draft_id = await draft_rows.store_draft(conn, self._reply, subject_of(self._context), drafted.body, now)
            found[:] = [await load_standing(conn, self._reply, draft_id)]
            detail = {"draft_id": str(draft_id), "hold": drafted.hold}
            return [*self._before.unrecorded(), Done(Stage.DRAFT, "drafted", detail)], None

        await record.write(*drafted.made, also=store)
        return Made(found[0], drafted.hold)

    def _candidate(self, standing: Standing, hold: str | None) -> decide.Candidate:
        reply, campaign = self._reply, self._reply.campaign
        return decide.Candidate(
            response_mode=campaign.response_mode if campaign else None,
            auto_send_disabled=self._world.auto_send_disabled,
            is_replayed=reply.is_replayed,
            tag=self._tag.tag.value,
            guard_failures=self._guards(standing.draft.body).codes,
            threshold=campaign.auto_send_threshold if campaign else Decimal(1),
            confidence=None,
            is_safe=None,
            delay_min_s=campaign.delay_min_s if campaign else 0,
            delay_max_s=campaign.delay_max_s if campaign else 0,
            trigger_id=str(reply.message.id),
            trigger_sent_at=reply.message.sent_at,
            is_uncertain=is_uncertain(self._tag, flag=standing.flag_uncertain),
            is_stopped=standing.is_stopped,
            # A text that a person has touched is theirs to send, whatever was judged before they did.
            hold=hold if standing.draft.body == standing.draft.ai_body else ReviewReason.DRAFT_CHANGED,
            signal=self._before.hold(),
            hours=standing.hours,
        )

    def _guards(self, body: str) -> GuardReport:
        """What the guards say of a text; asked again about the same one it is the same report."""
        if self._checked is None or self._checked[0] != body:
            self._checked = (body, check(body, facts_of(self._context)))
        return self._checked[1]

    # ── whether it may leave ─────────────────────────────────────────────────

    async def _evaluation(self, record: RunRecord, steps: DraftSteps, body: str) -> Evaluation | None:
        """The first evaluation, None when the model failed: the reviewer gets the draft now, and nothing claims that an
        evaluation was made."""
        if (stored := self._reply.done.get(Stage.EVALUATE)) is not None:
            return evaluate.again(stored)
        message = self._reply.message
        block = evaluate.hard_block(
            draft=body,
            opt_out_rule=message.opt_out_rule,
            tag=self._tag.tag,
            is_auto_reply=message.is_auto_reply,
            has_model_key=self._world.has_model_key,
        )
        verdict = (
            evaluate.blocked(block, body)
            if block
            else await evaluate.evaluate(self._model, self._context, steps.pack, body, tag=self._tag.tag)
        )
        if verdict.source is Source.MODEL_FAILURE:
            await record.write(Artifact(RunStage.ERROR, {"reason": verdict.reason}, call=verdict.call))
            return None
        done = Done(Stage.EVALUATE, verdict.source.value, verdict.detail)
        await record.write(Artifact(RunStage.EVALUATION, verdict.document, call=verdict.call), done=[done])
        return verdict

    async def _revised(
        self, record: RunRecord, steps: DraftSteps, draft: Row[Any], first: Evaluation, threshold: Decimal
    ) -> tuple[Evaluation, str]:
        """The best evaluation that the draft came to, and that draft: by revision where the workspace wants that."""
        if (stored := self._reply.done.get(Stage.REVISE)) is not None:
            return evaluate.again(stored), draft.body
        if self._world.revision_disabled:
            return first, draft.body
        start = Start(draft.id, draft.version, draft.body, first, threshold)
        loop = Revision(self._given, steps, record, start)
        return await loop.run(self._budget.refusal)

    # ── what happens to it ───────────────────────────────────────────────────

    async def _decide(self, record: RunRecord, snapshot: dict[str, Any], judged: Judged) -> Ended:
        verdict = decide.decide(judged.candidate, self._world.clock())
        said: dict[str, Any] = {"action": verdict.action, "reason": verdict.reason}

        async def settle(conn: AsyncConnection, now: datetime) -> tuple[list[Done], End]:
            await self._settle(conn, judged, verdict, said, now)
            decided = Done(Stage.DECIDE, said["action"], {"reason": said["reason"]})
            return [decided], End(RunStatus.COMPLETED, said["reason"], snapshot)

        await record.write(Artifact(RunStage.FINAL, said, judged.body), also=settle)
        log.info("reply_decided", action=said["action"], reason=said["reason"])
        return Ended("done", said["reason"])

    async def _settle(
        self, conn: AsyncConnection, judged: Judged, verdict: decide.Verdict, said: dict[str, Any], now: datetime
    ) -> None:
        """Carry the verdict out. `said` learns what became of it: the artifact that holds it is written after this."""
        reply, draft_id, candidate = self._reply, judged.draft_id, judged.candidate
        action, reason = verdict.action, verdict.reason
        draft = None
        if action != "needs_review":
            draft = await outbound.load_draft(conn, draft_id)
            assert draft is not None
            if judged.is_about(draft.body):
                try:
                    await outbound.plan_draft(
                        conn, draft, draft.body, outbound.AI, verdict.due_at, self._correlation_id
                    )
                except CannotSend as missing:
                    action, reason = "needs_review", str(missing)
            else:
                action, reason = "needs_review", ReviewReason.DRAFT_CHANGED
        await draft_rows.store_verdict(
            conn,
            reply,
            draft_id,
            action=action,
            reason=reason,
            confidence=candidate.confidence,
            threshold=candidate.threshold if candidate.response_mode == "AI_AUTO_SEND" else None,
            schedule=verdict.schedule,
            now=now,
        )
        if action == "needs_review":
            # Its card shows the verdict: read it with what has just been written.
            draft = await outbound.load_draft(conn, draft_id)
            assert draft is not None
            if not await outbound.plan_cards(conn, draft, now, self._correlation_id):
                await stages.decide_row(conn, reply, "draft", draft_id, "no_review_recipient", now)
        assert draft is not None
        report = self._guards(draft.body)
        said.update(action=action, reason=reason, guards=report.trace(), claims=report.claims_document())
