-- Tasks that no step of a sequence made have a name, and the message that they are from (FU 1.14). One for a message and
-- name, however often its reply is worked. Every statement may run again: an interrupted build leaves an invalid index.
ALTER TABLE app.follow_up_task
    ADD COLUMN IF NOT EXISTS name text,
    ADD COLUMN IF NOT EXISTS trigger_message_id uuid;
DROP INDEX CONCURRENTLY IF EXISTS app.follow_up_task_of_message;
CREATE UNIQUE INDEX CONCURRENTLY follow_up_task_of_message ON app.follow_up_task (trigger_message_id, name)
    WHERE name IS NOT NULL;
