"""Merging leads that are one person, with a journal from which a merge is undone."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

_SQL = Path(__file__).parent.parent / "sql"
_FILES = ("merge", "access")


def upgrade() -> None:
    for name in _FILES:
        op.get_bind().exec_driver_sql((_SQL / f"0004_{name}.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("migrations only go forward; restore a backup to go back")
