-- What each feed of a vendor said of an SMS. Which reports are one message depends on all of them, in whatever order they
-- come, so they are kept with the message they make.
ALTER TABLE app.message ADD COLUMN reports jsonb;

-- Read from the vendor's history, and no delivery has told of it yet: it is part of the conversation and moves nothing.
ALTER TABLE app.message ADD COLUMN is_history boolean NOT NULL DEFAULT false;
