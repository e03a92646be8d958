"""Tenancy: personas, more of what a workspace holds, audit, and row security for the web tier."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

_SQL = Path(__file__).parent.parent / "sql"
_FILES = ("people", "personas", "erasure", "access")


def upgrade() -> None:
    for name in _FILES:
        op.get_bind().exec_driver_sql((_SQL / f"0002_{name}.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("migrations only go forward; restore a backup to go back")
