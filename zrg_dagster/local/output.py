"""Lines of several processes on one terminal, each with the name of its process."""

import json
import re
import sys
import threading
from collections.abc import Callable

Sink = Callable[[str, str], None]
_WIDTH = 11
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_lock = threading.Lock()


def print_line(process: str, line: str) -> None:
    """`receiver    | line` for people; colours only for a terminal."""
    line = line if sys.stdout.isatty() else _COLOUR.sub("", line)
    _write(f"{process:<{_WIDTH}} | {line}\n")


def print_json(process: str, line: str) -> None:
    """One JSON object per line for machines; lines that are JSON already get the process name added."""
    try:
        fields = json.loads(line) if line.startswith("{") else None
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        fields = {"event": _COLOUR.sub("", line)}
    _write(json.dumps({"process": process, **fields}, ensure_ascii=False) + "\n")


def _write(text: str) -> None:
    with _lock:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except (BrokenPipeError, ValueError):
            # Whoever read our output is gone (`zrg up | head`); the platform goes on.
            return
