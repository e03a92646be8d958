"""The steps of one draft in their order: signature and meeting reading, strategy, generation, verification, gate.

The stage runner of a draft: between two calls no transaction is open, and what a call gave is on record before the next
one is made. A retry goes on at the first step that is not on record. What the last steps made goes back to the caller,
who stores it with the draft itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.result import ModelResult, StructuredModel
from zrg_dagster.core.drafting import length, overseer, signature
from zrg_dagster.core.drafting.archetypes import ARCHETYPES
from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.drafting.fallback import TEMPLATE_USED, template
from zrg_dagster.core.drafting.generate import STRATEGIES, finished, within_length, write
from zrg_dagster.core.drafting.overseer import Contract, Extracted
from zrg_dagster.core.drafting.pack import ContextPack
from zrg_dagster.core.drafting.record import RunRecord
from zrg_dagster.core.drafting.runs import Artifact, RunStage
from zrg_dagster.core.drafting.signature import Signature
from zrg_dagster.core.drafting.strategy import checked, plan
from zrg_dagster.core.drafting.verify import verify
from zrg_dagster.core.text.chars import trimmed

# Why a purpose may not be asked for now, None when it may; whoever holds the budget knows.
Refusal = Callable[[Purpose], Awaitable[str | None]]


async def nobody_refuses(_purpose: Purpose) -> str | None:
    """There is no budget to keep."""
    return None


EMPTY_TEXT = "empty_text"
OVERSEER_FAILED = "overseer_failed"
VERIFICATION_FAILED = "verification_failed"


@dataclass(frozen=True, slots=True)
class Stopped:
    """No draft this time: the call that failed says whether the work waits, parks or is tried again."""

    call: ModelResult[Any]


@dataclass(frozen=True, slots=True)
class Written:
    """A text before anybody checked it. `template_because` says why no model wrote it, None when one did."""

    body: str
    template_because: str | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """`body` as it is stored. `hold` is why it must not leave by itself whatever the evaluator says; `made` the artifacts
    that are not on record yet."""

    body: str
    hold: str | None
    made: tuple[Artifact, ...]


class DraftSteps:
    """The steps of one run. `pack` holds what every later stage is told once `prepare` or `restore` is done."""

    def __init__(
        self,
        model: StructuredModel,
        context: DraftContext,
        pack: ContextPack,
        record: RunRecord,
        *,
        tag: str,
        refusal: Refusal = nobody_refuses,
    ) -> None:
        self.pack = pack
        self.contract: Contract | None = None
        self.model = model
        self._refusal = refusal
        self._context = context
        self._record = record
        self._tag = tag
        self._hold: str | None = None

    @property
    def _is_mail(self) -> bool:
        return self._context.channel == "email"

    def restore(self) -> None:
        """The pack of a draft that exists already, from what is on record. No model is asked."""
        known = self._record.kept(RunStage.SIGNATURE)
        read = self._record.kept(RunStage.EXTRACT)
        self._know(
            signature.again(known.payload) if known else None,
            overseer.contract_from(read.payload.get("contract")) if read else None,
        )

    async def run(self) -> Drafted | Stopped:
        """Every step behind `prepare` that is not on record."""
        strategy = await self._strategy() if self._is_mail else None
        if isinstance(strategy, Stopped):
            return strategy
        written = await self._generation(strategy)
        if isinstance(written, Stopped):
            return written
        if written.template_because is not None:
            # A person reads it in any case: nobody is asked to check what no model wrote.
            self._hold = f"{TEMPLATE_USED}:{written.template_because}"
            return Drafted(finished(self._context, written.body), self._hold, ())
        body, made = await self._verification(written.body)
        body, gate_made = await self._gate(body, made)
        # Both may have added words; what is cut off adds nothing that the gate has not seen.
        return Drafted(finished(self._context, within_length(self._context, body)), self._hold, (*made, *gate_made))

    def tell(self, **texts: str) -> None:
        """Set sections of the pack that somebody else found out, for every step from here on."""
        if texts:
            self.pack = self.pack.plus(**texts)

    def _know(self, said: Signature | None, contract: Contract | None) -> None:
        self.contract = contract
        self.pack = self.pack.plus(
            signature_context=said.text if said else "", meeting_reading=contract.text() if contract else ""
        )

    # ── what the message is ──────────────────────────────────────────────────

    async def prepare(self) -> None:
        """Signature and meeting reading at the same time: neither needs the other."""
        (said, said_made), (contract, read_made) = await asyncio.gather(self._signature(), self._extract())
        if said_made or read_made:
            await self._record.write(*said_made, *read_made)
        self._know(said, contract)

    async def _signature(self) -> tuple[Signature | None, list[Artifact]]:
        if not self._is_mail:
            return None, []
        known = self._record.kept(RunStage.SIGNATURE)
        if known is not None:
            return signature.again(known.payload), []
        said = await signature.read_signature(self.model, self._context)
        return said, [Artifact(RunStage.SIGNATURE, said.payload, call=said.call)]

    async def _extract(self) -> tuple[Contract | None, list[Artifact]]:
        if not self._context.steps.overseer or not self._context.trigger.body.strip():
            return None, []
        known = self._record.kept(RunStage.EXTRACT)
        if known is not None and (contract := overseer.contract_from(known.payload.get("contract"))) is not None:
            return contract, []
        if (refused := await self._refusal(Purpose.OVERSEER)) is not None:
            self._hold = refused
            return None, []
        found: Extracted = await overseer.extract(self.model, self._context, self.pack)
        if found.contract is None and found.call is not None:
            self._hold = f"{OVERSEER_FAILED}:{found.call.reason}"
            return None, [Artifact(RunStage.EXTRACT, {"failed": found.call.reason}, call=found.call)]
        return found.contract, [Artifact(RunStage.EXTRACT, found.payload, call=found.call)]

    # ── the text ─────────────────────────────────────────────────────────────

    async def _strategy(self) -> dict[str, Any] | Stopped | None:
        """The plan of a mail. None when the model had none to give: then the single prompt writes (DR-23)."""
        known = self._record.kept(RunStage.STRATEGY)
        if known is not None:
            return None if "failed" in known.payload else known.payload
        call = await plan(self.model, self._context, self.pack, tag=self._tag, wish=STRATEGIES[self._tag])
        if call.is_transient or call.parks:
            return Stopped(call)
        strategy = checked(call.value, self._context) if call.value else None
        await self._record.write(Artifact(RunStage.STRATEGY, strategy or {"failed": call.reason}, call=call))
        return strategy

    async def _generation(self, strategy: dict[str, Any] | None) -> Written | Stopped:
        """The text by plan, else by the single prompt, else the template (DR-23). A model that is away is none of these:
        the work waits for it."""
        known = self._record.kept(RunStage.GENERATION)
        if known is not None and known.body is not None:
            how = known.payload
            plan_of = strategy if how.get("mode") == "two_step" else None
            return await self._sized(Written(known.body, how.get("template_because")), how, plan_of)
        # A retry goes on behind the way that gave nothing.
        ways = [strategy, None] if strategy and not (known and "failed" in known.payload) else [None]
        reason = ""
        for way in ways:
            shape = ARCHETYPES[way["archetype"]] if way else ""
            call = await write(self.model, self._context, self.pack, tag=self._tag, plan=way, shape=shape)
            if call.is_transient or call.parks:
                return Stopped(call)
            body = trimmed(call.value.body) if call.value else ""
            how = {
                "mode": "two_step" if way else "single_prompt",
                "archetype": way and way["archetype"],
            }
            if body:
                await self._record.write(Artifact(RunStage.GENERATION, how, body, call=call))
                return await self._sized(Written(body), how, way)
            reason = call.reason if call.value is None else EMPTY_TEXT
            await self._record.write(Artifact(RunStage.GENERATION, {**how, "failed": reason}, call=call))
        made = Written(template(self._context, self._tag), reason)
        payload = {"mode": "template", "archetype": None, "template_because": reason}
        await self._record.write(Artifact(RunStage.GENERATION, payload, made.body))
        return made

    async def _sized(self, written: Written, how: dict[str, Any], plan: dict[str, Any] | None) -> Written:
        """A mail of a wrong length is written anew once, then cut (DR-25). The call that fails costs the attempt alone."""
        own = self._context.persona.signature
        problem = length.problem(written.body, own, tag=self._tag) if self._is_mail else None
        if problem is None or written.template_because is not None or "rewrite" in how:
            return written
        said = {"length": problem.value, "chars": length.counted(written.body, own)}
        # Given up with the revisions when the day's budget runs low: it is one.
        if (refused := await self._refusal(Purpose.REVISION)) is not None:
            call, new, said["rewrite"] = None, written.body, refused
        else:
            call, new, said["rewrite"] = await self._anew(written.body, plan)
        body = length.clamp(new, own)
        payload = {**how, **said, "clamped": body != new}
        await self._record.write(Artifact(RunStage.GENERATION, payload, body, call=call))
        return Written(body)

    async def _anew(self, body: str, plan: dict[str, Any] | None) -> tuple[ModelResult[Any], str, str]:
        """The call, the better text of the two, and what became of the attempt."""
        own = self._context.persona.signature
        call = await write(
            self.model,
            self._context,
            self.pack,
            tag=self._tag,
            plan=plan,
            shape=ARCHETYPES[plan["archetype"]] if plan else "",
            previous_draft=body,
            length_rule=length.rewrite_rule(body, own),
        )
        if call.value is None:
            return call, body, call.reason
        new = trimmed(call.value.body)
        return (call, new, "taken") if length.is_closer(new, body, own) else (call, body, "no_better")

    async def _verification(self, body: str) -> tuple[str, list[Artifact]]:
        """The verified text; what was generated when nobody vouches for it, and then it waits for a person."""
        if not self._is_mail or not self._context.steps.verification or not body:
            return body, []
        known = self._record.kept(RunStage.VERIFICATION)
        if known is not None and known.body is not None and "failed" not in known.payload:
            self._hold_for(known.payload.get("discarded"))
            return known.body, []
        if (refused := await self._refusal(Purpose.VERIFICATION)) is not None:
            self._hold = refused
            return body, []
        checked_draft = await verify(self.model, self._context, self.pack, body)
        self._hold_for(checked_draft.problem)
        return checked_draft.body, [
            Artifact(RunStage.VERIFICATION, checked_draft.payload, checked_draft.body, call=checked_draft.call)
        ]

    def _hold_for(self, problem: str | None) -> None:
        if problem:
            self._hold = f"{VERIFICATION_FAILED}:{problem}"

    async def _gate(self, body: str, made: list[Artifact]) -> tuple[str, list[Artifact]]:
        """The overseer's word on the text it sees; another text needs another word (OV-08)."""
        if self.contract is None or not body:
            return body, []
        if self.contract.is_scheduling == "no":
            skipped = {"skipped": "not_scheduling", "draft_sha256": overseer.draft_hash(body)}
            return body, [Artifact(RunStage.GATE, skipped)]
        known = self._record.kept(RunStage.GATE)
        if known is not None and known.body is not None and known.payload["draft_sha256"] == overseer.draft_hash(body):
            return known.body, []
        if made:
            # The verification is paid for; it must not be lost with the gate's call.
            await self._record.write(*made)
            made.clear()
        gated = await overseer.gate(self.model, self._context, self.pack, body)
        if gated.is_failed:
            self._hold = f"{OVERSEER_FAILED}:{gated.payload.get('failed', 'no_text')}"
        return gated.body, [
            Artifact(RunStage.GATE, gated.payload, None if gated.is_failed else gated.body, call=gated.call)
        ]
