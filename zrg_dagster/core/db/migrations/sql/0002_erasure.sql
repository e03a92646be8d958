-- What remains of a person who was erased: an empty lead row for accounting, and a keyed hash of each identity, so that a
-- list that names the person again finds them suppressed.

ALTER TABLE app.lead ADD COLUMN erased_at timestamptz;

-- kind 'erased': value is the HMAC of one identity under the workspace's pepper (core/leads/erased.py).
ALTER TABLE app.suppression DROP CONSTRAINT suppression_kind_check;
ALTER TABLE app.suppression ADD CONSTRAINT suppression_kind_check
    CHECK (kind IN ('email', 'phone', 'lead') OR (kind = 'erased' AND value ~ '^[0-9a-f]{64}$')) NOT VALID;
-- Not validated here, which would scan the table under the lock: every older row has passed a stricter check already.

-- One key a workspace, made at its first erasure and never changed: the hashes of people who are gone cannot be made
-- again. It is sealed like a credential, so rotating ZRG_SECRET_KEYS re-seals it and leaves every hash as it is.
CREATE TABLE secret.pepper (
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name = 'erasure'),
    sealed text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, name)
);
