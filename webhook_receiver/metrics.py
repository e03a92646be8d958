"""Prometheus metrics of one receiver process, in a registry of their own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# What became of a delivery. Every request to a webhook route counts under exactly one of these.
OUTCOMES = (
    "stored",
    "duplicate",
    "unauthorized",
    "unknown_workspace",
    "malformed",
    "too_large",
    "unavailable",
    "failed",
    "ignored",
    "provider_mismatch",
)


class Metrics:
    """The counters and gauges of the receiver. Label values come from our own constants, never from a request."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._deliveries = Counter(
            "zrg_receiver_deliveries",
            "Webhook deliveries by vendor and outcome.",
            ("provider", "outcome"),
            registry=self.registry,
        )
        self._unsigned = Counter(
            "zrg_receiver_unsigned_accepted",
            "Deliveries accepted without a secret; possible in development only.",
            ("provider",),
            registry=self.registry,
        )
        self.batch_rows = Histogram(
            "zrg_receiver_batch_rows",
            "Deliveries committed together.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
            registry=self.registry,
        )
        self.store_seconds = Histogram(
            "zrg_receiver_store_seconds",
            "Time from the start of a batch to its commit.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
            registry=self.registry,
        )
        self.store_failures = Counter(
            "zrg_receiver_store_failures", "Batches that could not be committed.", ("cause",), registry=self.registry
        )
        self.queue_length = Gauge(
            "zrg_receiver_queue_length", "Deliveries waiting for a commit.", registry=self.registry
        )
        self.held_bytes = Gauge("zrg_receiver_held_bytes", "Bytes of request bodies in memory.", registry=self.registry)
        self.route_age = Gauge(
            "zrg_receiver_route_age_seconds", "Time since the routing table was read.", registry=self.registry
        )
        self.routes = Gauge("zrg_receiver_routes", "Routing keys known.", registry=self.registry)
        self.routes_unusable = Gauge(
            "zrg_receiver_routes_unusable",
            "Routing keys seen whose secret cannot be opened or whose schema version is unknown.",
            registry=self.registry,
        )

    def count(self, provider: str, outcome: str) -> None:
        self._deliveries.labels(provider, outcome).inc()

    def count_unsigned(self, provider: str) -> None:
        self._unsigned.labels(provider).inc()

    def prepare(self, provider: str) -> None:
        """Create the vendor's series at zero, so that a rate over the first failure is not lost."""
        for outcome in OUTCOMES:
            self._deliveries.labels(provider, outcome)
        self._unsigned.labels(provider)

    def render(self) -> bytes:
        return generate_latest(self.registry)
