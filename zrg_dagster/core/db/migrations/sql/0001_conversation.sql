-- One lead per person and workspace, everything said with it, and what was decided about it.

CREATE TABLE app.lead (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    email text,
    phone text,
    first_name text,
    last_name text,
    company_name text,
    job_title text,
    linkedin_url text,
    timezone text,
    email_campaign_id uuid,
    sender_account_id text,
    status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'qualified', 'meeting-requested', 'meeting-booked',
        'not-interested', 'blacklisted', 'unqualified', 'needs_repair')),
    sentiment_tag text NOT NULL DEFAULT 'New' CHECK (sentiment_tag IN ('New', 'Meeting Booked', 'Meeting Requested',
        'Call Requested', 'Information Requested', 'Interested', 'Follow Up', 'Objection', 'Not Interested', 'Neutral',
        'Snoozed', 'Out of Office', 'Automated Reply', 'Blacklist')),
    sentiment_source text NOT NULL DEFAULT 'none'
        CHECK (sentiment_source IN ('none', 'floor', 'provider', 'model', 'human', 'unclassified')),
    assigned_to_user_id uuid REFERENCES app.user (id) ON DELETE SET NULL,
    auto_follow_up_enabled boolean NOT NULL DEFAULT false,
    snoozed_until timestamptz,
    current_replier_email text,
    current_replier_name text,
    current_replier_since timestamptz,
    last_inbound_at timestamptz,
    last_outbound_at timestamptz,
    last_message_direction text GENERATED ALWAYS AS (CASE
        WHEN last_inbound_at IS NULL AND last_outbound_at IS NULL THEN NULL
        WHEN last_outbound_at IS NULL OR last_inbound_at >= last_outbound_at THEN 'inbound'
        ELSE 'outbound' END) STORED,
    -- Per contact field: source rank, event time and source of the winner, so that arrival order never decides.
    provenance jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, id),
    FOREIGN KEY (workspace_id, email_campaign_id) REFERENCES app.email_campaign (workspace_id, id)
        ON DELETE SET NULL (email_campaign_id)
);
CREATE INDEX lead_last_inbound ON app.lead (workspace_id, last_inbound_at DESC) WHERE last_inbound_at IS NOT NULL;

-- The one arbiter of who is who: ON CONFLICT on this key decides a race between deliveries of a new sender.
CREATE TABLE app.lead_identity (
    workspace_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('ghl_contact', 'emailbison_lead', 'linkedin_member', 'linkedin_url', 'email',
        'alternate_email', 'phone')),
    value text NOT NULL CHECK (value <> ''),
    lead_id uuid NOT NULL,
    source text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, kind, value),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX lead_identity_lead ON app.lead_identity (lead_id);

-- Two leads that one delivery names as the same person. A human or a later rule merges them; intake never does.
CREATE TABLE app.lead_merge_candidate (
    workspace_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    other_lead_id uuid NOT NULL,
    kind text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, lead_id, other_lead_id, kind),
    CHECK (lead_id < other_lead_id),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, other_lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE
);

CREATE TABLE app.message (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    message_key text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('email', 'sms', 'linkedin')),
    direction text NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    source text NOT NULL CHECK (source IN ('webhook', 'campaign', 'zrg', 'human', 'bounce')),
    provider text NOT NULL,
    provider_message_id text,
    thread_handle text,
    subject text,
    body text NOT NULL DEFAULT '',
    raw_text text,
    raw_html text,
    from_email text,
    from_name text,
    to_email text,
    cc text[] NOT NULL DEFAULT '{}',
    sent_at timestamptz NOT NULL,
    sent_at_quality text NOT NULL DEFAULT 'provider' CHECK (sent_at_quality IN ('provider', 'receipt')),
    is_auto_reply boolean NOT NULL DEFAULT false,
    is_out_of_office boolean NOT NULL DEFAULT false,
    returns_on date,
    is_bounce boolean NOT NULL DEFAULT false,
    opt_out_rule text,
    provider_interested boolean NOT NULL DEFAULT false,
    sentiment_tag text,
    sent_by text CHECK (sent_by IN ('ai', 'setter')),
    sent_by_user_id uuid REFERENCES app.user (id) ON DELETE SET NULL,
    send_id uuid,
    event_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, message_key),
    UNIQUE (workspace_id, id),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX message_thread ON app.message (lead_id, sent_at DESC, id DESC);
CREATE UNIQUE INDEX message_send_once ON app.message (send_id) WHERE send_id IS NOT NULL;

-- Nobody is written to against their will: one row suppresses all channels of that address or number.
CREATE TABLE app.suppression (
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('email', 'phone', 'lead')),
    value text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('all', 'sms')),
    reason text NOT NULL,
    source text NOT NULL,
    suppressed_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, kind, value, channel)
);

CREATE TABLE app.sentiment_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    message_id uuid,
    previous_tag text NOT NULL,
    tag text NOT NULL,
    source text NOT NULL,
    confidence numeric(4, 3),
    changed_at timestamptz NOT NULL,
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX sentiment_event_lead ON app.sentiment_event (lead_id, changed_at);
CREATE UNIQUE INDEX sentiment_event_once ON app.sentiment_event (message_id, source) WHERE message_id IS NOT NULL;

-- "did X / did not do X, because rule R": every skip, pause, refusal and gate, one query away.
CREATE TABLE app.decision (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    lead_id uuid,
    subject text NOT NULL,
    subject_id uuid,
    code text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    decided_at timestamptz NOT NULL
);
CREATE INDEX decision_lead ON app.decision (lead_id, id);
CREATE INDEX decision_subject ON app.decision (subject_id, id);

CREATE TABLE app.draft (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    trigger_message_id uuid NOT NULL,
    channel text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'rejected')),
    subject text,
    body text NOT NULL,
    -- What the model wrote, so that an answer that a person changed is known as EDITED.
    ai_body text NOT NULL,
    action text CHECK (action IN ('send_immediate', 'send_delayed', 'needs_review', 'skip', 'error')),
    reason text,
    confidence numeric(4, 3),
    threshold numeric(4, 3),
    decided_by_user_id uuid REFERENCES app.user (id) ON DELETE SET NULL,
    disposition text CHECK (disposition IN ('AUTO_SENT', 'APPROVED', 'EDITED')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (trigger_message_id, channel),
    UNIQUE (workspace_id, id),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, trigger_message_id) REFERENCES app.message (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX draft_pending ON app.draft (lead_id) WHERE status = 'pending';

-- What the reply pipeline has finished for a message; a retry continues behind the last record.
CREATE TABLE app.reply_stage (
    message_id uuid NOT NULL,
    stage text NOT NULL,
    workspace_id uuid NOT NULL,
    outcome text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    done_at timestamptz NOT NULL,
    PRIMARY KEY (message_id, stage),
    FOREIGN KEY (workspace_id, message_id) REFERENCES app.message (workspace_id, id) ON DELETE CASCADE
);

-- Facts of every model call, without text.
CREATE TABLE app.ai_call (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    message_id uuid,
    prompt_key text NOT NULL,
    prompt_version text NOT NULL,
    model text NOT NULL,
    outcome text NOT NULL,
    input_tokens integer,
    output_tokens integer,
    latency_ms bigint NOT NULL,
    request_id text,
    correlation_id text,
    called_at timestamptz NOT NULL
);
CREATE INDEX ai_call_time ON app.ai_call (called_at);
