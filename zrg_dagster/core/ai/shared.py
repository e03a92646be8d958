"""What every model client of one process shares: the limit of requests in flight, and the circuit breakers.

Kept by event loop, which a process that works has one of: a semaphore belongs to its loop.
"""

import asyncio
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from zrg_dagster.core.ai.breaker import Breakers


@dataclass(frozen=True, slots=True)
class Shared:
    gate: asyncio.Semaphore
    breakers: Breakers = field(default_factory=Breakers)


_of_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, Shared]" = WeakKeyDictionary()


def shared(max_in_flight: int) -> Shared:
    """The shared parts for the running loop. The first who asks decides the limit."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loop:
        _of_loop[loop] = Shared(asyncio.Semaphore(max_in_flight))
    return _of_loop[loop]
