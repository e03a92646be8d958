"""The kinds of values that a workspace's file holds: what each may be, and what is said when it is not."""

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field

from zrg_dagster.core.base.public_address import UnsafeUrl, checked_url
from zrg_dagster.core.providers.credential import BaseUrlError, checked_base_url
from zrg_dagster.core.text.template import problems_in

_REFERENCE = re.compile(r"^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*)$")
_ADDRESS = re.compile(r"^[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+$")


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("unknown time zone; use an IANA name such as America/New_York")
    return value


def checked_email(value: str) -> str:
    """An address as stored: trimmed, lower case. `ValueError` when it is none."""
    value = value.strip().lower()
    if not _ADDRESS.match(value):
        raise ValueError("not an e-mail address; write name@example.com")
    return value


def _reference(value: str) -> str:
    if not _REFERENCE.match(value):
        raise ValueError("a secret is never written here; use env:NAME or file:PATH")
    return value


def _vendor_id(value: Any) -> Any:
    """Vendor ids are text, but many look like numbers; unquoted they are the same."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _address_of_vendor(value: str) -> str:
    try:
        return checked_base_url(value)
    except BaseUrlError as error:
        raise ValueError(str(error)) from None


def _address_of_customer(value: str) -> str:
    """What we call for a customer must not lead into our own network (CO-03)."""
    try:
        return checked_url(value.strip()).url
    except UnsafeUrl as error:
        raise ValueError(str(error)) from None


def _table_of_clay(value: str) -> str:
    """People's addresses are sent there, so it is Clay's own host (or a stand-in on this machine)."""
    address = _address_of_vendor(value)
    host = urlsplit(address).hostname or ""
    if host == "clay.com" or host.endswith(".clay.com") or address.startswith("http://"):
        return address
    raise ValueError("not a table of Clay; write https://api.clay.com/…")


def _once_each(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _template(value: str) -> str:
    """FU-87: what the engine could never fill is refused when it is saved."""
    unknown = problems_in(value)
    if unknown:
        raise ValueError(f"unknown template variables {', '.join(unknown)}; correct or remove them")
    return value


Zone = Annotated[str, AfterValidator(_zone)]
Email = Annotated[str, AfterValidator(checked_email)]
SecretReference = Annotated[str, AfterValidator(_reference)]
VendorId = Annotated[str, BeforeValidator(_vendor_id), Field(min_length=1, max_length=200)]
VendorAddress = Annotated[str, AfterValidator(_address_of_vendor)]
ClayTable = Annotated[str, AfterValidator(_table_of_clay)]
CustomerAddress = Annotated[str, AfterValidator(_address_of_customer)]
CrmEvents = Annotated[list[Literal["lead_created", "crm_row_updated"]], AfterValidator(_once_each)]
Host = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$")]
Template = Annotated[str, AfterValidator(_template)]
Role = Literal["ADMIN", "INBOX_MANAGER", "SETTER", "CLIENT_PORTAL"]
