"""The demo as a stranger runs it: one command, a home in a folder with a space, and nothing left behind."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.platform import ports_of, processes_of, remove_home
from zrg_dagster.local.probes import port_is_free

pytestmark = [pytest.mark.xdist_group("own platform"), pytest.mark.timeout(600)]

PATIENCE_S = 500.0
_VERDICT = re.compile(r"demo: ok (\d+)/(\d+) checks")


def _tail(path: Path, lines: int) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else f"no {path.name}"


def test_the_demo_tells_its_story_and_leaves_nothing_behind(tmp_path: Path) -> None:
    home = tmp_path / "zrg home"
    output = tmp_path / "output.txt"
    environment = {**os.environ, "ZRG_HOME": str(home), "COLUMNS": "140"}
    ports: set[int] = set()
    try:
        with output.open("wb") as out:
            demo = subprocess.Popen(
                [sys.executable, "-m", "zrg_dagster.cli", "demo", "--exit"],
                env=environment,
                cwd=tmp_path,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + PATIENCE_S
            while demo.poll() is None and time.monotonic() < deadline:
                ports |= ports_of(home)
                time.sleep(1)
            code = demo.poll()
        finally:
            # Its children end with it, also when this test is interrupted.
            if demo.poll() is None:
                demo.kill()
                demo.wait(20)
        said = f"{_tail(output, 80)}\n--- demo.log\n{_tail(home / 'demo' / 'logs' / 'demo.log', 60)}"
        assert code == 0, f"exit code {code} (None: it did not end)\n{said}"
        verdict = _VERDICT.fullmatch(output.read_text().rstrip().splitlines()[-1])
        assert verdict, said
        assert verdict[1] == verdict[2]
        assert int(verdict[1]) > 20
        assert processes_of(home) == []
        assert len(ports) == 4, f"expected four servers, saw ports {sorted(ports)}"
        assert [port for port in ports if not port_is_free("127.0.0.1", port)] == []
    finally:
        _wait_gone(home)
        remove_home(home / "demo")


def _wait_gone(home: Path) -> None:
    """After a kill the guards need a moment to take everything down; the home cannot be removed before."""
    deadline = time.monotonic() + 20
    while processes_of(home) and time.monotonic() < deadline:
        time.sleep(0.2)
