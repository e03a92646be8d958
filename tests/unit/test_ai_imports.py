"""What loading the definitions may not pull in: the resources and the rules load neither model nor HTTP library."""

import subprocess
import sys

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


HEAVY = "{'openai', 'httpx', 'httpx2', 'aiohttp', 'pandas', 'numpy'}"


def test_no_module_pulls_in_what_is_heavy() -> None:
    """One interpreter for all: what is there after the last import was pulled in by one of them."""
    loads = "\n".join(f"import {module}; print('{module}', sorted({HEAVY} & set(sys.modules)))" for module in LIGHT)
    done = subprocess.run([sys.executable, "-c", f"import sys\n{loads}"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{module} []" for module in LIGHT]
