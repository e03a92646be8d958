"""Integration tests talk to a real Postgres: `database` and `cluster` come from tests/conftest.py."""
