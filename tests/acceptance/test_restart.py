"""A clean stop and a start on the same home, as `zrg up` after an upgrade or a reboot."""

import random
from typing import Any

import pytest

from tests.acceptance import exactly_once
from tests.acceptance.platform import Platform
from tests.acceptance.postman import Postman, mail_of
from zrg_dagster.core.base.clock import utc_now

pytestmark = [pytest.mark.xdist_group("platform"), pytest.mark.timeout(600)]

# Everything that doing something twice would change; of finished work none of it may move.
_STATE = """
    SELECT 'event', id, state, attempts FROM raw.webhook_event
    UNION ALL SELECT 'job', id, state, attempts FROM app.job
    UNION ALL SELECT 'send', id, state, attempts FROM app.send
    UNION ALL SELECT 'message', id, message_key, 0 FROM app.message
    UNION ALL SELECT 'draft', id, status, version FROM app.draft
    UNION ALL SELECT 'touch', id, kind, 0 FROM app.touch"""


def _state(platform: Platform) -> set[tuple[Any, ...]]:
    return set(platform.ledger.all(_STATE))


def test_a_start_on_an_existing_home_keeps_everything_and_repeats_nothing(platform: Platform, postman: Postman) -> None:
    """Finished work stays as it is, work under way is finished, and new deliveries flow."""
    postman.deliver(mail_of(postman.leads(5), utc_now(), random.Random(5)))
    platform.settle()
    finished = _state(platform)
    cluster = platform.stack.postgres
    assert cluster is not None
    identity = cluster.identity

    postman.deliver(mail_of(postman.leads(5), utc_now(), random.Random(6)))
    platform.stop()  # in the middle of that work
    assert platform.leftovers() == []
    platform.start()

    assert cluster.identity == identity, "the start made a new cluster"
    postman.deliver(mail_of(postman.leads(5), utc_now(), random.Random(7)))
    platform.settle()
    changed = finished - _state(platform)
    assert not changed, f"changed by a restart: {sorted(map(str, changed))[:5]}"
    exactly_once.check(platform, postman)

    platform.stop()
    assert platform.leftovers() == []
