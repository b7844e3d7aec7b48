"""Stops that wait: from the sixth an hour of one network, a typed stop takes effect after a while.

Expand only: safe while the previous release is running.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delayed_stop",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint_version", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "fingerprint", name=op.f("pk_delayed_stop")),
    )
    op.create_index(op.f("ix_delayed_stop_due_at"), "delayed_stop", ["due_at"])


def downgrade() -> None:
    op.drop_table("delayed_stop")
