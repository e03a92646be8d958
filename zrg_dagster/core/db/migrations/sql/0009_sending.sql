-- All vendors send; a send names the account of ours that it leaves from.
ALTER TABLE app.send DROP CONSTRAINT send_vendor_check;
ALTER TABLE app.send ADD CONSTRAINT send_vendor_check
    CHECK (vendor IN ('emailbison', 'smartlead', 'instantly', 'ghl', 'unipile', 'slack')) NOT VALID;
-- Mailbox, location or profile. NULL for what no account of a workspace sends, and in rows older than this column.
ALTER TABLE app.send ADD COLUMN sender_account text;

ALTER TABLE secret.credential DROP CONSTRAINT credential_name_check;
ALTER TABLE secret.credential ADD CONSTRAINT credential_name_check CHECK (name IN ('emailbison_api_key',
    'smartlead_api_key', 'instantly_api_key', 'unipile_api_key', 'ghl_token', 'calendly_token', 'slack_bot_token',
    'resend_api_key', 'crm_webhook_secret', 'clay_table_token')) NOT VALID;
ALTER TABLE secret.credential VALIDATE CONSTRAINT credential_name_check;

-- What a vendor allows, shared by all processes. `account` '' is the account at the vendor: `tokens` calls may be made
-- now, as of `refilled_at`, and none before `paused_until`. Any other is a mailbox or profile of ours: `used` automatic
-- sends on `used_on` (UTC). Written under the lock of claims.
CREATE TABLE ops.vendor_budget (
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    vendor text NOT NULL,
    account text NOT NULL,
    tokens numeric NOT NULL DEFAULT 0 CHECK (tokens >= 0),
    refilled_at timestamptz NOT NULL,
    paused_until timestamptz,
    pause_reason text,
    used integer NOT NULL DEFAULT 0 CHECK (used >= 0),
    used_on date NOT NULL,
    PRIMARY KEY (workspace_id, vendor, account)
);
