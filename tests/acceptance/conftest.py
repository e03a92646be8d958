"""Acceptance tests start real processes. One platform serves the tests that can share it; it is stopped and removed at
the end, whatever happened, and a failing test shows the last lines of every process."""

from collections.abc import Generator, Iterator
from typing import Any

import pytest
from _pytest.nodeid import coerce_node_id

from tests.acceptance.platform import Platform, running_platform
from tests.acceptance.postman import Postman


@pytest.fixture(scope="session")
def shared_platform(postgres_major: int) -> Iterator[Platform]:
    with running_platform(postgres_major) as platform:
        yield platform


@pytest.fixture
def platform(shared_platform: Platform) -> Platform:
    """The shared platform: started by the first test that asks for it, and again after one that stopped it."""
    if not shared_platform.is_running:
        shared_platform.start()
    return shared_platform


@pytest.fixture(scope="session")
def postman(shared_platform: Platform) -> Postman:
    """Who has delivered to the shared platform, and what was acknowledged."""
    return Postman(shared_platform)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Make the groups of `--dist loadgroup` count: xdist 3.8 writes them to `item._nodeid`, which pytest 9.2 does not
    read. Unnoticed, two workers would each start a platform and run half of its tests at the same time."""
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        if (grouped := vars(item).get("_nodeid")) is not None:
            item._id = coerce_node_id(grouped)
        if item.get_closest_marker("xdist_group") is not None:
            assert "@" in item.nodeid, f"{item.nodeid} is not grouped: this pytest and this xdist do not fit together"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for platform in item.funcargs.values():
            if isinstance(platform, Platform):
                report.sections.append(("the platform's last lines", platform.tails()))
    return report
