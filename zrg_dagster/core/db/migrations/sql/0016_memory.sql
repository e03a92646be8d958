-- Notes about a lead and about a workspace that drafts are written with (domain rules 6.4). Two tables, because they have
-- two audiences and two lives: a lead's notes are seen by whoever sees the lead, move with a merge and go with an erasure;
-- every rule about rows of a lead asks for a lead_id that is never null.
-- Contents are at most 500 characters and categories 64 when they are written (core/leads/memory.py). The columns leave room
-- for the marks that an erasure puts in the place of a name: an erasure must never fail because of a length. For the same
-- reason nothing is unique here: two notes may be the same once somebody's name is gone from both.
CREATE TABLE app.lead_memory (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    category text NOT NULL CHECK (char_length(category) BETWEEN 1 AND 512),
    content text NOT NULL CHECK (char_length(content) BETWEEN 1 AND 4000),
    source text NOT NULL CHECK (source IN ('MANUAL', 'SYSTEM', 'INFERENCE')),
    status text NOT NULL CHECK (status IN ('APPROVED', 'PENDING')),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX lead_memory_lead ON app.lead_memory (lead_id, created_at DESC);
CREATE INDEX lead_memory_workspace ON app.lead_memory (workspace_id, status, expires_at);

CREATE TABLE app.workspace_memory (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    category text NOT NULL CHECK (char_length(category) BETWEEN 1 AND 512),
    content text NOT NULL CHECK (char_length(content) BETWEEN 1 AND 4000),
    source text NOT NULL CHECK (source IN ('MANUAL', 'SYSTEM', 'INFERENCE')),
    status text NOT NULL CHECK (status IN ('APPROVED', 'PENDING')),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX workspace_memory_workspace ON app.workspace_memory (workspace_id, created_at DESC);

-- Whether drafts are written with notes (LC-02), and how many automatic messages one LinkedIn account may send in a day.
ALTER TABLE app.workspace_setting
    ADD COLUMN lead_context_bundle_enabled boolean NOT NULL DEFAULT false,
    ADD COLUMN linkedin_daily_cap integer NOT NULL DEFAULT 80 CHECK (linkedin_daily_cap BETWEEN 1 AND 500);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['lead_memory', 'workspace_memory']
    LOOP
        EXECUTE format('ALTER TABLE app.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON app.%I TO zrg_owner USING (true) WITH CHECK (true)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON app.%I TO zrg_worker', t);
        EXECUTE format('CREATE POLICY worker_all ON app.%I TO zrg_worker USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;

-- The web tier: notes about a lead are for those who work with the lead, not for the client's portal; a workspace's for its
-- staff.
GRANT SELECT ON app.lead_memory, app.workspace_memory TO zrg_web;
CREATE POLICY web_read ON app.lead_memory FOR SELECT TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND ((SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER')
                OR (SELECT authz.member_role()) = 'SETTER'
                    AND EXISTS (SELECT FROM app.lead p WHERE p.id = lead_memory.lead_id
                                AND p.workspace_id = lead_memory.workspace_id)));
CREATE POLICY web_read ON app.workspace_memory FOR SELECT TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND (SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER', 'SETTER'));
