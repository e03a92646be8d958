"""Looks for secrets in everything that the tests print: logs, errors and reports of every test, ours and Dagster's.

Whatever is sealed, whatever seals, and the demo's secrets are secrets. A test in whose output one stands fails.
"""

from collections.abc import Generator
from typing import Any

import pytest

from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.local.demo.set_up import DEMO_SECRETS, SIGNING_SECRET

# Shorter values stand in ordinary words.
LEAST_CHARS = 8
watched: set[str] = set()


def watch(*values: str) -> None:
    watched.update(value for value in values if len(value) >= LEAST_CHARS)


def found_in(text: str) -> list[str]:
    """The watched values that stand in `text`, masked: a report must not repeat what it complains about."""
    return sorted(f"{value[:2]}…{value[-2:]} ({len(value)} characters)" for value in watched if value in text)


def pytest_configure() -> None:
    watch(*DEMO_SECRETS.values(), SIGNING_SECRET)
    make, seal = Sealer.__init__, Sealer.seal

    def watched_make(self: Sealer, keys: str) -> None:
        watch(*(part.strip() for part in keys.split(",")))
        make(self, keys)

    def watched_seal(self: Sealer, value: str, *, scope: str) -> str:
        watch(value)
        return seal(self, value, scope=scope)

    Sealer.__init__ = watched_make
    Sealer.seal = watched_seal


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    said: list[Any] = [text for _, text in report.sections]
    if found := found_in("\n".join(said)):
        report.outcome = "failed"
        report.longrepr = f"secrets in the output of this test: {', '.join(found)}"
    return report
