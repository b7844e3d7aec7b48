"""The spine: people, lists, ledger, stop list, messages, staff.

The first schema. The database itself refuses to change what is written once.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

WRITTEN_ONCE = ("ledger_entry", "ledger_seal", "ledger_head", "audit_entry", "wording", "notice", "content_version",
                "form_version")


def upgrade() -> None:
    op.create_table('audit_entry',
    sa.Column('seq', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('act', sa.Text(), nullable=False),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_audit_entry'))
    )
    op.create_index(op.f('ix_audit_entry_about'), 'audit_entry', ['about'], unique=False)
    op.create_index(op.f('ix_audit_entry_actor_seq'), 'audit_entry', ['actor', 'seq'], unique=False)
    op.create_table('content_version',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('preview_line', sa.Text(), nullable=False),
    sa.Column('markdown', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('fields', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('sha256', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_content_version'))
    )
    op.create_table('decision',
    sa.Column('campaign_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('contact_point_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('attempt', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('cleared', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(reason IS NULL) = cleared', name=op.f('ck_decision_refusal_has_reason')),
    sa.PrimaryKeyConstraint('campaign_id', 'contact_point_id', 'month', 'attempt', 'cleared', name=op.f('pk_decision')),
    postgresql_partition_by='LIST (month)'
    )
    op.create_table('delayed_stop',
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('fingerprint_version', sa.SmallInteger(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('channel', 'fingerprint', name=op.f('pk_delayed_stop'))
    )
    op.create_index(op.f('ix_delayed_stop_due_at'), 'delayed_stop', ['due_at'], unique=False)
    op.create_table('exit_mark',
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('host', 'id', name=op.f('pk_exit_mark'))
    )
    op.create_table('exit_override',
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('host', name=op.f('pk_exit_override'))
    )
    op.create_table('instance',
    sa.Column('one', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('clock_shift_seconds', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('one = 1', name=op.f('ck_instance_single')),
    sa.PrimaryKeyConstraint('one', name=op.f('pk_instance'))
    )
    op.create_table('lane_hold',
    sa.Column('lane', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('step', sa.BigInteger(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('lane', name=op.f('pk_lane_hold'))
    )
    op.create_table('leave_reason',
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('month', 'reason', name=op.f('pk_leave_reason'))
    )
    op.create_table('ledger_entry',
    sa.Column('seq', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('subject', sa.Uuid(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('act', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('list_id', sa.BigInteger(), nullable=False),
    sa.Column('topic_id', sa.BigInteger(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.CheckConstraint("act IN ('granted', 'refused', 'ended', 'changed', 'objected')", name=op.f('ck_ledger_entry_act')),
    sa.CheckConstraint("channel IN ('email', 'sms', 'postal')", name=op.f('ck_ledger_entry_channel')),
    sa.CheckConstraint("mode IN ('practice', 'trial', 'live')", name=op.f('ck_ledger_entry_mode')),
    sa.CheckConstraint("purpose IN ('own_offers', 'partner_offers_sent_by_us', 'share_with_partner', 'service')", name=op.f('ck_ledger_entry_purpose')),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_ledger_entry'))
    )
    op.create_index(op.f('ix_ledger_entry_subject_seq'), 'ledger_entry', ['subject', 'seq'], unique=False)
    op.create_table('ledger_head',
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('signature', sa.LargeBinary(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_ledger_head'))
    )
    op.create_table('limit_count',
    sa.Column('bucket', sa.LargeBinary(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('bucket', 'kind', 'day', name=op.f('pk_limit_count'))
    )
    op.create_index(op.f('ix_limit_count_day'), 'limit_count', ['day'], unique=False)
    op.create_table('mailing_list',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('public_text', sa.Text(), nullable=False),
    sa.Column('archived', sa.Boolean(), nullable=False),
    sa.Column('sample', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mailing_list'))
    )
    op.create_index('uq_mailing_list_name', 'mailing_list', ['name'], unique=True)
    op.create_table('message',
    sa.Column('campaign_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('contact_point_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('slice', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('block', sa.BigInteger(), nullable=False),
    sa.Column('attempt', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('decided', sa.SmallInteger(), nullable=True),
    sa.Column('cleared', sa.Boolean(), nullable=True),
    sa.Column('state', sa.Text(), server_default='ready', nullable=False),
    sa.Column('code', sa.Text(), nullable=True),
    sa.CheckConstraint("state <> 'refused' OR (cleared IS NOT TRUE AND code IS NOT NULL)", name=op.f('ck_message_refused_has_reason')),
    sa.CheckConstraint("state IN ('ready', 'claimed', 'deferred', 'refused', 'expired') OR (decided IS NOT NULL AND cleared IS NOT NULL AND cleared)", name=op.f('ck_message_gate_said_yes')),
    sa.CheckConstraint("state IN ('ready', 'claimed', 'handed', 'deferred', 'accepted', 'refused', 'failed', 'expired', 'uncertain')", name=op.f('ck_message_state')),
    sa.PrimaryKeyConstraint('campaign_id', 'contact_point_id', 'month', name=op.f('pk_message')),
    postgresql_partition_by='LIST (month)'
    )
    op.create_index(op.f('ix_message_campaign_id_block'), 'message', ['campaign_id', 'block'], unique=False)
    op.create_table('message_block',
    sa.Column('campaign_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('block', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('lane', sa.BigInteger(), nullable=False),
    sa.Column('open', sa.Boolean(), nullable=False),
    sa.Column('not_before', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('campaign_id', 'block', name=op.f('pk_message_block')),
    postgresql_with={'fillfactor': 60}
    )
    op.create_table('notice',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('starter', sa.Boolean(), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice')),
    sa.UniqueConstraint('version', name=op.f('uq_notice_version'))
    )
    op.create_table('organisation',
    sa.Column('one', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('postal_address', sa.Text(), nullable=False),
    sa.Column('help_email', sa.Text(), nullable=False),
    sa.Column('public_url', sa.Text(), nullable=False),
    sa.Column('time_zone', sa.Text(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('last_test_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("mode IN ('practice', 'trial', 'live')", name=op.f('ck_organisation_mode')),
    sa.CheckConstraint('one = 1', name=op.f('ck_organisation_single')),
    sa.PrimaryKeyConstraint('one', name=op.f('pk_organisation'))
    )
    op.create_table('person',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('subject', sa.Uuid(), nullable=False),
    sa.Column('joined_on', sa.Date(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('sample', sa.Boolean(), nullable=False),
    sa.Column('sealed_first_name', sa.LargeBinary(), nullable=True),
    sa.CheckConstraint("mode IN ('practice', 'trial', 'live')", name=op.f('ck_person_mode')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person')),
    sa.UniqueConstraint('subject', name=op.f('uq_person_subject'))
    )
    op.create_table('picture',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sha256', sa.LargeBinary(), nullable=False),
    sa.Column('media_type', sa.Text(), nullable=False),
    sa.Column('width', sa.BigInteger(), nullable=False),
    sa.Column('height', sa.BigInteger(), nullable=False),
    sa.Column('octets', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_picture')),
    sa.UniqueConstraint('sha256', name=op.f('uq_picture_sha256'))
    )
    op.create_table('practice_item',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('campaign_id', sa.BigInteger(), nullable=True),
    sa.Column('single_id', sa.BigInteger(), nullable=True),
    sa.Column('seen', sa.Boolean(), nullable=False),
    sa.Column('sealed_to', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_body', sa.LargeBinary(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("channel IN ('email', 'sms', 'postal')", name=op.f('ck_practice_item_channel')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_practice_item'))
    )
    op.create_index(op.f('ix_practice_item_campaign_id'), 'practice_item', ['campaign_id'], unique=False)
    op.create_table('receipt',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('campaign_id', sa.BigInteger(), nullable=True),
    sa.Column('contact_point_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.CheckConstraint("kind IN ('delivered', 'bounced', 'complained')", name=op.f('ck_receipt_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_receipt'))
    )
    op.create_index(op.f('ix_receipt_campaign_id_kind'), 'receipt', ['campaign_id', 'kind'], unique=False)
    op.create_index(op.f('ix_receipt_contact_point_id'), 'receipt', ['contact_point_id'], unique=False)
    op.create_table('sender',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('is_default', sa.Boolean(), nullable=False),
    sa.Column('archived', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sender'))
    )
    op.create_table('slice',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('worker', sa.Text(), nullable=False),
    sa.Column('campaign_id', sa.BigInteger(), nullable=True),
    sa.Column('month', sa.Date(), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slice'))
    )
    op.create_table('staff',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('email_fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_email', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_name', sa.LargeBinary(), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=True),
    sa.Column('sealed_totp', sa.LargeBinary(), nullable=True),
    sa.Column('totp_confirmed', sa.Boolean(), nullable=False),
    sa.Column('totp_last_step', sa.BigInteger(), nullable=False),
    sa.Column('email_verified', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failed_tries', sa.BigInteger(), nullable=False),
    sa.Column('wait_until', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('invited', 'active', 'removed')", name=op.f('ck_staff_state')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff')),
    sa.UniqueConstraint('email_fingerprint', name=op.f('uq_staff_email_fingerprint'))
    )
    op.create_table('suppression',
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('list_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('fingerprint_version', sa.SmallInteger(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('sample', sa.Boolean(), nullable=False),
    sa.CheckConstraint("channel IN ('email', 'sms', 'postal')", name=op.f('ck_suppression_channel')),
    sa.CheckConstraint("mode IN ('practice', 'trial', 'live')", name=op.f('ck_suppression_mode')),
    sa.CheckConstraint("reason IN ('erased', 'never', 'child', 'law', 'friend_only', 'not_me', 'hold', 'stopped', 'unsubscribed', 'post_code', 'staff_stop', 'complained', 'bounced', 'gone_away', 'doubtful')", name=op.f('ck_suppression_reason')),
    sa.PrimaryKeyConstraint('channel', 'fingerprint', 'list_id', 'reason', name=op.f('pk_suppression'))
    )
    op.create_table('wording',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sha256', sa.LargeBinary(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wording')),
    sa.UniqueConstraint('sha256', name=op.f('uq_wording_sha256'))
    )
    op.create_table('worker',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_worker'))
    )
    op.create_table('contact_point',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('fingerprint_version', sa.SmallInteger(), nullable=False),
    sa.Column('domain_hash', sa.LargeBinary(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('country', sa.Text(), nullable=True),
    sa.Column('has_name', sa.Boolean(), nullable=False),
    sa.CheckConstraint("channel IN ('email', 'sms', 'postal')", name=op.f('ck_contact_point_channel')),
    sa.CheckConstraint("mode IN ('practice', 'trial', 'live')", name=op.f('ck_contact_point_mode')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_contact_point_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact_point')),
    sa.UniqueConstraint('channel', 'fingerprint', name=op.f('uq_contact_point_channel_fingerprint')),
    sa.UniqueConstraint('person_id', 'channel', name=op.f('uq_contact_point_person_id_channel'))
    )
    op.create_table('form',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('list_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('archived', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['list_id'], ['mailing_list.id'], name=op.f('fk_form_list_id_mailing_list')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_form')),
    sa.UniqueConstraint('slug', name=op.f('uq_form_slug'))
    )
    op.create_table('ledger_seal',
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['seq'], ['ledger_entry.seq'], name=op.f('fk_ledger_seal_seq_ledger_entry')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_ledger_seal')),
    sa.UniqueConstraint('seq', name=op.f('uq_ledger_seal_seq'))
    )
    op.create_table('recovery_code',
    sa.Column('staff_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_recovery_code_staff_id_staff')),
    sa.PrimaryKeyConstraint('staff_id', 'hash', name=op.f('pk_recovery_code'))
    )
    op.create_table('reveal',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('contact_point_id', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_reveal_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reveal'))
    )
    op.create_index(op.f('ix_reveal_staff_id_at'), 'reveal', ['staff_id', 'at'], unique=False)
    op.create_table('staff_link',
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("purpose IN ('start', 'invitation', 'sign_in')", name=op.f('ck_staff_link_purpose')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_link_staff_id_staff')),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_staff_link'))
    )
    op.create_table('staff_role',
    sa.Column('staff_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.CheckConstraint("role IN ('composer', 'sender', 'list_manager', 'privacy_officer', 'admin', 'auditor')", name=op.f('ck_staff_role_role')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_role_staff_id_staff')),
    sa.PrimaryKeyConstraint('staff_id', 'role', name=op.f('pk_staff_role'))
    )
    op.create_table('staff_session',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('browser', sa.Text(), nullable=False),
    sa.Column('second_factor', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_session_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_session')),
    sa.UniqueConstraint('hash', name=op.f('uq_staff_session_hash'))
    )
    op.create_index(op.f('ix_staff_session_staff_id'), 'staff_session', ['staff_id'], unique=False)
    op.create_table('topic',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('list_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('public_text', sa.Text(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('archived', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['list_id'], ['mailing_list.id'], name=op.f('fk_topic_list_id_mailing_list')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_topic')),
    sa.UniqueConstraint('list_id', 'name', name=op.f('uq_topic_list_id_name'))
    )
    op.create_table('person_key',
    sa.Column('person_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('wrapped', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_person_key_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_person_key')),
    schema='vault'
    )
    op.create_table('campaign',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('list_id', sa.BigInteger(), nullable=False),
    sa.Column('topic_id', sa.BigInteger(), nullable=True),
    sa.Column('sender_id', sa.BigInteger(), nullable=True),
    sa.Column('content_id', sa.BigInteger(), nullable=True),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('tested_content_id', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.BigInteger(), nullable=True),
    sa.Column('approved_by', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('send_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('time_zone', sa.Text(), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('month', sa.Date(), nullable=True),
    sa.Column('not_after', sa.DateTime(timezone=True), nullable=True),
    sa.Column('planned_through', sa.BigInteger(), nullable=False),
    sa.Column('next_block', sa.BigInteger(), nullable=False),
    sa.Column('planning_done', sa.Boolean(), nullable=False),
    sa.Column('stopping', sa.Boolean(), nullable=False),
    sa.Column('why_paused', sa.Text(), nullable=True),
    sa.Column('why_not_started', sa.Text(), nullable=True),
    sa.Column('expected_in', sa.BigInteger(), nullable=True),
    sa.Column('planned', sa.BigInteger(), nullable=True),
    sa.Column('accepted', sa.BigInteger(), nullable=True),
    sa.Column('refused', sa.BigInteger(), nullable=True),
    sa.Column('failed', sa.BigInteger(), nullable=True),
    sa.Column('expired', sa.BigInteger(), nullable=True),
    sa.Column('uncertain', sa.BigInteger(), nullable=True),
    sa.Column('sample', sa.Boolean(), nullable=False),
    sa.CheckConstraint("mode IN ('practice', 'trial', 'live')", name=op.f('ck_campaign_mode')),
    sa.CheckConstraint("state <> 'sent' OR (planned = accepted + refused + failed + expired + uncertain)", name=op.f('ck_campaign_sum_holds')),
    sa.CheckConstraint("state IN ('draft', 'needs_approval', 'scheduled', 'starting', 'sending', 'paused', 'stopped', 'sent', 'could_not_start')", name=op.f('ck_campaign_state')),
    sa.CheckConstraint('(month IS NULL) = (started_at IS NULL)', name=op.f('ck_campaign_launched_has_month')),
    sa.ForeignKeyConstraint(['approved_by'], ['staff.id'], name='fk_campaign_approved_by'),
    sa.ForeignKeyConstraint(['content_id'], ['content_version.id'], name=op.f('fk_campaign_content_id_content_version')),
    sa.ForeignKeyConstraint(['created_by'], ['staff.id'], name=op.f('fk_campaign_created_by_staff')),
    sa.ForeignKeyConstraint(['list_id'], ['mailing_list.id'], name=op.f('fk_campaign_list_id_mailing_list')),
    sa.ForeignKeyConstraint(['sender_id'], ['sender.id'], name=op.f('fk_campaign_sender_id_sender')),
    sa.ForeignKeyConstraint(['topic_id'], ['topic.id'], name=op.f('fk_campaign_topic_id_topic')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_campaign'))
    )
    op.create_index(op.f('ix_campaign_state'), 'campaign', ['state'], unique=False)
    op.create_table('form_version',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('form_id', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('definition', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('wording_id', sa.BigInteger(), nullable=False),
    sa.Column('partner_wording_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('version > 0', name=op.f('ck_form_version_version')),
    sa.ForeignKeyConstraint(['form_id'], ['form.id'], name=op.f('fk_form_version_form_id_form')),
    sa.ForeignKeyConstraint(['partner_wording_id'], ['wording.id'], name='fk_form_version_partner'),
    sa.ForeignKeyConstraint(['wording_id'], ['wording.id'], name=op.f('fk_form_version_wording_id_wording')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_form_version')),
    sa.UniqueConstraint('form_id', 'version', name=op.f('uq_form_version_form_id_version'))
    )
    op.create_table('goodbye',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('contact_point_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undo_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_goodbye_contact_point_id_contact_point'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_goodbye'))
    )
    op.create_index(op.f('ix_goodbye_undo_until'), 'goodbye', ['undo_until'], unique=False)
    op.create_table('preference',
    sa.Column('contact_point_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('format', sa.Text(), nullable=False),
    sa.Column('every_days', sa.SmallInteger(), nullable=False),
    sa.Column('paused_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_campaign_on', sa.Date(), nullable=True),
    sa.Column('hold', sa.Boolean(), nullable=False),
    sa.CheckConstraint("format IN ('html', 'text')", name=op.f('ck_preference_format')),
    sa.CheckConstraint('every_days IN (0, 7, 30)', name=op.f('ck_preference_every_days')),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_preference_contact_point_id_contact_point'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('contact_point_id', name=op.f('pk_preference'))
    )
    op.create_table('standing',
    sa.Column('contact_point_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('list_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('topic_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("mode IN ('practice', 'trial', 'live')", name=op.f('ck_standing_mode')),
    sa.CheckConstraint("purpose IN ('own_offers', 'partner_offers_sent_by_us', 'share_with_partner', 'service')", name=op.f('ck_standing_purpose')),
    sa.CheckConstraint("state IN ('live', 'refused', 'ended')", name=op.f('ck_standing_state')),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_standing_contact_point_id_contact_point'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('contact_point_id', 'list_id', 'topic_id', 'purpose', name=op.f('pk_standing'))
    )
    op.create_index(op.f('ix_standing_list_id_topic_id_contact_point_id'), 'standing', ['list_id', 'topic_id', 'contact_point_id'], unique=False)
    op.create_table('campaign_count',
    sa.Column('campaign_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('worker', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_campaign_count_campaign_id_campaign'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('campaign_id', 'worker', 'state', 'detail', name=op.f('pk_campaign_count')),
    postgresql_with={'fillfactor': 50}
    )
    op.create_table('pending_request',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('reserved_person_id', sa.BigInteger(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('list_id', sa.BigInteger(), nullable=False),
    sa.Column('form_version_id', sa.BigInteger(), nullable=True),
    sa.Column('notice_id', sa.BigInteger(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_first_name', sa.LargeBinary(), nullable=True),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('fingerprint_version', sa.SmallInteger(), nullable=False),
    sa.Column('domain_hash', sa.LargeBinary(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('topic_ids', sa.ARRAY(sa.BigInteger()), nullable=False),
    sa.Column('partner_offers', sa.Boolean(), nullable=True),
    sa.Column('format', sa.Text(), nullable=False),
    sa.Column('every_days', sa.SmallInteger(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.CheckConstraint("channel IN ('email', 'sms', 'postal')", name=op.f('ck_pending_request_channel')),
    sa.CheckConstraint("mode IN ('practice', 'trial', 'live')", name=op.f('ck_pending_request_mode')),
    sa.ForeignKeyConstraint(['form_version_id'], ['form_version.id'], name=op.f('fk_pending_request_form_version_id_form_version')),
    sa.ForeignKeyConstraint(['list_id'], ['mailing_list.id'], name=op.f('fk_pending_request_list_id_mailing_list')),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_pending_request_notice_id_notice')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pending_request')),
    sa.UniqueConstraint('channel', 'fingerprint', 'list_id', name=op.f('uq_pending_request_channel_fingerprint_list_id'))
    )
    op.create_index(op.f('ix_pending_request_expires_at'), 'pending_request', ['expires_at'], unique=False)
    op.create_table('single_message',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('class', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('occasion', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('contact_point_id', sa.BigInteger(), nullable=True),
    sa.Column('pending_request_id', sa.BigInteger(), nullable=True),
    sa.Column('staff_id', sa.BigInteger(), nullable=True),
    sa.Column('campaign_id', sa.BigInteger(), nullable=True),
    sa.Column('sealed_detail', sa.LargeBinary(), nullable=True),
    sa.Column('state', sa.Text(), server_default='ready', nullable=False),
    sa.Column('attempt', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('decided', sa.SmallInteger(), nullable=True),
    sa.Column('cleared', sa.Boolean(), nullable=True),
    sa.Column('code', sa.Text(), nullable=True),
    sa.Column('slice', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('resent', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('not_after', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("class IN ('campaign', 'partner_offer', 'confirmation', 'fresh_link', 'invitation', 'service_notice', 'policy_notice', 'rights_answer', 'reply', 'press', 'acknowledgement', 'staff_invitation', 'test', 'staff')", name=op.f('ck_single_message_class')),
    sa.CheckConstraint("state <> 'refused' OR (cleared IS NOT TRUE AND code IS NOT NULL)", name=op.f('ck_single_message_refused_has_reason')),
    sa.CheckConstraint("state IN ('ready', 'claimed', 'deferred', 'refused', 'expired') OR (decided IS NOT NULL AND cleared IS NOT NULL AND cleared)", name=op.f('ck_single_message_gate_said_yes')),
    sa.CheckConstraint("state IN ('ready', 'claimed', 'handed', 'deferred', 'accepted', 'refused', 'failed', 'expired', 'uncertain')", name=op.f('ck_single_message_state')),
    sa.CheckConstraint('num_nonnulls(contact_point_id, pending_request_id, staff_id) = 1', name=op.f('ck_single_message_one_subject')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_single_message_campaign_id_campaign'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_single_message_contact_point_id_contact_point'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['pending_request_id'], ['pending_request.id'], name=op.f('fk_single_message_pending_request_id_pending_request'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_single_message_staff_id_staff'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_single_message')),
    sa.UniqueConstraint('class', 'subject', 'occasion', name=op.f('uq_single_message_class_subject_occasion'))
    )
    op.create_index(op.f('ix_single_message_contact_point_id'), 'single_message', ['contact_point_id'], unique=False)
    op.create_index(op.f('ix_single_message_pending_request_id'), 'single_message', ['pending_request_id'], unique=False)
    op.create_index(op.f('ix_single_message_state_until'), 'single_message', ['state', 'until'], unique=False)
    op.create_table('single_use_link',
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('pending_request_id', sa.BigInteger(), nullable=True),
    sa.Column('contact_point_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("outcome = 'open' OR (pending_request_id IS NULL AND contact_point_id IS NULL)", name=op.f('ck_single_use_link_closed_names_nobody')),
    sa.CheckConstraint("outcome IN ('open', 'used', 'expired', 'withdrawn')", name=op.f('ck_single_use_link_outcome')),
    sa.CheckConstraint("purpose IN ('confirm', 'fresh', 'start')", name=op.f('ck_single_use_link_purpose')),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_single_use_link_contact_point_id_contact_point'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['pending_request_id'], ['pending_request.id'], name=op.f('fk_single_use_link_pending_request_id_pending_request'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_single_use_link'))
    )
    op.create_index(op.f('ix_single_use_link_contact_point_id'), 'single_use_link', ['contact_point_id'], unique=False)
    op.create_index(op.f('ix_single_use_link_day'), 'single_use_link', ['day'], unique=False)
    op.create_index(op.f('ix_single_use_link_pending_request_id'), 'single_use_link', ['pending_request_id'], unique=False)
    op.create_table('request_key',
    sa.Column('request_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('wrapped', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['request_id'], ['pending_request.id'], name=op.f('fk_request_key_request_id_pending_request'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('request_id', name=op.f('pk_request_key')),
    schema='vault'
    )
    op.create_table('single_decision',
    sa.Column('single_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('attempt', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('cleared', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(reason IS NULL) = cleared', name=op.f('ck_single_decision_refusal_has_reason')),
    sa.ForeignKeyConstraint(['single_id'], ['single_message.id'], name=op.f('fk_single_decision_single_id_single_message'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('single_id', 'attempt', name=op.f('pk_single_decision')),
    sa.UniqueConstraint('single_id', 'attempt', 'cleared', name=op.f('uq_single_decision_single_id_attempt_cleared'))
    )
    op.create_foreign_key(
        "fk_single_message_decision", "single_message", "single_decision",
        ["id", "decided", "cleared"], ["single_id", "attempt", "cleared"])
    op.execute("CREATE SEQUENCE deferred_block START 1099511627776")
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% is written once and never changed', TG_TABLE_NAME USING ERRCODE = '23001'; END $$
    """)
    for table in WRITTEN_ONCE:
        op.execute(f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                   f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    for table in WRITTEN_ONCE:
        op.execute(f"DROP TRIGGER {table}_written_once ON {table}")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("DROP SEQUENCE deferred_block")
    op.drop_constraint("fk_single_message_decision", "single_message", type_="foreignkey")
    op.drop_table('single_decision')
    op.drop_table('request_key', schema='vault')
    op.drop_index(op.f('ix_single_use_link_pending_request_id'), table_name='single_use_link')
    op.drop_index(op.f('ix_single_use_link_day'), table_name='single_use_link')
    op.drop_index(op.f('ix_single_use_link_contact_point_id'), table_name='single_use_link')
    op.drop_table('single_use_link')
    op.drop_index(op.f('ix_single_message_state_until'), table_name='single_message')
    op.drop_index(op.f('ix_single_message_pending_request_id'), table_name='single_message')
    op.drop_index(op.f('ix_single_message_contact_point_id'), table_name='single_message')
    op.drop_table('single_message')
    op.drop_index(op.f('ix_pending_request_expires_at'), table_name='pending_request')
    op.drop_table('pending_request')
    op.drop_table('campaign_count')
    op.drop_index(op.f('ix_standing_list_id_topic_id_contact_point_id'), table_name='standing')
    op.drop_table('standing')
    op.drop_table('preference')
    op.drop_index(op.f('ix_goodbye_undo_until'), table_name='goodbye')
    op.drop_table('goodbye')
    op.drop_table('form_version')
    op.drop_index(op.f('ix_campaign_state'), table_name='campaign')
    op.drop_table('campaign')
    op.drop_table('person_key', schema='vault')
    op.drop_table('topic')
    op.drop_index(op.f('ix_staff_session_staff_id'), table_name='staff_session')
    op.drop_table('staff_session')
    op.drop_table('staff_role')
    op.drop_table('staff_link')
    op.drop_index(op.f('ix_reveal_staff_id_at'), table_name='reveal')
    op.drop_table('reveal')
    op.drop_table('recovery_code')
    op.drop_table('ledger_seal')
    op.drop_table('form')
    op.drop_table('contact_point')
    op.drop_table('worker')
    op.drop_table('wording')
    op.drop_table('suppression')
    op.drop_table('staff')
    op.drop_table('slice')
    op.drop_table('sender')
    op.drop_index(op.f('ix_receipt_contact_point_id'), table_name='receipt')
    op.drop_index(op.f('ix_receipt_campaign_id_kind'), table_name='receipt')
    op.drop_table('receipt')
    op.drop_index(op.f('ix_practice_item_campaign_id'), table_name='practice_item')
    op.drop_table('practice_item')
    op.drop_table('picture')
    op.drop_table('person')
    op.drop_table('organisation')
    op.drop_table('notice')
    op.drop_table('message_block')
    op.drop_index(op.f('ix_message_campaign_id_block'), table_name='message')
    op.drop_table('message')
    op.drop_index('uq_mailing_list_name', table_name='mailing_list')
    op.drop_table('mailing_list')
    op.drop_index(op.f('ix_limit_count_day'), table_name='limit_count')
    op.drop_table('limit_count')
    op.drop_table('ledger_head')
    op.drop_index(op.f('ix_ledger_entry_subject_seq'), table_name='ledger_entry')
    op.drop_table('ledger_entry')
    op.drop_table('leave_reason')
    op.drop_table('lane_hold')
    op.drop_table('instance')
    op.drop_table('exit_override')
    op.drop_table('exit_mark')
    op.drop_index(op.f('ix_delayed_stop_due_at'), table_name='delayed_stop')
    op.drop_table('delayed_stop')
    op.drop_table('decision')
    op.drop_table('content_version')
    op.drop_index(op.f('ix_audit_entry_actor_seq'), table_name='audit_entry')
    op.drop_index(op.f('ix_audit_entry_about'), table_name='audit_entry')
    op.drop_table('audit_entry')
