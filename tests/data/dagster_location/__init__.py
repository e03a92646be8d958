"""A small code location for tests of the run launcher."""
