"""Calendly's webhook subscription: which address, which of several is ours, what its state means, how the vendor is asked."""

import httpx
import pytest

from tests.unit.vendor_wire import CREDENTIAL, Wire, exchange, response_of
from zrg_dagster.core.providers.calendly.client import Account, CalendlyClient, Subscription
from zrg_dagster.core.providers.calendly.parse import HANDLED
from zrg_dagster.core.providers.outcome import ReadFailed, Refused, Unknown
from zrg_dagster.core.workspaces.calendly_hook import (
    EVENTS,
    HookError,
    HookState,
    StoredHook,
    hook_address,
    make_plan,
    state_of,
)

VENDOR = "https://api.calendly.com"
ADDRESS = "https://hooks.harbourline.example/api/webhooks/calendly/harbourline"
ACCOUNT = Account(f"{VENDOR}/users/CBAA77NN00RR", f"{VENDOR}/organizations/ORG55")
SOUND = Subscription(f"{VENDOR}/webhook_subscriptions/WS1", ADDRESS, "active", frozenset(EVENTS), "user")


def stored(uri: str | None = SOUND.uri, *, has_key: bool = True) -> StoredHook:
    return StoredHook(None, "harbourline", uri, has_key=has_key)  # pyright: ignore[reportArgumentType]


def changed(**values: object) -> Subscription:
    fields = {name: getattr(SOUND, name) for name in ("uri", "callback_url", "state", "events", "scope")}
    return Subscription(**(fields | values))  # pyright: ignore[reportArgumentType]


def client(wire: Wire) -> CalendlyClient:
    return CalendlyClient(wire.client, CREDENTIAL, sleep=wire.sleep)


def test_we_ask_for_the_events_that_we_read() -> None:
    assert set(EVENTS) == HANDLED


@pytest.mark.parametrize("public", ["https://hooks.harbourline.example", "https://hooks.harbourline.example/"])
def test_the_address(public: str) -> None:
    assert hook_address(public, VENDOR, "harbourline", is_development=False) == ADDRESS


@pytest.mark.parametrize(
    "public, is_development, why",
    [
        ("http://127.0.0.1:8080", True, "not set"),
        ("http://localhost:8080", True, "not set"),
        ("https://127.0.0.1", False, "not set"),
        ("http://hooks.harbourline.example", False, "https"),
        ("hooks.harbourline.example", True, "no address"),
        ("", True, "no address"),
    ],
)
def test_an_address_that_cannot_be_reached_safely_is_refused(public: str, is_development: bool, why: str) -> None:
    with pytest.raises(HookError, match=why):
        hook_address(public, VENDOR, "harbourline", is_development=is_development)


def test_a_stand_in_on_this_machine_may_deliver_to_this_machine() -> None:
    made = hook_address("http://127.0.0.1:8080", "http://127.0.0.1:8090/calendly", "k", is_development=True)
    assert made == "http://127.0.0.1:8080/api/webhooks/calendly/k"


@pytest.mark.parametrize(
    "seen, state",
    [
        (SOUND, HookState.ACTIVE),
        (changed(events=frozenset({*EVENTS, "routing_form_submission.created"})), HookState.ACTIVE),
        (changed(state="disabled"), HookState.DISABLED),
        (changed(callback_url="https://old.example/api/webhooks/calendly/harbourline"), HookState.ELSEWHERE),
        (changed(events=frozenset(EVENTS[:1])), HookState.INCOMPLETE),
        (ReadFailed("not_found", permanent=True), HookState.GONE),
        (ReadFailed("credentials_rejected", permanent=True), HookState.REFUSED),
        (ReadFailed("timeout", permanent=False), HookState.UNREACHABLE),
    ],
)
def test_what_a_look_means(seen: Subscription | ReadFailed, state: HookState) -> None:
    assert state_of(seen, ADDRESS) is state


def test_a_sound_subscription_is_kept_and_nobody_elses_is_touched() -> None:
    foreign = changed(uri="other", callback_url="https://crm.example/hook")
    neighbour = changed(uri="stage", callback_url="https://stage.example/api/webhooks/calendly/harbourline")
    plan = make_plan([foreign, neighbour, SOUND, SOUND], stored(), ADDRESS, "user")
    assert (plan.keep, plan.remove) == (SOUND, ())


@pytest.mark.parametrize(
    "found, known",
    [
        (changed(state="disabled"), stored()),
        (changed(callback_url="https://old.example/x"), stored()),
        (changed(events=frozenset()), stored()),
        (changed(scope="organization"), stored()),
        (SOUND, stored(has_key=False)),
        (SOUND, stored("somebody-else-made-it")),  # its signing key is not ours
        (SOUND, stored(None)),
    ],
)
def test_what_cannot_be_trusted_is_made_anew(found: Subscription, known: StoredHook) -> None:
    plan = make_plan([found], known, ADDRESS, "user")
    assert (plan.keep, plan.remove) == (None, (found,))


async def test_the_account_as_recorded() -> None:
    assert await client(Wire(response_of(exchange("calendly", "me")))).account() == ACCOUNT


async def test_a_subscription_is_asked_for_as_recorded() -> None:
    recorded = exchange("calendly", "create_subscription")
    wire = Wire(response_of(recorded))
    asked = recorded["request"]["body"]
    made = await client(wire).subscribe(
        ACCOUNT, "user", url=asked["url"], events=EVENTS, signing_key=asked["signing_key"]
    )
    assert made == changed(callback_url=asked["url"])
    assert wire.body(0) == asked


@pytest.mark.parametrize("name, permanent", [("create_subscription_exists", True), ("plan_too_low", True)])
async def test_refusals_as_recorded(name: str, permanent: bool) -> None:
    made = await client(Wire(response_of(exchange("calendly", name)))).subscribe(
        ACCOUNT, "user", url=ADDRESS, events=EVENTS, signing_key="k"
    )
    assert isinstance(made, Refused)
    assert made.permanent is permanent


async def test_an_answer_that_cannot_be_read_leaves_open_whether_it_was_made() -> None:
    made = await client(Wire(httpx.Response(201, json={"resource": {}}))).subscribe(
        ACCOUNT, "user", url=ADDRESS, events=EVENTS, signing_key="k"
    )
    assert isinstance(made, Unknown)


async def test_what_is_gone_already_is_removed() -> None:
    assert await client(Wire(httpx.Response(404, json={}))).unsubscribe(SOUND.uri) is None
    assert await client(Wire(httpx.Response(204))).unsubscribe(SOUND.uri) is None
    assert isinstance(await client(Wire(httpx.Response(403, json={}))).unsubscribe(SOUND.uri), Refused)
