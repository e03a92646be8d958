"""Indexes of what waits that no claim is planned over. Built while the platform works, so outside a transaction."""

from pathlib import Path

from alembic import op

from zrg_dagster.core.db.sql_statements import split

revision = "0006"
down_revision = "0005"

_FILE = Path(__file__).parent.parent / "sql" / "0006_lane_indexes.sql"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in split(_FILE.read_text()):
            op.get_bind().exec_driver_sql(statement.text)


def downgrade() -> None:
    raise RuntimeError("migrations only go forward; restore a backup to go back")
