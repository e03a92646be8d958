-- Row security and grants of the tables made by this revision. Last file of the revision on purpose: the loop covers
-- whatever the files before it made. The web tier reads none of them.
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
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO zrg_worker', t.nspname, t.relname);
        EXECUTE format('CREATE POLICY worker_all ON %I.%I TO zrg_worker USING (true) WITH CHECK (true)',
                       t.nspname, t.relname);
    END LOOP;
END $$;
