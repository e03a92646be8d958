"""The receiver's copy of `raw.route`: which workspace a delivery belongs to and which secrets verify it.

The whole table is read at start, on every `NOTIFY zrg_route`, at least every `ttl_s`, and once more for a key nobody
knows (at most once a second). While the database is away the last copy keeps answering; storing fails then anyway.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict
from typing import NamedTuple
from uuid import UUID

import psycopg

from webhook_receiver.database import connect, describe
from webhook_receiver.metrics import Metrics
from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.base.seal import Sealer, SealError
from zrg_dagster.core.providers.door import Refused, Route, RouteKey, split_secrets

log = get_logger(__name__)

SCHEMA_VERSION = 1  # of the columns and of the sealed value; a row of another version is not guessed at
MAX_UNKNOWN_KEYS = 10_000
MIN_RELOAD_S = 1.0
REFRESH_WAIT_S = 2.0
COALESCE_S = 0.05
RECONNECT_FIRST_S = 0.5
RECONNECT_MOST_S = 5.0

SELECT_ROUTES = """
SELECT provider, routing_key, workspace_id, workspace_key, allowed_hosts, sealed_secret, schema_version
FROM raw.route WHERE is_active
"""


class _Stored(NamedTuple):
    """A row of `raw.route` as read; its secret is opened at the first delivery that needs it."""

    provider: str
    routing_key: str
    workspace_id: UUID
    workspace_key: str
    allowed_hosts: list[str] | None
    sealed_secret: str | None
    schema_version: int


class RouteTable:
    """Answers `find(key)` from memory and keeps that memory fresh through one LISTEN connection."""

    def __init__(self, dsn: str, sealer: Sealer, metrics: Metrics, *, ttl_s: float) -> None:
        self._dsn = dsn
        self._sealer = sealer
        self._metrics = metrics
        self._ttl_s = ttl_s
        self._stored: dict[tuple[str, str], _Stored] = {}
        self._opened: dict[tuple[str, str], Route] = {}
        self._broken: set[tuple[str, str]] = set()
        self._unknown: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._wanted = asyncio.Event()
        self._reloaded = asyncio.Condition()
        self._loaded_at: float | None = None
        self._connected = False
        self._last_count = -1
        self._task: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        return self._loaded_at is not None

    def age_s(self) -> float:
        """Seconds since the table was read; infinite before the first time."""
        return float("inf") if self._loaded_at is None else time.monotonic() - self._loaded_at

    async def start(self) -> None:
        """Begin to follow the table. Does not wait: without a database the receiver starts and answers 503."""
        self._task = asyncio.create_task(self._follow_forever())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def peek(self, key: RouteKey) -> UUID | None:
        """The workspace that owns `key`, from memory alone."""
        row = self._stored.get((key.provider, key.key))
        return row.workspace_id if row else None

    async def find(self, key: RouteKey) -> Route | None:
        """The route for `key`, or None. `Refused(503)` when that cannot be told now or its secret cannot be opened."""
        name = (key.provider, key.key)
        if name not in self._stored and not self._known_unknown(name):
            if self.age_s() >= MIN_RELOAD_S and not (self._connected and await self.refresh()):
                raise Refused(503, "routes_not_read")  # "unknown" is said only on a fresh reading
            if name not in self._stored:
                self._remember_unknown(name)
        row = self._stored.get(name)
        return self._open(name, row) if row else None

    async def refresh(self) -> bool:
        """Have the table read again now. True when that happened within `REFRESH_WAIT_S`."""
        asked = time.monotonic()
        self._wanted.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REFRESH_WAIT_S), self._reloaded:
                await self._reloaded.wait_for(lambda: self._loaded_at is not None and self._loaded_at > asked)
                return True
        return False

    async def reachable(self) -> bool:
        """Whether the database answers: read within the last second on a living connection, else read now."""
        return (self._connected and self.age_s() < MIN_RELOAD_S) or await self.refresh()

    def _open(self, name: tuple[str, str], row: _Stored) -> Route:
        route = self._opened.get(name)
        if route is not None:
            return route
        if name in self._broken:
            raise Refused(503, "route_unusable")
        try:
            if row.schema_version != SCHEMA_VERSION:
                raise SealError(f"route of schema version {row.schema_version}, this receiver reads {SCHEMA_VERSION}")
            scope = f"{row.workspace_id}:verify:{row.provider}"
            secrets = (
                () if row.sealed_secret is None else split_secrets(self._sealer.open(row.sealed_secret, scope=scope))
            )
            if row.sealed_secret is not None and not secrets:
                raise SealError(f"secret for {scope}: empty")
        except SealError as error:
            # Not 401: the vendor did nothing wrong, and a 503 makes it try again after the keys are repaired.
            self._broken.add(name)
            self._metrics.routes_unusable.set(len(self._broken))
            log.warning("route_unusable", provider=row.provider, workspace=row.workspace_key, error=error)
            raise Refused(503, "route_unusable") from None
        hosts = frozenset(host.lower() for host in row.allowed_hosts or ())
        route = Route(row.provider, row.routing_key, row.workspace_id, row.workspace_key, hosts, secrets)
        self._opened[name] = route
        return route

    def _known_unknown(self, name: tuple[str, str]) -> bool:
        expires = self._unknown.get(name)
        return expires is not None and expires > time.monotonic()

    def _remember_unknown(self, name: tuple[str, str]) -> None:
        self._unknown[name] = time.monotonic() + self._ttl_s
        self._unknown.move_to_end(name)
        while len(self._unknown) > MAX_UNKNOWN_KEYS:
            self._unknown.popitem(last=False)

    async def _follow_forever(self) -> None:
        pause = RECONNECT_FIRST_S
        while True:
            try:
                async with await connect(self._dsn, name="routes") as connection:
                    self._connected = True
                    # The driver swallows a notification that arrives during a query unless somebody asked for it.
                    connection.add_notify_handler(lambda _notification: self._wanted.set())
                    await connection.execute("LISTEN zrg_route")
                    await self._reload(connection)
                    pause = RECONNECT_FIRST_S
                    while True:
                        await self._wait_for_reason(connection)
                        await self._reload(connection)
            except (psycopg.Error, OSError) as error:
                log.warning("routes_not_read", age_s=round(self.age_s(), 1), retry_s=pause, cause=describe(error))
            finally:
                self._connected = False
            await asyncio.sleep(pause)
            pause = min(pause * 2, RECONNECT_MOST_S)

    async def _wait_for_reason(self, connection: psycopg.AsyncConnection) -> None:
        """Return when the table should be read: notified, asked, too old, or the connection has something to say.

        A listening connection that becomes readable carries a notification or its own end. Both are answered by
        reading the table, so one connection listens and reads, and a lost server is noticed at once.
        """
        loop = asyncio.get_running_loop()
        descriptor = connection.fileno()

        def readable() -> None:
            loop.remove_reader(descriptor)  # level-triggered: without this the loop would spin until the read
            self._wanted.set()

        loop.add_reader(descriptor, readable)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), self._ttl_s)
                await asyncio.sleep(COALESCE_S)  # a worker that changes many workspaces notifies many times
        finally:
            loop.remove_reader(descriptor)

    async def _reload(self, connection: psycopg.AsyncConnection) -> None:
        connection.pgconn.consume_input()
        while connection.pgconn.notifies():
            continue
        self._wanted.clear()
        started = time.monotonic()
        cursor = await connection.execute(SELECT_ROUTES, prepare=True, binary=True)
        rows = [_Stored(*row) for row in await cursor.fetchall()]
        stored = {(row.provider, row.routing_key): row for row in rows}
        changed = {name for name, row in self._stored.items() if stored.get(name) != row}
        self._opened = {name: route for name, route in self._opened.items() if name not in changed}
        self._broken = {name for name in self._broken if name in stored and name not in changed}
        self._unknown = OrderedDict((name, until) for name, until in self._unknown.items() if name not in stored)
        self._stored = stored
        self._loaded_at = time.monotonic()
        self._metrics.routes.set(len(stored))
        self._metrics.routes_unusable.set(len(self._broken))
        if changed or len(rows) != self._last_count:
            log.info(
                "routes_read", routes=len(rows), changed=len(changed), ms=round((self._loaded_at - started) * 1000, 1)
            )
        self._last_count = len(rows)
        async with self._reloaded:
            self._reloaded.notify_all()
