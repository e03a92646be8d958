"""The model as a Dagster resource. Nothing loads and nothing connects before an op asks for the client."""

import asyncio
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

if TYPE_CHECKING:
    from zrg_dagster.core.ai.client import ModelClient


class Model(dg.ConfigurableResource):
    """Structured calls to the configured model. Address, key and model name come from the settings."""

    max_in_flight: int | None = Field(
        default=None, description="Requests to the model at the same time. Empty: as many as jobs in flight."
    )

    def client(self, *, gate: asyncio.Semaphore | None = None) -> "ModelClient":
        """A client for the current event loop; the caller awaits `aclose()`.

        `gate` limits the requests in flight over everything that shares it; by default as many as jobs in flight.
        Without an API key every call answers `no_key`.
        """
        from zrg_dagster.core.ai.client import ModelClient
        from zrg_dagster.core.base.settings import current_settings

        settings = current_settings()
        key = settings.openai_api_key
        return ModelClient(
            api_key=key.get_secret_value() if key else None,
            base_url=settings.openai_base_url,
            model=settings.openai_model,
            gate=gate or asyncio.Semaphore(self.max_in_flight or settings.job_concurrency),
            deadline_s=settings.model_timeout_s,
        )
