-- One run of the draft pipeline for a reply and channel, with what each stage made of it (seed 002). A run begins RUNNING
-- and ends once: the trigger keeps every end.
CREATE TABLE app.draft_pipeline_run (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    trigger_message_id uuid NOT NULL,
    draft_id uuid,
    channel text NOT NULL CHECK (channel IN ('email', 'sms', 'linkedin')),
    status text NOT NULL DEFAULT 'RUNNING' CHECK (status IN ('RUNNING', 'COMPLETED', 'FAILED', 'ABORTED')),
    reason text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (workspace_id, id),
    UNIQUE (trigger_message_id, channel),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, trigger_message_id) REFERENCES app.message (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, draft_id) REFERENCES app.draft (workspace_id, id) ON DELETE SET NULL (draft_id)
);
CREATE INDEX draft_pipeline_run_lead ON app.draft_pipeline_run (lead_id);
CREATE INDEX draft_pipeline_run_draft ON app.draft_pipeline_run (draft_id);
CREATE INDEX draft_pipeline_run_ended ON app.draft_pipeline_run (created_at) WHERE status <> 'RUNNING';
CREATE INDEX draft_pipeline_run_open ON app.draft_pipeline_run (updated_at) WHERE status = 'RUNNING';

CREATE FUNCTION app.keep_end_of_run() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'draft pipeline run % has ended %: it cannot become %', OLD.id, OLD.status, NEW.status
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER forward_only BEFORE UPDATE OF status ON app.draft_pipeline_run
    FOR EACH ROW WHEN (OLD.status <> 'RUNNING' AND NEW.status IS DISTINCT FROM OLD.status)
    EXECUTE FUNCTION app.keep_end_of_run();

-- Iteration 0 is the first draft, 1 to 3 are revisions. The code caps payloads at 32 KB of JSON; the check is what no code
-- may pass (PostgreSQL writes JSON with spaces).
CREATE TABLE app.draft_pipeline_artifact (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    run_id uuid NOT NULL,
    stage text NOT NULL CHECK (stage IN ('draft_strategy_step1', 'draft_generation_step2', 'draft_verifier_step3',
        'meeting_overseer_extract', 'meeting_overseer_gate', 'auto_send_evaluation', 'auto_send_revision_selector',
        'auto_send_revision_reviser', 'auto_send_revision_loop', 'memory_proposal', 'final_draft', 'loop_error')),
    iteration integer NOT NULL DEFAULT 0 CHECK (iteration BETWEEN 0 AND 3),
    prompt_key text,
    model text,
    payload jsonb CHECK (octet_length(payload::text) <= 65536),
    text text CHECK (octet_length(text) <= 131072),
    input_tokens integer,
    output_tokens integer,
    latency_ms bigint,
    created_at timestamptz NOT NULL,
    UNIQUE (run_id, stage, iteration),
    FOREIGN KEY (workspace_id, run_id) REFERENCES app.draft_pipeline_run (workspace_id, id) ON DELETE CASCADE
);
