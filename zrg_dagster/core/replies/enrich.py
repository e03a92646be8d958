"""Asking the enrichment vendor about somebody who showed interest (EN-01): which jobs, and the job itself."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.base.seal import Sealer, SealError
from zrg_dagster.core.db.jobs import NewJob, enqueue
from zrg_dagster.core.db.lanes import Lane
from zrg_dagster.core.leads import enrichment
from zrg_dagster.core.leads.enrichment import CALL_INTENT, NOT_SENT, EnrichmentCode, decide, question
from zrg_dagster.core.providers.clay.client import ClayClient
from zrg_dagster.core.providers.outcome import Accepted, Refused, Unknown
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow
from zrg_dagster.core.workspaces.channels import credential_scope

log = get_logger(__name__)

KIND = "enrichment_request"
TOKEN_NAME = "clay_table_token"  # noqa: S105 - the name of the secret


async def ask_about(
    conn: AsyncConnection,
    workspace_id: UUID,
    lead_id: UUID,
    message_id: UUID,
    tag: str,
    correlation_id: str,
    now: datetime,
) -> int:
    """Queue the questions about a lead whose reply showed interest, in the caller's transaction."""
    jobs = []
    for subject in await enrichment.load_subjects(conn, lead_id):
        kind = subject.kind
        if decide(subject, call_intent=tag == CALL_INTENT, now=now) is not EnrichmentCode.ASK:
            continue
        jobs.append(
            NewJob(
                workspace_id=workspace_id,
                lane=Lane.REPLIES,
                kind=KIND,
                job_key=f"enrich:{kind}:{lead_id}:{message_id}",
                # Never in the way of the answer to the lead.
                serial_key=f"enrich:{lead_id}",
                correlation_id=correlation_id,
                run_at=now,
                lead_id=lead_id,
                message_id=message_id,
                payload={"kind": kind, "call_intent": tag == CALL_INTENT},
            )
        )
    return await enqueue(conn, jobs)


class EnrichmentRequests:
    """Works jobs of kind `enrichment_request`. The decision is made again: two replies may have asked the same."""

    def __init__(
        self, engine: AsyncEngine, clay: ClayClient, sealer: Sealer | None, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._clay = clay
        self._sealer = sealer
        self._clock = clock

    async def __call__(self, job: Row[Any]) -> Ended | NotNow:
        kind, now = job.payload["kind"], self._clock()
        async with self._engine.begin() as conn:
            subject = await enrichment.load_subject(conn, job.lead_id, kind)
            if subject is None:
                return Ended("skipped", EnrichmentCode.LEAD_GONE)
            code = decide(subject, call_intent=job.payload["call_intent"], now=now)
            if code is not EnrichmentCode.ASK:
                return Ended("skipped", code)
            person = await enrichment.load_person(conn, job.lead_id)
            token = self._token(person)
            if token is None and person["sealed"]:
                return Ended("dead", "enrichment_token_unreadable")
            await enrichment.begin(conn, job.lead_id, kind, now)
        assert subject.table_url is not None
        outcome = await self._clay.submit(subject.table_url, question(person, kind), token)
        log.info("enrichment_asked", kind=kind, outcome=outcome.call_class, attempt=job.attempts)
        if isinstance(outcome, Accepted | Unknown):
            # What was lost on the way may have arrived; asking twice costs credits, so two hours decide.
            return Ended("done", EnrichmentCode.ASK if isinstance(outcome, Accepted) else "enrichment_unconfirmed")
        passes = isinstance(outcome, Refused) and not outcome.permanent
        async with self._engine.begin() as conn:
            reason = NOT_SENT if passes else outcome.reason
            await enrichment.fail(conn, job.lead_id, kind, reason, self._clock())
        if isinstance(outcome, Refused) and passes:
            return NotNow(f"enrichment_{outcome.reason}", park=False, after_s=outcome.retry_after_s, passes=False)
        return Ended("dead", f"enrichment_{outcome.reason}")

    def _token(self, person: Any) -> str | None:
        if not person["sealed"] or self._sealer is None:
            return None
        try:
            return self._sealer.open(person["sealed"], scope=credential_scope(person["workspace_id"], TOKEN_NAME))
        except SealError:
            return None
