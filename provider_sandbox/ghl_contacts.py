"""GoHighLevel contacts, users and workflows on the wire (vendor reference 4.4)."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from provider_sandbox.ghl_store import Store
from provider_sandbox.ghl_wire import contact_of, read_body, refuse, store_of, trace, unprocessable
from provider_sandbox.state import iso_milli, parse_iso
from provider_sandbox.vendor import json_response, sandbox_of, whole_number

CONTACT_FIELDS = frozenset(
    [
        "firstName",
        "lastName",
        "name",
        "email",
        "phone",
        "companyName",
        "website",
        "timezone",
        "address1",
        "city",
        "state",
        "postalCode",
        "country",
        "source",
        "customFields",
        "dnd",
        "dndSettings",
        "assignedTo",
        "tags",
    ]
)


def _check_fields(body: Mapping[str, Any]) -> None:
    phone = body.get("phone")
    if phone and not re.fullmatch(r"\+[1-9]\d{7,14}", str(phone)):
        raise refuse(400, "Invalid country calling code", error="Bad Request")


def _same_person(store: Store, body: Mapping[str, Any], location: str) -> tuple[dict[str, Any], str] | None:
    for name in ("email", "phone"):
        value = str(body.get(name) or "").lower()
        for contact in store.contacts.values():
            if value and contact["locationId"] == location and str(contact.get(name) or "").lower() == value:
                return contact, name
    return None


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in body.items() if name in CONTACT_FIELDS}
    if "customFields" in fields:
        fields["customFields"] = [
            {"id": item.get("id") or item.get("key"), "value": item.get("field_value", item.get("value"))}
            for item in fields["customFields"]
        ]
    return fields


async def upsert(request: Request) -> Response:
    body, store, sandbox = await read_body(request), store_of(request), sandbox_of(request)
    if not body.get("locationId"):
        raise unprocessable("locationId must be a string", "locationId should not be empty")
    _check_fields(body)
    found = _same_person(store, body, body["locationId"])
    creating = request.url.path.endswith("/contacts/")
    if found and creating:
        meta = {"contactId": found[0]["id"], "matchingField": found[1]}
        raise refuse(400, "This location does not allow duplicated contacts.", meta=meta)
    now = iso_milli(sandbox.clock.now())
    if found and not body.get("createNewIfDuplicateAllowed"):
        contact = found[0]
        contact |= _fields(body) | {"dateUpdated": now}
    else:
        contact = store.new_contact(sandbox.ids.alnum(), _fields(body) | {"locationId": body["locationId"]}, now)
    answer = {"contact": contact, "traceId": trace(request)}
    return json_response(answer, 201) if creating else json_response({"new": found is None, **answer})


async def get_contact(request: Request) -> Response:
    return json_response({"contact": contact_of(request, request.path_params["id"]), "traceId": trace(request)})


async def update_contact(request: Request) -> Response:
    contact, body, store = contact_of(request, request.path_params["id"]), await read_body(request), store_of(request)
    if "locationId" in body:
        raise unprocessable("property locationId should not exist")
    _check_fields(body)
    found = _same_person(store, body, contact["locationId"])
    if found and found[0]["id"] != contact["id"]:
        meta = {"contactId": found[0]["id"], "matchingField": found[1]}
        raise refuse(400, "This location does not allow duplicated contacts.", meta=meta)
    contact |= _fields(body) | {"dateUpdated": iso_milli(sandbox_of(request).clock.now())}
    return json_response({"succeded": True, "contact": contact})


def _search_after(contact: Mapping[str, Any]) -> list[Any]:
    added = parse_iso(contact["dateAdded"])
    return [int(added.timestamp() * 1000) if added else 0, contact["id"]]


async def search_contacts(request: Request) -> Response:
    body, store = await read_body(request), store_of(request)
    if not body.get("locationId"):
        raise unprocessable("locationId must be a string", "locationId should not be empty")
    filters, needle = body.get("filters") or [], str(body.get("query") or "").lower()

    def wanted(contact: Mapping[str, Any]) -> bool:
        if contact["locationId"] != body["locationId"]:
            return False
        text = " ".join(str(contact.get(name) or "") for name in ("firstName", "lastName", "email", "phone")).lower()
        equal = all(
            str(contact.get(item.get("field")) or "").lower() == str(item.get("value")).lower()
            for item in filters
            if item.get("operator") == "eq"
        )
        return equal and needle in text

    found = [contact for contact in store.contacts.values() if wanted(contact)]
    size, page = (
        whole_number(str(body.get("pageLimit", 20)), 20, 1, 500),
        whole_number(str(body.get("page", 1)), 1, 1, 10_000),
    )
    part = [
        {name: value for name, value in contact.items() if name != "dndSettings"}
        | {"searchAfter": _search_after(contact)}
        for contact in found[(page - 1) * size : page * size]
    ]
    return json_response({"contacts": part, "total": len(found), "traceId": trace(request)})


async def search_duplicate(request: Request) -> Response:
    query = request.query_params
    found = _same_person(
        store_of(request), {"email": query.get("email"), "phone": query.get("number")}, query.get("locationId", "")
    )
    return json_response({"contact": found[0] if found else None, "traceId": trace(request)})


async def add_to_workflow(request: Request) -> Response:
    contact_of(request, request.path_params["id"])
    return json_response({"succeded": True, "traceId": trace(request)})


async def list_users(request: Request) -> Response:
    return json_response({"users": list(store_of(request).users.values())})


async def list_workflows(request: Request) -> Response:
    return json_response({"workflows": list(store_of(request).workflows.values())})
