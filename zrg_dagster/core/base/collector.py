"""How often Python looks for reference cycles while a process makes objects by the thousand."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects until the youngest are looked through, and how many such looks until the next older ones are. Python's own
# 700 is met every twenty deliveries, when all that a batch holds is alive: an eighth of a drain's CPU for nothing. What
# cycles hold back meanwhile is a few megabytes.
_YOUNGEST, _OLDER = 20_000, 20
# The usual thresholds, once for each block that is open: blocks of one process may end in any order.
_usual: list[tuple[int, int, int]] = []


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for cycles rarely until the block, and every other one that is open, ends."""
    _usual.append(_usual[0] if _usual else gc.get_threshold())
    gc.set_threshold(_YOUNGEST, _OLDER, _OLDER)
    try:
        yield
    finally:
        usual = _usual.pop()
        if not _usual:
            gc.set_threshold(*usual)
