"""Which answers have a way out."""

from types import SimpleNamespace
from typing import Any

import pytest

from zrg_dagster.core.replies.outbound import CannotSend, email_content

DRAFT: dict[str, Any] = {
    "provider": "emailbison",
    "current_replier_email": None,
    "current_replier_name": None,
    "from_email": "mara@brightloom.example",
    "lead_email": "mara@brightloom.example",
    "to_email": "noor@try-harbourline.example",
    "provider_message_id": "4401877",
    "sender_account_id": "512",
    "emailbison_lead": "90213",
    "first_name": "Mara",
    "last_name": "Okafor",
    "cc": [],
    "subject": "Re: changeover times",
}


def content(**changes: Any) -> tuple[str, dict[str, Any]]:
    draft: Any = SimpleNamespace(**{**DRAFT, **changes})
    return email_content(draft, "Thursday works.")


def test_an_answer_goes_to_whom_the_mail_came_from() -> None:
    recipient, said = content()
    assert (recipient, said["reply_id"]) == ("mara@brightloom.example", "4401877")


@pytest.mark.parametrize("provider", ["smartlead", "instantly"])
def test_mail_of_another_vendor_is_never_answered_through_emailbison(provider: str) -> None:
    with pytest.raises(CannotSend, match="channel_not_supported"):
        content(provider=provider)
