-- When automatic answers may leave. A campaign without a mode takes its workspace's; holidays of both are united.
ALTER TABLE app.workspace_setting
    ADD COLUMN auto_send_schedule_mode text NOT NULL DEFAULT 'ALWAYS'
        CHECK (auto_send_schedule_mode IN ('ALWAYS', 'BUSINESS_HOURS', 'CUSTOM')),
    ADD COLUMN work_start_time time NOT NULL DEFAULT '09:00',
    ADD COLUMN work_end_time time NOT NULL DEFAULT '17:00',
    ADD COLUMN auto_send_custom_schedule jsonb,
    ADD COLUMN auto_send_holidays jsonb,
    ADD CHECK (work_start_time <> work_end_time);
ALTER TABLE app.email_campaign
    ADD COLUMN auto_send_schedule_mode text
        CHECK (auto_send_schedule_mode IN ('ALWAYS', 'BUSINESS_HOURS', 'CUSTOM')),
    ADD COLUMN auto_send_custom_schedule jsonb,
    ADD COLUMN auto_send_holidays jsonb;
