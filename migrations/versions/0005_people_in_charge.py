"""People stay in charge: the stop list by topic and domain, fresh access, tell-a-friend, rights, and the register."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WRITTEN_ONCE = ("audit_seal", "audit_head", "partner_list", "erasure_certificate")
SUBJECT = "num_nonnulls(contact_point_id, pending_request_id, staff_id{more}) = 1"
MORE = ", address_change_id, friend_request_id, rights_request_id"
NOBODY = {
    False: "outcome = 'open' OR (pending_request_id IS NULL AND contact_point_id IS NULL)",
    True: "outcome = 'open' OR num_nonnulls(pending_request_id, contact_point_id, address_change_id, "
          "friend_request_id) = 0",
}
PURPOSES = {
    False: "purpose IN ('confirm', 'fresh', 'start')",
    True: "purpose IN ('confirm', 'fresh', 'start', 'address', 'press')",
}
DROPPED = (
    "erasure_certificate", "child_report", "access_copy", "rights_request", "fresh_access", "collected",
    "address_change", "merged_point", "friend_setting", "friend_request", "field_source", "disclosure_subject", "audit_seal",
    "partner_list", "never_code", "friend_mark", "domain_rule", "disclosure", "audit_head")

# Whatever goes or is emptied with a person is found by its own index: erasing one of a million reads no table whole.
INDEXED = (
    ("practice_item", "single_id"), ("practice_item", "contact_point_id"), ("goodbye", "contact_point_id"),
    ("single_use_link", "address_change_id"), ("single_use_link", "friend_request_id"),
    ("single_message", "address_change_id"), ("single_message", "friend_request_id"),
    ("single_message", "rights_request_id"), ("reveal", "contact_point_id"),
)

WIDENED = """
    INSERT INTO suppression (channel, fingerprint, list_id, topic_id, reason, fingerprint_version, mode, day, until,
                             sample)
    SELECT DISTINCT ON (channel, fingerprint, list_id, reason)
           channel, fingerprint, list_id, 0, reason, fingerprint_version, mode, day, until, sample
    FROM suppression WHERE topic_id <> 0
    ORDER BY channel, fingerprint, list_id, reason, mode = 'live' DESC, until DESC NULLS FIRST
    ON CONFLICT (channel, fingerprint, list_id, topic_id, reason) DO UPDATE
    SET until = CASE WHEN suppression.until IS NULL OR excluded.until IS NULL THEN NULL
                     ELSE greatest(suppression.until, excluded.until) END,
        mode = CASE WHEN excluded.mode = 'live' THEN 'live' ELSE suppression.mode END
"""


def upgrade() -> None:
    op.create_table('audit_head',
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('signature', sa.LargeBinary(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_audit_head'))
    )
    op.create_table('disclosure',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('categories', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('people', sa.BigInteger(), nullable=False),
    sa.Column('ground', sa.Text(), nullable=False),
    sa.Column('legal_reference', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('second', sa.Text(), nullable=False),
    sa.Column('automatic', sa.Boolean(), nullable=False),
    sa.Column('sealed_until', sa.Date(), nullable=True),
    sa.CheckConstraint("kind IN ('export', 'access_copy', 'batch', 'hook', 'processor', 'legal_demand', 'business_transfer', 'proof')", name=op.f('ck_disclosure_kind')),
    sa.CheckConstraint('people >= 0', name=op.f('ck_disclosure_people')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_disclosure'))
    )
    op.create_index(op.f('ix_disclosure_at'), 'disclosure', ['at'], unique=False)
    op.create_table('domain_rule',
    sa.Column('domain_hash', sa.LargeBinary(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('domain_hash', name=op.f('pk_domain_rule'))
    )
    op.create_table('never_code',
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('fingerprint_version', sa.SmallInteger(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_never_code'))
    )
    op.create_index(op.f('ix_never_code_fingerprint'), 'never_code', ['fingerprint'], unique=False)
    op.create_table('friend_mark',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('fingerprint_version', sa.SmallInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_friend_mark'))
    )
    op.create_table('partner_list',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('names', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_partner_list')),
    sa.UniqueConstraint('version', name=op.f('uq_partner_list_version'))
    )
    op.create_table('audit_seal',
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['seq'], ['audit_entry.seq'], name=op.f('fk_audit_seal_seq_audit_entry')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_audit_seal')),
    sa.UniqueConstraint('seq', name=op.f('uq_audit_seal_seq'))
    )
    op.create_table('disclosure_subject',
    sa.Column('disclosure_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('subject', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['disclosure_id'], ['disclosure.id'], name=op.f('fk_disclosure_subject_disclosure_id_disclosure')),
    sa.PrimaryKeyConstraint('disclosure_id', 'subject', name=op.f('pk_disclosure_subject'))
    )
    op.create_index(op.f('ix_disclosure_subject_subject'), 'disclosure_subject', ['subject'], unique=False)
    op.create_table('field_source',
    sa.Column('person_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('field', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('notice_id', sa.BigInteger(), nullable=True),
    sa.Column('collector', sa.Text(), nullable=False),
    sa.Column('policy', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_field_source_notice_id_notice')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_field_source_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('person_id', 'field', name=op.f('pk_field_source'))
    )
    op.create_table('friend_request',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('reserved', sa.BigInteger(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('list_id', sa.BigInteger(), nullable=False),
    sa.Column('sealed_friend', sa.LargeBinary(), nullable=True),
    sa.Column('sealed_sender', sa.LargeBinary(), nullable=True),
    sa.Column('sealed_sender_name', sa.LargeBinary(), nullable=True),
    sa.Column('sealed_words', sa.LargeBinary(), nullable=True),
    sa.Column('friend_fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('sender_fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('fingerprint_version', sa.SmallInteger(), nullable=False),
    sa.Column('domain_hash', sa.LargeBinary(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('pressed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('handed_on', sa.Date(), nullable=True),
    sa.Column('mark', sa.BigInteger(), nullable=True),
    sa.Column('reported', sa.Boolean(), nullable=False),
    sa.CheckConstraint("mode IN ('practice', 'trial', 'live')", name=op.f('ck_friend_request_mode')),
    sa.CheckConstraint("state IN ('asked', 'pressed', 'handed', 'over')", name=op.f('ck_friend_request_state')),
    sa.ForeignKeyConstraint(['list_id'], ['mailing_list.id'], name=op.f('fk_friend_request_list_id_mailing_list')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_friend_request'))
    )
    op.create_index(op.f('ix_friend_request_asked_at'), 'friend_request', ['asked_at'], unique=False)
    op.create_index(op.f('ix_friend_request_friend_fingerprint'), 'friend_request', ['friend_fingerprint'], unique=False)
    op.create_index(op.f('ix_friend_request_sender_fingerprint_asked_at'), 'friend_request', ['sender_fingerprint', 'asked_at'], unique=False)
    op.create_table('friend_setting',
    sa.Column('list_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('shares', sa.Boolean(), nullable=False),
    sa.Column('by_mail', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['list_id'], ['mailing_list.id'], name=op.f('fk_friend_setting_list_id_mailing_list')),
    sa.PrimaryKeyConstraint('list_id', name=op.f('pk_friend_setting'))
    )
    op.create_table('address_change',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('contact_point_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('sealed_new', sa.LargeBinary(), nullable=True),
    sa.Column('sealed_old', sa.LargeBinary(), nullable=True),
    sa.Column('new_fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('old_fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('fingerprint_version', sa.SmallInteger(), nullable=False),
    sa.Column('new_domain_hash', sa.LargeBinary(), nullable=False),
    sa.Column('old_domain_hash', sa.LargeBinary(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('asked', 'done', 'undone', 'withdrawn')", name=op.f('ck_address_change_state')),
    sa.CheckConstraint("mode IN ('practice', 'trial', 'live')", name=op.f('ck_address_change_mode')),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_address_change_contact_point_id_contact_point'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_address_change'))
    )
    op.create_index(op.f('ix_address_change_contact_point_id'), 'address_change', ['contact_point_id'], unique=False)
    op.create_index(op.f('ix_address_change_expires_at'), 'address_change', ['expires_at'], unique=False)
    op.create_index(op.f('ix_address_change_new_fingerprint'), 'address_change', ['new_fingerprint'], unique=False)
    op.create_index(op.f('ix_address_change_old_fingerprint'), 'address_change', ['old_fingerprint'], unique=False)
    op.create_table('merged_point',
    sa.Column('gone_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('into_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['into_id'], ['contact_point.id'], name=op.f('fk_merged_point_into_id_contact_point'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('gone_id', name=op.f('pk_merged_point'))
    )
    op.create_index(op.f('ix_merged_point_into_id'), 'merged_point', ['into_id'], unique=False)
    op.create_table('collected',
    sa.Column('contact_point_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_collected_contact_point_id_contact_point'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('contact_point_id', 'purpose', name=op.f('pk_collected'))
    )
    op.create_table('fresh_access',
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('contact_point_id', sa.BigInteger(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('whole', sa.Boolean(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_fresh_access_contact_point_id_contact_point'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_fresh_access'))
    )
    op.create_index(op.f('ix_fresh_access_contact_point_id'), 'fresh_access', ['contact_point_id'], unique=False)
    op.create_index(op.f('ix_fresh_access_expires_at'), 'fresh_access', ['expires_at'], unique=False)
    op.create_table('rights_request',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('identity', sa.Text(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('contact_point_id', sa.BigInteger(), nullable=True),
    sa.Column('sealed_contact', sa.LargeBinary(), nullable=True),
    sa.Column('contact_fingerprint', sa.LargeBinary(), nullable=True),
    sa.Column('fingerprint_version', sa.SmallInteger(), nullable=False),
    sa.Column('sealed_note', sa.LargeBinary(), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('acknowledge_by', sa.DateTime(timezone=True), nullable=False),
    sa.Column('acknowledged_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('extended', sa.Boolean(), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('handled_by', sa.Text(), nullable=False),
    sa.Column('sample', sa.Boolean(), nullable=False),
    sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f('ck_rights_request_closed')),
    sa.CheckConstraint("identity IN ('unchecked', 'fresh_link', 'call_back', 'letter', 'not_needed')", name=op.f('ck_rights_request_identity')),
    sa.CheckConstraint("kind IN ('access', 'correction', 'erasure', 'objection', 'hold', 'portability', 'complaint', 'question', 'child')", name=op.f('ck_rights_request_kind')),
    sa.CheckConstraint("source IN ('self', 'desk', 'public')", name=op.f('ck_rights_request_source')),
    sa.CheckConstraint("state IN ('open', 'closed')", name=op.f('ck_rights_request_state')),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_rights_request_contact_point_id_contact_point'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_rights_request_person_id_person'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rights_request'))
    )
    op.create_index(op.f('ix_rights_request_person_id'), 'rights_request', ['person_id'], unique=False)
    op.create_index(op.f('ix_rights_request_contact_point_id'), 'rights_request', ['contact_point_id'], unique=False)
    op.create_index(op.f('ix_rights_request_state_due_at'), 'rights_request', ['state', 'due_at'], unique=False)
    op.create_table('friend_key',
    sa.Column('friend_request_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('wrapped', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['friend_request_id'], ['friend_request.id'], name=op.f('fk_friend_key_friend_request_id_friend_request'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('friend_request_id', name=op.f('pk_friend_key')),
    schema='vault'
    )
    op.create_table('friend_sender_key',
    sa.Column('friend_request_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('wrapped', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['friend_request_id'], ['friend_request.id'], name=op.f('fk_friend_sender_key_friend_request_id_friend_request'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('friend_request_id', name=op.f('pk_friend_sender_key')),
    schema='vault'
    )
    op.create_table('access_copy',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('request_id', sa.BigInteger(), nullable=True),
    sa.Column('sealed_html', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_json', sa.LargeBinary(), nullable=False),
    sa.Column('signature', sa.LargeBinary(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('fetched_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_access_copy_person_id_person'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['request_id'], ['rights_request.id'], name=op.f('fk_access_copy_request_id_rights_request'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_access_copy'))
    )
    op.create_index(op.f('ix_access_copy_expires_at'), 'access_copy', ['expires_at'], unique=False)
    op.create_index(op.f('ix_access_copy_person_id'), 'access_copy', ['person_id'], unique=False)
    op.create_table('child_report',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('fingerprint_version', sa.SmallInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('request_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("channel IN ('email', 'sms', 'postal')", name=op.f('ck_child_report_channel')),
    sa.CheckConstraint("state IN ('open', 'objected', 'erased')", name=op.f('ck_child_report_state')),
    sa.ForeignKeyConstraint(['request_id'], ['rights_request.id'], name=op.f('fk_child_report_request_id_rights_request'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_child_report'))
    )
    op.create_index(op.f('ix_child_report_state_due_at'), 'child_report', ['state', 'due_at'], unique=False)
    op.create_table('erasure_certificate',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('request_id', sa.BigInteger(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('body', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('signature', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['request_id'], ['rights_request.id'], name=op.f('fk_erasure_certificate_request_id_rights_request')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_erasure_certificate'))
    )
    op.add_column('pending_request', sa.Column('share', sa.Boolean(), nullable=True))
    op.add_column('pending_request', sa.Column('partner_list', sa.BigInteger(), nullable=True))
    op.add_column('pending_request', sa.Column('collector', sa.Text(), server_default='', nullable=False))
    op.add_column('pending_request', sa.Column('policy', sa.Text(), server_default='', nullable=False))
    op.add_column('form_version', sa.Column('share_wording_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key('fk_form_version_share', 'form_version', 'wording', ['share_wording_id'], ['id'])
    op.create_table('exit_wanted',
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('host', name=op.f('pk_exit_wanted'))
    )
    for column in ("key_required", "key_settled"):
        op.add_column('instance', sa.Column(column, sa.SmallInteger(), server_default='1', nullable=False))
    op.add_column('instance', sa.Column('key_check', sa.LargeBinary(), nullable=True))
    op.add_column('instance', sa.Column('keys_archived_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('organisation', sa.Column('pack', sa.Text(), server_default='strictest', nullable=False))
    op.add_column('organisation', sa.Column('escalation', sa.Text(), server_default='', nullable=False))
    op.add_column('single_message', sa.Column('address_change_id', sa.BigInteger(), nullable=True))
    op.add_column('single_message', sa.Column('friend_request_id', sa.BigInteger(), nullable=True))
    op.add_column('single_message', sa.Column('rights_request_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_single_message_address_change_id_address_change'), 'single_message', 'address_change', ['address_change_id'], ['id'], ondelete='CASCADE')
    op.create_foreign_key(op.f('fk_single_message_rights_request_id_rights_request'), 'single_message', 'rights_request', ['rights_request_id'], ['id'], ondelete='CASCADE')
    op.create_foreign_key(op.f('fk_single_message_friend_request_id_friend_request'), 'single_message', 'friend_request', ['friend_request_id'], ['id'], ondelete='CASCADE')
    op.add_column('single_use_link', sa.Column('address_change_id', sa.BigInteger(), nullable=True))
    op.add_column('single_use_link', sa.Column('friend_request_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_single_use_link_friend_request_id_friend_request'), 'single_use_link', 'friend_request', ['friend_request_id'], ['id'], ondelete='SET NULL')
    op.create_foreign_key(op.f('fk_single_use_link_address_change_id_address_change'), 'single_use_link', 'address_change', ['address_change_id'], ['id'], ondelete='SET NULL')
    op.add_column('suppression', sa.Column('topic_id', sa.BigInteger(), server_default='0', autoincrement=False, nullable=False))
    op.add_column('practice_item', sa.Column('contact_point_id', sa.BigInteger(), nullable=True))
    for table, column in INDEXED:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
    _checks(True)
    op.drop_constraint("pk_suppression", "suppression", type_="primary")
    op.create_primary_key("pk_suppression", "suppression", ["channel", "fingerprint", "list_id", "topic_id", "reason"])
    for table in WRITTEN_ONCE:
        op.execute(f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                   f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
    op.execute("CREATE TRIGGER disclosure_never_deleted BEFORE DELETE OR TRUNCATE ON disclosure "
               "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
    op.execute("CREATE TRIGGER disclosure_written_once BEFORE UPDATE ON disclosure "
               "FOR EACH ROW WHEN (OLD.automatic) EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    # A stop of a topic becomes one of its whole list: going down may stop more, and never less.
    op.execute(WIDENED)
    op.execute("DELETE FROM suppression WHERE topic_id <> 0")
    op.drop_constraint("pk_suppression", "suppression", type_="primary")
    op.drop_column("suppression", "topic_id")
    op.create_primary_key("pk_suppression", "suppression", ["channel", "fingerprint", "list_id", "reason"])
    op.execute("DELETE FROM single_use_link WHERE purpose IN ('address', 'press')")
    op.execute("DELETE FROM single_message WHERE num_nonnulls(contact_point_id, pending_request_id, staff_id) = 0")
    _checks(False)
    for table, column in INDEXED:
        op.drop_index(op.f(f"ix_{table}_{column}"), table)
    op.drop_column("practice_item", "contact_point_id")
    for column in ("address_change_id", "friend_request_id"):
        op.drop_column("single_use_link", column)
    for column in ("address_change_id", "friend_request_id", "rights_request_id"):
        op.drop_column("single_message", column)
    op.drop_column("organisation", "pack")
    op.drop_column("organisation", "escalation")
    for column in ("key_required", "key_settled", "key_check", "keys_archived_at"):
        op.drop_column("instance", column)
    op.drop_table("exit_wanted")
    op.drop_column("form_version", "share_wording_id")
    for column in ("share", "partner_list", "collector", "policy"):
        op.drop_column("pending_request", column)
    op.drop_table("friend_key", schema="vault")
    op.drop_table("friend_sender_key", schema="vault")
    for table in DROPPED:
        op.drop_table(table)


def _checks(more: bool) -> None:
    """Put the checks of this revision, or those of the one before, in place."""
    for table, name, said in (
            ("single_message", "one_subject", SUBJECT.format(more=MORE if more else "")),
            ("single_use_link", "closed_names_nobody", NOBODY[more]),
            ("single_use_link", "purpose", PURPOSES[more])):
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, said)
