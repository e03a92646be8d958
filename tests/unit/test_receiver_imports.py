"""The receiver stays small: a fresh interpreter that loads it has none of the heavy libraries in memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

ROOT = Path(__file__).parents[2]
FORBIDDEN = (
    "httpx", "phonenumbers", "inscriptis", "lxml", "mailparser_reply", "openai", "pandas", "numpy", "dagster",
    "sqlalchemy",
)  # fmt: skip
LOAD = "import json, sys; import webhook_receiver.main; print(json.dumps(sorted(sys.modules)))"


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=clean,
        cwd=ROOT / "tests",
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_loads_no_heavy_library_and_of_the_vendors_only_their_doors() -> None:
    done = run(LOAD, ZRG_DB_RECEIVER_URL="postgresql://zrg_receiver:x@127.0.0.1:1/zrg", ZRG_VERIFY_KEYS=_key())
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not {name for name in loaded if name.split(".")[0] in FORBIDDEN}
    ours = {name for name in loaded if name.startswith("zrg_dagster.")}
    vendors = {name for name in ours if name.count(".") > 3}
    assert vendors
    assert all(name.endswith(".door") for name in vendors)
    rooms = {name.split(".")[2] for name in ours if name.startswith("zrg_dagster.core.")}
    assert rooms <= {"base", "db", "providers"}


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({}, "ZRG_DB_RECEIVER_URL"),
        ({"ZRG_DB_RECEIVER_URL": "postgresql://x"}, "ZRG_VERIFY_KEYS"),
        ({"ZRG_DB_RECEIVER_URL": "postgresql://x", "ZRG_VERIFY_KEYS": "short"}, "ZRG_VERIFY_KEYS"),
        ({"ZRG_ENV": "staging"}, "ZRG_ENV"),
    ],
)
def test_a_bad_setting_ends_with_one_line_that_names_it(env: dict[str, str], named: str) -> None:
    done = run(LOAD, **env)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert named in done.stderr


def _key() -> str:
    return Fernet.generate_key().decode()
