"""The way that a LinkedIn message takes: in its conversation, to a connection, as InMail, or as an invitation."""

from enum import StrEnum

from zrg_dagster.core.providers.outcome import Blocked, CallOutcome, ReadFailed, Refused, Waiting
from zrg_dagster.core.providers.unipile.client import (
    ACCOUNT_THROTTLED,
    ALREADY_INVITED,
    NO_CONNECTION,
    Profile,
    UnipileClient,
)

# An accepted invitation is announced by the vendor up to eight hours late (providers §8.5).
INVITATION_RECHECK_S = 6 * 3600.0
INVITATION_PENDING = "invitation_pending"
# LinkedIn's limits hold for the account and a day (providers §8.4).
THROTTLED_RECHECK_S = 24 * 3600.0


class Way(StrEnum):
    """How a person can be written to, in the order in which they are tried."""

    MESSAGE = "message"
    WAIT = "wait"
    INMAIL = "inmail"
    INVITATION = "invitation"


def way_to(profile: Profile) -> Way:
    """Connected: message. Invitation pending: wait. Open profile: InMail. Else an invitation (providers §8.4)."""
    if profile.is_connected:
        return Way.MESSAGE
    if profile.invitation_pending:
        return Way.WAIT
    return Way.INMAIL if profile.is_open else Way.INVITATION


async def send_linkedin(
    unipile: UnipileClient, identifier: str, text: str, *, chat_id: str | None = None, subject: str | None = None
) -> CallOutcome:
    """Write to a person. At most one call takes effect: another follows only a refusal that certainly did nothing.

    `chat_id` is the conversation that is answered, `identifier` a member id or public name.
    """
    outcome = await _first_way(unipile, identifier, text, chat_id, subject)
    if isinstance(outcome, Blocked) and outcome.reason == ACCOUNT_THROTTLED:
        return Waiting(ACCOUNT_THROTTLED, THROTTLED_RECHECK_S)
    return outcome


async def _first_way(
    unipile: UnipileClient, identifier: str, text: str, chat_id: str | None, subject: str | None
) -> CallOutcome:
    if chat_id:
        answered = await unipile.send_in_chat(chat_id, text)
        if not (isinstance(answered, Refused) and answered.reason in (NO_CONNECTION, "not_found")):
            return answered
    profile = await unipile.profile(identifier)
    if isinstance(profile, ReadFailed):
        reason = "profile_not_found" if profile.reason == "not_found" else profile.reason
        return Refused(reason, profile.permanent, profile.retry_after_s, profile.detail)
    match way_to(profile):
        case Way.MESSAGE:
            return await unipile.start_chat(profile.member_id, text)
        case Way.WAIT:
            return Waiting(INVITATION_PENDING, INVITATION_RECHECK_S)
        case Way.INMAIL:
            return await unipile.start_chat(profile.member_id, text, inmail=True, subject=subject)
        case Way.INVITATION:
            pass
    invited = await unipile.invite(profile.member_id, text)
    if isinstance(invited, Refused) and invited.reason == ALREADY_INVITED:
        return Waiting(INVITATION_PENDING, INVITATION_RECHECK_S)
    return invited
