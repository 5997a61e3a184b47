DROP INDEX uq_tasks_open_caseless;
DELETE FROM tasks WHERE kind = 'place_mail';
ALTER TABLE tasks DROP CONSTRAINT ck_tasks_kind;
ALTER TABLE tasks ADD CONSTRAINT ck_tasks_kind CHECK (kind IN (
    'assess', 'approve_letter', 'read_reply', 'choose_next_step', 'fix_channel',
    'confirm_company', 'file_complaint', 'answer_body', 'answer_company', 'offer_lapsing',
    'promise_broken', 'check_direct_payment', 'register_voucher', 'prepare_payout', 'fix_payout',
    'return_money', 'settle_effect', 'care', 'legal', 'incident', 'agency_late', 'limitation',
    'body_limit', 'call_consumer', 'poisoned_case', 'feed_silent', 'rate_missing',
    'licence_ending'
));
DROP INDEX ix_channels_mail;
DROP TABLE learned_senders;
-- The older code knows no mail that is not ours: it lies in the pen.
UPDATE messages SET state = 'pen' WHERE state = 'not_ours';
ALTER TABLE messages DROP CONSTRAINT ck_messages_state;
ALTER TABLE messages ADD CONSTRAINT ck_messages_state CHECK (
    state IN ('unread','read','set_aside','pen','sent','bounced')
);
ALTER TABLE messages DROP COLUMN pen_guesses;
