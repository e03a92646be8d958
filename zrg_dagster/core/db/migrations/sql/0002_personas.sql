-- AI personas, and the campaigns and sequences that are bound to them.
-- app.workspace_setting mirrors the eight texts of the default persona (persona_name as sender_name, the others under the
-- same name), so that a reader who knows only the settings sees what the default persona says.

CREATE TABLE app.ai_persona (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> '' AND name = btrim(name)),
    is_default boolean NOT NULL DEFAULT false,
    persona_name text NOT NULL DEFAULT '',
    tone text NOT NULL DEFAULT 'friendly-professional',
    greeting text NOT NULL DEFAULT '',
    sms_greeting text NOT NULL DEFAULT '',
    signature text NOT NULL DEFAULT '',
    goals text NOT NULL DEFAULT '',
    service_description text NOT NULL DEFAULT '',
    ideal_customer_profile text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (workspace_id, id)
);
-- People name personas in files and commands; two that differ by case alone would be mixed up.
CREATE UNIQUE INDEX ai_persona_name ON app.ai_persona (workspace_id, lower(name));
-- The backstop of every path that moves the default: two of them cannot commit.
CREATE UNIQUE INDEX ai_persona_one_default ON app.ai_persona (workspace_id) WHERE is_default;

-- sender_name, tone, signature and service_description exist since the first revision.
ALTER TABLE app.workspace_setting
    ADD COLUMN greeting text NOT NULL DEFAULT '',
    ADD COLUMN sms_greeting text NOT NULL DEFAULT '',
    ADD COLUMN goals text NOT NULL DEFAULT '',
    ADD COLUMN ideal_customer_profile text NOT NULL DEFAULT '';

-- A deleted persona leaves its sequences and campaigns generic. Only the persona column is emptied: workspace_id is
-- part of the key and must stay.
ALTER TABLE app.follow_up_sequence ADD COLUMN ai_persona_id uuid;
ALTER TABLE app.follow_up_sequence ADD CONSTRAINT follow_up_sequence_persona_fkey
    FOREIGN KEY (workspace_id, ai_persona_id) REFERENCES app.ai_persona (workspace_id, id)
    ON DELETE SET NULL (ai_persona_id) NOT VALID;
ALTER TABLE app.follow_up_sequence VALIDATE CONSTRAINT follow_up_sequence_persona_fkey;
-- The other index of routing, (workspace_id, trigger_on, is_active), exists since the first revision.
CREATE INDEX follow_up_sequence_persona ON app.follow_up_sequence (ai_persona_id);

ALTER TABLE app.email_campaign ADD COLUMN ai_persona_id uuid;
ALTER TABLE app.email_campaign ADD CONSTRAINT email_campaign_persona_fkey
    FOREIGN KEY (workspace_id, ai_persona_id) REFERENCES app.ai_persona (workspace_id, id)
    ON DELETE SET NULL (ai_persona_id) NOT VALID;
ALTER TABLE app.email_campaign VALIDATE CONSTRAINT email_campaign_persona_fkey;
CREATE INDEX email_campaign_persona ON app.email_campaign (ai_persona_id);
