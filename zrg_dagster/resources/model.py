"""The model as a Dagster resource. Nothing loads and nothing connects before an op asks for the client."""

import asyncio
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

if TYPE_CHECKING:
    from zrg_dagster.core.ai.client import ModelClient


class Model(dg.ConfigurableResource):
    """Structured calls to the models. Address, key, limits and prices come from the settings."""

    max_in_flight: int | None = Field(
        default=None, description="Requests to the model at the same time. Empty: ZRG_MODEL_MAX_IN_FLIGHT."
    )

    def client(self, *, gate: asyncio.Semaphore | None = None) -> "ModelClient":
        """A client for the current event loop; the caller awaits `aclose()`.

        All clients of the loop share one limit of requests in flight (unless `gate` is another) and one set of circuit
        breakers. Without an API key every call answers `no_key`. `SettingsError` for a price list that is none.
        """
        from zrg_dagster.core.ai.client import ModelClient
        from zrg_dagster.core.ai.shared import shared
        from zrg_dagster.core.ai.telemetry import price_list
        from zrg_dagster.core.base.settings import current_settings

        price_list()
        settings = current_settings()
        key = settings.openai_api_key
        common = shared(self.max_in_flight or settings.model_max_in_flight)
        return ModelClient(
            api_key=key.get_secret_value() if key else None,
            base_url=settings.openai_base_url,
            model=settings.openai_model,
            gate=gate or common.gate,
            deadline_s=settings.model_timeout_s,
            breakers=common.breakers,
        )
