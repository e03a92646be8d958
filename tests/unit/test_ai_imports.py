"""What loading the definitions may not pull in: the resources and the rules load neither model nor HTTP library."""

import subprocess
import sys

import pytest

LIGHT = (
    "zrg_dagster.resources.model",
    "zrg_dagster.resources.channels",
    "zrg_dagster.core.ai.result",
    "zrg_dagster.core.ai.telemetry",
    "zrg_dagster.core.replies.classify",
    "zrg_dagster.core.replies.evaluate",
    "zrg_dagster.core.drafting.generate",
    "zrg_dagster.core.drafting.guards",
    "zrg_dagster.core.workspaces.channels",
    "zrg_dagster.core.providers.outcome",
)


@pytest.mark.parametrize("module", LIGHT)
def test_module_stays_light(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'openai', 'httpx', 'httpx2', 'pandas', 'numpy'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
