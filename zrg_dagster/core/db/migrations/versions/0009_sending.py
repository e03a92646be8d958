"""Sending through every vendor: accounts that sends leave from, and what the vendors allow each of them."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"

_SQL = Path(__file__).parent.parent / "sql"
_FILES = ("sending", "access")


def upgrade() -> None:
    for name in _FILES:
        op.get_bind().exec_driver_sql((_SQL / f"0009_{name}.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("migrations only go forward; restore a backup to go back")
