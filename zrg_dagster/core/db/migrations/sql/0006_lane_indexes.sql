-- The indexes by time alone are for "is anything due?" and "when next?". Their condition says more than the claims ask
-- (attempts are never negative), so that no claim can be planned over them: see Queue.waiting in core/db/lanes.py.
-- A build that was interrupted leaves an invalid index behind, hence the DROP in front.
DROP INDEX CONCURRENTLY IF EXISTS raw.webhook_event_waiting;
CREATE INDEX CONCURRENTLY webhook_event_waiting ON raw.webhook_event (run_at) WHERE state = 'pending' AND attempts >= 0;
DROP INDEX CONCURRENTLY IF EXISTS raw.webhook_event_due;

DROP INDEX CONCURRENTLY IF EXISTS app.job_waiting;
CREATE INDEX CONCURRENTLY job_waiting ON app.job (lane, run_at) WHERE state = 'pending' AND attempts >= 0;
DROP INDEX CONCURRENTLY IF EXISTS app.job_due;

DROP INDEX CONCURRENTLY IF EXISTS app.send_waiting;
CREATE INDEX CONCURRENTLY send_waiting ON app.send (due_at) WHERE state IN ('planned', 'unknown') AND attempts >= 0;
DROP INDEX CONCURRENTLY IF EXISTS app.send_due;
