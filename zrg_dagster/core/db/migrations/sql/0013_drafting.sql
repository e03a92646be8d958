-- Switches of a workspace over the steps of a draft. Whoever reads each: core/workspaces/settings_registry.py.
ALTER TABLE app.workspace_setting
    ADD COLUMN draft_verification_enabled boolean NOT NULL DEFAULT true,
    ADD COLUMN meeting_overseer_enabled boolean NOT NULL DEFAULT true,
    ADD COLUMN auto_send_revision_enabled boolean NOT NULL DEFAULT false,
    ADD COLUMN auto_send_revision_max_iterations integer NOT NULL DEFAULT 3
        CONSTRAINT workspace_setting_revision_iterations CHECK (auto_send_revision_max_iterations BETWEEN 1 AND 3);

-- Seed 002 §5: the first evaluation's confidence, the best one's, whether a revision was used, how many ran. The time is
-- the claim of the first attempt (RV-08).
ALTER TABLE app.draft
    ADD COLUMN original_confidence numeric(4, 3),
    ADD COLUMN revision_confidence numeric(4, 3),
    ADD COLUMN revision_applied boolean NOT NULL DEFAULT false,
    ADD COLUMN revision_iterations integer NOT NULL DEFAULT 0,
    ADD COLUMN revision_attempted_at timestamptz;

-- Sizes and weights of the context that all stages of a run shared, without any text (LC-04).
ALTER TABLE app.draft_pipeline_run ADD COLUMN snapshot jsonb;

-- What was read from the signature of the answered mail is a stage too, so that a retry does not ask for it again.
ALTER TABLE app.draft_pipeline_artifact DROP CONSTRAINT draft_pipeline_artifact_stage_check;
ALTER TABLE app.draft_pipeline_artifact ADD CONSTRAINT draft_pipeline_artifact_stage_check
    CHECK (stage IN ('signature_context', 'draft_strategy_step1', 'draft_generation_step2', 'draft_verifier_step3',
        'meeting_overseer_extract', 'meeting_overseer_gate', 'auto_send_evaluation', 'auto_send_revision_selector',
        'auto_send_revision_reviser', 'auto_send_revision_loop', 'memory_proposal', 'final_draft', 'loop_error')) NOT VALID;
