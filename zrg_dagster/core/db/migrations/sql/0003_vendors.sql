-- Integrations that deliver to us: LinkedIn accounts through Unipile, enrichment answers from Clay.
ALTER TABLE app.integration DROP CONSTRAINT integration_provider_check;
ALTER TABLE app.integration ADD CONSTRAINT integration_provider_check CHECK (provider IN ('emailbison', 'smartlead',
    'instantly', 'ghl', 'calendly', 'slack', 'resend', 'unipile', 'clay')) NOT VALID;
ALTER TABLE app.integration VALIDATE CONSTRAINT integration_provider_check;

-- A LinkedIn account routes deliveries too, so it belongs to one workspace.
DROP INDEX app.integration_routes_once;
CREATE UNIQUE INDEX integration_routes_once ON app.integration (provider, coalesce(base_url, ''), external_id)
    WHERE provider IN ('emailbison', 'ghl', 'unipile') AND external_id IS NOT NULL;

-- The writer may change a text after it was sent; the newest wording is kept with the time at which we heard of it.
ALTER TABLE app.message ADD COLUMN edited_at timestamptz;

-- Who is connected with a LinkedIn account of ours. The one delivery that names a person both ways: messages carry the
-- member id alone, campaigns the profile's address. Kept whether or not a lead is known yet, because it may come first.
CREATE TABLE app.linkedin_relation (
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    account_id text NOT NULL,
    member_id text NOT NULL,
    profile_url text NOT NULL,
    connected_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, member_id, profile_url, account_id)
);
CREATE INDEX linkedin_relation_profile ON app.linkedin_relation (workspace_id, profile_url);

-- What a vendor says about our own equipment: an account lost its login, a notification mail did not arrive.
-- `subject` is the vendor's account id or the address of one of ours; `detail` a code, never the vendor's words.
CREATE TABLE app.vendor_notice (
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    notice_key text NOT NULL,
    provider text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('sender_health', 'notification_mail')),
    value text NOT NULL,
    subject text NOT NULL,
    detail text,
    is_trouble boolean NOT NULL,
    noticed_at timestamptz NOT NULL,
    event_id uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, notice_key)
);
CREATE INDEX vendor_notice_time ON app.vendor_notice (workspace_id, created_at);
