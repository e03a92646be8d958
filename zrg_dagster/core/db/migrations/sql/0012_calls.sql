-- Who asked, how hard the model thought, and what it cost in USD (null: the model has no known price, or nobody counted).
-- What the day's spend is summed over. Every statement may run again: an interrupted build leaves an invalid index.
ALTER TABLE app.ai_call
    ADD COLUMN IF NOT EXISTS source text,
    ADD COLUMN IF NOT EXISTS effort text,
    ADD COLUMN IF NOT EXISTS reasoning_tokens integer,
    ADD COLUMN IF NOT EXISTS cost_usd numeric(12, 6);
DROP INDEX CONCURRENTLY IF EXISTS app.ai_call_spend;
CREATE INDEX CONCURRENTLY ai_call_spend ON app.ai_call (workspace_id, called_at) INCLUDE (cost_usd);
