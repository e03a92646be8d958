"""Clay on the wire: the webhook sources of enrichment tables, and the answers of their columns (vendor reference ch. 10).

Kept behaviours: a table is known by its address alone, takes a bounded number of rows in its life, answers at once that it
took the row, and calls back later, or never.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provider_sandbox.state import BoundedDict, Sandbox
from provider_sandbox.vendor import Refused, SeedError, Vendor, echo, json_object, json_response, sandbox_of

NAME = "clay"
KINDS = ("phone", "linkedin")
FOUND = {"phone": "phone", "linkedin": "linkedinUrl"}


@dataclass(slots=True)
class Store:
    """`tables` by id: kind, rows taken, whether somebody deleted the source. `results` by (address, kind)."""

    tables: BoundedDict = field(default_factory=BoundedDict)
    results: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    rows: BoundedDict = field(default_factory=BoundedDict)

    def table(self, table_id: str) -> dict[str, Any]:
        if table_id not in self.tables:
            kind = "linkedin" if "linkedin" in table_id else "phone"
            self.tables[table_id] = {"id": table_id, "kind": kind, "rows": 0, "deleted": False}
        return self.tables[table_id]


def error(status: int) -> Response:
    words = {404: "Not found", 422: "Invalid body", 429: "Too many requests"}
    return json_response({"error": words.get(status, "Internal server error")}, status)


def unauthorized() -> Response:
    return json_response({"error": "Unauthorized"}, 401)


def rate_limited(retry_after: float) -> Response:
    return json_response({"error": "Too many requests"}, 429, {"Retry-After": str(int(-(-retry_after // 1)))})


def guard(sandbox: Sandbox, request: Request) -> Response | None:
    """Only a source whose auth is switched on asks for its token."""
    if not sandbox.option(NAME, "require_token"):
        return None
    return None if request.headers.get("x-clay-webhook-auth") in sandbox.credentials[NAME] else unauthorized()


async def _submit(request: Request) -> Response:
    sandbox = sandbox_of(request)
    store = sandbox.store(Store)
    table = store.table(request.path_params["table"])
    if table["deleted"]:
        raise Refused(error(404))
    row = await json_object(request, error(422))
    if table["rows"] >= sandbox.option(NAME, "rows_per_table"):
        raise Refused(json_response({"error": "Record limit reached"}, 429))
    table["rows"] += 1
    store.rows[sandbox.ids.uuid()] = {"table": table["id"], **row}
    if row.get("leadId"):
        echo(request, NAME, _answer(store, table["kind"], row), delay_s=sandbox.option(NAME, "answer_delay_s"))
    return json_response({"success": True})


def _answer(store: Store, kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """What the table's HTTP column says of a row: our own format, typed by its author."""
    found = store.results.get((str(row.get("emailAddress", "")).lower(), kind))
    if found is None:
        return {"leadId": row["leadId"], "enrichmentType": kind, "status": "not_found"}
    return {"leadId": row["leadId"], "enrichmentType": kind, "status": "success", FOUND[kind]: "", **found}


def snapshot(sandbox: Sandbox) -> Mapping[str, Any]:
    store = sandbox.store(Store)
    results = [{"email": email, "kind": kind, **found} for (email, kind), found in store.results.items()]
    return {"tables": list(store.tables.values()), "rows": list(store.rows.values()), "results": results}


def seed(sandbox: Sandbox, data: Mapping[str, Any]) -> int:
    """`{tables: [{id, kind?, rows?, deleted?}], results: [{email, kind, status?, phone or linkedinUrl, error?}]}`."""
    store, taken = sandbox.store(Store), 0
    if unknown := set(data) - {"tables", "results"}:
        raise SeedError(f"clay: unknown kind {sorted(unknown)[0]}")
    for item in data.get("tables", []):
        if not item.get("id") or item.get("kind", "phone") not in KINDS:
            raise SeedError("clay tables: every record needs an id, and a kind: phone or linkedin")
        store.tables[item["id"]] = store.table(item["id"]) | item
        taken += 1
    for item in data.get("results", []):
        if not item.get("email") or item.get("kind") not in KINDS:
            raise SeedError("clay results: every record needs an email, and a kind: phone or linkedin")
        fields = {name: value for name, value in item.items() if name not in ("email", "kind")}
        store.results[(str(item["email"]).lower(), item["kind"])] = fields
        taken += 1
    return taken


VENDOR = Vendor(
    name=NAME,
    prefix="/clay",
    guard=guard,
    error=error,
    unauthorized=unauthorized,
    rate_limited=rate_limited,
    snapshot=snapshot,
    seed=seed,
    routes=[Route("/v3/sources/webhook/{table}", _submit, methods=["POST"])],
)
