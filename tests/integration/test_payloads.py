"""Every sample delivery through the door and the drain: how each of them ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.intake_support import Rows, drain
from tests.integration.receiver_support import running_receiver
from tests.integration.test_receiver import ANSWERED_UNSTORED, MANIFEST, deliver
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.notifications.digest import Coverage, load_counts

VENDORS = ("emailbison", "smartlead", "instantly", "ghl", "calendly", "slack", "unipile", "clay", "resend")
SAMPLES = [entry for entry in MANIFEST if entry["provider"] in VENDORS]
LATER = datetime(2026, 3, 10, 20, tzinfo=UTC)

PROCESSED = ("processed", None)
REPEATED = ("processed", "duplicate_message")
SHAPE = ("quarantined", "shape_mismatch")
NEW_TYPE = ("quarantined", "unknown_event_type")
# The samples' draft ids are no ids of ours; a real button's claim becomes a job.
CLICK = ("quarantined", "unreadable_click")
STRANGER = ("processed", "lead_not_identified")
NO_LEAD = ("quarantined", "unknown_lead")
NO_EFFECT = ("ignored", "signal_without_effect")

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
    # The samples' lead ids are no ids of ours: what a callback about a lead does is in test_intake_enrichment.
    "clay/callback__bad_secret.json": 401,
    "clay/callback__bad_type.json": NEW_TYPE,
    "clay/callback__company_page_not_person.json": NO_LEAD,
    "clay/callback__missing_lead_id.json": SHAPE,
    "clay/callback__unknown_lead.json": NO_LEAD,
    "clay/callback_linkedin__error.json": NO_LEAD,
    "clay/callback_linkedin__no_status_infer_not_found.json": NO_LEAD,
    "clay/callback_linkedin__no_status_infer_success.json": NO_LEAD,
    "clay/callback_linkedin__success.json": NO_LEAD,
    "clay/callback_linkedin__success_false.json": NO_LEAD,
    "clay/callback_phone__alternate_keys.json": NO_LEAD,
    "clay/callback_phone__does_not_overwrite.json": NO_LEAD,
    "clay/callback_phone__not_found.json": NO_LEAD,
    "clay/callback_phone__success.json": NO_LEAD,
    "clay/callback_phone__success_but_empty.json": NO_LEAD,
    "emailbison/EMAIL_ACCOUNT_ADDED__basic.json": PROCESSED,
    "emailbison/EMAIL_ACCOUNT_DISCONNECTED__basic.json": PROCESSED,
    "emailbison/EMAIL_ACCOUNT_RECONNECTED__basic.json": PROCESSED,
    "emailbison/EMAIL_ACCOUNT_REMOVED__basic.json": PROCESSED,
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
    "instantly/account_error__basic.json": PROCESSED,
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
    "resend/contact.updated__unsubscribed.json": ("ignored", "log_only"),
    "resend/domain.updated__failed.json": PROCESSED,
    "resend/email.bounced__permanent.json": PROCESSED,
    "resend/email.bounced__transient.json": PROCESSED,
    "resend/email.clicked__basic.json": ("ignored", "log_only"),
    "resend/email.complained__basic.json": PROCESSED,
    "resend/email.delivered__bad_signature.json": 401,
    "resend/email.delivered__basic.json": ("ignored", "log_only"),
    "resend/email.delivery_delayed__basic.json": ("ignored", "log_only"),
    "resend/email.failed__quota.json": PROCESSED,
    "resend/email.opened__basic.json": ("ignored", "log_only"),
    "resend/email.received__with_attachment.json": ("ignored", "inbound_mail_not_read"),
    "resend/email.scheduled__basic.json": ("ignored", "log_only"),
    "resend/email.sent__basic.json": ("ignored", "log_only"),
    "resend/email.suppressed__previous_bounce.json": PROCESSED,
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
    "smartlead/CAMPAIGN_BOUNCE_THRESHOLD__basic.json": PROCESSED,
    "smartlead/CAMPAIGN_STATUS_CHANGED__paused.json": ("ignored", "log_only"),
    "smartlead/EMAIL_ACCOUNT_DISCONNECTED__basic.json": PROCESSED,
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
    "unipile/MALFORMED.raw.json": 400,
    "unipile/account_status__CONNECTING.json": ("ignored", "transient"),
    "unipile/account_status__CREATION_SUCCESS.json": PROCESSED,
    "unipile/account_status__CREDENTIALS.json": PROCESSED,
    "unipile/account_status__DELETED.json": PROCESSED,
    "unipile/account_status__ERROR.json": PROCESSED,
    "unipile/account_status__OK.json": PROCESSED,
    "unipile/account_status__RECONNECTED.json": PROCESSED,
    "unipile/account_status__STOPPED.json": PROCESSED,
    "unipile/account_status__SYNC_SUCCESS.json": PROCESSED,
    "unipile/message_deleted__basic.json": ("ignored", "message_kept"),
    "unipile/message_delivered__basic.json": NO_EFFECT,
    "unipile/message_edited__basic.json": PROCESSED,
    "unipile/message_reaction__thumb.json": ("ignored", "log_only"),
    "unipile/message_read__basic.json": ("ignored", "log_only"),
    "unipile/message_received__attachment_only.json": PROCESSED,
    "unipile/message_received__bad_secret.json": 401,
    "unipile/message_received__form_encoded.form.json": SHAPE,
    "unipile/message_received__group_chat.json": ("ignored", "group_chat"),
    "unipile/message_received__inbound.json": REPEATED,  # the message whose changed wording was first
    "unipile/message_received__missing_timestamp.json": PROCESSED,
    "unipile/message_received__own_outbound_echo.json": PROCESSED,
    "unipile/message_received__renamed_keys.json": 404,
    "unipile/message_received__unknown_account.json": "answered",
    "unipile/new_relation__basic.json": PROCESSED,
    "unipile/new_relation__unknown_person.json": STRANGER,
    "unipile/orig_connection.accepted__basic.json": PROCESSED,
    "unipile/orig_connection.received__basic.json": ("ignored", "log_only"),
    "unipile/orig_message.received__basic.json": PROCESSED,
    "unipile/orig_message.sent__basic.json": ("ignored", "own_message_without_recipient"),
    "unipile/orig_profile.viewed__basic.json": ("ignored", "log_only"),
    "unipile/v2_event__message_new.json": "answered",
}


async def test_every_sample_ends_as_it_should(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_receiver(database) as receiver:
        answers = {}
        for entry in SAMPLES:
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
    """200 without a row of its own: a probe, what concerns nobody here, or a delivery that was there before."""
    return "answered" if file in ANSWERED_UNSTORED else "duplicate"


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
        jobs = rows.all("SELECT kind, count(*) AS n FROM app.job WHERE kind <> 'conversation_sync' GROUP BY kind")
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


async def test_mail_that_did_not_arrive_is_told_to_the_operator(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_receiver(database) as receiver:
        for entry in SAMPLES:
            if entry["provider"] == "resend":
                await deliver(receiver, monkeypatch, entry)
        await drain(database, now=LATER)
        rows = Rows(database)
        found = rows.all("SELECT value, detail, subject FROM app.vendor_notice WHERE is_trouble ORDER BY value, detail")
        assert [tuple(row.values()) for row in found] == [
            ("bounced", "permanent", "noor@harbourline.example"),
            ("bounced", "transient", "noor@harbourline.example"),
            ("complained", None, "noor@harbourline.example"),
            ("domain_failed", "failed", "mail.harbourline.example"),
            ("failed", "reached_daily_quota", "noor@harbourline.example"),
            ("suppressed", "previous_bounce", "noor@harbourline.example"),
        ]
        workspace = rows.value("SELECT id FROM app.workspace WHERE key = 'clnt_harbourline'")
        engine = make_engine(database.dsn("worker"), pool_size=1)
        async with engine.connect() as conn:
            coverage = Coverage(LATER.date(), LATER - timedelta(hours=1), LATER)
            counts = await load_counts(conn, workspace, coverage)
        await engine.dispose()
        assert {name: number for name, number in counts.failures.items() if name.startswith("resend")} == {
            "resend bounced": 2,
            "resend complained": 1,
            "resend domain_failed": 1,
            "resend failed": 1,
            "resend suppressed": 1,
        }
        assert rows.value("SELECT count(*) FROM app.lead") == 0
