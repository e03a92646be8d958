-- What we find out ourselves about a webhook subscription of ours at a vendor is a notice like what vendors tell us.
ALTER TABLE app.vendor_notice DROP CONSTRAINT vendor_notice_kind_check;
ALTER TABLE app.vendor_notice ADD CONSTRAINT vendor_notice_kind_check
    CHECK (kind IN ('sender_health', 'notification_mail', 'webhook_subscription')) NOT VALID;
-- lint: allow validated_too_early: a few rows a workspace and month
ALTER TABLE app.vendor_notice VALIDATE CONSTRAINT vendor_notice_kind_check;

-- A customer's CRM that is told about leads: where (app.integration), signed with what (secret.credential), what of.
ALTER TABLE app.integration DROP CONSTRAINT integration_provider_check;
ALTER TABLE app.integration ADD CONSTRAINT integration_provider_check CHECK (provider IN ('emailbison', 'smartlead',
    'instantly', 'ghl', 'calendly', 'slack', 'resend', 'unipile', 'clay', 'crm')) NOT VALID;
ALTER TABLE app.integration VALIDATE CONSTRAINT integration_provider_check;
ALTER TABLE secret.credential DROP CONSTRAINT credential_name_check;
ALTER TABLE secret.credential ADD CONSTRAINT credential_name_check CHECK (name IN ('emailbison_api_key',
    'smartlead_api_key', 'instantly_api_key', 'ghl_token', 'calendly_token', 'slack_bot_token', 'resend_api_key',
    'crm_webhook_secret', 'clay_table_token')) NOT VALID;
ALTER TABLE secret.credential VALIDATE CONSTRAINT credential_name_check;
ALTER TABLE app.workspace_setting ADD COLUMN crm_webhook_events text[] NOT NULL DEFAULT '{}'
    CHECK (crm_webhook_events <@ ARRAY['lead_created', 'crm_row_updated']);

-- The enrichment tables that are asked, by the address of their webhook.
ALTER TABLE app.integration ADD COLUMN phone_table_url text, ADD COLUMN linkedin_table_url text;
