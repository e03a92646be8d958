"""What is known of a lead and of a workspace beyond the conversation; the day's cap of LinkedIn is a workspace's own."""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"

_SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((_SQL / f"{revision}_memory.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("migrations only go forward; restore a backup to go back")
