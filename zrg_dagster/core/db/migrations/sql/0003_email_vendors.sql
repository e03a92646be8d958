-- SmartLead and Instantly are connected like EmailBison: each with an API key of its own.
ALTER TABLE secret.credential DROP CONSTRAINT credential_name_check;
ALTER TABLE secret.credential ADD CONSTRAINT credential_name_check CHECK (name IN ('emailbison_api_key',
    'smartlead_api_key', 'instantly_api_key', 'ghl_token', 'calendly_token', 'slack_bot_token', 'resend_api_key')) NOT VALID;
ALTER TABLE secret.credential VALIDATE CONSTRAINT credential_name_check;
