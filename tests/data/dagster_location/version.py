"""Changed by a test that expects the next run to see the new value."""

VERSION = "first"
