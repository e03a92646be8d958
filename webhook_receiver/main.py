"""Entry point: `granian --interface asgi webhook_receiver.main:app`.

Importing builds the application from the environment and opens nothing; the lifespan does. A missing setting ends the
process with one line that names it.
"""

import sys

from starlette.applications import Starlette

from webhook_receiver.app import create_app
from webhook_receiver.metrics import Metrics
from webhook_receiver.routes import RouteTable
from webhook_receiver.store import DeliveryStore
from zrg_dagster.core.base.log import configure_logging
from zrg_dagster.core.base.seal import Sealer, SealError
from zrg_dagster.core.base.settings import Settings, SettingsError, load_settings


def build(settings: Settings) -> Starlette:
    """The receiver for `settings`; `SettingsError` when the database address or the verification keys are missing."""
    if settings.db_receiver_url is None:
        raise SettingsError("setting ZRG_DB_RECEIVER_URL: missing; give the address of role zrg_receiver")
    if settings.verify_keys is None:
        raise SettingsError("setting ZRG_VERIFY_KEYS: missing; make one with `zrg secrets keygen`")
    try:
        sealer = Sealer(settings.verify_keys.get_secret_value())
    except SealError as error:
        raise SettingsError(f"setting ZRG_VERIFY_KEYS: {error}") from None
    dsn = settings.db_receiver_url.get_secret_value()
    metrics = Metrics()
    store = DeliveryStore(
        dsn,
        metrics,
        batch_size=settings.receiver_batch_size,
        queue_size=settings.receiver_queue_size,
        timeout_s=settings.receiver_store_timeout_s,
    )
    routes = RouteTable(dsn, sealer, metrics, ttl_s=settings.route_ttl_s)
    return create_app(settings, store=store, routes=routes, metrics=metrics)


def build_from_environment() -> Starlette:
    try:
        settings = load_settings()
        configure_logging(json=settings.json_logs, level=settings.log_level)
        return build(settings)
    except SettingsError as error:
        print(f"receiver: {error}", file=sys.stderr)
        raise SystemExit(2) from None


app = build_from_environment()
