"""Acceptance tests start real processes; what they start is stopped by the fixtures of tests/conftest.py."""
