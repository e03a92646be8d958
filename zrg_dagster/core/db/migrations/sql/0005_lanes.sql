-- What the sensor of a lane may skip. One row a lane, written when a drain ends with nothing left and when the next one
-- takes its first work: finished work leaves index entries behind, and this row says from when on to look.
CREATE TABLE ops.lane_state (
    lane text PRIMARY KEY,
    at_rest boolean NOT NULL DEFAULT false,
    rested_at timestamptz NOT NULL
);
ALTER TABLE ops.lane_state ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON ops.lane_state TO zrg_owner USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON ops.lane_state TO zrg_worker USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON ops.lane_state TO zrg_worker;
