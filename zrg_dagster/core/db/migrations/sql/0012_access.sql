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
        CONTINUE WHEN t.relispartition;
        IF t.nspname IN ('facts', 'marts') THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO zrg_build', t.nspname, t.relname);
            EXECUTE format('CREATE POLICY build_all ON %I.%I TO zrg_build USING (true) WITH CHECK (true)',
                           t.nspname, t.relname);
            EXECUTE format('GRANT SELECT ON %I.%I TO zrg_analyst, zrg_worker', t.nspname, t.relname);
            EXECUTE format('CREATE POLICY analyst_read ON %I.%I FOR SELECT TO zrg_analyst, zrg_worker USING (true)',
                           t.nspname, t.relname);
            CONTINUE;
        END IF;
        -- Words that an answer was made with stay on record.
        EXECUTE format('GRANT %s ON %I.%I TO zrg_worker',
                       CASE WHEN t.relname = 'prompt_revision' THEN 'SELECT, INSERT'
                            ELSE 'SELECT, INSERT, UPDATE, DELETE' END,
                       t.nspname, t.relname);
        EXECUTE format('CREATE POLICY worker_all ON %I.%I TO zrg_worker USING (true) WITH CHECK (true)',
                       t.nspname, t.relname);
    END LOOP;
END $$;

-- The web tier: prompts are an admin's business, and so are models and what they may cost.
GRANT SELECT ON app.prompt_revision TO zrg_web;
CREATE POLICY web_read ON app.prompt_revision FOR SELECT TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND (SELECT authz.member_role()) IN ('OWNER', 'ADMIN'));
GRANT UPDATE (draft_generation_model, draft_generation_reasoning_effort, draft_verification_model,
              draft_verification_reasoning_effort, auto_send_evaluator_model, auto_send_evaluator_reasoning_effort,
              model_daily_budget_usd) ON app.workspace_setting TO zrg_web;

-- The builder: what the marts of the model are made of, and no text that anybody wrote.
GRANT SELECT ON app.ai_call TO zrg_build;
GRANT SELECT (id, workspace_id, lead_id, channel, direction, source, sent_at, sentiment_tag, opt_out_rule)
    ON app.message TO zrg_build;
GRANT SELECT (id, workspace_id, trigger_message_id, action, reason, status, disposition) ON app.draft TO zrg_build;
GRANT SELECT (workspace_id, subject, subject_id, code) ON app.decision TO zrg_build;
GRANT SELECT (workspace_id, message_id, kind, state) ON app.job TO zrg_build;
GRANT SELECT (workspace_id, kind, state, draft_id) ON app.send TO zrg_build;
CREATE POLICY build_read ON app.ai_call FOR SELECT TO zrg_build USING (true);
CREATE POLICY build_read ON app.message FOR SELECT TO zrg_build USING (true);
CREATE POLICY build_read ON app.draft FOR SELECT TO zrg_build USING (true);
CREATE POLICY build_read ON app.decision FOR SELECT TO zrg_build USING (true);
CREATE POLICY build_read ON app.job FOR SELECT TO zrg_build USING (true);
CREATE POLICY build_read ON app.send FOR SELECT TO zrg_build USING (true);
