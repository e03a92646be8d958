-- Facts and marts (built by zrg_build), and the flags that say which days to rebuild.

CREATE TABLE ops.fact_dirty (
    fact text NOT NULL,
    utc_day date NOT NULL,
    workspace_id uuid NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (fact, utc_day, workspace_id)
);
CREATE SEQUENCE ops.fact_dirty_version;

-- utc_day is the partition that built the row. Checks compare it with the event time, so a row that some other hand
-- wrote into a day is found.
CREATE TABLE facts.booking (
    workspace_id uuid NOT NULL,
    provider text NOT NULL,
    provider_appointment_id text NOT NULL,
    utc_day date NOT NULL,
    lead_id uuid NOT NULL,
    booked_at timestamptz NOT NULL,
    booked_at_source text NOT NULL,
    start_at timestamptz,
    cancelled_at timestamptz,
    final_status text NOT NULL,
    superseded_by text,
    calendar_key text,
    email_campaign_id_at_booking uuid,
    assignee_at_booking uuid,
    PRIMARY KEY (workspace_id, provider, provider_appointment_id)
);
CREATE INDEX booking_time ON facts.booking (booked_at);
CREATE INDEX booking_lead ON facts.booking (workspace_id, lead_id, booked_at);

CREATE TABLE facts.step_execution (
    workspace_id uuid NOT NULL,
    instance_id uuid NOT NULL,
    step_id uuid NOT NULL,
    attempt smallint NOT NULL,
    utc_day date NOT NULL,
    sequence_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    channel text NOT NULL,
    outcome text NOT NULL,
    executed_at timestamptz NOT NULL,
    instance_started_at timestamptz NOT NULL,
    PRIMARY KEY (instance_id, step_id, attempt)
);
CREATE INDEX step_execution_lead ON facts.step_execution (workspace_id, lead_id, executed_at);
CREATE INDEX step_execution_time ON facts.step_execution (executed_at);

-- One row per booking, model and credited step (model linear: several rows whose weights add up to exactly 1).
CREATE TABLE marts.booking_credit (
    workspace_id uuid NOT NULL,
    provider text NOT NULL,
    provider_appointment_id text NOT NULL,
    model text NOT NULL CHECK (model IN ('first_touch', 'last_touch', 'linear')),
    credit_no smallint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('initial', 'workflow')),
    lead_id uuid NOT NULL,
    sequence_id uuid,
    step_id uuid,
    weight numeric(9, 8) NOT NULL CHECK (weight > 0 AND weight <= 1),
    booked_at timestamptz NOT NULL,
    step_executed_at timestamptz,
    minutes_from_step bigint,
    is_kept boolean NOT NULL,
    PRIMARY KEY (workspace_id, provider, provider_appointment_id, model, credit_no),
    CHECK ((kind = 'workflow') = (sequence_id IS NOT NULL)),
    CHECK ((sequence_id IS NULL) = (step_executed_at IS NULL))
);

-- Per window and model: one row for initial outreach (sequence_id null, present even at zero) and one per sequence.
-- Both totals stand on every row, so that each rate carries its denominator.
CREATE TABLE marts.workflow_attribution (
    workspace_id uuid NOT NULL,
    window_label text NOT NULL,
    model text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('initial', 'workflow')),
    sequence_id uuid,
    sequence_name text NOT NULL,
    bookings numeric(18, 8) NOT NULL,
    kept numeric(18, 8) NOT NULL,
    total_bookings bigint NOT NULL,
    total_kept bigint NOT NULL,
    workflow_bookings bigint NOT NULL,
    share_of_total numeric(9, 8),
    share_of_workflow numeric(9, 8),
    from_utc timestamptz NOT NULL,
    to_utc timestamptz NOT NULL,
    as_of_utc timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, window_label, model, sequence_id),
    CHECK ((kind = 'workflow') = (sequence_id IS NOT NULL))
);
