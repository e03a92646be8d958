-- Row security and grants of the tables made by this revision. Last file of the revision on purpose: the loop covers
-- whatever the files before it made.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT n.nspname, c.relname, c.oid, c.relispartition
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('raw', 'app', 'secret', 'ops', 'facts', 'marts') AND c.relkind IN ('r', 'p')
          AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polname = 'owner_all')
    LOOP
        EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t.nspname, t.relname);
        EXECUTE format('CREATE POLICY owner_all ON %I.%I TO zrg_owner USING (true) WITH CHECK (true)',
                       t.nspname, t.relname);
        CONTINUE WHEN t.relispartition OR t.nspname IN ('facts', 'marts');
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO zrg_worker', t.nspname, t.relname);
        EXECUTE format('CREATE POLICY worker_all ON %I.%I TO zrg_worker USING (true) WITH CHECK (true)',
                       t.nspname, t.relname);
    END LOOP;
END $$;

-- The web tier: an enrichment belongs to its lead (a setter sees those of assigned leads), relations and notices are for
-- those who run the inbox.
GRANT SELECT ON app.lead_enrichment, app.linkedin_relation, app.vendor_notice TO zrg_web;
CREATE POLICY web_read ON app.lead_enrichment FOR SELECT TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND ((SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER', 'CLIENT_PORTAL')
                OR (SELECT authz.member_role()) = 'SETTER'
                    AND EXISTS (SELECT FROM app.lead p WHERE p.id = lead_enrichment.lead_id
                                AND p.workspace_id = lead_enrichment.workspace_id)));
CREATE POLICY web_read ON app.linkedin_relation FOR SELECT TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND (SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER'));
CREATE POLICY web_read ON app.vendor_notice FOR SELECT TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND (SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER'));
