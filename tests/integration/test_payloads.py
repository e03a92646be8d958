"""Every sample delivery of the vendors through the door and the drain: how each of them ends."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.intake_support import Rows, drain
from tests.integration.receiver_support import GHL_SECRET, JSON_TYPE, running_receiver, wire_body
from tests.integration.test_receiver import MANIFEST, deliver

VENDORS = ("emailbison", "smartlead", "instantly", "ghl", "calendly", "slack")
SAMPLES = [entry for entry in MANIFEST if entry["provider"] in VENDORS]
LATER = datetime(2026, 3, 10, 20, tzinfo=UTC)

PROCESSED = ("processed", None)
REPEATED = ("processed", "duplicate_message")
SHAPE = ("quarantined", "shape_mismatch")
NEW_TYPE = ("quarantined", "unknown_event_type")
# The samples' draft ids are no ids of ours; a real button's claim becomes a job.
CLICK = ("quarantined", "unreadable_click")
STRANGER = ("processed", "lead_not_identified")
NO_EFFECT = ("ignored", "signal_without_effect")

# The app's feed has no route of its own yet; its samples come in through the location's one.
APP_FEED = "ghl/marketplace_"
SAMPLE_WEBHOOK_ID = b"b1f2d0de-7a11-4f38-8a34-0c2f7f3d9901"  # the same in all of them; a vendor gives each its own

ENDS: dict[str, tuple[str, str | None] | int | str] = {
    "calendly/invitee.canceled__before_created.json": PROCESSED,
    "calendly/invitee.canceled__by_host.json": PROCESSED,
    "calendly/invitee.canceled__by_invitee.json": PROCESSED,
    "calendly/invitee.canceled__reschedule_old.json": PROCESSED,
    "calendly/invitee.created__bad_signature.json": 401,
    "calendly/invitee.created__basic.json": PROCESSED,
    "calendly/invitee.created__group_event.json": PROCESSED,
    "calendly/invitee.created__no_scheduled_event.json": PROCESSED,
    "calendly/invitee.created__other_email.json": STRANGER,
    "calendly/invitee.created__other_event_type.json": PROCESSED,
    "calendly/invitee.created__questions_and_tracking.json": PROCESSED,
    "calendly/invitee.created__reschedule_new.json": PROCESSED,
    "calendly/invitee_no_show.created__basic.json": PROCESSED,
    "calendly/invitee_no_show.deleted__basic.json": PROCESSED,
    "calendly/missing_payload.json": SHAPE,
    "calendly/orig_nested_invitee.json": PROCESSED,
    "calendly/routing_form_submission.created__basic.json": ("ignored", "not_handled"),
    "calendly/unknown_event.json": ("ignored", "not_handled"),
    "emailbison/EMAIL_ACCOUNT_ADDED__basic.json": NO_EFFECT,
    "emailbison/EMAIL_ACCOUNT_DISCONNECTED__basic.json": NO_EFFECT,
    "emailbison/EMAIL_ACCOUNT_RECONNECTED__basic.json": NO_EFFECT,
    "emailbison/EMAIL_ACCOUNT_REMOVED__basic.json": NO_EFFECT,
    "emailbison/EMAIL_BOUNCED__hard.json": PROCESSED,
    "emailbison/EMAIL_BOUNCED__no_reply_object.json": PROCESSED,
    "emailbison/EMAIL_OPENED__basic.json": ("ignored", "log_only"),
    "emailbison/EMAIL_SEND_FAILED__basic.json": ("ignored", "log_only"),
    "emailbison/EMAIL_SENT__duplicate.json": PROCESSED,
    "emailbison/EMAIL_SENT__missing_lead_email.json": SHAPE,
    "emailbison/EMAIL_SENT__missing_scheduled_email_id.json": SHAPE,
    "emailbison/EMAIL_SENT__no_sent_at.json": PROCESSED,
    "emailbison/EMAIL_SENT__step1.json": PROCESSED,
    "emailbison/EMAIL_SENT__step2.json": "duplicate",  # the same bytes as __duplicate, which was first
    "emailbison/LEAD_FIRST_CONTACTED__basic.json": ("ignored", "covered_by_email_sent"),
    "emailbison/LEAD_INTERESTED__after_lead_replied.json": PROCESSED,
    "emailbison/LEAD_INTERESTED__but_opt_out_text.json": PROCESSED,
    "emailbison/LEAD_INTERESTED__new_reply.json": PROCESSED,
    "emailbison/LEAD_REPLIED__auto_out_of_office.json": PROCESSED,
    "emailbison/LEAD_REPLIED__basic.json": REPEATED,  # the reply that __after_lead_replied told of
    "emailbison/LEAD_REPLIED__cc_replier.json": PROCESSED,
    "emailbison/LEAD_REPLIED__empty_body.json": PROCESSED,
    "emailbison/LEAD_REPLIED__events_api_wrapper.json": PROCESSED,
    "emailbison/LEAD_REPLIED__html_only.json": PROCESSED,
    "emailbison/LEAD_REPLIED__interested_true.json": PROCESSED,
    "emailbison/LEAD_REPLIED__missing_from.json": SHAPE,
    "emailbison/LEAD_REPLIED__missing_reply_id.json": SHAPE,
    "emailbison/LEAD_REPLIED__no_campaign.json": PROCESSED,
    "emailbison/LEAD_REPLIED__nul_byte_and_long.json": PROCESSED,
    "emailbison/LEAD_REPLIED__opt_out.json": PROCESSED,
    "emailbison/LEAD_REPLIED__quoted_thread.json": PROCESSED,
    "emailbison/LEAD_REPLIED__test_event_wrapper.json": PROCESSED,
    "emailbison/LEAD_REPLIED__text_body_is_html.json": PROCESSED,
    "emailbison/LEAD_REPLIED__to_as_string_ids_as_string.json": PROCESSED,
    "emailbison/LEAD_REPLIED__unknown_workspace.json": 404,
    "emailbison/LEAD_UNSUBSCRIBED__basic.json": PROCESSED,
    "emailbison/LEAD_UNSUBSCRIBED__new_lead.json": PROCESSED,
    "emailbison/MALFORMED.raw.json": 400,
    "emailbison/MANUAL_EMAIL_SENT__reply.json": PROCESSED,
    "emailbison/MISSING_DATA.json": SHAPE,
    "emailbison/TAG_ATTACHED__lead.json": ("ignored", "not_handled"),
    "emailbison/TAG_REMOVED__lead.json": ("ignored", "not_handled"),
    "emailbison/UNKNOWN_FUTURE_EVENT.json": NEW_TYPE,
    "emailbison/UNTRACKED_REPLY_RECEIVED__bounce_dsn.json": PROCESSED,
    "emailbison/UNTRACKED_REPLY_RECEIVED__bounce_google.json": PROCESSED,
    "emailbison/UNTRACKED_REPLY_RECEIVED__bounce_unparseable.json": ("ignored", "bounce_recipient_unknown"),
    "emailbison/UNTRACKED_REPLY_RECEIVED__colleague.json": PROCESSED,
    "emailbison/UNTRACKED_REPLY_RECEIVED__known_lead.json": PROCESSED,
    "emailbison/UNTRACKED_REPLY_RECEIVED__missing_from.json": SHAPE,
    "ghl/marketplace_AppointmentCreate__confirmed.json": PROCESSED,
    "ghl/marketplace_AppointmentDelete__basic.json": PROCESSED,
    "ghl/marketplace_AppointmentUpdate__noshow.json": PROCESSED,
    "ghl/marketplace_AppointmentUpdate__rescheduled.json": PROCESSED,
    "ghl/marketplace_ContactDndUpdate__cleared.json": NO_EFFECT,
    "ghl/marketplace_ContactDndUpdate__sms_permanent.json": NO_EFFECT,
    "ghl/marketplace_InboundMessage__call.json": ("ignored", "not_an_sms"),
    "ghl/marketplace_InboundMessage__email.json": ("ignored", "not_an_sms"),
    "ghl/marketplace_InboundMessage__sms.json": PROCESSED,
    "ghl/marketplace_OutboundMessage__sms_api.json": PROCESSED,
    "ghl/marketplace_OutboundMessage__sms_app_user.json": PROCESSED,
    "ghl/marketplace_OutboundMessage__sms_failed.json": PROCESSED,
    "ghl/marketplace_UnknownType.json": ("ignored", "type_not_handled"),
    "ghl/sms_inbound__bad_hook_header.json": 401,
    "ghl/sms_inbound__basic.json": PROCESSED,
    "ghl/sms_inbound__custom_data_only.json": PROCESSED,
    "ghl/sms_inbound__duplicate_retry.json": REPEATED,
    "ghl/sms_inbound__emoji_multiline.json": PROCESSED,
    "ghl/sms_inbound__empty_body.json": ("ignored", "empty_message"),
    "ghl/sms_inbound__malformed.raw.json": 400,
    "ghl/sms_inbound__missing_contact_id.json": SHAPE,
    "ghl/sms_inbound__missing_location.json": 404,
    "ghl/sms_inbound__naive_datetime.json": PROCESSED,
    "ghl/sms_inbound__no_date_fields.json": PROCESSED,
    "ghl/sms_inbound__no_phone.json": PROCESSED,
    "ghl/sms_inbound__object_label_and_linkedin.json": PROCESSED,
    "ghl/sms_inbound__same_text_later.json": PROCESSED,
    "ghl/sms_inbound__stop.json": PROCESSED,
    "ghl/sms_inbound__unknown_location.json": 404,
    "instantly/MALFORMED.raw.json": 400,
    "instantly/account_error__basic.json": NO_EFFECT,
    "instantly/auto_reply_received__basic.json": PROCESSED,
    "instantly/campaign_completed__basic.json": ("ignored", "log_only"),
    "instantly/custom_label__basic.json": ("ignored", "custom_label"),
    "instantly/email_bounced__basic.json": PROCESSED,
    "instantly/email_opened__basic.json": ("ignored", "log_only"),
    "instantly/email_sent__basic.json": PROCESSED,
    "instantly/lead_closed__basic.json": NO_EFFECT,
    "instantly/lead_interested__basic.json": NO_EFFECT,
    "instantly/lead_meeting_booked__basic.json": NO_EFFECT,
    "instantly/lead_meeting_completed__basic.json": NO_EFFECT,
    "instantly/lead_neutral__basic.json": NO_EFFECT,
    "instantly/lead_no_show__basic.json": NO_EFFECT,
    "instantly/lead_not_interested__basic.json": NO_EFFECT,
    "instantly/lead_out_of_office__basic.json": NO_EFFECT,
    "instantly/lead_unsubscribed__v2.json": PROCESSED,
    "instantly/lead_wrong_person__basic.json": NO_EFFECT,
    "instantly/link_clicked__basic.json": ("ignored", "log_only"),
    "instantly/reply_received__bad_bearer.json": 401,
    "instantly/reply_received__cc_replier.json": PROCESSED,
    "instantly/reply_received__html_only.json": PROCESSED,
    "instantly/reply_received__legacy_orig_shape.json": PROCESSED,
    "instantly/reply_received__missing_email_id.json": PROCESSED,
    "instantly/reply_received__no_timestamp.json": REPEATED,  # the reply of __legacy_orig_shape, told again
    "instantly/reply_received__v2.json": REPEATED,
    "instantly/unsubscribed__legacy_orig_shape.json": PROCESSED,
    "slack/block_actions__approve_send.form.json": CLICK,
    "slack/block_actions__approve_send_double_click.form.json": CLICK,
    "slack/block_actions__bad_value_json.form.json": "duplicate",
    "slack/block_actions__edit_dashboard.form.json": ("ignored", "url_button"),
    "slack/block_actions__foreign_client.form.json": "duplicate",
    "slack/block_actions__no_actions.form.json": ("ignored", "no_actions"),
    "slack/block_actions__regenerate.form.json": CLICK,
    "slack/block_actions__stale_timestamp.form.json": 401,
    "slack/block_actions__unknown_action.form.json": NEW_TYPE,
    "slack/block_actions__view_dashboard.form.json": ("ignored", "url_button"),
    "slack/event_callback__message_im.json": 404,  # the events route does not exist
    "slack/interactions__missing_payload.form.json": SHAPE,
    "slack/interactions__ssl_check.form.json": "answered",
    "slack/slash_command__official_vector.form.json": ("ignored", "not_an_interaction"),
    "slack/url_verification.json": "answered",
    "slack/view_submission__ignored.form.json": ("ignored", "type_not_handled"),
    "smartlead/CAMPAIGN_BOUNCE_THRESHOLD__basic.json": NO_EFFECT,
    "smartlead/CAMPAIGN_STATUS_CHANGED__paused.json": ("ignored", "log_only"),
    "smartlead/EMAIL_ACCOUNT_DISCONNECTED__basic.json": NO_EFFECT,
    "smartlead/EMAIL_BOUNCE__basic.json": PROCESSED,
    "smartlead/EMAIL_LINK_CLICK__basic.json": ("ignored", "log_only"),
    "smartlead/EMAIL_OPEN__basic.json": ("ignored", "log_only"),
    "smartlead/EMAIL_REPLIED__nested_new_docs.json": PROCESSED,
    "smartlead/EMAIL_REPLY__alias_replier.json": PROCESSED,
    "smartlead/EMAIL_REPLY__bad_secret.json": 401,
    "smartlead/EMAIL_REPLY__docs_flat.json": PROCESSED,
    "smartlead/EMAIL_REPLY__epoch_ms.json": PROCESSED,
    "smartlead/EMAIL_REPLY__html_only.json": PROCESSED,
    "smartlead/EMAIL_REPLY__legacy_orig_shape.json": PROCESSED,
    "smartlead/EMAIL_REPLY__missing_stats_id.json": REPEATED,  # the reply of __docs_flat
    "smartlead/EMAIL_SENT__basic.json": PROCESSED,
    "smartlead/FIRST_EMAIL_SENT__basic.json": ("ignored", "covered_by_email_sent"),
    "smartlead/LEAD_CATEGORY_UPDATED__interested.json": NO_EFFECT,
    "smartlead/LEAD_UNSUBSCRIBED__docs.json": PROCESSED,
    "smartlead/LEAD_UNSUBSCRIBED__legacy.json": PROCESSED,
    "smartlead/MALFORMED.raw.json": 400,
    "smartlead/MANUAL_STEP_REACHED__basic.json": ("ignored", "log_only"),
    "smartlead/UNTRACKED_REPLIES__basic.json": PROCESSED,
}


async def test_every_sample_ends_as_it_should(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_receiver(database) as receiver:
        answers = {}
        for number, entry in enumerate(SAMPLES):
            if entry["file"].startswith(APP_FEED):
                headers = {**JSON_TYPE, "x-zrg-key": GHL_SECRET}
                body = wire_body(entry["file"]).replace(SAMPLE_WEBHOOK_ID, b"%036d" % number)
                answers[entry["file"]] = await receiver.post(body, "/api/webhooks/ghl/sms", headers)
            else:
                answers[entry["file"]] = await deliver(receiver, monkeypatch, entry)
        await drain(database, now=LATER)
        rows = Rows(database)
        found = rows.all("SELECT correlation_id, state, reason, provider FROM raw.webhook_event")
        by_correlation = {row["correlation_id"]: (row["state"], row["reason"]) for row in found}
        ends = {
            file: by_correlation.get(answer.headers["x-correlation-id"], unstored(file, answer))
            if answer.status_code == 200
            else answer.status_code
            for file, answer in answers.items()
        }
        assert ends == ENDS
        assert len(by_correlation) == sum(isinstance(end, tuple) for end in ENDS.values()), "nothing is stored unseen"
        errors = rows.column("SELECT error FROM raw.webhook_event WHERE state = 'quarantined'")
        assert all(errors), "what is put aside says why"
        said = " ".join(errors).lower()
        assert not [secret for secret in ("brightloom", "okafor", "mara", "415555") if secret in said]


async def test_no_reply_and_no_stop_of_the_other_mail_vendors_is_lost(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The predecessor answered 200 to each of these and kept none: new names, other keys, bodies it did not read."""
    lost = {
        "smartlead/EMAIL_REPLIED__nested_new_docs.json": "Price?",
        "smartlead/EMAIL_REPLY__html_only.json": "Sure & thanks",
        "smartlead/EMAIL_REPLY__missing_stats_id.json": "What does it cost?",
        "smartlead/UNTRACKED_REPLIES__basic.json": "Joren passed this on. Send pricing.",
        "smartlead/LEAD_UNSUBSCRIBED__docs.json": None,
        "instantly/reply_received__v2.json": "Tell me more. Is it per berth?",
        "instantly/lead_unsubscribed__v2.json": None,
    }
    async with running_receiver(database) as receiver:
        for entry in SAMPLES:
            if entry["file"] in lost:
                assert (await deliver(receiver, monkeypatch, entry)).status_code == 200
        await drain(database, now=LATER)
        rows = Rows(database)
        bodies = rows.column("SELECT body FROM app.message WHERE direction = 'inbound'")
        assert sorted(bodies) == sorted(body for body in lost.values() if body)
        stopped = rows.all(
            "SELECT l.email, x.reason, x.source FROM app.lead l JOIN app.suppression x ON x.value = l.id::text "
            "WHERE l.status = 'blacklisted' ORDER BY 1"
        )
        assert [tuple(row.values()) for row in stopped] == [
            ("joren@pelicanfreight.example", "vendor_unsubscribe", "smartlead"),
            ("p.achterberg@kelpmotor.example", "vendor_unsubscribe", "instantly"),
        ]
        handles = rows.all("SELECT body, thread_handle FROM app.message WHERE thread_handle IS NOT NULL ORDER BY 1")
        assert [tuple(row.values()) for row in handles] == [
            ("Sure & thanks", "88412:1c7e55aa-88a0-4c59-9f0e-f0a2c1d3b6e7"),
            ("Tell me more. Is it per berth?", "01958f11-9f0a-7d41-bb0c-2a3b4c5d6e7f"),
        ]


def unstored(file: str, answer: Any) -> str:
    """200 without a row of its own: the vendor's probe, or a delivery that was there before."""
    return (
        "answered"
        if file in ("slack/url_verification.json", "slack/interactions__ssl_check.form.json")
        else "duplicate"
    )


async def test_what_the_samples_leave_behind(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole corpus is one small world: its people, and that nobody who said stop can be written to."""
    async with running_receiver(database) as receiver:
        for entry in SAMPLES:
            await deliver(receiver, monkeypatch, entry)
        await drain(database, now=LATER)
        rows = Rows(database)
        mara = rows.one("SELECT * FROM app.lead WHERE email = 'mara.okafor@brightloom.example'")
        assert (mara["status"], mara["sentiment_tag"]) == ("blacklisted", "Blacklist")
        sequences = rows.value("SELECT count(*) FROM app.send")
        assert sequences == 0
        jobs = rows.all("SELECT kind, count(*) AS n FROM app.job GROUP BY kind")
        inbound = rows.value("SELECT count(*) FROM app.message WHERE direction = 'inbound' AND source <> 'bounce'")
        assert [tuple(job.values()) for job in jobs] == [("reply", inbound)]
        assert rows.value("SELECT count(*) FROM app.message WHERE body LIKE '%%' || chr(1) || '%%'") == 0
        counted = rows.one("SELECT sum(sent_count) AS sent, sum(reply_count) AS replies FROM app.email_campaign")
        with_campaign = (
            "FROM app.message m JOIN raw.webhook_event e ON e.id = m.event_id WHERE e.campaign_external_id IS NOT NULL"
        )
        assert counted["sent"] == rows.value(f"SELECT count(*) {with_campaign} AND m.direction = 'outbound'")
        assert counted["replies"] == rows.value(
            f"SELECT count(*) {with_campaign} AND m.direction = 'inbound' AND m.source <> 'bounce'"
        )
