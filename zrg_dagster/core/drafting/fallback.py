"""The text of a draft that no model wrote, when every way of asking gave nothing that could be used (DR-23). Pure.

It says only what every tag of its kind may be told, and never leaves by itself: a person reads it and writes what is missing.
"""

from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.drafting.pack import greeting

# The reason for which such a draft waits, with the model's reason behind a colon.
TEMPLATE_USED = "deterministic_template"

_THANKS = "Thank you for your message."
_ASKS = {
    "Call Requested": "Which day and time would suit you for the call?",
    "Follow Up": "When would be a good time to come back to you?",
    "Meeting Booked": "I look forward to our meeting.",
    "Information Requested": "Would a short call help, so that your questions are answered properly?",
}
_MEET = "Which day and time would suit you for a short call?"
# Tags whose wish is to propose times (CX-05).
_OFFERS = frozenset({"Meeting Requested", "Interested"})


def template(context: DraftContext, tag: str) -> str:
    """The message, unsigned: greeting, thanks, and the one question of its tag, with the offered times where it has any."""
    ask = _ASKS.get(tag, _MEET)
    if tag in _OFFERS and context.offered:
        ask = "\n".join(("Would one of these times suit you?", *(f"- {slot.label}" for slot in context.offered)))
    elif tag in _OFFERS and context.persona.booking_link:
        ask = f"You can pick a time that suits you here: {context.persona.booking_link}"
    if context.channel == "sms":
        return f"{_THANKS} {_ASKS.get(tag, _MEET)}"
    return "\n\n".join(part for part in (greeting(context).strip(), _THANKS, ask) if part)
