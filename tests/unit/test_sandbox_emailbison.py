"""EmailBison's behaviours that the product's sending and read-back rely on."""

from typing import Any

import pytest

from tests.unit.sandbox_tools import InProcess, payload

REPLY = {
    "message": "<p>Hi Mara,</p><p>Thursday works.</p>",
    "sender_email_id": 512,
    "to_emails": [{"name": "Mara Okafor", "email_address": "mara.okafor@brightloom.example"}],
    "content_type": "html",
}


async def learn(sandbox: InProcess, *names: str) -> None:
    bodies = [payload(f"emailbison/{name}.json") for name in names]
    await sandbox.control("POST", "learn", {"provider": "emailbison", "bodies": bodies})


async def test_a_reply_is_read_back_from_the_lead_and_from_the_sent_folder() -> None:
    async with InProcess() as sandbox:
        await learn(sandbox, "LEAD_REPLIED__basic")
        sent = (await sandbox.call("emailbison", "POST", "/api/replies/4401877/reply", REPLY)).json()["data"]["reply"]
        for path in ("/api/leads/90213/replies", "/api/replies?lead_id=90213&folder=sent"):
            found = (await sandbox.call("emailbison", "GET", path)).json()["data"][0]
            assert found == sent
        assert found["parent_id"] == 4401877
        assert found["text_body"] == "Hi Mara,\n\nThursday works."
        inbox = (await sandbox.call("emailbison", "GET", "/api/replies?lead_id=90213")).json()["data"]
        assert [item["id"] for item in inbox] == [4401877]


async def test_an_unknown_reply_is_404_unless_the_sandbox_adopts_ids() -> None:
    async with InProcess() as sandbox:
        refused = await sandbox.call("emailbison", "POST", "/api/replies/999/reply", REPLY)
        assert refused.status_code == 404
        await sandbox.control("POST", "options", {"provider": "emailbison", "adopt_unknown": True})
        assert (await sandbox.call("emailbison", "POST", "/api/replies/999/reply", REPLY)).status_code == 200


@pytest.mark.parametrize(
    "change, field",
    [
        ({"sender_email_id": 9}, "sender_email_id"),
        ({"sender_email_id": 513}, "sender_email_id"),
        ({"sender_email_id": "512"}, "sender_email_id"),
        ({"to_emails": []}, "to_emails"),
        ({"message": ""}, "message"),
    ],
)
async def test_a_reply_that_laravel_refuses_sends_nothing(change: dict[str, Any], field: str) -> None:
    async with InProcess() as sandbox:
        await learn(sandbox, "LEAD_REPLIED__basic")
        refused = await sandbox.call("emailbison", "POST", "/api/replies/4401877/reply", REPLY | change)
        assert refused.status_code == 422
        assert field in refused.json()["errors"]
        replies = (await sandbox.state("emailbison"))["replies"]
        assert [item["id"] for item in replies] == [4401877]


async def test_a_client_that_does_not_ask_for_json_gets_an_html_redirect() -> None:
    async with InProcess() as sandbox:
        answer = await sandbox.call("emailbison", "GET", "/api/campaigns", headers={"Accept": "*/*"})
        assert answer.status_code == 302
        assert answer.headers["content-type"].startswith("text/html")


async def test_lists_come_in_pages_of_fifteen() -> None:
    async with InProcess() as sandbox:
        leads = [{"id": number, "email": f"lead{number}@x.example"} for number in range(1, 33)]
        await sandbox.control("POST", "state/emailbison", {"leads": leads})
        seen: list[int] = []
        body: dict[str, Any] = {"meta": {"last_page": 1}}
        page = 0
        while page < body["meta"]["last_page"]:
            page += 1
            body = (await sandbox.call("emailbison", "GET", f"/api/leads?page={page}")).json()
            assert len(body["data"]) <= 15
            seen += [lead["id"] for lead in body["data"]]
        assert seen == list(range(1, 33))
        assert body["links"]["next"] is None


async def test_patch_keeps_custom_variables_and_put_clears_them() -> None:
    async with InProcess() as sandbox:
        await learn(sandbox, "LEAD_REPLIED__basic")
        change = {"custom_variables": [{"name": "availability_slot", "value": "Thu 10:00 PT"}]}
        patched = (await sandbox.call("emailbison", "PATCH", "/api/leads/90213", change)).json()["data"]
        values = {item["name"]: item["value"] for item in patched["custom_variables"]}
        assert values["availability_slot"] == "Thu 10:00 PT"
        assert values["phone"] == "+1 (415) 555-0132"
        put = (await sandbox.call("emailbison", "PUT", "/api/leads/90213", change)).json()["data"]
        assert [item["name"] for item in put["custom_variables"]] == ["availability_slot"]
        assert put["title"] is None
        unknown = {"custom_variables": [{"name": "never_made", "value": "1"}]}
        assert (await sandbox.call("emailbison", "PATCH", "/api/leads/90213", unknown)).status_code == 422


async def test_ids_are_learned_from_every_wrapper_and_from_text_ids() -> None:
    for name in ("LEAD_REPLIED__basic", "LEAD_REPLIED__events_api_wrapper", "LEAD_REPLIED__test_event_wrapper"):
        async with InProcess() as sandbox:
            await learn(sandbox, name)
            replies = (await sandbox.state("emailbison"))["replies"]
            assert len(replies) == 1, name
            path = f"/api/replies/{replies[0]['id']}/reply"
            sent = await sandbox.call("emailbison", "POST", path, REPLY)
            assert sent.status_code == 200, name


async def test_stopping_future_mail_says_whether_a_lead_was_stopped() -> None:
    async with InProcess() as sandbox:
        await learn(sandbox, "EMAIL_SENT__step1")
        path = "/api/campaigns/318/leads/stop-future-emails"
        stopped = (await sandbox.call("emailbison", "POST", path, {"lead_ids": [90213]})).json()["data"]
        nobody = (await sandbox.call("emailbison", "POST", path, {"lead_ids": [1]})).json()["data"]
        assert (stopped["success"], nobody["success"]) == (True, False)
