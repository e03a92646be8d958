-- What remains of a person who was erased.
SELECT 1;
