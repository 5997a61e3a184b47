-- Which cases an unplaced mail may be about, ranked, with the reasons. NULL: it never lay in the pen.
ALTER TABLE messages ADD COLUMN pen_guesses JSONB;
ALTER TABLE messages DROP CONSTRAINT ck_messages_state;
ALTER TABLE messages ADD CONSTRAINT ck_messages_state CHECK (
    state IN ('unread','read','set_aside','pen','not_ours','sent','bounced')
);

-- What people taught us of sender addresses: whose they are, or that nothing of theirs is for us.
CREATE TABLE learned_senders (
    address TEXT NOT NULL,
    company_id UUID,
    blocked BOOLEAN NOT NULL,
    message_id UUID NOT NULL,
    learned_by TEXT NOT NULL,
    learned_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_learned_senders PRIMARY KEY (address),
    CONSTRAINT ck_learned_senders_one_use CHECK (blocked = (company_id IS NULL)),
    CONSTRAINT fk_learned_senders_company_id FOREIGN KEY(company_id) REFERENCES companies (id),
    CONSTRAINT fk_learned_senders_message_id FOREIGN KEY(message_id) REFERENCES messages (id)
);
CREATE INDEX ix_learned_senders_company ON learned_senders (company_id);
CREATE INDEX ix_channels_mail ON channels (lower(address)) WHERE kind = 'email';

ALTER TABLE tasks DROP CONSTRAINT ck_tasks_kind;
ALTER TABLE tasks ADD CONSTRAINT ck_tasks_kind CHECK (kind IN (
    'assess', 'approve_letter', 'read_reply', 'choose_next_step', 'fix_channel',
    'confirm_company', 'file_complaint', 'answer_body', 'answer_company', 'offer_lapsing',
    'promise_broken', 'check_direct_payment', 'register_voucher', 'prepare_payout', 'fix_payout',
    'return_money', 'settle_effect', 'care', 'legal', 'incident', 'agency_late', 'limitation',
    'body_limit', 'call_consumer', 'poisoned_case', 'feed_silent', 'rate_missing', 'place_mail',
    'licence_ending'
));
-- A task of no case is one of its kind and key, too.
CREATE UNIQUE INDEX uq_tasks_open_caseless ON tasks (kind, key)
    WHERE state = 'open' AND case_id IS NULL;
