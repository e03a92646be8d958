-- Deliveries as they came. Event rows are global (one unique key over all time); bodies are partitioned by day,
-- so that retention drops a partition instead of deleting millions of rows.

CREATE TABLE raw.route (
    provider text NOT NULL,
    routing_key text NOT NULL,
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    workspace_key text NOT NULL,
    allowed_hosts text[] NOT NULL DEFAULT '{}',
    sealed_secret text,
    is_active boolean NOT NULL DEFAULT true,
    schema_version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, routing_key)
);

CREATE TABLE raw.webhook_event (
    id uuid PRIMARY KEY,
    provider text NOT NULL,
    scope text NOT NULL,
    event_type text,
    workspace_id uuid,
    delivery_key bytea NOT NULL,
    correlation_id text NOT NULL,
    received_at timestamptz NOT NULL,
    body_bytes integer NOT NULL,
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'running', 'processed', 'ignored', 'quarantined', 'dead', 'discarded')),
    run_at timestamptz NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    max_attempts smallint NOT NULL DEFAULT 8,
    claimed_by integer,
    claimed_at timestamptz,
    finished_at timestamptz,
    reason text,
    error text,
    lead_id uuid,
    message_id uuid,
    campaign_external_id text,
    sender_external_id text,
    -- Slack deliveries name their workspace only inside the signed payload; they share one fairness bucket until parsed.
    fair_key uuid NOT NULL GENERATED ALWAYS AS (coalesce(workspace_id, '00000000-0000-0000-0000-000000000000')) STORED,
    CONSTRAINT webhook_event_delivery_key UNIQUE (delivery_key),
    CHECK ((state = 'running') = (claimed_by IS NOT NULL))
);
CREATE INDEX webhook_event_due ON raw.webhook_event (run_at) WHERE state = 'pending';
CREATE INDEX webhook_event_fair ON raw.webhook_event (fair_key, run_at, id) WHERE state = 'pending';
CREATE INDEX webhook_event_running ON raw.webhook_event (claimed_by) WHERE state = 'running';
CREATE INDEX webhook_event_trouble ON raw.webhook_event (state, received_at) WHERE state IN ('quarantined', 'dead');
CREATE INDEX webhook_event_received ON raw.webhook_event USING brin (received_at);
CREATE INDEX webhook_event_lead ON raw.webhook_event (lead_id) WHERE lead_id IS NOT NULL;

CREATE TABLE raw.webhook_body (
    event_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    headers bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (event_id, received_at)
) PARTITION BY RANGE (received_at);
-- Catches bodies when the daily maintenance did not run; nothing is refused for want of a partition.
CREATE TABLE raw.webhook_body_default PARTITION OF raw.webhook_body DEFAULT;

CREATE TABLE ops.intake_count (
    minute timestamptz NOT NULL,
    provider text NOT NULL,
    fair_key uuid NOT NULL,
    stored bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (minute, provider, fair_key)
);

-- The one door: inserts what is new, counts both kinds, wakes the drain. Rows must arrive sorted by delivery key:
-- two batches holding the same keys in opposite order would deadlock.
CREATE FUNCTION raw.accept_deliveries(
    p_ids uuid[], p_providers text[], p_scopes text[], p_workspace_ids uuid[], p_event_types text[],
    p_delivery_keys bytea[], p_received_at timestamptz[], p_headers bytea[], p_bodies bytea[], p_correlation_ids text[]
) RETURNS TABLE (ordinal integer, is_new boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH delivery AS MATERIALIZED (
        SELECT *
        FROM unnest(p_ids, p_providers, p_scopes, p_workspace_ids, p_event_types,
                    p_delivery_keys, p_received_at, p_headers, p_bodies, p_correlation_ids)
            WITH ORDINALITY AS d (id, provider, scope, workspace_id, event_type,
                                  delivery_key, received_at, headers, body, correlation_id, ordinal)
    ), stored AS (
        INSERT INTO raw.webhook_event (id, provider, scope, workspace_id, event_type, delivery_key, correlation_id,
                                       received_at, body_bytes, run_at)
        SELECT id, provider, scope, workspace_id, event_type, delivery_key, correlation_id,
               received_at, octet_length(body), received_at
        FROM delivery ORDER BY ordinal
        ON CONFLICT ON CONSTRAINT webhook_event_delivery_key DO NOTHING
        RETURNING id
    ), bodies AS (
        INSERT INTO raw.webhook_body (event_id, received_at, headers, body)
        SELECT d.id, d.received_at, d.headers, d.body FROM delivery d JOIN stored USING (id)
    ), outcome AS (
        SELECT d.ordinal::integer AS ordinal, s.id IS NOT NULL AS is_new, d.provider, d.received_at,
               coalesce(d.workspace_id, '00000000-0000-0000-0000-000000000000') AS fair_key
        FROM delivery d LEFT JOIN stored s USING (id)
    ), counted AS (
        INSERT INTO ops.intake_count AS c (minute, provider, fair_key, stored, duplicate)
        SELECT date_trunc('minute', received_at), provider, fair_key,
               count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new)
        FROM outcome GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (minute, provider, fair_key) DO UPDATE
            SET stored = c.stored + excluded.stored, duplicate = c.duplicate + excluded.duplicate
    ), woken AS (
        SELECT pg_notify('zrg_inbound', '') WHERE EXISTS (SELECT FROM stored)
    )
    SELECT o.ordinal, o.is_new FROM outcome o LEFT JOIN woken ON true ORDER BY o.ordinal;
END;

CREATE FUNCTION raw.notify_route() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('zrg_route', '');
    RETURN NULL;
END $$;
CREATE TRIGGER route_changed AFTER INSERT OR UPDATE OR DELETE ON raw.route
    FOR EACH STATEMENT EXECUTE FUNCTION raw.notify_route();

-- Makes the partitions of the coming days and drops those whose bodies are older than the retention.
-- A definer function, because the worker has no DDL.
CREATE FUNCTION raw.maintain_bodies(p_today date, p_keep_days integer, p_ahead_days integer DEFAULT 7)
RETURNS TABLE (created integer, dropped integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    v_day date;
    v_name text;
    v_part record;
BEGIN
    IF p_keep_days < 1 OR p_ahead_days NOT BETWEEN 0 AND 60 THEN
        RAISE EXCEPTION 'maintain_bodies: keep at least 1 day, create at most 60 ahead';
    END IF;
    created := 0;
    dropped := 0;
    FOR v_day IN SELECT p_today + i FROM generate_series(1, p_ahead_days) AS i LOOP
        v_name := 'webhook_body_' || to_char(v_day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('raw.' || v_name) IS NOT NULL;
        -- A default partition that already holds rows of that day forbids the new one; leave them where they are.
        CONTINUE WHEN EXISTS (SELECT FROM raw.webhook_body_default
                              WHERE received_at >= v_day::timestamptz AND received_at < (v_day + 1)::timestamptz);
        EXECUTE format('CREATE TABLE raw.%I PARTITION OF raw.webhook_body FOR VALUES FROM (%L) TO (%L)',
                       v_name, v_day::timestamptz, (v_day + 1)::timestamptz);
        EXECUTE format('ALTER TABLE raw.%I ENABLE ROW LEVEL SECURITY', v_name);
        EXECUTE format('ALTER TABLE raw.%I FORCE ROW LEVEL SECURITY', v_name);
        EXECUTE format('CREATE POLICY owner_all ON raw.%I TO zrg_owner USING (true) WITH CHECK (true)', v_name);
        created := created + 1;
    END LOOP;
    FOR v_part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'raw.webhook_body'::regclass AND c.relname ~ '^webhook_body_[0-9]{8}$'
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < p_today - p_keep_days
    LOOP
        EXECUTE format('DROP TABLE raw.%I', v_part.relname);
        dropped := dropped + 1;
    END LOOP;
    DELETE FROM raw.webhook_body_default WHERE received_at < (p_today - p_keep_days)::timestamptz;
    RETURN NEXT;
END $$;
SELECT raw.maintain_bodies(current_date - 1, 3650, 8);
