"""Models: which one for what, what calls cost, a workspace's own prompts, circuit breakers, marts of the model."""

from pathlib import Path

from alembic import op

from zrg_dagster.core.db.sql_statements import split

revision = "0012"
down_revision = "0011"

_SQL = Path(__file__).parent.parent / "sql"
_FILES = ("models", "access")


def upgrade() -> None:
    # First, and repeatable: what runs outside of the transaction cannot be undone by a failure of the rest.
    with op.get_context().autocommit_block():
        for statement in split((_SQL / f"{revision}_calls.sql").read_text()):
            op.get_bind().exec_driver_sql(statement.text)
    for name in _FILES:
        op.get_bind().exec_driver_sql((_SQL / f"{revision}_{name}.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("migrations only go forward; restore a backup to go back")
