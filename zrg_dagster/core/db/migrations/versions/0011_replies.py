"""Replies: switches that decide, assignment by turns, hours of automatic sends, runs of the draft pipeline."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"

_SQL = Path(__file__).parent.parent / "sql"
_FILES = ("assignment", "hours", "runs", "access")


def upgrade() -> None:
    for name in _FILES:
        op.get_bind().exec_driver_sql((_SQL / f"{revision}_{name}.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("migrations only go forward; restore a backup to go back")
