"""Making, repairing and watching the Calendly subscription of a workspace: short transactions, vendor calls between them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from zrg_dagster.core.providers.calendly.client import Account, CalendlyClient, Scope, Subscription
from zrg_dagster.core.providers.outcome import CallFailure, ReadFailed, Refused, Unknown
from zrg_dagster.core.workspaces.calendly_hook import (
    EVENTS,
    HookError,
    HookState,
    Seen,
    StoredHook,
    load_hook,
    make_plan,
    remember_hook,
    state_of,
)
from zrg_dagster.core.workspaces.sealing import Keys
from zrg_dagster.core.workspaces.secrets import set_secret

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Connected:
    """How it ended: the subscription of the workspace, whether it was made now, and how many of ours were removed."""

    uri: str
    is_new: bool
    removed: int


async def connect(
    engine: AsyncEngine,
    calendly: CalendlyClient,
    key: str,
    keys: Keys,
    *,
    address: str,
    scope: Scope,
    actor: str,
    clock: Callable[[], datetime],
) -> Connected:
    """Leave exactly one sound subscription at `address` for workspace `key`. Running it again changes nothing.

    The new key is stored, beside the old one, before the vendor learns it: no delivery is ever signed with a key that the
    receiver does not hold. Raises `HookError`; what was done until then stays and the next run goes on from there.
    """
    async with engine.connect() as conn:
        stored = await load_hook(conn, key, keys)
    account = await calendly.account()
    if isinstance(account, ReadFailed):
        raise HookError(_refusal("the token could not be used", account))
    plan = make_plan(await _subscriptions(calendly, account, scope), stored, address, scope)
    for each in plan.remove:
        if failure := await calendly.unsubscribe(each.uri):
            raise HookError(_refusal("an old subscription could not be removed", failure))
    hook = plan.keep
    if hook is None:
        signing_key = SecretStr(secrets.token_urlsafe(KEY_BYTES))
        async with engine.begin() as conn:
            now = clock()
            await set_secret(conn, key, "calendly_signing_key", signing_key, keys, actor=actor, now=now, keep_old=True)
        hook = await _subscribe(calendly, account, scope, address, signing_key)
    async with engine.begin() as conn:
        await remember_hook(conn, stored, account, hook.uri, actor=actor, now=clock())
    return Connected(hook.uri, plan.keep is None, len(plan.remove))


async def _subscriptions(calendly: CalendlyClient, account: Account, scope: Scope) -> list[Subscription]:
    """Those of the user and, where the token may see them, of the organization: ours may be left in the other scope."""
    found: list[Subscription] = []
    scopes: tuple[Scope, ...] = ("user", "organization")
    for each in scopes:
        part = await calendly.subscriptions(account, each)
        if not isinstance(part, ReadFailed):
            found += part
        elif each == scope or part.reason != "credentials_rejected":
            raise HookError(_refusal("the webhook subscriptions could not be read", part))
    return found


async def _subscribe(
    calendly: CalendlyClient, account: Account, scope: Scope, address: str, signing_key: SecretStr
) -> Subscription:
    made = await calendly.subscribe(
        account, scope, url=address, events=EVENTS, signing_key=signing_key.get_secret_value()
    )
    if isinstance(made, Unknown):
        # It may have been made. The address was free a moment ago, so one that has it now carries our key.
        listed = await calendly.subscriptions(account, scope)
        made = (
            next((each for each in listed if each.callback_url == address), made) if isinstance(listed, list) else made
        )
    if not isinstance(made, Subscription):
        raise HookError(_refusal("the subscription could not be made", made))
    return made


def _refusal(what: str, failure: CallFailure | ReadFailed) -> str:
    """One line: what failed, in the vendor's words where it has any, and what to do."""
    words = f" ({failure.detail})" if failure.detail else ""
    if failure.reason == "credentials_rejected":
        return (
            f"{what}: Calendly refuses{words}; store a valid token with `zrg secrets set KEY calendly_token`, of a paid "
            "plan, and for --scope organization one of an owner or admin"
        )
    if isinstance(failure, Refused) and failure.permanent:
        return f"{what}: Calendly refuses{words or f' ({failure.reason})'}; look at the subscriptions there and run it again"
    return f"{what}: Calendly did not answer as expected ({failure.reason}); run it again"


async def look(calendly: CalendlyClient | None, hook: StoredHook, address: str) -> Seen:
    """What the vendor says about one stored subscription. Network only; no client means that no token is usable."""
    if calendly is None:
        return Seen(hook, HookState.NO_ACCESS)
    if hook.uri is None:
        return Seen(hook, HookState.NOT_CONNECTED)
    return Seen(hook, state_of(await calendly.subscription(hook.uri), address))
