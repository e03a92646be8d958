"""All vendor clients of a process over one shared HTTP client."""

from types import TracebackType
from typing import Self

from zrg_dagster.core.providers.calendly.client import CalendlyClient
from zrg_dagster.core.providers.clay.client import ClayClient
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.emailbison.client import EmailBisonClient
from zrg_dagster.core.providers.ghl.client import GhlClient
from zrg_dagster.core.providers.http import make_http_client
from zrg_dagster.core.providers.instantly.client import InstantlyClient
from zrg_dagster.core.providers.slack.client import SlackClient
from zrg_dagster.core.providers.smartlead.client import SmartLeadClient
from zrg_dagster.core.providers.unipile.client import UnipileClient


class VendorClients:
    """`async with VendorClients() as vendors:` then `vendors.ghl(credential).send_sms(...)`. One per event loop."""

    def __init__(self, *, max_connections: int = 64) -> None:
        self._http = make_http_client(max_connections=max_connections)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    def emailbison(self, credential: Credential) -> EmailBisonClient:
        return EmailBisonClient(self._http, credential)

    def smartlead(self, credential: Credential) -> SmartLeadClient:
        return SmartLeadClient(self._http, credential)

    def instantly(self, credential: Credential) -> InstantlyClient:
        return InstantlyClient(self._http, credential)

    def unipile(self, credential: Credential) -> UnipileClient:
        return UnipileClient(self._http, credential)

    def ghl(self, credential: Credential) -> GhlClient:
        return GhlClient(self._http, credential)

    def calendly(self, credential: Credential) -> CalendlyClient:
        return CalendlyClient(self._http, credential)

    def clay(self) -> ClayClient:
        return ClayClient(self._http)

    def slack(self, credential: Credential) -> SlackClient:
        return SlackClient(self._http, credential)
