-- How far the From line of a mail may be believed, and a place for mails that name no one sender.
ALTER TABLE messages ADD COLUMN trust TEXT;
ALTER TABLE messages ADD COLUMN trust_reasons TEXT[] NOT NULL DEFAULT '{}';
ALTER TABLE messages ADD CONSTRAINT ck_messages_trust CHECK (
    trust IN ('quarantine', 'low', 'medium', 'high')
);
ALTER TABLE messages DROP CONSTRAINT ck_messages_state;
ALTER TABLE messages ADD CONSTRAINT ck_messages_state CHECK (
    state IN ('unread','read','set_aside','pen','quarantine','not_ours','sent','bounced')
);
CREATE INDEX ix_messages_quarantine ON messages (received_at, id) WHERE state = 'quarantine';
ALTER TABLE tasks DROP CONSTRAINT ck_tasks_kind;
ALTER TABLE tasks ADD CONSTRAINT ck_tasks_kind CHECK (kind IN (
    'assess', 'approve_letter', 'read_reply', 'choose_next_step', 'fix_channel',
    'confirm_company', 'file_complaint', 'answer_body', 'answer_company', 'offer_lapsing',
    'promise_broken', 'check_direct_payment', 'register_voucher', 'prepare_payout', 'fix_payout',
    'return_money', 'settle_effect', 'care', 'legal', 'incident', 'agency_late', 'limitation',
    'body_limit', 'call_consumer', 'poisoned_case', 'feed_silent', 'rate_missing', 'place_mail',
    'licence_ending',
    'release_mail'
));
