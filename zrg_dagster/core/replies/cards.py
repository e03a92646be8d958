"""The Slack review card: what the reviewer sees before and after a decision. Pure; limits of providers §11.3."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

PREVIEW_CHARS = 1400
# A section holds 3,000 characters and the draft is shown whole; a multi-line input holds 3,000 too.
DRAFT_CHARS = 2900
BUTTON_VALUE_CHARS = 2000
SECTION_CHARS = 2900
PART_CHARS = 550  # an escaped character may take five, and no part may be cut


@dataclass(frozen=True, slots=True)
class Card:
    """Everything on a card. Names and texts come from outside and are shown as plain text only."""

    draft_id: str
    version: int
    workspace_key: str
    lead_name: str
    campaign_name: str
    channel: str
    tag: str
    reason: str
    confidence: Decimal | None
    threshold: Decimal | None
    inbound: str
    draft: str


def fenced(text: str, limit: int) -> str:
    """Text inside a code fence, shortened, with fences and Slack's control characters neutralised (SK-02)."""
    safe = text.replace("```", "'''").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"```{safe[:limit]}{'…' if len(safe) > limit else ''}```"


def _plain(text: str, limit: int = 150) -> dict[str, Any]:
    return {"type": "plain_text", "text": (text or "Unknown")[:limit], "emoji": False}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def _button(card: Card, action_id: str, label: str, style: str | None = None) -> dict[str, Any]:
    value = json.dumps({"draftId": card.draft_id, "version": card.version, "clientId": card.workspace_key})
    assert len(value) <= BUTTON_VALUE_CHARS
    button = {"type": "button", "action_id": action_id, "text": _plain(label, 75), "value": value}
    return {**button, "style": style} if style else button


def _facts(card: Card) -> dict[str, Any]:
    confidence = f"{card.confidence:.2f} of {card.threshold:.2f}" if card.confidence is not None else "not evaluated"
    fields = {
        "Lead": card.lead_name or "Unknown",
        "Campaign": card.campaign_name or "none",
        "Sentiment": card.tag,
        "Confidence": confidence,
        "Channel": card.channel,
        "Why you": card.reason,
    }
    return {"type": "section", "fields": [_plain(f"{name}: {value}", 2000) for name, value in fields.items()]}


def pending_blocks(card: Card) -> list[dict[str, Any]]:
    """The card with its buttons. The draft can be edited in the card; the edited text comes back with the click."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain("A reply needs you")},
        _facts(card),
        {"type": "section", "text": _mrkdwn(f"*They wrote*\n{fenced(card.inbound, PREVIEW_CHARS)}")},
    ]
    buttons = [_button(card, "approve", "Approve and send", "primary")]
    if len(card.draft) <= DRAFT_CHARS:
        blocks.append(
            {
                "type": "input",
                "block_id": f"draft_{card.draft_id}_{card.version}",
                "optional": True,
                "label": _plain("Draft"),
                "element": {
                    "type": "plain_text_input",
                    "action_id": "draft_text",
                    "multiline": True,
                    "initial_value": card.draft,
                },
            }
        )
        buttons.append(_button(card, "edit", "Send as edited"))
    else:
        blocks += [
            {"type": "section", "text": _mrkdwn(fenced(card.draft[start : start + PART_CHARS], SECTION_CHARS))}
            for start in range(0, len(card.draft), PART_CHARS)
        ]
        blocks.append({"type": "context", "elements": [_plain("Too long to edit here.", 200)]})
    buttons += [_button(card, "regenerate", "Write another"), _button(card, "reject", "Reject", "danger")]
    blocks.append({"type": "actions", "block_id": f"review_actions_{card.draft_id}", "elements": buttons})
    return blocks


def settled_blocks(card: Card, headline: str) -> list[dict[str, Any]]:
    """The card after a decision: no buttons, what happened in one line."""
    return [
        {"type": "header", "text": _plain(headline)},
        _facts(card),
        {"type": "section", "text": _mrkdwn(f"*Draft*\n{fenced(card.draft, PREVIEW_CHARS)}")},
    ]


def notification(card: Card) -> str:
    """What a phone's lock screen shows; names and texts stay out of it."""
    return f"A {card.channel} reply needs a decision ({card.tag})"
