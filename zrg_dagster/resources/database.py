"""Postgres as a Dagster resource, one per role. Nothing connects when definitions load."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.ext.asyncio import AsyncEngine


class Database(dg.ConfigurableResource):
    """One role's door to the business database. `role` is `worker` or `build`; the address comes from the settings."""

    role: str

    @property
    def dsn(self) -> str:
        from zrg_dagster.core.base.settings import SettingsError, current_settings

        secret = getattr(current_settings(), f"db_{self.role}_url")
        if secret is None:
            raise SettingsError(
                f"ZRG_DB_{self.role.upper()}_URL is not set: start this process with `zrg up`, or set it"
            )
        return secret.get_secret_value()

    def engine(self, *, pool_size: int = 5, name: str = "zrg") -> "AsyncEngine":
        """A new async engine; the caller disposes of it."""
        from zrg_dagster.core.db.engine import make_engine

        return make_engine(self.dsn, pool_size=pool_size, application_name=name)

    @contextmanager
    def connect(self) -> Iterator["psycopg.Connection[dict[str, Any]]"]:
        """A short synchronous connection with a two-second statement timeout, for sensors and schedules."""
        from zrg_dagster.core.db.engine import sync_connect

        with sync_connect(self.dsn) as connection:
            yield connection
