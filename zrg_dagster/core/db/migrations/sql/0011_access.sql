-- Row security and grants of the tables made by this revision. Last file of the revision on purpose: the loop covers
-- whatever the files before it made.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT n.nspname, c.relname, c.relispartition
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('raw', 'app', 'secret', 'ops', 'facts', 'marts') AND c.relkind IN ('r', 'p')
          AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polname = 'owner_all')
    LOOP
        EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t.nspname, t.relname);
        EXECUTE format('CREATE POLICY owner_all ON %I.%I TO zrg_owner USING (true) WITH CHECK (true)',
                       t.nspname, t.relname);
        CONTINUE WHEN t.relispartition OR t.nspname IN ('facts', 'marts');
        -- Who got a lead stays on record.
        EXECUTE format('GRANT %s ON %I.%I TO zrg_worker',
                       CASE WHEN t.relname = 'lead_assignment_event' THEN 'SELECT, INSERT, UPDATE'
                            ELSE 'SELECT, INSERT, UPDATE, DELETE' END,
                       t.nspname, t.relname);
        EXECUTE format('CREATE POLICY worker_all ON %I.%I TO zrg_worker USING (true) WITH CHECK (true)',
                       t.nspname, t.relname);
    END LOOP;
END $$;

-- The web tier: who got a lead is seen by whoever sees the lead; whose turn it is, by those who run the inbox.
GRANT SELECT ON app.lead_assignment_event, app.assignment_rotation TO zrg_web;
CREATE POLICY web_read ON app.lead_assignment_event FOR SELECT TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND ((SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER', 'CLIENT_PORTAL')
                OR (SELECT authz.member_role()) = 'SETTER'
                    AND EXISTS (SELECT FROM app.lead p WHERE p.id = lead_assignment_event.lead_id
                                AND p.workspace_id = lead_assignment_event.workspace_id)));
CREATE POLICY web_read ON app.assignment_rotation FOR SELECT TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND (SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER'));
