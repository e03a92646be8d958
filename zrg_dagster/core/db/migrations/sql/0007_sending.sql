-- All vendors send; a send names the account of ours that it leaves from.
ALTER TABLE app.send DROP CONSTRAINT send_vendor_check;
ALTER TABLE app.send ADD CONSTRAINT send_vendor_check
    CHECK (vendor IN ('emailbison', 'smartlead', 'instantly', 'ghl', 'unipile', 'slack')) NOT VALID;
-- Mailbox, location or profile. NULL for what no account of a workspace sends, and in rows older than this column.
ALTER TABLE app.send ADD COLUMN sender_account text;

ALTER TABLE secret.credential DROP CONSTRAINT credential_name_check;
ALTER TABLE secret.credential ADD CONSTRAINT credential_name_check CHECK (name IN ('emailbison_api_key',
    'smartlead_api_key', 'instantly_api_key', 'unipile_api_key', 'ghl_token', 'calendly_token', 'slack_bot_token',
    'resend_api_key')) NOT VALID;
ALTER TABLE secret.credential VALIDATE CONSTRAINT credential_name_check;
