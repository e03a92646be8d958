"""One worker of the sends lane in a process of its own, which dies, or kills Postgres, at a chosen boundary.

`python -m tests.acceptance.send_worker '{"dsn": …, "sandbox": …, "boundary": …, "nth": …, "victim": …, "offset_s": …}'`.
It works the lane until nothing is due, and prints how the sends ended. The lane, the ledger and the clients are the
product's own; only where the process ends is the test's.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.lane import LaneLimits, LaneReport, drain_lane
from zrg_dagster.core.db.lanes import SENDS
from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.emailbison import client as emailbison
from zrg_dagster.core.providers.ghl import client as ghl
from zrg_dagster.core.providers.instantly import client as instantly
from zrg_dagster.core.providers.smartlead import client as smartlead
from zrg_dagster.core.providers.unipile import client as unipile
from zrg_dagster.core.sending import budget, ledger
from zrg_dagster.core.sending.drain import SendsLane
from zrg_dagster.core.sending.ledger import Settled

# The sandbox's slow answers take longer than this: a timeout after the vendor accepted, without half a minute of waiting.
READ_TIMEOUT_S = 1.0
CREDENTIALS = {
    "emailbison": ("sandbox-emailbison-key", None),
    "smartlead": ("sandbox-smartlead-key", None),
    "instantly": ("sandbox-instantly-key", None),
    "ghl": ("sandbox-ghl-token", "vQ7mZ2xKc9TfLp4RdWnA"),
    "unipile": ("sandbox-unipile-key", "acc-1"),
}
CONCURRENCY = 6
# The sandbox answers a little later than this after it got a request.
DURING_S = 0.015


class Boundary(StrEnum):
    """Where the worker or the database dies, in the order of one send."""

    CLAIM_UNCOMMITTED = "claim_uncommitted"
    CLAIMED = "claimed"
    BEFORE_CALL = "before_call"
    DURING_CALL = "during_call"
    ACCEPTED = "accepted"
    SETTLE_UNCOMMITTED = "settle_uncommitted"
    SETTLED = "settled"


class Fate:
    """Counts the passages of the chosen boundary, and strikes at the nth."""

    def __init__(self, boundary: str | None, nth: int, victim: int | None) -> None:
        self._boundary = boundary
        self._left = nth
        self._victim = victim

    def reaches(self, boundary: Boundary) -> bool:
        """Count a passage; whether it is the one."""
        if boundary != self._boundary:
            return False
        self._left -= 1
        return self._left == 0

    def passes(self, boundary: Boundary) -> None:
        if self.reaches(boundary):
            self.strike()

    def strike(self) -> None:
        os.kill(self._victim or os.getpid(), signal.SIGKILL)


class Transport(httpx.AsyncHTTPTransport):
    """The wire, with the boundaries of a write on it."""

    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return await super().handle_async_request(request)
        self._fate.passes(Boundary.BEFORE_CALL)
        if self._fate.reaches(Boundary.DURING_CALL):
            asyncio.get_running_loop().call_later(DURING_S, self._fate.strike)
        response = await super().handle_async_request(request)
        self._fate.passes(Boundary.ACCEPTED)
        return response


class Vendors(VendorClients):
    def __init__(self, fate: Fate) -> None:
        self._http = httpx.AsyncClient(transport=Transport(fate))


class MortalLane(SendsLane):
    """The product's lane, with the boundaries around its two transactions."""

    fate: Fate

    async def _claim(self, worker_id: int, room: int, now: datetime) -> Sequence[Row[Any]]:
        rows = await super()._claim(worker_id, room, now)
        if rows:
            self.fate.passes(Boundary.CLAIMED)
        return rows

    async def _settle(self, worker_id: int, row: Row[Any], settled: Settled) -> str:
        state = await super()._settle(worker_id, row, settled)
        self.fate.passes(Boundary.SETTLED)
        return state


def _before_commit(name: str, boundary: Boundary, fate: Fate) -> None:
    """Let a function of the ledger pass a boundary when it is done and its transaction is not."""
    inner: Callable[..., Any] = getattr(ledger, name)

    async def passing(*args: Any, **kwargs: Any) -> Any:
        result = await inner(*args, **kwargs)
        fate.passes(boundary)
        return result

    setattr(ledger, name, passing)


async def main(order: dict[str, Any]) -> None:
    fate = Fate(order.get("boundary"), order.get("nth", 0), order.get("victim"))
    # The rates would make this an hour of waiting; they have tests of their own.
    budget.RATES = budget.READ_BACK_RATES = {}
    for module in (emailbison, ghl, instantly, smartlead, unipile):
        module.READ_TIMEOUT_S = READ_TIMEOUT_S
    _before_commit("claim", Boundary.CLAIM_UNCOMMITTED, fate)
    _before_commit("settle", Boundary.SETTLE_UNCOMMITTED, fate)
    engine = make_engine(order["dsn"], pool_size=CONCURRENCY + 2)
    report, offset = LaneReport(), timedelta(seconds=order.get("offset_s", 0))

    def clock() -> datetime:
        return utc_now() + offset

    async def access(_conn: AsyncConnection, _workspace: UUID, vendor: str) -> Credential:
        token, account = CREDENTIALS[vendor]
        return Credential(f"{order['sandbox']}/{vendor}", token, account)

    async with Vendors(fate) as vendors:
        lane = MortalLane(
            engine,
            vendors,
            access=access,
            consequences={},
            auto_send_disabled=False,
            lease_s=600,
            clock=clock,
            report=report,
        )
        lane.fate = fate
        limits = LaneLimits(concurrency=CONCURRENCY, budget_s=order.get("budget_s", 120), idle_s=0, lease_s=600)
        stop = asyncio.Event()
        await drain_lane(engine, order["dsn"], SENDS, lane.work(), limits=limits, stop=stop, clock=clock, report=report)
    await engine.dispose()
    print(json.dumps(dict(report.outcomes)))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
