-- Background work and the send ledger.

-- Owners of claims. Each worker holds a session advisory lock (class, id) on its LISTEN connection;
-- a claim whose owner's lock is free belongs to a dead process.
CREATE TABLE ops.worker (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    run_id text,
    started_at timestamptz NOT NULL,
    stopped_at timestamptz
);

CREATE TABLE app.job (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    lane text NOT NULL,
    kind text NOT NULL,
    job_key text NOT NULL,
    serial_key text NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    correlation_id text NOT NULL,
    lead_id uuid,
    message_id uuid,
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'running', 'done', 'skipped', 'parked', 'dead', 'discarded')),
    run_at timestamptz NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    max_attempts smallint NOT NULL DEFAULT 5,
    claimed_by integer,
    claimed_at timestamptz,
    finished_at timestamptz,
    reason text,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, job_key),
    CHECK ((state = 'running') = (claimed_by IS NOT NULL)),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, message_id) REFERENCES app.message (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX job_due ON app.job (lane, run_at) WHERE state = 'pending';
CREATE INDEX job_fair ON app.job (lane, workspace_id, run_at, id) WHERE state = 'pending';
CREATE INDEX job_running ON app.job (claimed_by) WHERE state = 'running';
CREATE INDEX job_trouble ON app.job (lane, state) WHERE state IN ('parked', 'dead');
-- Work on one lead never overlaps, whatever the number of workers.
CREATE UNIQUE INDEX job_serial ON app.job (serial_key) WHERE state = 'running';

CREATE TABLE app.job_attempt (
    job_id uuid NOT NULL REFERENCES app.job (id) ON DELETE CASCADE,
    attempt smallint NOT NULL,
    workspace_id uuid NOT NULL,
    worker_id integer NOT NULL,
    run_id text,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    outcome text,
    reason text,
    PRIMARY KEY (job_id, attempt)
);

-- One row per intended vendor call that a person sees. States and gates: core/sending.
CREATE TABLE app.send (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    natural_key text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('draft', 'follow_up', 'review_card', 'digest', 'alert')),
    origin text NOT NULL CHECK (origin IN ('ai', 'setter', 'system')),
    channel text NOT NULL CHECK (channel IN ('email', 'sms', 'linkedin', 'slack')),
    vendor text NOT NULL CHECK (vendor IN ('emailbison', 'ghl', 'slack')),
    lead_id uuid,
    draft_id uuid,
    draft_version integer,
    trigger_message_id uuid,
    email_campaign_id uuid,
    member_user_id uuid REFERENCES app.user (id) ON DELETE SET NULL,
    recipient text NOT NULL,
    content jsonb NOT NULL,
    state text NOT NULL DEFAULT 'planned'
        CHECK (state IN ('planned', 'sending', 'sent', 'refused', 'unknown', 'blocked', 'needs_human')),
    due_at timestamptz NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    max_attempts smallint NOT NULL DEFAULT 6,
    claimed_by integer,
    claimed_at timestamptz,
    sent_at timestamptz,
    finished_at timestamptz,
    vendor_message_id text,
    vendor_detail jsonb NOT NULL DEFAULT '{}',
    reason text,
    error text,
    settle_until timestamptz,
    correlation_id text NOT NULL,
    planned_at timestamptz NOT NULL DEFAULT now(),
    serial_key uuid NOT NULL GENERATED ALWAYS AS (coalesce(lead_id, id)) STORED,
    UNIQUE (workspace_id, natural_key),
    UNIQUE (workspace_id, id),
    CHECK ((state = 'sending') = (claimed_by IS NOT NULL)),
    CHECK (state <> 'sent' OR sent_at IS NOT NULL),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, draft_id) REFERENCES app.draft (workspace_id, id) ON DELETE SET NULL (draft_id)
);
CREATE INDEX send_due ON app.send (due_at) WHERE state IN ('planned', 'unknown');
CREATE INDEX send_fair ON app.send (workspace_id, due_at, id) WHERE state IN ('planned', 'unknown');
CREATE INDEX send_running ON app.send (claimed_by) WHERE state = 'sending';
CREATE INDEX send_lead ON app.send (lead_id, due_at) WHERE lead_id IS NOT NULL;
CREATE INDEX send_draft ON app.send (draft_id) WHERE draft_id IS NOT NULL;
-- Two sends to one lead never overlap.
CREATE UNIQUE INDEX send_serial ON app.send (serial_key) WHERE state = 'sending';

-- Every accepted outbound to a lead; written with the ledger row. A human touch has a member.
CREATE TABLE app.touch (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    channel text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('draft', 'follow_up', 'campaign', 'human')),
    member_user_id uuid REFERENCES app.user (id) ON DELETE SET NULL,
    is_human boolean NOT NULL DEFAULT false,
    sent_at timestamptz NOT NULL,
    send_id uuid,
    message_id uuid,
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX touch_send_once ON app.touch (send_id) WHERE send_id IS NOT NULL;
CREATE UNIQUE INDEX touch_message_once ON app.touch (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX touch_lead ON app.touch (lead_id, sent_at);

-- Where each recipient's copy of a review card stands, so that all copies can be updated after a decision.
CREATE TABLE app.review_card (
    workspace_id uuid NOT NULL,
    draft_id uuid NOT NULL,
    draft_version integer NOT NULL,
    recipient text NOT NULL,
    slack_channel text NOT NULL,
    slack_ts text NOT NULL,
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (draft_id, draft_version, recipient),
    FOREIGN KEY (workspace_id, draft_id) REFERENCES app.draft (workspace_id, id) ON DELETE CASCADE
);
