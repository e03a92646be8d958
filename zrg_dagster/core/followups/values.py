"""The values that a follow-up template may ask for, by the names of `core.text.template`. Pure."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from zrg_dagster.core.workspaces.voice import first_filled


def template_values(row: Row[Any], slots: Sequence[str] = (), setup: Row[Any] | None = None) -> dict[str, str | None]:
    """Values by name; what is not known stays out and blocks a template that asks for it (FU-74 to FU-76).

    `row` has the lead's columns and those of the workspace's settings; `setup` the `persona_name` and `signature` of the
    persona that speaks (FU-3), whose blanks the settings fill one by one (FU-4), and `questions` (FU-80). `slots` are
    at most two labels; a single one fills both options (FU-82). Settings are trimmed (FU-5), lead data is inserted as
    stored (FU-77).
    """
    values = {
        "first_name": row.first_name,
        "last_name": row.last_name,
        "email": row.email,
        "phone": row.phone,
        "lead_company_name": row.lead_company_name,
        "company_name": _trimmed(row.company_name),
        "sender_name": first_filled(setup.persona_name if setup else None, row.sender_name),
        "signature": first_filled(setup.signature if setup else None, row.signature),
        "calendar_link": _trimmed(row.booking_link),
    }
    questions = (setup.questions if setup else None) or ()
    values |= {f"qualification_question_{n}": question for n, question in enumerate(questions[:2], start=1)}
    if slots:
        values |= {"availability": " or ".join(slots), "slot_option_1": slots[0], "slot_option_2": slots[-1]}
    return values


def _trimmed(value: str | None) -> str | None:
    return value.strip() if value else None
