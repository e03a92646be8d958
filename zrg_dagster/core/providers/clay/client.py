"""Clay: one row into an enrichment table (vendor reference §10.4). The answer comes later, as a webhook."""

from collections.abc import Mapping

import httpx

from zrg_dagster.core.providers.http import Answer, request
from zrg_dagster.core.providers.outcome import Accepted, Blocked, CallFailure, vendor_words

READ_TIMEOUT_S = 10.0
FULL = "record limit"


def classify(answer: Answer) -> CallFailure | None:
    """A table takes 50,000 rows in its life; then somebody makes a new one, and no pause helps."""
    words = vendor_words(answer.document)
    if answer.status == 429 and FULL in words.lower():
        return Blocked("table_full", detail=words)
    return None


class ClayClient:
    """Tables are addressed by their webhook's URL; there is no account."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def submit(self, table_url: str, row: Mapping[str, str], token: str | None) -> Accepted | CallFailure:
        """Add a row. `token` where the table's webhook asks for one."""
        headers = {"x-clay-webhook-auth": token} if token else {}
        answer = await request(
            self._http,
            "POST",
            table_url,
            headers=headers,
            read_timeout_s=READ_TIMEOUT_S,
            json=dict(row),
            classify=classify,
        )
        return Accepted(None) if isinstance(answer, Answer) else answer
