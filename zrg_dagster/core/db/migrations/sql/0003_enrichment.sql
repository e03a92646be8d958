-- What an enrichment vendor looks up about a lead, and how that ended. No row: never asked for.
-- `pending` is written by whoever asks, the rest by the answer. The found value itself is a field of the lead.
CREATE TABLE app.lead_enrichment (
    workspace_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('phone', 'linkedin')),
    status text NOT NULL CHECK (status IN ('pending', 'success', 'not_found', 'failed')),
    provider text NOT NULL,
    -- A code, never the vendor's words.
    reason text,
    requested_at timestamptz,
    answered_at timestamptz,
    PRIMARY KEY (workspace_id, lead_id, kind),
    CHECK (status = 'pending' OR answered_at IS NOT NULL),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX lead_enrichment_lead ON app.lead_enrichment (lead_id);
CREATE INDEX lead_enrichment_open ON app.lead_enrichment (requested_at) WHERE status IN ('pending', 'failed');
