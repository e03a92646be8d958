-- Row security and grants of the tables made by this revision, and the policies of web and analysts.
SELECT 1;
