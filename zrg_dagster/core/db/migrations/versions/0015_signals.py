"""What a reply asks for beside its tag, the switch of the router, and tasks that a reply makes."""

from pathlib import Path

from alembic import op

from zrg_dagster.core.db.sql_statements import split

revision = "0015"
down_revision = "0014"

_SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    # First, and repeatable: what runs outside of the transaction cannot be undone by a failure of the rest.
    with op.get_context().autocommit_block():
        for statement in split((_SQL / f"{revision}_tasks.sql").read_text()):
            op.get_bind().exec_driver_sql(statement.text)
    op.get_bind().exec_driver_sql((_SQL / f"{revision}_signals.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("migrations only go forward; restore a backup to go back")
