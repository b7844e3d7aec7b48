"""Blocks remember how often what is in them was put off by a mail server."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message_block", sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("message_block", "tries")
