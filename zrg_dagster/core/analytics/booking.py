"""facts/booking: every appointment that belongs to a lead, on the day it was booked.

A booking is counted where it was made and stays there: a reschedule, a second meeting or a cancellation never moves it
into another report. Later only the lead (leads merge), start, cancellation, status and successor change. The one thing
that moves `booked_at` is an older delivery that arrives late, and only to an earlier time, so that the order in which
deliveries arrive does not matter.
"""

from zrg_dagster.core.analytics.facts import Column, Fact

_MERGE = """
    WITH keys AS (
        SELECT workspace_id, provider, external_id AS provider_appointment_id FROM app.appointment
        WHERE booked_at >= %(from_utc)s AND booked_at < %(to_utc)s
        UNION
        SELECT workspace_id, provider, provider_appointment_id FROM facts.booking
        WHERE booked_at >= %(from_utc)s AND booked_at < %(to_utc)s
    ), source AS (
        SELECT k.*, (a.booked_at AT TIME ZONE 'UTC')::date AS utc_day, a.lead_id, a.booked_at, a.booked_at_source,
               a.start_at, a.canceled_at AS cancelled_at, a.status AS final_status, a.superseded_by, a.calendar_key,
               a.email_campaign_id, a.assigned_to_user_id
        FROM keys k
        JOIN app.appointment a ON (a.workspace_id, a.provider, a.external_id)
                                = (k.workspace_id, k.provider, k.provider_appointment_id)
        WHERE a.lead_id IS NOT NULL
    ), gone AS (
        DELETE FROM facts.booking f USING keys k
        WHERE (f.workspace_id, f.provider, f.provider_appointment_id)
            = (k.workspace_id, k.provider, k.provider_appointment_id)
          AND NOT EXISTS (SELECT FROM source s
                          WHERE (s.workspace_id, s.provider, s.provider_appointment_id)
                              = (k.workspace_id, k.provider, k.provider_appointment_id))
        RETURNING f.workspace_id, f.utc_day
    ), put AS (
        INSERT INTO facts.booking AS f (workspace_id, provider, provider_appointment_id, utc_day, lead_id, booked_at,
            booked_at_source, start_at, cancelled_at, final_status, superseded_by, calendar_key,
            email_campaign_id_at_booking, assignee_at_booking)
        SELECT workspace_id, provider, provider_appointment_id, utc_day, lead_id, booked_at, booked_at_source, start_at,
               cancelled_at, final_status, superseded_by, calendar_key, email_campaign_id, assigned_to_user_id
        FROM source
        ON CONFLICT (workspace_id, provider, provider_appointment_id) DO UPDATE SET
            lead_id = excluded.lead_id,
            utc_day = (least(f.booked_at, excluded.booked_at) AT TIME ZONE 'UTC')::date,
            booked_at = least(f.booked_at, excluded.booked_at),
            booked_at_source = CASE WHEN excluded.booked_at < f.booked_at THEN excluded.booked_at_source
                                    ELSE f.booked_at_source END,
            start_at = excluded.start_at,
            cancelled_at = excluded.cancelled_at,
            final_status = excluded.final_status,
            superseded_by = excluded.superseded_by
        WHERE excluded.booked_at < f.booked_at OR f.utc_day <> (f.booked_at AT TIME ZONE 'UTC')::date
           OR (f.lead_id, f.start_at, f.cancelled_at, f.final_status, f.superseded_by) IS DISTINCT FROM
              (excluded.lead_id, excluded.start_at, excluded.cancelled_at, excluded.final_status, excluded.superseded_by)
        RETURNING f.workspace_id, f.utc_day, f.xmax = 0 AS is_new
    )
    SELECT workspace_id, utc_day, CASE WHEN is_new THEN 'inserted' ELSE 'updated' END AS change,
           true AS feeds_attribution FROM put
    UNION ALL
    SELECT workspace_id, utc_day, 'deleted', true FROM gone"""

_SOURCE_COUNT = """
    SELECT count(*) AS n FROM app.appointment
    WHERE lead_id IS NOT NULL AND (%(from_utc)s::timestamptz IS NULL OR booked_at >= %(from_utc)s)
      AND (%(to_utc)s::timestamptz IS NULL OR booked_at < %(to_utc)s)"""

BOOKING = Fact(
    name="booking",
    table="facts.booking",
    event_column="booked_at",
    key=("workspace_id", "provider", "provider_appointment_id"),
    required=("workspace_id", "lead_id", "booked_at"),
    preview=("provider", "booked_at", "booked_at_source", "start_at", "final_status", "cancelled_at"),
    columns=(
        Column("workspace_id", "uuid", "The tenant."),
        Column("provider", "text", "ghl or calendly."),
        Column("provider_appointment_id", "text", "The vendor's id; unique with workspace and provider."),
        Column("utc_day", "date", "The daily partition: the UTC day of booked_at."),
        Column("lead_id", "uuid", "The person who booked."),
        Column("booked_at", "timestamptz", "When the booking was made. Never moves to a later time."),
        Column("booked_at_source", "text", "provider, webhook or reconcile (reconcile is the time of detection)."),
        Column("start_at", "timestamptz", "When the meeting is, after the last reschedule known."),
        Column("cancelled_at", "timestamptz", "When it was cancelled, or null."),
        Column("final_status", "text", "confirmed, canceled, rescheduled, showed or no_show."),
        Column("superseded_by", "text", "The appointment that replaced this one in a reschedule."),
        Column("calendar_key", "text", "The vendor's event type or calendar."),
        Column("email_campaign_id_at_booking", "uuid", "The lead's e-mail campaign when the booking arrived."),
        Column("assignee_at_booking", "uuid", "Who the lead was assigned to when the booking arrived."),
    ),
    merge_sql=_MERGE,
    source_count_sql=_SOURCE_COUNT,
)
