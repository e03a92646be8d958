"""SIGKILL of each process in turn while deliveries come in: what was acknowledged is processed, and only once."""

import os
import random
import signal
import time

import pytest

from tests.acceptance import exactly_once
from tests.acceptance.platform import Platform, running_platform
from tests.acceptance.postman import Postman, mail_of
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.local.children import CODE_SERVER, DAEMON, RECEIVER, WEBSERVER
from zrg_dagster.local.supervisor import POSTGRES

pytestmark = [pytest.mark.xdist_group("platform"), pytest.mark.timeout(600)]

PACE_S = 0.08
LEADS = 9  # of each test: with their repetitions about twenty deliveries
PROOF_LEADS = 1000
PROOF_KILLS = 24
PROOF_PACE_S = 0.07
_READ_BACK = "SELECT count(*) FROM app.send WHERE vendor_detail ->> 'found_by' = 'read_back'"
_PROCESSES = (RECEIVER, CODE_SERVER, WEBSERVER, DAEMON, POSTGRES)
_LANES = ("inbound", "replies", "sends")
_VICTIMS = (*_PROCESSES, *_LANES)


def _kill(platform: Platform, name: str) -> None:
    """SIGKILL a child of the supervisor, and wait until its successor is ready."""
    before = platform.supervisor.restarts(name)
    platform.supervisor.kill(name)
    platform.until(lambda: platform.supervisor.restarts(name) > before, f"{name} is started again")
    platform.until(lambda: platform.is_ready(name), f"{name} is ready again")


def _kill_drain(platform: Platform, lane: str) -> None:
    worker = platform.until(lambda: platform.drain(lane), f"the {lane} drain runs")
    os.kill(worker.pid, signal.SIGKILL)


def test_killing_each_process_in_turn_loses_and_doubles_nothing(platform: Platform, postman: Postman) -> None:
    mail = mail_of(postman.leads(LEADS * len(_PROCESSES)), utc_now(), random.Random(1))
    with postman.burst(mail, pace_s=PACE_S) as burst:
        for number, name in enumerate(_PROCESSES, start=1):
            burst.wait_answered(burst.total * number // (len(_PROCESSES) + 1))
            _kill(platform, name)
    platform.settle()
    exactly_once.check(platform, postman)


def test_a_drain_killed_inside_its_transaction_is_taken_over(platform: Platform, postman: Postman) -> None:
    """The effects are written and not committed; another drain finds the claims of a dead one."""
    mail = mail_of(postman.leads(LEADS), utc_now(), random.Random(2))
    with platform.nobody_writes("app.message"), postman.burst(mail, pace_s=PACE_S) as burst:
        burst.wait_answered(burst.total // 3)
        held = "SELECT count(*) FROM raw.webhook_event WHERE state = 'running'"
        platform.until(lambda: platform.ledger.one(held), "the inbound drain holds deliveries")
        _kill_drain(platform, "inbound")
    platform.settle()
    exactly_once.check(platform, postman)
    lost = platform.ledger.one("SELECT max(attempts) FROM raw.webhook_event")
    assert lost > 1, "the killed claim cost no attempt: was anything claimed?"


def test_a_drain_killed_while_the_model_thinks_is_taken_over(platform: Platform, postman: Postman) -> None:
    mail = mail_of(postman.leads(LEADS), utc_now(), random.Random(3))
    with platform.slow_vendor("openai", "/responses$", 5) as taken, postman.burst(mail, pace_s=PACE_S):
        platform.until(taken, "the model was asked")
        _kill_drain(platform, "replies")
    platform.settle()
    exactly_once.check(platform, postman)
    assert platform.ledger.one("SELECT max(attempts) FROM app.job WHERE kind = 'reply'") > 1


def test_a_drain_killed_between_the_vendors_yes_and_the_ledger_sends_nothing_twice(
    platform: Platform, postman: Postman
) -> None:
    """The vendor has sent the mail and nobody heard it. It is found by reading back, not sent again."""
    mail = mail_of(postman.leads(LEADS), utc_now(), random.Random(4))
    with platform.slow_vendor("emailbison", "/reply$", 5) as taken, postman.burst(mail, pace_s=PACE_S):
        platform.until(taken, "the vendor accepted a mail")
        _kill_drain(platform, "sends")
    platform.settle()
    exactly_once.check(platform, postman)
    assert platform.ledger.one(_READ_BACK) > 0, "no send was found by reading back"


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_kills_at_random_moments_lose_and_double_nothing(postgres_major: int) -> None:
    """Two thousand deliveries, and something dies every few seconds: process, database or drain, wherever it stands."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print(f"seed {seed} (SEED={seed} repeats it)")
    rng = random.Random(seed)
    with running_platform(postgres_major) as platform:
        postman = Postman(platform)
        for vendor in ("openai", "emailbison"):  # work in flight at any moment, as with real vendors
            platform.control("POST", "latency", json={"provider": vendor, "seconds": 0.3})
        mail = mail_of(postman.leads(PROOF_LEADS), utc_now(), rng)
        started = time.monotonic()
        with postman.burst(mail, pace_s=PROOF_PACE_S) as burst:
            for number in range(PROOF_KILLS):
                time.sleep(rng.uniform(0.2, 8))
                victim = _VICTIMS[number % len(_VICTIMS)] if number < len(_VICTIMS) else rng.choice(_VICTIMS)
                platform.until(lambda victim=victim: _killed(platform, victim), f"{victim} can be killed", 120)
                print(f"{time.monotonic() - started:6.1f} s, {burst.answered:4} acknowledged: killed {victim}")
        print(f"{time.monotonic() - started:6.1f} s: all acknowledged; the door failed {dict(postman.failures)}")
        platform.settle(600)
        print(f"{time.monotonic() - started:6.1f} s: all done; {_what_it_took(platform)}")
        exactly_once.check(platform, postman)


def _what_it_took(platform: Platform) -> str:
    """How much of the work was interrupted: a proof in which nothing was would prove nothing."""
    counts = {
        "deliveries claimed again": "SELECT count(*) FROM raw.webhook_event WHERE attempts > 1",
        "jobs claimed again": "SELECT count(*) FROM app.job WHERE attempts > 1",
        "sends found by reading back": _READ_BACK,
        "sends left to a person": "SELECT count(*) FROM app.send WHERE state = 'needs_human'",
    }
    return ", ".join(f"{platform.ledger.one(query)} {name}" for name, query in counts.items())


def _killed(platform: Platform, victim: str) -> bool:
    """SIGKILL a process or a lane's drain; False when it is not alive just now."""
    if victim in _LANES:
        worker = platform.drain(victim)
        if worker is None:
            return False
        os.kill(worker.pid, signal.SIGKILL)
        return True
    if platform.supervisor.pid(victim) is None:
        return False
    platform.supervisor.kill(victim)
    return True
