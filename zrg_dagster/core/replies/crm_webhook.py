"""The job that delivers one event to a customer's CRM."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.notifications.crm import (
    CrmSkip,
    body_of,
    load_row,
    load_settings_of,
    open_access,
    signed_headers,
    skip_reason,
)
from zrg_dagster.core.providers.outcome import Accepted, Refused
from zrg_dagster.core.providers.pinned import PinnedPoster
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow

log = get_logger(__name__)

DELIVERED = "crm_delivered"


class CrmDeliveries:
    """Delivers jobs of kind `crm_webhook`. What the workspace wants is asked again each time: it may have changed."""

    def __init__(
        self,
        engine: AsyncEngine,
        poster: PinnedPoster,
        sealer: Sealer | None,
        clock: Callable[[], datetime],
        *,
        timeout_s: float,
    ) -> None:
        self._engine = engine
        self._poster = poster
        self._sealer = sealer
        self._clock = clock
        self._timeout_s = timeout_s

    async def __call__(self, job: Row[Any]) -> Ended | NotNow:
        event = job.payload["event"]
        async with self._engine.connect() as conn:
            key, settings = await load_settings_of(conn, job.workspace_id)
            if reason := skip_reason(settings, event):
                return Ended("skipped", reason)
            row = await load_row(conn, job.lead_id)
        if row is None:
            return Ended("skipped", CrmSkip.LEAD_GONE)
        access = open_access(settings, job.workspace_id, self._sealer)
        if isinstance(access, CrmSkip):
            # Somebody wanted this delivery and must repair something: it stays in sight.
            return Ended("dead", access)
        body = body_of(job, key, row)
        headers = signed_headers(access.secret, body, event=event, delivery_id=str(job.id), now=self._clock())
        outcome = await self._poster.post(access.target, body, headers, timeout_s=self._timeout_s)
        log.info(
            "crm_told", event_type=event, host=access.target.host, outcome=outcome.call_class, attempt=job.attempts
        )
        if isinstance(outcome, Accepted):
            return Ended("done", DELIVERED)
        reason = f"crm_{outcome.reason}"
        if isinstance(outcome, Refused) and outcome.permanent:
            return Ended("dead", reason)
        after_s = outcome.retry_after_s if isinstance(outcome, Refused) else None
        # Whatever happened on the way may pass, but not for ever: after the last attempt it is dead, not parked.
        return NotNow(reason, park=False, after_s=after_s, passes=False)
