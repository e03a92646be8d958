-- Two leads that were one person, made one; and what it takes to part them again.

-- The lead that this one became part of. Such a row stays, emptied: a sequence that ran on both leads leaves its second
-- run here (a lead has one run of a sequence), with the executions that facts are made of, and an id that was given out
-- still leads to the person. No foreign key: the pair stands with one in app.lead_merge.
ALTER TABLE app.lead ADD COLUMN merged_into_lead_id uuid;

-- `before` and `after` hold both leads' rows, `after` also what belonged to them once merged: a merge is undone only while
-- nothing was added since. An erasure empties both columns, and takes the rows of app.lead_merge_row.
CREATE TABLE app.lead_merge (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    kept_lead_id uuid NOT NULL,
    gone_lead_id uuid NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    merged_at timestamptz NOT NULL,
    undone_at timestamptz,
    undone_by text,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    UNIQUE (workspace_id, id),
    CHECK (kept_lead_id <> gone_lead_id),
    FOREIGN KEY (workspace_id, kept_lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, gone_lead_id) REFERENCES app.lead (workspace_id, id) ON DELETE CASCADE
);
-- A lead becomes part of one other.
CREATE UNIQUE INDEX lead_merge_once ON app.lead_merge (gone_lead_id) WHERE undone_at IS NULL;
CREATE INDEX lead_merge_gone ON app.lead_merge (gone_lead_id);
CREATE INDEX lead_merge_kept ON app.lead_merge (kept_lead_id);

-- Each row that a merge touched: `moved` from `old_lead_id`, `changed` (`before`: its former values), `inserted`, or
-- `deleted` (`before`: the row).
CREATE TABLE app.lead_merge_row (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id uuid NOT NULL,
    merge_id uuid NOT NULL,
    change text NOT NULL CHECK (change IN ('moved', 'changed', 'inserted', 'deleted')),
    table_name text NOT NULL,
    row_key jsonb NOT NULL,
    old_lead_id uuid,
    before jsonb NOT NULL DEFAULT '{}',
    FOREIGN KEY (workspace_id, merge_id) REFERENCES app.lead_merge (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX lead_merge_row_merge ON app.lead_merge_row (merge_id, table_name);
