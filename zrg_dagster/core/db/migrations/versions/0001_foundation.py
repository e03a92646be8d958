"""Foundation: deliveries, conversations, the send ledger, follow-ups, calendars, facts and marts, row security."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

_SQL = Path(__file__).parent.parent / "sql"
_FILES = ("schemas", "people", "raw", "conversation", "work", "followups", "analytics", "access")


def upgrade() -> None:
    for name in _FILES:
        op.get_bind().exec_driver_sql((_SQL / f"0001_{name}.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("migrations only go forward; restore a backup to go back")
