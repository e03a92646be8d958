-- Row security and grants of the tables made by this revision, and the policies of the web tier.
-- Last file of the revision on purpose: the loops cover whatever the files before it made.

-- Context: `SET LOCAL app.workspace_id` and `SET LOCAL app.user_id`, set by the web tier in each transaction after it
-- has verified the session. Missing, empty (what SET LOCAL leaves behind) or garbled means nobody: NULL, never an error,
-- so that a request without context reads zero rows instead of failing half-way.
CREATE FUNCTION authz.workspace_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN pg_input_is_valid(current_setting('app.workspace_id', true), 'uuid')
                THEN current_setting('app.workspace_id', true)::uuid END;
END;

CREATE FUNCTION authz.user_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN pg_input_is_valid(current_setting('app.user_id', true), 'uuid')
                THEN current_setting('app.user_id', true)::uuid END;
END;

-- The strongest role of the context's user in the context's workspace (seed 003 §2); NULL for a foreign workspace.
-- It runs as zrg_owner, whose owner_all policy lets it read under forced row security.
CREATE FUNCTION authz.member_role() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(
        (SELECT 'OWNER' FROM app.workspace w
         WHERE w.id = authz.workspace_id() AND w.owner_user_id = authz.user_id()),
        (SELECT m.role FROM app.member m
         WHERE m.workspace_id = authz.workspace_id() AND m.user_id = authz.user_id()
         ORDER BY array_position(ARRAY['ADMIN', 'INBOX_MANAGER', 'SETTER', 'CLIENT_PORTAL'], m.role) LIMIT 1));
END;

GRANT USAGE ON SCHEMA authz TO zrg_web;
GRANT EXECUTE ON FUNCTION authz.workspace_id(), authz.user_id(), authz.member_role() TO zrg_web;

-- Every table: row security on and forced, the owner's policy for migrations and definer functions. The worker sees all
-- workspaces, has no DDL, and cannot delete from a table that only grows.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT n.nspname, c.relname, c.oid, c.relispartition
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('raw', 'app', 'secret', 'ops', 'facts', 'marts') AND c.relkind IN ('r', 'p')
          AND c.relname <> 'alembic_version'
    LOOP
        EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t.nspname, t.relname);
        IF NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = t.oid AND polname = 'owner_all') THEN
            EXECUTE format('CREATE POLICY owner_all ON %I.%I TO zrg_owner USING (true) WITH CHECK (true)',
                           t.nspname, t.relname);
        END IF;
        CONTINUE WHEN t.relispartition OR t.nspname IN ('facts', 'marts')
            OR EXISTS (SELECT FROM pg_policy WHERE polrelid = t.oid AND polname = 'worker_all');
        EXECUTE format('GRANT %s ON %I.%I TO zrg_worker',
                       CASE WHEN t.relname = 'audit' THEN 'SELECT, INSERT'
                            ELSE 'SELECT, INSERT, UPDATE, DELETE' END,
                       t.nspname, t.relname);
        EXECUTE format('CREATE POLICY worker_all ON %I.%I TO zrg_worker USING (true) WITH CHECK (true)',
                       t.nspname, t.relname);
    END LOOP;
END $$;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA ops, app TO zrg_worker;

-- What the web tier reads, and who behind it. A table that is not listed has no grant: forgetting one shows an empty
-- page, never a foreign row. Nothing of raw, secret, ops, facts or marts; INSERT and DELETE nowhere.
--
-- audience   member   every role in the workspace
--            lead     every role, a SETTER only rows of the leads assigned to them (rows without lead: not at all)
--            manager  OWNER, ADMIN, INBOX_MANAGER
--            admin    OWNER, ADMIN
-- Each call stands in a scalar subselect, which the planner evaluates once for the query instead of once for each row.
DO $$
DECLARE
    t record;
    in_workspace constant text := 'workspace_id = (SELECT authz.workspace_id())';
    has_role constant text := '(SELECT authz.member_role()) IN (%s)';
    everyone constant text := '''OWNER'', ''ADMIN'', ''INBOX_MANAGER'', ''SETTER'', ''CLIENT_PORTAL''';
    all_leads constant text := '''OWNER'', ''ADMIN'', ''INBOX_MANAGER'', ''CLIENT_PORTAL''';
    managers constant text := '''OWNER'', ''ADMIN'', ''INBOX_MANAGER''';
    admins constant text := '''OWNER'', ''ADMIN''';
    -- The inner table is under row security too, so what it shows is what this setter may see of it.
    via_parent constant text := 'EXISTS (SELECT FROM app.%1$I p WHERE p.id = %2$I.%1$s_id'
        ' AND p.workspace_id = %2$I.workspace_id)';
BEGIN
    FOR t IN
        SELECT * FROM (VALUES
            ('member', 'member', NULL),
            ('workspace_setting', 'member', NULL),
            ('slack_recipient', 'member', NULL),
            ('email_campaign', 'member', NULL),
            ('sms_campaign', 'member', NULL),
            ('ghl_campaign', 'member', NULL),
            ('ai_persona', 'member', NULL),
            ('knowledge_asset', 'member', NULL),
            ('qualification_question', 'member', NULL),
            ('follow_up_sequence', 'member', NULL),
            ('follow_up_step', 'member', NULL),
            ('calendar', 'member', NULL),
            ('availability_slot', 'member', NULL),
            ('lead_identity', 'lead', 'lead'),
            ('message', 'lead', 'lead'),
            ('draft', 'lead', 'lead'),
            ('sentiment_event', 'lead', 'lead'),
            ('decision', 'lead', 'lead'),
            ('send', 'lead', 'lead'),
            ('touch', 'lead', 'lead'),
            ('appointment', 'lead', 'lead'),
            ('follow_up_instance', 'lead', 'lead'),
            ('follow_up_step_execution', 'lead', 'lead'),
            ('follow_up_task', 'lead', 'lead'),
            ('reply_stage', 'lead', 'message'),
            ('review_card', 'lead', 'draft'),
            ('lead_merge_candidate', 'manager', NULL),
            ('suppression', 'manager', NULL),
            ('ai_call', 'manager', NULL),
            ('digest', 'manager', NULL),
            ('kill_switch', 'manager', NULL),
            ('integration', 'admin', NULL)
        ) AS rule (name, audience, parent)
    LOOP
        EXECUTE format('GRANT SELECT ON app.%I TO zrg_web', t.name);
        EXECUTE format('CREATE POLICY web_read ON app.%I FOR SELECT TO zrg_web USING (%s AND %s)', t.name, in_workspace,
            CASE t.audience
                WHEN 'member' THEN format(has_role, everyone)
                WHEN 'manager' THEN format(has_role, managers)
                WHEN 'admin' THEN format(has_role, admins)
                WHEN 'lead' THEN format('(%s OR %s AND %s)', format(has_role, all_leads), format(has_role, '''SETTER'''),
                                        format(via_parent, t.parent, t.name))
            END);
    END LOOP;
END $$;

GRANT SELECT (id, key, name, owner_user_id, timezone, is_active, created_at, updated_at) ON app.workspace TO zrg_web;
CREATE POLICY web_read ON app.workspace FOR SELECT TO zrg_web
    USING (id = (SELECT authz.workspace_id()) AND (SELECT authz.member_role()) IS NOT NULL);

-- People of the context's workspace, its owner included: members and workspace are themselves filtered.
GRANT SELECT (id, email, name) ON app.user TO zrg_web;
CREATE POLICY web_read ON app.user FOR SELECT TO zrg_web
    USING ((SELECT authz.member_role()) IS NOT NULL
           AND (EXISTS (SELECT FROM app.member m WHERE m.user_id = "user".id)
                OR EXISTS (SELECT FROM app.workspace w WHERE w.owner_user_id = "user".id)));

GRANT SELECT ON app.lead TO zrg_web;
CREATE POLICY web_read ON app.lead FOR SELECT TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND ((SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER', 'CLIENT_PORTAL')
                OR (SELECT authz.member_role()) = 'SETTER' AND assigned_to_user_id = (SELECT authz.user_id())));

-- Writes of the web tier: named columns only, so that no row changes its workspace, its lead or its id. Everything that
-- a person outside would notice (approving a draft, sending) goes through the queues and their ledger instead.
GRANT UPDATE (email, phone, first_name, last_name, company_name, job_title, linkedin_url, timezone, provenance,
              assigned_to_user_id, auto_follow_up_enabled, snoozed_until, updated_at) ON app.lead TO zrg_web;
-- The check repeats the setter's condition: a setter cannot hand a lead to somebody else.
CREATE POLICY web_update ON app.lead FOR UPDATE TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND ((SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER')
                OR (SELECT authz.member_role()) = 'SETTER' AND assigned_to_user_id = (SELECT authz.user_id())))
    WITH CHECK (workspace_id = (SELECT authz.workspace_id())
           AND ((SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER')
                OR (SELECT authz.member_role()) = 'SETTER' AND assigned_to_user_id = (SELECT authz.user_id())));

GRANT UPDATE (status, reason) ON app.follow_up_task TO zrg_web;
CREATE POLICY web_update ON app.follow_up_task FOR UPDATE TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND (SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER', 'SETTER')
           AND EXISTS (SELECT FROM app.lead l WHERE l.id = follow_up_task.lead_id));

GRANT UPDATE (booking_link, follow_ups_paused_until, digest_local_time, updated_at)
    ON app.workspace_setting TO zrg_web;
CREATE POLICY web_update ON app.workspace_setting FOR UPDATE TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id()) AND (SELECT authz.member_role()) IN ('OWNER', 'ADMIN'));
