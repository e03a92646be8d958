"""Every code that says why something was not sent, or not yet, in a sentence. A code without one fails a test."""

from collections.abc import Mapping

from zrg_dagster.core.ai.spend import SpendReason
from zrg_dagster.core.leads.assignment import AssignmentCode
from zrg_dagster.core.replies.after_tag import TagCode
from zrg_dagster.core.replies.booking_attempt import NotBooked
from zrg_dagster.core.replies.decide import ReviewReason
from zrg_dagster.core.replies.signals import HeardBy, SignalKind
from zrg_dagster.core.sending.gates import BlockReason, WaitReason

WHY: Mapping[str, str] = {
    # Also a reason for review, of a campaign in which only people send.
    BlockReason.AUTO_SEND_DISABLED: "automatic sends are off here: by AUTO_SEND_DISABLED, or in this campaign",
    BlockReason.KILL_SWITCH: "an operator stopped automatic sends (`zrg autosend show`)",
    BlockReason.WORKSPACE_INACTIVE: "the workspace is switched off",
    BlockReason.LEAD_BLACKLISTED: "the lead is blacklisted",
    BlockReason.LEAD_MERGED: "the lead became part of another one, which answers now",
    BlockReason.SUPPRESSED: "the address, number or person asked not to be written to",
    BlockReason.DRAFT_NOT_PENDING: "the draft was decided or changed after this send was planned",
    BlockReason.CAMPAIGN_NOT_AI: "the campaign no longer lets the model send",
    BlockReason.NEWER_INBOUND: "the prospect has written again since",
    BlockReason.OUTBOUND_AFTER_TRIGGER: "somebody has answered already",
    BlockReason.FOLLOW_UP_NOT_ACTIVE: "the follow-up was paused, ended or cancelled",
    BlockReason.LEAD_REPLIED: "the prospect has the last word; a follow-up never talks over a conversation",
    BlockReason.RECIPIENT_CHANGED: "the address is no longer one of the lead's",
    BlockReason.SENDER_UNHEALTHY: "the vendor reports the sending account as disconnected",
    BlockReason.NO_SEND_WINDOW: "the hours in which answers may leave by themselves never come, or are not known",
    WaitReason.QUIET_HOURS: "it is night where the recipient is, or may be",
    WaitReason.ACCOUNT_PAUSED: "the vendor asked for a pause of the whole account",
    WaitReason.RATE_BUDGET: "the vendor's rate is used up for the moment",
    WaitReason.DAILY_CAP: "the account has sent as many automatic messages today (UTC) as `linkedin_daily_cap` of its "
    "workspace allows",
    ReviewReason.DISABLED_BY_ENVIRONMENT: "AUTO_SEND_DISABLED is set, so a person decides",
    ReviewReason.REPLAYED: "the reply was found by a replay, which sends nothing by itself",
    ReviewReason.CALL_REQUESTED: "they asked for a call, which a person makes",
    ReviewReason.CALL_PHONE_ON_FILE: "they asked to be called, which a person does; their number is known",
    ReviewReason.CALL_PHONE_MISSING: "they asked to be called, which a person does; no number of theirs is known yet",
    ReviewReason.LEADS_SCHEDULER: "they want to be booked on their own calendar, which a person does",
    SignalKind.CALL_REQUESTED: "the lead asks to be called",
    SignalKind.LEADS_CALENDAR: "the lead gives a booking page of their own",
    "call_requested_task": "a task to call the lead was made; a person does it",
    "lead_scheduler_link_task": "a task to book on the lead's own page was made; a person does it",
    HeardBy.ROUTER: "the model said which way leads to the conversation",
    HeardBy.ROUTER_FAILED: "the model did not say which way leads to the conversation, so words decided and nothing counts "
    "as asked for",
    HeardBy.KEYWORDS: "this workspace asks no model for the way to the conversation; of positive replies the words were read",
    HeardBy.EMPTY: "the message has no words, so nothing was asked for",
    NotBooked.REPLAYED: "the reply was found by a replay, which books nothing by itself",
    NotBooked.ALREADY_BOOKED: "the lead has an appointment already",
    NotBooked.NOT_POSITIVE: "only positive replies become meetings by themselves",
    NotBooked.CALL_REQUESTED: "they asked to be called, so nothing is booked",
    NotBooked.LEADS_CALENDAR: "they want to be booked on their own calendar, so nothing is booked on ours",
    NotBooked.NOT_READ: "nobody read what the message wants of the calendar, so nothing is booked",
    NotBooked.SHOULD_NOT: "the message does not accept a time, or whether the lead fits is not known",
    NotBooked.NOBODY_BOOKS: "nothing here takes a time by itself; a person books",
    ReviewReason.GUARD_FAILED: "a guard found something in the text that must not leave unseen",
    ReviewReason.VERIFICATION_FAILED: "the text could not be verified, so it is as it was first written and a person reads it",
    ReviewReason.OVERSEER_FAILED: "nobody vouches for what the text does with the calendar",
    ReviewReason.DRAFT_CHANGED: "the text is not the one that was judged: somebody changed it meanwhile, so a person decides",
    ReviewReason.TEMPLATE_USED: "the model gave no text that could be used, so this is a template and a person completes it",
    ReviewReason.EVALUATOR_FAILED: "the evaluation failed, so nobody vouches for the text",
    ReviewReason.REGENERATED: "a reviewer asked for another text and decides about it",
    ReviewReason.NOT_SAFE: "the evaluator did not find it safe",
    ReviewReason.LOW_CONFIDENCE: "the evaluator was less sure than the campaign demands",
    TagCode.UNCERTAIN: "the model guessed what the reply means, so a person decides",
    TagCode.SNOOZED: "the lead is away and is left alone until the day of return",
    TagCode.SNOOZED_AS_ASKED: "the lead asked to be written to later and is left alone until then",
    TagCode.NO_RETURN_DATE: "the absence notice names no certain day of return, so nothing is snoozed",
    TagCode.NO_TIME_ZONE: "neither lead nor workspace has a time zone, so nothing is snoozed",
    TagCode.OOO_NOT_PAUSED: "the workspace does not snooze leads that are away",
    TagCode.FOLLOW_UPS_ON: "a positive reply switched the lead's follow-ups on",
    AssignmentCode.ASSIGNED: "the lead was given to the setter whose turn it was",
    AssignmentCode.OFF: "leads of this workspace are not given to setters in turn",
    AssignmentCode.NOT_POSITIVE: "only leads that show interest are given to setters",
    AssignmentCode.ALREADY: "the lead has somebody already",
    AssignmentCode.CHANNEL: "only leads that answer by e-mail are given to setters",
    AssignmentCode.NOBODY: "the workspace has no setter",
    AssignmentCode.NOBODY_OF_SEQUENCE: "none of those who take turns is a setter of the workspace any more",
    SpendReason.NO_REVISION: "80 % of the day's budget for the model is spent: drafts are not revised any more",
    SpendReason.NO_CHECKS: "90 % of the day's budget for the model is spent: nobody checks drafts but a person",
    SpendReason.NO_DRAFTS: "the day's budget for the model is spent; it begins anew at midnight UTC, or when it is raised",
    "model_no_key": "there is no key of the model's vendor; the work waits and is redone when there is one",
    "model_auth": "the model's vendor refused our key, or the key may not use this model",
    "model_quota": "the account at the model's vendor has no money left",
    "model_bad_request": "the model's vendor refuses the request as it is; the model's name may be wrong",
    "model_circuit_open": "the model failed several times in a row, so it is left alone for a while",
    "model_unpriced": "nobody knows what these calls cost, so no budget counts them",
    "model_rate_limited": "the model's vendor asks for fewer requests",
    "model_unavailable": "the model's vendor did not answer properly",
    "model_timeout": "the model did not answer in time",
    "model_refused": "the model declined to answer",
    "model_incomplete": "the model ran out of room for its answer, twice",
    "model_invalid": "the model answered in a form that we cannot read, twice",
    "postponed_to_hours": "it was due outside of the hours in which answers leave by themselves",
    "invitation_pending": "the LinkedIn invitation is not accepted yet",
    "account_throttled": "LinkedIn lets this account send nothing more today",
    "outcome_unknown": "the vendor never confirmed and never showed it; a person must look there",
    "read_back_ambiguous": "the vendor shows several messages that could be this one; a person must look there",
    "not_arrived": "a person looked at the vendor and did not find it",
    "attempts_used_up": "the vendor could not be reached for all tries",
    "vendor_not_connected": "the workspace has no usable account at this vendor",
    "credentials_rejected": "the vendor refused our key",
    "no_draft_for_tag": "replies of this kind get no answer",
    "vendor_told_to_stop": "the vendor's own campaigns were told not to write to this lead any more",
    "vendor_knows_no_such_lead": "the vendor does not have this lead, so none of its campaigns writes to it",
    "vendor_not_told_to_stop": "the vendor refused to be told; stop the lead in its own interface",
    "no_longer_stopped": "the lead asked to be written to again before the vendor was told",
    "review_escalated": "nobody decided within the workspace's working minutes, so more people were told",
    "no_review_recipient": "nobody is set up to be asked",
    "channel_not_supported": "the message came through a vendor that we cannot answer through",
    "thread_missing": "the vendor's delivery lacked what an answer in its thread needs",
    "recipient_missing": "no address to answer to is known",
    "contact_missing": "the lead has no contact at the SMS vendor",
    "profile_missing": "the lead's LinkedIn profile is not known",
}


def why(code: str | None) -> str:
    """The sentence of a code; of a composed one (`guard_failed:links`) that of its first part. Empty when none is known."""
    if not code:
        return ""
    return WHY.get(code) or WHY.get(code.split(":")[0], "")
