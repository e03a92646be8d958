-- Users, settings, integrations, campaigns and the audit log.
SELECT 1;
