-- Users, settings, integrations, campaigns and the audit log.

-- Who changed what, and when. No foreign key: the record outlives the workspace. `changes` never holds a secret.
CREATE TABLE ops.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    action text NOT NULL CHECK (action ~ '^[a-z_]+\.[a-z_]+$'),
    workspace_id uuid,
    object text NOT NULL CHECK (object <> ''),
    changes jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(changes) = 'array')
);
CREATE INDEX audit_workspace ON ops.audit (workspace_id, id);
CREATE INDEX audit_time ON ops.audit USING brin (happened_at);

-- A record that its writer could change proves nothing. Only the owner (a migration) may.
CREATE FUNCTION ops.keep_audit() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_user <> 'zrg_owner' THEN
        RAISE EXCEPTION 'ops.audit is append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ops.audit
    FOR EACH STATEMENT EXECUTE FUNCTION ops.keep_audit();

-- A delivery that somebody had processed again answers nobody by itself.
ALTER TABLE raw.webhook_event ADD COLUMN replayed_at timestamptz;

-- Hosts that a workspace's e-mail API address may name; the key of a workspace is sent to no other.
CREATE TABLE app.email_host (
    host text PRIMARY KEY CHECK (host ~ '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$'),
    label text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Resend sends notification mail; SmartLead and Instantly are e-mail providers beside EmailBison, of which one is active.
ALTER TABLE app.integration
    DROP CONSTRAINT integration_provider_check,
    ADD COLUMN from_email text,
    ADD COLUMN user_uri text,
    ADD COLUMN organization_uri text,
    ADD COLUMN webhook_subscription_uri text;
ALTER TABLE app.integration
    ADD CONSTRAINT integration_provider_check CHECK (provider IN ('emailbison', 'smartlead', 'instantly', 'ghl',
        'calendly', 'slack', 'resend')) NOT VALID,
    ADD CONSTRAINT integration_from_email_check CHECK (from_email IS NULL
        OR (provider = 'resend' AND from_email ~ '^[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+$')) NOT VALID,
    ADD CONSTRAINT integration_calendly_uris_check CHECK (provider = 'calendly'
        OR (user_uri IS NULL AND organization_uri IS NULL AND webhook_subscription_uri IS NULL)) NOT VALID;
ALTER TABLE app.integration VALIDATE CONSTRAINT integration_provider_check;
ALTER TABLE app.integration VALIDATE CONSTRAINT integration_from_email_check;
ALTER TABLE app.integration VALIDATE CONSTRAINT integration_calendly_uris_check;
CREATE UNIQUE INDEX integration_one_email_provider ON app.integration (workspace_id)
    WHERE is_active AND provider IN ('emailbison', 'smartlead', 'instantly');

ALTER TABLE secret.credential DROP CONSTRAINT credential_name_check;
ALTER TABLE secret.credential ADD CONSTRAINT credential_name_check CHECK (name IN ('emailbison_api_key', 'ghl_token',
    'calendly_token', 'slack_bot_token', 'resend_api_key')) NOT VALID;
ALTER TABLE secret.credential VALIDATE CONSTRAINT credential_name_check;

-- Who gets the review cards and the digest. People, not Slack ids: an id may change, and who leaves must not stay.
CREATE TABLE app.slack_recipient (
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES app.user (id) ON DELETE CASCADE,
    PRIMARY KEY (workspace_id, user_id)
);
INSERT INTO app.slack_recipient (workspace_id, user_id)
SELECT DISTINCT s.workspace_id, u.id
FROM app.workspace_setting s JOIN app.user u ON u.slack_user_id = ANY (s.slack_recipients);
ALTER TABLE app.workspace_setting DROP COLUMN slack_recipients;

-- Campaigns of the other channels. An SMS campaign is a label in the CRM's delivery, matched without regard to case.
CREATE TABLE app.sms_campaign (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    label text NOT NULL CHECK (label <> '' AND label = btrim(label)),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, id)
);
CREATE UNIQUE INDEX sms_campaign_label ON app.sms_campaign (workspace_id, lower(label));

CREATE TABLE app.ghl_campaign (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    external_id text NOT NULL CHECK (external_id <> ''),
    name text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, external_id),
    UNIQUE (workspace_id, id)
);

-- What drafts may state as fact about the workspace, in reading order.
CREATE TABLE app.knowledge_asset (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    title text NOT NULL CHECK (title <> ''),
    body text NOT NULL CHECK (body <> ''),
    position integer NOT NULL CHECK (position >= 1),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, title),
    UNIQUE (workspace_id, id)
);

-- The first two are what {qualificationQuestion1} and {qualificationQuestion2} stand for.
CREATE TABLE app.qualification_question (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 1),
    question text NOT NULL CHECK (question <> ''),
    is_required boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, position),
    UNIQUE (workspace_id, id)
);
