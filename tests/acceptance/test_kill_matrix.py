"""Ten thousand deliveries through the real door while the receiver, the drain and Postgres are killed again and again."""

import os
import random
import time
from datetime import datetime
from itertools import pairwise

import pytest

from tests.acceptance import exactly_once
from tests.acceptance.chain import VICTIMS, Chain, running_chain
from tests.acceptance.postman import Mail, Postman, mail_of
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.local.supervisor import POSTGRES

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("platform")]

LEADS = int(os.environ.get("KILL_LEADS") or 4700)  # two deliveries each, and a tenth of them twice
KILLS = int(os.environ.get("KILLS") or 56)
PACE_S = 0.05  # ten thousand in nine minutes: a kill about every nine seconds
DOWN_PACE_S = 0.03
RESUMED_WITHIN_S = 15.0
DOWN_S = 20.0
RECOVERED_WITHIN_S = 2.0
IN_FLIGHT_S = 0.5  # an answer that was sent before the stop may still be read

# From the kill to the moment when the first delivery that came after it was worked: the door and the drain are back.
_RESUMED = """
    SELECT extract(epoch FROM min(finished_at) - CAST(%s AS timestamptz))::float8 FROM raw.webhook_event
    WHERE received_at > %s AND finished_at IS NOT NULL"""
_TWICE = """
    SELECT count(*) FROM (SELECT FROM app.message GROUP BY lead_id, direction, body, sent_at HAVING count(*) > 1) d"""


def _seed() -> int:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print(f"\nseed {seed} (SEED={seed} repeats it)")
    return seed


def _without_vendors(mail: Mail) -> Mail:
    return Mail(deliveries=mail.deliveries, lessons={}, repeated=mail.repeated)


@pytest.mark.timeout(1800)
def test_fifty_kills_lose_and_double_nothing(postgres_major: int) -> None:
    rng = random.Random(_seed())
    with running_chain(postgres_major) as chain:
        postman = Postman(chain)
        mail = _without_vendors(mail_of(postman.leads(LEADS), utc_now(), rng))
        started, kills = time.monotonic(), []
        gap = 1.6 * len(mail.deliveries) * PACE_S / KILLS  # on average 0.8 of it, so that all kills fall into the flow
        with postman.burst(mail, pace_s=PACE_S) as burst:
            for number in range(KILLS):
                time.sleep(rng.uniform(0, gap))
                victim = VICTIMS[number % len(VICTIMS)] if number < len(VICTIMS) else rng.choice(VICTIMS)
                kills.append((victim, _kill(chain, victim)))
                print(f"{time.monotonic() - started:6.1f} s, {burst.answered:5} acknowledged: killed {victim}")
        chain.settle(300)
        print(f"{time.monotonic() - started:6.1f} s: all worked; the door failed {dict(postman.failures)}")
        exactly_once.check_intake(chain.ledger, postman)
        assert chain.ledger.one(_TWICE) == 0
        assert chain.ledger.one("SELECT max(attempts) FROM raw.webhook_event") > 1, "no claim was interrupted"
        times = _resume_times(chain, [at for _, at in kills])
        p99 = times[min(len(times) - 1, int(0.99 * len(times)))]
        print(
            f"PROOF kill_matrix kills={len(kills)} delivered={len(mail.deliveries)} acknowledged={len(postman.acknowledged)} "
            f"lost=0 doubled=0 measured={len(times)} resume_p50_s={times[len(times) // 2]:.1f} resume_p99_s={p99:.1f}"
        )
        assert p99 < RESUMED_WITHIN_S


def _resume_times(chain: Chain, kills: list[datetime]) -> list[float]:
    """Seconds, ascending. Where the next kill came before the chain was back, only that next one is measured."""
    seconds = [chain.ledger.one(_RESUMED, at, at) for at in kills]
    assert None not in seconds, "a kill after the last delivery proves nothing: slow the flow down"
    until_next = [(after - at).total_seconds() for at, after in pairwise(kills)]
    return sorted(took for took, next_ in zip(seconds, [*until_next, float("inf")], strict=True) if took < next_)


def _kill(chain: Chain, victim: str) -> datetime:
    """When it was killed, once it was alive to be."""
    at = utc_now()

    def killed() -> bool:
        nonlocal at
        at = utc_now()
        return chain.kill(victim)

    chain.until(killed, f"{victim} can be killed", 120)
    return at


@pytest.mark.timeout(600)
def test_twenty_seconds_without_postgres(postgres_major: int) -> None:
    """The door promises nothing that it cannot keep, and is back as soon as the database is."""
    with running_chain(postgres_major) as chain:
        postman = Postman(chain)
        mail = _without_vendors(mail_of(postman.leads(650), utc_now(), random.Random(_seed())))
        with postman.burst(mail, pace_s=DOWN_PACE_S) as burst:
            burst.wait_answered(100)
            chain.hold(POSTGRES)
            down = time.monotonic()
            time.sleep(DOWN_S)
            before = burst.answered
            chain.release(POSTGRES)
            chain.postgres.wait_ready()
            up = time.monotonic()
            burst.wait_answered(before + 1)
            print(f"the door failed {dict(postman.failures)} meanwhile")
        promised = [at for at in postman.acknowledged_at if down + IN_FLIGHT_S < at < up - IN_FLIGHT_S]
        recovered = min(at for at in postman.acknowledged_at if at > down + IN_FLIGHT_S) - up
        chain.settle()
        exactly_once.check_intake(chain.ledger, postman)
        print(
            f"PROOF postgres_down seconds={DOWN_S:g} acknowledged_meanwhile={len(promised)} "
            f"recovered_s={max(0.0, recovered):.2f} delivered={len(mail.deliveries)} lost=0"
        )
        assert promised == []
        assert recovered < RECOVERED_WITHIN_S
