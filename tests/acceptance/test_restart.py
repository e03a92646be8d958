"""A clean stop and a start on the same home, as `zrg up` after an upgrade or a reboot."""

import random
from typing import Any

import pytest

from tests.acceptance import exactly_once
from tests.acceptance.platform import Platform
from tests.acceptance.postman import Postman, mail_of
from zrg_dagster.core.base.clock import utc_now

pytestmark = [pytest.mark.xdist_group("platform"), pytest.mark.timeout(600)]

# Everything that processing something twice would change; none of it may move while nothing new is delivered.
_STATE = """
    SELECT 'event', id, state, attempts FROM raw.webhook_event
    UNION ALL SELECT 'job', id, state, attempts FROM app.job
    UNION ALL SELECT 'send', id, state, attempts FROM app.send WHERE lead_id IS NOT NULL
    UNION ALL SELECT 'message', id, message_key, 0 FROM app.message
    UNION ALL SELECT 'draft', id, status, version FROM app.draft
    UNION ALL SELECT 'touch', id, kind, 0 FROM app.touch"""


def _state(platform: Platform) -> set[tuple[Any, ...]]:
    return set(platform.ledger.all(_STATE))


def test_a_start_on_an_existing_home_keeps_everything_and_repeats_nothing(platform: Platform, postman: Postman) -> None:
    postman.deliver(mail_of(postman.leads(10), utc_now(), random.Random(5)))
    platform.settle()
    before = _state(platform)
    cluster = platform.stack.postgres
    assert cluster is not None
    identity = cluster.identity

    platform.restart()

    assert cluster.identity == identity, "the start made a new cluster"
    postman.deliver(mail_of(postman.leads(10), utc_now(), random.Random(6)))
    platform.settle()
    lost = before - _state(platform)
    assert not lost, f"changed by a restart: {sorted(map(str, lost))[:5]}"
    exactly_once.check(platform, postman)

    platform.stop()
    assert platform.leftovers() == []


def test_work_accepted_before_a_stop_is_done_after_the_start(platform: Platform, postman: Postman) -> None:
    """The platform is stopped while deliveries wait and drains work; the next start finishes them."""
    if not platform.is_running:
        platform.start()
    postman.deliver(mail_of(postman.leads(10), utc_now(), random.Random(7)))
    platform.restart()
    platform.settle()
    exactly_once.check(platform, postman)
