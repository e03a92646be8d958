"""The send ledger under SIGKILL: of the worker and of Postgres, at every boundary of a send, over every vendor."""

import os
import random
import time
from itertools import cycle

import pytest

from tests.acceptance.send_worker import Boundary
from tests.acceptance.send_world import SETTLED, VENDORS, World, running_world
from zrg_dagster.core.sending import ledger

pytestmark = [pytest.mark.xdist_group("sends"), pytest.mark.timeout(600)]

SENDS = 40
PROOF_SENDS = 2_400
# Workers that are let run to the end when everything was killed often enough.
CALM_WORKERS = 12


async def storm(world: World, sends: int, deaths: list[tuple[Boundary, str]]) -> None:
    """Plan, work and kill until nothing is open. The deaths come round again while there is something to send."""
    await world.plan(sends)
    for left, (boundary, victim) in zip(range(10 * len(deaths), 0, -1), cycle(deaths), strict=False):
        if not world.unsent() and left <= 9 * len(deaths):
            break
        world.run_worker(boundary, victim)
    for round_ in range(CALM_WORKERS):
        if not world.open_sends():
            break
        # Who waits behind an invitation that nobody accepts is looked at again every few hours, for days.
        world.let_time_pass(SETTLED if round_ < CALM_WORKERS // 2 else ledger.WAIT_AT_MOST)
        world.run_worker(None, "worker")
    assert world.open_sends() == []


def deaths(rng: random.Random, *, postgres_every: int) -> list[tuple[Boundary, str]]:
    """Each boundary with a dying worker, and with a dying Postgres at every so many."""
    order = [(boundary, "worker") for boundary in Boundary for _ in range(postgres_every)]
    order += [(boundary, "postgres") for boundary in Boundary]
    rng.shuffle(order)
    return order


@pytest.mark.timeout(300)
async def test_a_few_deaths_double_and_lose_no_send(postgres_major: int) -> None:
    """Every vendor, and the four boundaries where the most could go wrong."""
    order = [
        (Boundary.DURING_CALL, "worker"),
        (Boundary.ACCEPTED, "worker"),
        (Boundary.SETTLE_UNCOMMITTED, "postgres"),
        (Boundary.CLAIMED, "worker"),
    ]
    with running_world(postgres_major, seed=7) as world:
        await storm(world, SENDS, order)
        assert world.problems(SENDS) == []
        assert world.kills, "nothing died: this proved nothing"


@pytest.mark.proof
@pytest.mark.timeout(3600)
async def test_thousands_of_sends_and_a_death_at_every_boundary(postgres_major: int) -> None:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print(f"\nsend kill matrix: {PROOF_SENDS} sends over {len(VENDORS)} vendors, seed {seed} (SEED={seed} repeats it)")
    started = time.monotonic()
    with running_world(postgres_major, seed) as world:
        await storm(world, PROOF_SENDS, deaths(world.rng, postgres_every=4))
        problems = world.problems(PROOF_SENDS)
        print(world.summary())
        print(f"  duplicates and losses: {len(problems)}; {time.monotonic() - started:.0f} s")
        assert problems == []
        missed = [
            boundary
            for boundary in Boundary
            for victim in ("worker", "postgres")
            if not world.kills[f"{victim} {boundary}"]
        ]
        assert missed == [], "a boundary at which nothing died proves nothing"
