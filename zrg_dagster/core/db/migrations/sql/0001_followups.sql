-- Follow-up sequences and their runs; calendars and appointments.

CREATE TABLE app.follow_up_sequence (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    name text NOT NULL,
    description text,
    is_active boolean NOT NULL DEFAULT true,
    trigger_on text NOT NULL DEFAULT 'no_response'
        CHECK (trigger_on IN ('no_response', 'meeting_selected', 'manual', 'setter_reply')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, id),
    UNIQUE (workspace_id, name)
);
CREATE INDEX follow_up_sequence_routing ON app.follow_up_sequence (workspace_id, trigger_on, is_active);

CREATE TABLE app.follow_up_step (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    sequence_id uuid NOT NULL,
    step_order integer NOT NULL CHECK (step_order >= 1),
    -- Bounds keep every due time inside what a timestamp can hold.
    day_offset integer NOT NULL DEFAULT 1 CHECK (day_offset BETWEEN -3650 AND 3650),
    minute_offset integer NOT NULL DEFAULT 0 CHECK (minute_offset BETWEEN 0 AND 525600),
    channel text NOT NULL CHECK (channel IN ('email', 'sms', 'linkedin')),
    subject text,
    message_template text NOT NULL,
    UNIQUE (sequence_id, step_order),
    UNIQUE (workspace_id, id),
    FOREIGN KEY (workspace_id, sequence_id) REFERENCES app.follow_up_sequence (workspace_id, id) ON DELETE CASCADE
);

CREATE TABLE app.follow_up_instance (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    sequence_id uuid NOT NULL,
    current_step integer NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'completed', 'cancelled')),
    paused_reason text,
    started_at timestamptz NOT NULL,
    last_step_at timestamptz,
    next_step_due timestamptz,
    completed_at timestamptz,
    step_attempts smallint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (lead_id, sequence_id),
    UNIQUE (workspace_id, id),
    CHECK ((status = 'paused') = (paused_reason IS NOT NULL)),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, sequence_id) REFERENCES app.follow_up_sequence (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX follow_up_instance_due ON app.follow_up_instance (next_step_due) WHERE status = 'active';
CREATE INDEX follow_up_instance_lead ON app.follow_up_instance (lead_id);
CREATE INDEX follow_up_instance_sequence ON app.follow_up_instance (sequence_id);

CREATE TABLE app.follow_up_step_execution (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    instance_id uuid NOT NULL,
    step_id uuid NOT NULL,
    attempt smallint NOT NULL,
    channel text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('planned', 'sent', 'task_created', 'skipped', 'failed')),
    reason text,
    send_id uuid,
    planned_at timestamptz NOT NULL,
    executed_at timestamptz,
    UNIQUE (instance_id, step_id, attempt),
    CHECK (outcome = 'planned' OR executed_at IS NOT NULL),
    FOREIGN KEY (workspace_id, instance_id) REFERENCES app.follow_up_instance (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX follow_up_step_execution_send ON app.follow_up_step_execution (send_id) WHERE send_id IS NOT NULL;
CREATE INDEX follow_up_step_execution_time ON app.follow_up_step_execution (executed_at);
CREATE INDEX follow_up_step_execution_lead ON app.follow_up_step_execution (lead_id, channel, planned_at);

-- Work that a person must do because a step could not be sent.
CREATE TABLE app.follow_up_task (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    instance_id uuid,
    step_id uuid,
    type text NOT NULL CHECK (type IN ('email', 'sms', 'linkedin', 'call')),
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'completed', 'skipped', 'cancelled')),
    reason text NOT NULL,
    subject text,
    suggested_message text,
    due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, id),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, instance_id) REFERENCES app.follow_up_instance (workspace_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX follow_up_task_once ON app.follow_up_task (instance_id, step_id, type) WHERE status = 'pending';
CREATE INDEX follow_up_task_open ON app.follow_up_task (workspace_id, due_at) WHERE status = 'pending';
CREATE INDEX follow_up_task_lead ON app.follow_up_task (lead_id);

CREATE TABLE app.calendar (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    provider text NOT NULL CHECK (provider IN ('ghl', 'calendly')),
    external_id text NOT NULL,
    name text NOT NULL DEFAULT '',
    is_active boolean NOT NULL DEFAULT true,
    refresh_due_at timestamptz NOT NULL DEFAULT now(),
    refreshed_at timestamptz,
    failures smallint NOT NULL DEFAULT 0,
    empty_answers smallint NOT NULL DEFAULT 0,
    last_error text,
    UNIQUE (workspace_id, provider, external_id),
    UNIQUE (workspace_id, id)
);
CREATE INDEX calendar_due ON app.calendar (refresh_due_at) WHERE is_active;

CREATE TABLE app.availability_slot (
    workspace_id uuid NOT NULL,
    calendar_id uuid NOT NULL,
    starts_at timestamptz NOT NULL,
    PRIMARY KEY (calendar_id, starts_at),
    FOREIGN KEY (workspace_id, calendar_id) REFERENCES app.calendar (workspace_id, id) ON DELETE CASCADE
);

CREATE TABLE app.appointment (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    lead_id uuid,
    provider text NOT NULL CHECK (provider IN ('ghl', 'calendly')),
    external_id text NOT NULL,
    secondary_id text,
    status text NOT NULL CHECK (status IN ('confirmed', 'canceled', 'rescheduled', 'showed', 'no_show')),
    start_at timestamptz,
    end_at timestamptz,
    timezone text,
    attendee_email text,
    calendar_key text,
    booked_at timestamptz NOT NULL,
    booked_at_source text NOT NULL CHECK (booked_at_source IN ('provider', 'webhook', 'reconcile')),
    canceled_at timestamptz,
    canceled_by text,
    superseded_by text,
    vendor_updated_at timestamptz NOT NULL,
    email_campaign_id uuid,
    assigned_to_user_id uuid,
    event_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, provider, external_id),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE SET NULL (lead_id)
);
CREATE INDEX appointment_lead ON app.appointment (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX appointment_booked ON app.appointment (booked_at);

-- One row per workspace and local day whose digest was planned, or found empty. The newest one is the watermark.
CREATE TABLE app.digest (
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    local_day date NOT NULL,
    covered_from timestamptz NOT NULL,
    covered_until timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('planned', 'empty')),
    planned_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, local_day),
    CHECK (covered_from <= covered_until)
);
