"""SIGKILL of each process in turn while deliveries come in: what was acknowledged is processed, and only once."""

import os
import random
import signal

import pytest

from tests.acceptance import exactly_once
from tests.acceptance.platform import Platform
from tests.acceptance.postman import Postman, mail_of
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.local.children import CODE_SERVER, DAEMON, RECEIVER, WEBSERVER
from zrg_dagster.local.supervisor import POSTGRES

pytestmark = [pytest.mark.xdist_group("platform"), pytest.mark.timeout(600)]

PACE_S = 0.08
LEADS = 9  # of each test: with their repetitions about twenty deliveries


def _kill(platform: Platform, name: str) -> None:
    """SIGKILL a child of the supervisor, and wait until its successor is ready."""
    before = platform.supervisor.restarts(name)
    platform.supervisor.kill(name)
    platform.until(lambda: platform.supervisor.restarts(name) > before, f"{name} is started again")
    platform.until(lambda: platform.is_ready(name), f"{name} is ready again")


def _kill_drain(platform: Platform, lane: str) -> None:
    worker = platform.until(lambda: platform.drain(lane), f"the {lane} drain runs")
    os.kill(worker.pid, signal.SIGKILL)


@pytest.mark.parametrize("name", [RECEIVER, CODE_SERVER, WEBSERVER, DAEMON, POSTGRES])
def test_a_killed_process_loses_and_doubles_nothing(platform: Platform, postman: Postman, name: str) -> None:
    mail = mail_of(postman.leads(LEADS), utc_now(), random.Random(1))
    with postman.burst(mail, pace_s=PACE_S) as burst:
        burst.wait_answered(burst.total // 3)
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
    found = "SELECT count(*) FROM app.send WHERE vendor_detail ->> 'found_by' = 'read_back'"
    assert platform.ledger.one(found) > 0, "no send was found by reading back"
