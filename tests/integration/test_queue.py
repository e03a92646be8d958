"""Queue mechanics against a real Postgres: fairness, serial keys, fencing, what dead workers leave behind."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.integration.intake_support import Rows, accept, replied
from tests.integration.seeds import NOW, add_lead, add_workspace
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.db import jobs, lanes, queue
from zrg_dagster.core.db.engine import make_engine, sync_connect
from zrg_dagster.core.db.lanes import Lane
from zrg_dagster.core.db.pulse import lane_pulse
from zrg_dagster.core.db.queue import ClaimLost, Settlement, candidates
from zrg_dagster.core.db.worker import worker_session


@pytest.fixture
async def engine(database):
    engine = make_engine(database.dsn("worker"))
    yield engine
    await engine.dispose()


def job(workspace_id, number, *, serial=None, run_at=NOW):
    return jobs.NewJob(
        workspace_id=workspace_id,
        lane=Lane.REPLIES,
        kind="reply",
        job_key=f"job:{number}",
        serial_key=serial or f"lead:{workspace_id}:{number}",
        correlation_id="c",
        run_at=run_at,
    )


async def claim(engine, worker_id=1, limit=10, now=NOW):
    async with engine.begin() as conn:
        return await queue.claim(conn, lanes.REPLIES, worker_id=worker_id, limit=limit, now=now)


async def test_claims_go_round_robin_over_workspaces(engine):
    """FQ-01: A1 B1 C1 A2 …, whatever the order of arrival and however many one workspace has."""
    async with engine.begin() as conn:
        a, b, c = [await add_workspace(conn, key) for key in ("a", "b", "c")]
        await jobs.enqueue(conn, [job(a, n, run_at=NOW - timedelta(hours=1)) for n in range(50)])
        await jobs.enqueue(conn, [job(b, 100), job(c, 200), job(c, 201)])
    claimed = await claim(engine, limit=4)
    assert sorted([row.workspace_id for row in claimed].count(w) for w in (a, b, c)) == [1, 1, 2]
    assert all(row.attempts == 1 and row.state == "running" for row in claimed)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7, 9, 14, 40])
async def test_deliveries_are_taken_in_turns_whatever_each_workspace_has_waiting(engine, database, limit):
    """FQ-01 for the lane whose claims are large: what is read by even shares is what all that waits would give."""
    rows = Rows(database)
    backlog = {rows.workspace(key): waiting for key, waiting in (("a", 9), ("b", 1), ("c", 3), ("d", 0))}
    accept(
        database,
        [
            replied(workspace, 10 * place + number, received_at=NOW - timedelta(minutes=number + place))
            for place, (workspace, waiting) in enumerate(backlog.items())
            for number in range(waiting)
        ],
    )
    rows.all("UPDATE raw.webhook_event SET run_at = received_at")
    waiting = rows.all("SELECT id, workspace_id, run_at FROM raw.webhook_event ORDER BY run_at, id")
    turns = [
        (sum(other["workspace_id"] == row["workspace_id"] for other in waiting[:place]), row["run_at"], row["id"])
        for place, row in enumerate(waiting)
    ]
    async with engine.begin() as conn:
        claimed = await queue.claim(conn, lanes.INBOUND, worker_id=1, limit=limit, now=NOW)
    assert {row.id for row in claimed} == {row_id for _, _, row_id in sorted(turns)[:limit]}


async def test_one_job_of_a_serial_key_at_a_time(engine):
    async with engine.begin() as conn:
        a = await add_workspace(conn)
        await jobs.enqueue(conn, [job(a, n, serial="lead:x") for n in range(3)] + [job(a, 9)])
    first = await claim(engine)
    assert sorted(row.job_key for row in first) == ["job:0", "job:9"]
    assert await claim(engine, worker_id=2) == []
    done = next(row for row in first if row.job_key == "job:0")
    async with engine.begin() as conn:
        await queue.settle(conn, lanes.REPLIES, [Settlement(done.id, 1, "done")], worker_id=1, now=NOW)
    assert [row.job_key for row in await claim(engine, worker_id=2)] == ["job:1"]


async def test_a_key_is_queued_once(engine):
    async with engine.begin() as conn:
        a = await add_workspace(conn)
        assert await jobs.enqueue(conn, [job(a, 1)]) == 1
        assert await jobs.enqueue(conn, [job(a, 1), job(a, 2)]) == 1


async def test_work_in_the_future_is_not_due(engine):
    async with engine.begin() as conn:
        a = await add_workspace(conn)
        await jobs.enqueue(conn, [job(a, 1, run_at=NOW + timedelta(seconds=1))])
    assert await claim(engine) == []
    assert len(await claim(engine, now=NOW + timedelta(seconds=1))) == 1


async def test_a_worker_that_lost_its_claim_cannot_settle(engine):
    async with engine.begin() as conn:
        a = await add_workspace(conn)
        await jobs.enqueue(conn, [job(a, 1)])
    (row,) = await claim(engine, worker_id=1)
    async with engine.begin() as conn:
        assert await queue.release_stale(conn, lanes.REPLIES, now=NOW, lease_s=600) == 1
    (again,) = await claim(engine, worker_id=2)
    assert again.attempts == 2
    with pytest.raises(ClaimLost):
        async with engine.begin() as conn:
            await conn.execute(text("UPDATE app.workspace SET name = 'changed'"))
            await queue.settle(conn, lanes.REPLIES, [Settlement(row.id, 1, "done")], worker_id=1, now=NOW)
    async with engine.connect() as conn:
        assert (await conn.execute(text("SELECT name FROM app.workspace"))).scalar_one() == "harbourline"


async def test_claims_of_a_live_worker_are_kept_and_of_a_dead_one_released(engine, database):
    async with engine.begin() as conn:
        a = await add_workspace(conn)
        await jobs.enqueue(conn, [job(a, 1)])
    dsn = database.dsn("worker")
    async with worker_session(dsn, lanes.REPLIES, run_id=None, now=NOW) as worker:
        await claim(engine, worker_id=worker.id)
        async with engine.begin() as conn:
            assert await queue.release_stale(conn, lanes.REPLIES, now=NOW, lease_s=600) == 0
        with sync_connect(dsn) as connection:
            pulse = lane_pulse(connection, Lane.REPLIES, NOW)
        assert (pulse.workers, pulse.has_work) == (1, False)
    with sync_connect(dsn) as connection:
        pulse = lane_pulse(connection, Lane.REPLIES, NOW)
    assert (pulse.workers, pulse.stranded, pulse.has_work) == (0, True, True)
    async with engine.begin() as conn:
        assert await queue.release_stale(conn, lanes.REPLIES, now=NOW, lease_s=600) == 1


async def test_the_lease_ends_a_claim_even_of_a_live_worker(engine, database):
    async with engine.begin() as conn:
        a = await add_workspace(conn)
        await jobs.enqueue(conn, [job(a, 1)])
    async with worker_session(database.dsn("worker"), lanes.REPLIES, run_id=None, now=NOW) as worker:
        await claim(engine, worker_id=worker.id)
        later = NOW + timedelta(seconds=601)
        async with engine.begin() as conn:
            assert await queue.release_stale(conn, lanes.REPLIES, now=later, lease_s=600) == 1


async def test_work_that_kills_its_worker_ends_in_the_dead_letter(engine):
    """JB-06: a release counts as the attempt that was made."""
    async with engine.begin() as conn:
        a = await add_workspace(conn)
        await jobs.enqueue(conn, [job(a, 1)])
    for attempt in range(1, 6):
        (row,) = await claim(engine)
        assert row.attempts == attempt
        async with engine.begin() as conn:
            await queue.release_stale(conn, lanes.REPLIES, now=NOW, lease_s=600)
    assert await claim(engine) == []
    async with engine.connect() as conn:
        row = (await conn.execute(text("SELECT state, reason FROM app.job"))).one()
    assert tuple(row) == ("dead", "worker_lost")


def test_retry_delays_double_up_to_a_quarter_of_an_hour():
    """WQ-06: 2, 4, 8 … 512 s plus less than a second, then 15 minutes."""
    for attempt in range(1, 14):
        seconds = (queue.retry_at(NOW, attempt) - NOW).total_seconds()
        expected = min(900, 2 ** min(attempt, 10))
        assert expected <= seconds <= min(900, expected + 1)


async def test_a_drain_is_woken_by_new_work(engine, database):
    import asyncio

    async with engine.begin() as conn:
        a = await add_workspace(conn)
        await add_lead(conn, a)
    stop = asyncio.Event()
    async with worker_session(database.dsn("worker"), lanes.REPLIES, run_id=None, now=NOW) as worker:
        waiting = asyncio.create_task(worker.wait(30, stop))
        await asyncio.sleep(0.1)
        async with engine.begin() as conn:
            await jobs.enqueue(conn, [job(a, 1)])
        assert await asyncio.wait_for(waiting, 5) is True
        waiting = asyncio.create_task(worker.wait(30, stop))
        await asyncio.sleep(0.1)
        stop.set()
        assert await asyncio.wait_for(waiting, 5) is False


# ── a lane at rest ───────────────────────────────────────────────────────────


def pulse(database, now, *, thorough=False):
    with sync_connect(database.dsn("worker")) as connection:
        return lane_pulse(connection, Lane.INBOUND, now, thorough=thorough)


async def rest(engine, now):
    async with engine.begin() as conn:
        await queue.rest(conn, lanes.INBOUND, now)


async def claim_deliveries(engine, now):
    async with engine.begin() as conn:
        return await queue.claim(conn, lanes.INBOUND, worker_id=1, limit=10, now=now)


async def test_a_lane_at_rest_is_asked_only_for_what_came_since(engine, database):
    rows = Rows(database)
    workspace = rows.workspace()
    now = utc_now()
    accept(database, [replied(workspace, 1, received_at=now - timedelta(minutes=3))])
    await rest(engine, now)
    assert pulse(database, now).has_work, "what waits keeps a lane from resting"
    (claimed,) = await claim_deliveries(engine, now)
    await rest(engine, now)
    assert pulse(database, now).stranded, "and so does what is claimed"
    async with engine.begin() as conn:
        done = Settlement(claimed.id, claimed.attempts, "processed")
        await queue.settle(conn, lanes.INBOUND, [done], worker_id=1, now=now)
    await rest(engine, now)
    assert not pulse(database, now).has_work
    accept(database, [replied(workspace, 2, received_at=now - timedelta(minutes=2))])
    assert not pulse(database, now).has_work, "older than the rest: its commit took two minutes"
    assert pulse(database, now, thorough=True).has_work, "the thorough question finds it"
    accept(database, [replied(workspace, 3, received_at=now - timedelta(seconds=2))])
    assert pulse(database, now).has_work, "its commit took somewhat longer than the rest"
    assert len(await claim_deliveries(engine, now)) == 2
    assert pulse(database, now).stranded, "the first claim ends the rest"


async def test_a_lane_does_not_rest_while_a_claim_is_under_way(engine, database):
    """The claim is not visible yet; were the rest recorded beside it, a dead worker's rows would not be looked for."""
    rows = Rows(database)
    now = utc_now()
    accept(database, [replied(rows.workspace(), 1, received_at=now - timedelta(minutes=3))])
    async with engine.begin() as claiming:
        assert await queue.claim(claiming, lanes.INBOUND, worker_id=1, limit=10, now=now)
        resting = asyncio.create_task(rest(engine, now))
        await asyncio.sleep(0.2)
        assert not resting.done()
    await resting
    assert pulse(database, now).stranded


async def test_claims_never_read_the_index_by_time_alone(engine, database):
    """With statistics that say nothing waits, any index looks free; over this one each workspace reads the backlog."""
    for lane in (lanes.INBOUND, lanes.REPLIES, lanes.SENDS):
        with sync_connect(database.dsn("worker")) as connection:
            statement = f"{candidates(lane)} SELECT * FROM picked".replace(":limit", "500").replace(":now", "now()")
            plan = connection.execute(f"EXPLAIN {statement}".encode()).fetchall()
            also = f"AND {lane.also}" if lane.also else ""
            question = f"SELECT min({lane.due}) FROM {lane.table} WHERE {lane.waiting} {also}"
            by_time = connection.execute(f"EXPLAIN {question}".encode()).fetchall()
        assert "_waiting" not in str(plan), plan
        assert "_fair" in str(plan), plan
        assert "_waiting" in str(by_time), by_time
