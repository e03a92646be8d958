-- Row security on every table, then exactly what each role may do. Last file of the revision on purpose:
-- the loop covers whatever the files before it made.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('raw', 'app', 'secret', 'ops', 'facts', 'marts') AND c.relkind IN ('r', 'p')
    LOOP
        EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', t.nspname, t.relname);
        EXECUTE format('ALTER TABLE %I.%I FORCE ROW LEVEL SECURITY', t.nspname, t.relname);
        IF NOT EXISTS (SELECT FROM pg_policies WHERE schemaname = t.nspname AND tablename = t.relname
                       AND policyname = 'owner_all') THEN
            EXECUTE format('CREATE POLICY owner_all ON %I.%I TO zrg_owner USING (true) WITH CHECK (true)',
                           t.nspname, t.relname);
        END IF;
    END LOOP;
END $$;

-- Every process checks the schema version before it works.
GRANT SELECT ON ops.alembic_version TO zrg_worker, zrg_build, zrg_receiver, zrg_analyst, zrg_web, zrg_monitor;
CREATE POLICY version_read ON ops.alembic_version FOR SELECT
    TO zrg_worker, zrg_build, zrg_receiver, zrg_analyst, zrg_web, zrg_monitor USING (true);

-- Receiver: one function and the routing table.
GRANT EXECUTE ON FUNCTION raw.accept_deliveries(uuid[], text[], text[], uuid[], text[], bytea[], timestamptz[],
                                                bytea[], bytea[], text[]) TO zrg_receiver;
GRANT SELECT ON raw.route TO zrg_receiver;
CREATE POLICY receiver_read ON raw.route FOR SELECT TO zrg_receiver USING (true);

-- Worker: rows of every workspace, no DDL, no deletion of deliveries or ledger rows.
DO $$
DECLARE
    t record;
    verbs text;
BEGIN
    FOR t IN
        SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('raw', 'app', 'secret', 'ops') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND c.relname <> 'alembic_version'
    LOOP
        verbs := CASE
            WHEN t.relname IN ('webhook_event', 'send', 'touch', 'decision', 'sentiment_event', 'intake_count')
                THEN 'SELECT, INSERT, UPDATE'
            ELSE 'SELECT, INSERT, UPDATE, DELETE' END;
        EXECUTE format('GRANT %s ON %I.%I TO zrg_worker', verbs, t.nspname, t.relname);
        EXECUTE format('CREATE POLICY worker_all ON %I.%I TO zrg_worker USING (true) WITH CHECK (true)',
                       t.nspname, t.relname);
    END LOOP;
END $$;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA ops, app TO zrg_worker;
GRANT EXECUTE ON FUNCTION raw.maintain_bodies(date, integer, integer) TO zrg_worker;
GRANT EXECUTE ON FUNCTION raw.notify_route() TO zrg_worker;

-- Builder: reads what facts are made of (no message bodies, no credentials), writes facts and marts.
GRANT SELECT (id, key, name, timezone, is_active) ON app.workspace TO zrg_build;
GRANT SELECT ON app.appointment, app.follow_up_sequence, app.follow_up_instance, app.follow_up_step_execution TO zrg_build;
GRANT SELECT (id, workspace_id, sequence_id, step_order, channel) ON app.follow_up_step TO zrg_build;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA facts, marts TO zrg_build;
-- A fact that changed marks the marts above it; a flag is locked before it is deleted.
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.fact_dirty TO zrg_build;
GRANT USAGE ON SEQUENCE ops.fact_dirty_version TO zrg_build;
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT schemaname, tablename FROM pg_tables
        WHERE schemaname IN ('facts', 'marts') OR (schemaname = 'ops' AND tablename = 'fact_dirty')
           OR (schemaname = 'app' AND tablename IN ('workspace', 'appointment', 'follow_up_sequence',
               'follow_up_instance', 'follow_up_step_execution', 'follow_up_step'))
    LOOP
        EXECUTE format('CREATE POLICY build_all ON %I.%I TO zrg_build USING (true) WITH CHECK (true)',
                       t.schemaname, t.tablename);
    END LOOP;
    FOR t IN SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('facts', 'marts') LOOP
        EXECUTE format('GRANT SELECT ON %I.%I TO zrg_analyst, zrg_worker', t.schemaname, t.tablename);
        EXECUTE format('CREATE POLICY analyst_read ON %I.%I FOR SELECT TO zrg_analyst, zrg_worker USING (true)',
                       t.schemaname, t.tablename);
    END LOOP;
END $$;
