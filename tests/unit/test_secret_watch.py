"""The watch over the whole suite's output sees what was sealed, and does not repeat it."""

import os
import subprocess
import sys
from pathlib import Path

from tests import secret_watch
from zrg_dagster.core.base.seal import Sealer, new_key

LEAKY = """
from zrg_dagster.core.base.seal import Sealer, new_key

def test_it_leaks():
    Sealer(new_key()).seal("planted-by-the-watch-test", scope="w:x")
    print("the value is planted-by-the-watch-test.")
"""


def test_what_is_sealed_and_what_seals_is_watched():
    key = new_key()
    Sealer(key).seal("another-planted-value", scope="w:x")
    assert secret_watch.found_in("nothing here") == []
    found = secret_watch.found_in(f"log another-planted-value and {key}")
    assert len(found) == 2
    assert not any("planted" in each for each in found)


def test_a_test_that_prints_a_secret_fails(tmp_path):
    (tmp_path / "test_leaky.py").write_text(LEAKY)
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "pytest", "-p", "tests.secret_watch", "-p", "no:cacheprovider", str(tmp_path)]
    # Nothing but the watch: the plugins of this machine take longer to load than the test to run.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1, done.stdout
    assert "secrets in the output of this test: pl…st (25 characters)" in done.stdout
