"""The loop that every drain shares, against a scripted lane."""

import asyncio

from tests.integration.seeds import NOW
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.lane import LaneLimits, LaneWork, drain_lane
from zrg_dagster.core.db.lanes import SENDS


async def test_what_ends_during_a_claim_lets_its_successor_through(database):
    """A claim that found the lead busy may come back after the busy one ended: the loop asks again before it goes."""
    begun, asked, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    waiting, worked = ["second"], []

    async def claim(_worker, _room, _now):
        if not begun.is_set():
            begun.set()
            return ["first"]
        if not worked:
            asked.set()
            await ended.wait()
            await asyncio.sleep(0)
            return []
        return [waiting.pop()] if waiting else []

    async def work(_worker, item):
        await asked.wait()
        worked.append(item)
        ended.set()

    async def release(_now):
        return 0

    engine = make_engine(database.dsn("worker"), pool_size=1)
    try:
        report = await drain_lane(
            engine,
            database.dsn("worker"),
            SENDS,
            LaneWork(claim=claim, work=work, release=release),
            limits=LaneLimits(concurrency=4, budget_s=30, idle_s=0, lease_s=600),
            stop=asyncio.Event(),
            clock=lambda: NOW,
        )
    finally:
        await engine.dispose()
    assert (worked, report.claimed) == (["first", "second"], 2)
