-- Which model a workspace asks for what, and what it may spend on a UTC day. Null and 0 mean the default; what stands here
-- is coerced to known names where it is read (core/ai/models.py), so no CHECK ties the table to the models of today.
ALTER TABLE app.workspace_setting
    ADD COLUMN draft_generation_model text,
    ADD COLUMN draft_generation_reasoning_effort text,
    ADD COLUMN draft_verification_model text,
    ADD COLUMN draft_verification_reasoning_effort text,
    ADD COLUMN auto_send_evaluator_model text,
    ADD COLUMN auto_send_evaluator_reasoning_effort text,
    ADD COLUMN auto_send_revision_model text,
    ADD COLUMN auto_send_revision_reasoning_effort text,
    ADD COLUMN model_daily_budget_usd numeric(10, 2) NOT NULL DEFAULT 0,
    ADD CHECK (model_daily_budget_usd >= 0);

-- A workspace's own words for our prompts. The newest revision of a key counts; one without content goes back to ours.
-- base_hash is the text of ours that the words were written against: once ours changes, they rest.
CREATE TABLE app.prompt_revision (
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    prompt_key text NOT NULL,
    revision integer NOT NULL CHECK (revision > 0),
    base_hash text NOT NULL,
    content text CHECK (char_length(content) <= 20001),
    content_hash text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, prompt_key, revision)
);

-- The circuit breakers as their processes last changed them (core/ai/breaker.py).
CREATE TABLE ops.model_circuit (
    model text PRIMARY KEY,
    circuit text NOT NULL CHECK (circuit IN ('closed', 'open', 'half_open')),
    failures integer NOT NULL,
    last_outcome text,
    retry_at timestamptz,
    changed_at timestamptz NOT NULL
);

-- Calls by day and by what made the answer. Days stay when the calls themselves are past their retention.
CREATE TABLE marts.ai_calls (
    workspace_id uuid NOT NULL,
    utc_day date NOT NULL,
    source text NOT NULL,
    prompt_key text NOT NULL,
    prompt_version text NOT NULL,
    model text NOT NULL,
    calls bigint NOT NULL CHECK (calls > 0),
    failed bigint NOT NULL CHECK (failed BETWEEN 0 AND calls),
    provider_failed bigint NOT NULL CHECK (provider_failed BETWEEN 0 AND failed),
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost_usd numeric(14, 6) NOT NULL,
    unpriced bigint NOT NULL CHECK (unpriced BETWEEN 0 AND calls),
    p50_ms bigint NOT NULL,
    p95_ms bigint NOT NULL,
    as_of_utc timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, utc_day, source, prompt_key, prompt_version, model)
);

-- What became of the replies of a day, each row a step with the number of those before it in the same row.
CREATE TABLE marts.ai_funnel (
    workspace_id uuid NOT NULL,
    utc_day date NOT NULL,
    replies bigint NOT NULL,
    classified bigint NOT NULL,
    positive bigint NOT NULL,
    drafted bigint NOT NULL,
    reasoned bigint NOT NULL,
    waiting bigint NOT NULL,
    unexplained bigint NOT NULL,
    needs_review bigint NOT NULL,
    auto_planned bigint NOT NULL,
    sent bigint NOT NULL,
    cost_usd numeric(14, 6) NOT NULL,
    as_of_utc timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, utc_day)
);
