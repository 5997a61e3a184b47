DELETE FROM tasks WHERE kind = 'release_mail';
ALTER TABLE tasks DROP CONSTRAINT ck_tasks_kind;
ALTER TABLE tasks ADD CONSTRAINT ck_tasks_kind CHECK (kind IN (
    'assess', 'approve_letter', 'read_reply', 'choose_next_step', 'fix_channel',
    'confirm_company', 'file_complaint', 'answer_body', 'answer_company', 'offer_lapsing',
    'promise_broken', 'check_direct_payment', 'register_voucher', 'prepare_payout', 'fix_payout',
    'return_money', 'settle_effect', 'care', 'legal', 'incident', 'agency_late', 'limitation',
    'body_limit', 'call_consumer', 'poisoned_case', 'feed_silent', 'rate_missing', 'place_mail',
    'licence_ending'
));
DROP INDEX ix_messages_quarantine;
-- The older code knows no quarantine: what lies in it lies in the pen.
UPDATE messages SET state = 'pen' WHERE state = 'quarantine';
ALTER TABLE messages DROP CONSTRAINT ck_messages_state;
ALTER TABLE messages ADD CONSTRAINT ck_messages_state CHECK (
    state IN ('unread','read','set_aside','pen','not_ours','sent','bounced')
);
ALTER TABLE messages DROP CONSTRAINT ck_messages_trust;
ALTER TABLE messages DROP COLUMN trust_reasons;
ALTER TABLE messages DROP COLUMN trust;
