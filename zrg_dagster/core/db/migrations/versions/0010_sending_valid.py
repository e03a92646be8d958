"""The wider check on vendors holds for old rows too: validated in a revision of its own, which lets others write."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE app.send VALIDATE CONSTRAINT send_vendor_check")


def downgrade() -> None:
    raise RuntimeError("migrations only go forward; restore a backup to go back")
