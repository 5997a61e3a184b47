-- Web forms of companies: what to copy where, and what a person filed there.
ALTER TABLE channels ADD COLUMN form JSONB NOT NULL DEFAULT '[]';
CREATE TABLE portal_filings (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    letter_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    ticket_number TEXT,
    screenshot_id UUID,
    filed_by TEXT NOT NULL,
    filed_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_portal_filings PRIMARY KEY (id),
    CONSTRAINT fk_portal_filings_case_id_cases FOREIGN KEY (case_id) REFERENCES cases (id),
    CONSTRAINT fk_portal_filings_channel_id_channels FOREIGN KEY (channel_id)
        REFERENCES channels (id),
    CONSTRAINT fk_portal_filings_screenshot_id_evidence FOREIGN KEY (screenshot_id)
        REFERENCES evidence (id),
    CONSTRAINT ck_portal_filings_proof
        CHECK (ticket_number IS NOT NULL OR screenshot_id IS NOT NULL)
);
CREATE INDEX ix_portal_filings_case ON portal_filings (case_id);
ALTER TABLE tasks DROP CONSTRAINT ck_tasks_kind;
ALTER TABLE tasks ADD CONSTRAINT ck_tasks_kind CHECK (kind IN (
    'assess', 'approve_letter', 'read_reply', 'choose_next_step', 'fix_channel',
    'confirm_company', 'file_complaint', 'answer_body', 'answer_company', 'offer_lapsing',
    'promise_broken', 'check_direct_payment', 'register_voucher', 'prepare_payout', 'fix_payout',
    'return_money', 'settle_effect', 'care', 'legal', 'incident', 'agency_late', 'limitation',
    'body_limit', 'call_consumer', 'poisoned_case', 'feed_silent', 'rate_missing', 'place_mail',
    'licence_ending',
    'release_mail',
    'complaint_about_us', 'insolvency_notice', 'direct_first',
    'file_at_portal'
));
