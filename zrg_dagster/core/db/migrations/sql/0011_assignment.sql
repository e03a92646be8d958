-- Switches of a workspace that decide about replies. Whoever reads each: core/workspaces/settings_registry.py.
ALTER TABLE app.workspace_setting
    ADD COLUMN flag_uncertain_replies boolean NOT NULL DEFAULT true,
    ADD COLUMN pause_for_ooo boolean NOT NULL DEFAULT true,
    ADD COLUMN auto_follow_ups_on_reply boolean NOT NULL DEFAULT false,
    ADD COLUMN round_robin_enabled boolean NOT NULL DEFAULT false,
    ADD COLUMN round_robin_email_only boolean NOT NULL DEFAULT false,
    -- Addresses of setters in the order of their turns; who stands twice gets twice as many.
    ADD COLUMN round_robin_sequence text[] NOT NULL DEFAULT '{}';

-- Whose turn it was. The index counts over exactly these people: another order begins at its first again.
CREATE TABLE app.assignment_rotation (
    workspace_id uuid PRIMARY KEY REFERENCES app.workspace (id) ON DELETE CASCADE,
    people uuid[] NOT NULL DEFAULT '{}',
    last_index integer NOT NULL DEFAULT -1 CHECK (last_index >= -1),
    updated_at timestamptz NOT NULL
);

-- Who got a lead, when and how. by_user_id is the member who did it by hand.
CREATE TABLE app.lead_assignment_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    message_id uuid,
    user_id uuid REFERENCES app.user (id) ON DELETE SET NULL,
    by_user_id uuid REFERENCES app.user (id) ON DELETE SET NULL,
    source text NOT NULL CHECK (source IN ('round_robin', 'backfill', 'manual')),
    channel text CHECK (channel IN ('email', 'sms', 'linkedin')),
    assigned_at timestamptz NOT NULL,
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX lead_assignment_event_lead ON app.lead_assignment_event (lead_id, id);
CREATE INDEX lead_assignment_event_time ON app.lead_assignment_event (workspace_id, assigned_at);
