-- What each feed of a vendor said of an SMS. Which reports are one message depends on all of them, in whatever order they
-- come, so they are kept with the message they make.
ALTER TABLE app.message ADD COLUMN reports jsonb;
