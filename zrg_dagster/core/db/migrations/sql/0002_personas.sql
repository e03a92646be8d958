-- AI personas, and the sequences that are bound to them.
SELECT 1;
