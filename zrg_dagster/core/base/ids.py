"""Identifiers made in Python, never in SQL: time-ordered UUIDs for business rows."""

import os
import threading
import time
from uuid import UUID

_RANDOM_BITS = 74
_DRAWN = 256  # asking the system for the bits of one id takes as long as all the rest of making it
_lock = threading.Lock()
_last = 0
_random: list[int] = []


def _forget_last() -> None:
    """A forked child must not count on from its parent's last id, nor use what its parent drew: its siblings would make
    the same ones."""
    global _last, _lock, _random
    _lock = threading.Lock()
    _last = 0
    _random = []


os.register_at_fork(after_in_child=_forget_last)


def _draw() -> list[int]:
    """Random numbers of 74 bits from the system's generator."""
    drawn = os.urandom(10 * _DRAWN)
    return [int.from_bytes(drawn[at : at + 10]) >> (80 - _RANDOM_BITS) for at in range(0, len(drawn), 10)]


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits; ascending within a process.

    Time order keeps B-tree inserts at the right edge and breaks ties in the order of creation; the random part makes
    ids unguessable.
    """
    global _last, _random
    milliseconds = time.time_ns() // 1_000_000 & (2**48 - 1)
    with _lock:
        if not _random:
            _random = _draw()
        ordered = milliseconds << _RANDOM_BITS | _random.pop()
        if ordered <= _last:
            ordered = _last + 1
        _last = ordered
    return UUID(
        int=(ordered >> 62) >> 12 << 80
        | 0x7 << 76
        | ((ordered >> 62) & 0xFFF) << 64
        | 0b10 << 62
        | ordered & (2**62 - 1)
    )
