-- The order of turns names people, not addresses: an address may change.
-- Who stands twice gets twice as many. A user who has a turn cannot be deleted: an order whose last person went would
-- read as none, and everybody would take turns.
CREATE TABLE app.round_robin_turn (
    workspace_id uuid NOT NULL REFERENCES app.workspace (id) ON DELETE CASCADE,
    position integer NOT NULL CHECK (position > 0),
    user_id uuid NOT NULL REFERENCES app.user (id),
    PRIMARY KEY (workspace_id, position)
);
CREATE INDEX round_robin_turn_user ON app.round_robin_turn (user_id);
INSERT INTO app.round_robin_turn (workspace_id, position, user_id)
SELECT s.workspace_id, q.position, u.id
FROM app.workspace_setting s, unnest(s.round_robin_sequence) WITH ORDINALITY q (email, position)
JOIN app.user u ON u.email = q.email;
ALTER TABLE app.workspace_setting DROP COLUMN round_robin_sequence;

-- After so many minutes of work a draft that nobody decided is shown to more people; 0 never.
ALTER TABLE app.workspace_setting
    ADD COLUMN review_escalation_minutes integer NOT NULL DEFAULT 60
        CHECK (review_escalation_minutes BETWEEN 0 AND 10000);

ALTER TABLE app.round_robin_turn ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON app.round_robin_turn TO zrg_owner USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON app.round_robin_turn TO zrg_worker;
CREATE POLICY worker_all ON app.round_robin_turn TO zrg_worker USING (true) WITH CHECK (true);
-- Whose turn it is, is seen by those who run the inbox (as app.assignment_rotation).
GRANT SELECT ON app.round_robin_turn TO zrg_web;
CREATE POLICY web_read ON app.round_robin_turn FOR SELECT TO zrg_web
    USING (workspace_id = (SELECT authz.workspace_id())
           AND (SELECT authz.member_role()) IN ('OWNER', 'ADMIN', 'INBOX_MANAGER'));
