"""Limits of lanes, held mail servers, and the keys that sign mail."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _lane_limit()
    _server_hold()
    _dkim_key()
    op.create_index(op.f("ix_message_block_campaign_id_lane_block"), "message_block", ["campaign_id", "lane", "block"])


def _lane_limit() -> None:
    op.create_table(
        "lane_limit",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lane", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("per_second", sa.Float(), nullable=False),
        sa.Column("burst", sa.BigInteger(), nullable=False),
        sa.Column("ramp_per_day", sa.BigInteger(), nullable=True),
        sa.Column("ramp_factor", sa.Float(), server_default="2", nullable=False),
        sa.Column("ramp_from", sa.Date(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("scope IN ('server', 'sender', 'domain')", name=op.f("ck_lane_limit_scope")),
        sa.CheckConstraint("per_second > 0 AND burst > 0", name=op.f("ck_lane_limit_positive")),
        sa.CheckConstraint("(ramp_per_day IS NULL) = (ramp_from IS NULL)", name=op.f("ck_lane_limit_ramp")),
        sa.PrimaryKeyConstraint("scope", "name", name=op.f("pk_lane_limit")),
    )


def _server_hold() -> None:
    op.create_table(
        "server_hold",
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("server", name=op.f("pk_server_hold")),
    )


def _dkim_key() -> None:
    op.create_table(
        "dkim_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("selector", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), server_default="new", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("algorithm IN ('rsa', 'ed25519')", name=op.f("ck_dkim_key_algorithm")),
        sa.CheckConstraint("state IN ('new', 'active', 'retired')", name=op.f("ck_dkim_key_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dkim_key")),
        sa.UniqueConstraint("domain", "selector", name=op.f("uq_dkim_key_domain_selector")),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_message_block_campaign_id_lane_block"), table_name="message_block")
    op.drop_table("dkim_key")
    op.drop_table("server_hold")
    op.drop_table("lane_limit")
