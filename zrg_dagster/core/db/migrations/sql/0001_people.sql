-- Workspaces, people, and what a workspace sends with.
-- Every business row carries workspace_id, and every reference between business rows includes it,
-- so that a row can never point into another workspace.

CREATE TABLE app.workspace (
    id uuid PRIMARY KEY,
    key text NOT NULL UNIQUE CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    name text NOT NULL CHECK (name <> ''),
    owner_user_id uuid,
    timezone text NOT NULL DEFAULT 'America/New_York',
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE app.user (
    id uuid PRIMARY KEY,
    email text NOT NULL CHECK (email = lower(email) AND email LIKE '%_@_%'),
    name text NOT NULL DEFAULT '',
    slack_user_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (email)
);
ALTER TABLE app.workspace ADD FOREIGN KEY (owner_user_id) REFERENCES app.user (id) ON DELETE SET NULL;

-- OWNER is derived from workspace.owner_user_id and never stored here.
CREATE TABLE app.member (
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES app.user (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('ADMIN', 'INBOX_MANAGER', 'SETTER', 'CLIENT_PORTAL')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, user_id, role)
);

-- One row a workspace. A column exists only when code reads it.
CREATE TABLE app.workspace_setting (
    workspace_id uuid PRIMARY KEY REFERENCES app.workspace (id) ON DELETE CASCADE,
    company_name text NOT NULL DEFAULT '',
    sender_name text NOT NULL DEFAULT '',
    signature text NOT NULL DEFAULT '',
    service_description text NOT NULL DEFAULT '',
    tone text NOT NULL DEFAULT 'friendly',
    booking_link text,
    follow_ups_paused_until timestamptz,
    slack_recipients text[] NOT NULL DEFAULT '{}',
    digest_local_time time NOT NULL DEFAULT '08:00',
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- What a workspace is connected to. Routing ids are unique over all workspaces: a delivery must find exactly one.
CREATE TABLE app.integration (
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    provider text NOT NULL CHECK (provider IN ('emailbison', 'ghl', 'calendly', 'slack')),
    base_url text,
    external_id text,
    is_active boolean NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, provider)
);
CREATE UNIQUE INDEX integration_routes_once ON app.integration (provider, coalesce(base_url, ''), external_id)
    WHERE provider IN ('emailbison', 'ghl') AND external_id IS NOT NULL;

CREATE TABLE secret.credential (
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name IN ('emailbison_api_key', 'ghl_token', 'calendly_token', 'slack_bot_token')),
    sealed text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, name)
);

CREATE TABLE app.email_campaign (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    provider text NOT NULL,
    external_id text NOT NULL,
    name text NOT NULL DEFAULT '',
    response_mode text NOT NULL DEFAULT 'SETTER_MANAGED' CHECK (response_mode IN ('SETTER_MANAGED', 'AI_AUTO_SEND')),
    auto_send_threshold numeric(4, 3) NOT NULL DEFAULT 0.9 CHECK (auto_send_threshold BETWEEN 0 AND 1),
    delay_min_s integer NOT NULL DEFAULT 180 CHECK (delay_min_s BETWEEN 0 AND 86400),
    delay_max_s integer NOT NULL DEFAULT 420 CHECK (delay_max_s BETWEEN 0 AND 86400),
    sent_count bigint NOT NULL DEFAULT 0,
    reply_count bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, provider, external_id),
    UNIQUE (workspace_id, id),
    CHECK (delay_min_s <= delay_max_s)
);

CREATE TABLE app.kill_switch (
    id uuid PRIMARY KEY,
    scope text NOT NULL CHECK (scope IN ('global', 'workspace', 'campaign', 'channel')),
    workspace_id uuid REFERENCES app.workspace (id) ON DELETE CASCADE,
    email_campaign_id uuid REFERENCES app.email_campaign (id) ON DELETE CASCADE,
    channel text,
    reason text NOT NULL DEFAULT '',
    stopped_at timestamptz NOT NULL DEFAULT now(),
    lifted_at timestamptz,
    CHECK (scope <> 'workspace' OR workspace_id IS NOT NULL),
    CHECK (scope <> 'campaign' OR email_campaign_id IS NOT NULL),
    CHECK (scope <> 'channel' OR channel IS NOT NULL)
);
CREATE INDEX kill_switch_active ON app.kill_switch (scope) WHERE lifted_at IS NULL;
