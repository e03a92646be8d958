"""The receiver without micro-batching: the same application, every delivery a transaction of its own on 16 connections.

granian --interface asgi benchmarks.one_by_one:app
"""

from starlette.applications import Starlette

from webhook_receiver.app import create_app
from webhook_receiver.metrics import Metrics
from webhook_receiver.routes import RouteTable
from webhook_receiver.store import DeliveryStore
from zrg_dagster.core.base.log import configure_logging
from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.base.settings import load_settings

CONNECTIONS = 16


def build() -> Starlette:
    settings = load_settings(ZRG_RECEIVER_BATCH_SIZE=1)
    configure_logging(json=settings.json_logs, level=settings.log_level)
    assert settings.db_receiver_url is not None
    assert settings.verify_keys is not None
    dsn, metrics = settings.db_receiver_url.get_secret_value(), Metrics()
    store = DeliveryStore(
        dsn,
        metrics,
        batch_size=1,
        queue_size=settings.receiver_queue_size,
        timeout_s=settings.receiver_store_timeout_s,
        flushers=CONNECTIONS,
    )
    sealer = Sealer(settings.verify_keys.get_secret_value())
    routes = RouteTable(dsn, sealer, metrics, ttl_s=settings.route_ttl_s)
    return create_app(settings, store=store, routes=routes, metrics=metrics)


app = build()
