-- Whether the model says which way leads to the conversation (SI-01). Off: words and links of positive replies decide.
ALTER TABLE app.workspace_setting ADD COLUMN ai_route_booking_process_enabled boolean NOT NULL DEFAULT true;

-- What a message asks for: at most one row of a kind. The lead is the message's, so that a merge moves both.
-- `link` is the lead's own booking page as they wrote it.
CREATE TABLE app.action_signal (
    message_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('call_requested', 'book_on_external_calendar')),
    workspace_id uuid NOT NULL,
    confidence numeric(4, 3) NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    rule text NOT NULL,
    is_explicit boolean NOT NULL,
    link text,
    found_at timestamptz NOT NULL,
    PRIMARY KEY (message_id, kind),
    FOREIGN KEY (workspace_id, message_id) REFERENCES app.message (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX action_signal_found ON app.action_signal (workspace_id, found_at);

-- Old rows have neither, so both hold for them too.
ALTER TABLE app.follow_up_task ADD CONSTRAINT follow_up_task_name_check
    CHECK (name IN ('call_requested', 'lead_scheduler_link')) NOT VALID;
ALTER TABLE app.follow_up_task ADD CONSTRAINT follow_up_task_trigger_message_fkey
    FOREIGN KEY (workspace_id, trigger_message_id) REFERENCES app.message (workspace_id, id)
    ON DELETE SET NULL (trigger_message_id) NOT VALID;

ALTER TABLE app.action_signal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON app.action_signal TO zrg_owner USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON app.action_signal TO zrg_worker;
CREATE POLICY worker_all ON app.action_signal TO zrg_worker USING (true) WITH CHECK (true);
-- The web tier: seen by whoever sees the message (as app.reply_stage).
GRANT SELECT ON app.action_signal TO zrg_web;
CREATE POLICY web_read ON app.action_signal FOR SELECT TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND ((SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER', 'CLIENT_PORTAL')
                OR (SELECT authz.member_role()) = 'SETTER'
                    AND EXISTS (SELECT FROM app.message p WHERE p.id = action_signal.message_id
                                AND p.workspace_id = action_signal.workspace_id)));
