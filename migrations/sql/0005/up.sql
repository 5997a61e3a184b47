-- What the law's files said of a case when a person decided about it: kept as it was shown.
CREATE TABLE findings (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    shown_to TEXT NOT NULL,
    law TEXT NOT NULL,
    playbook TEXT NOT NULL,
    eligible TEXT NOT NULL,
    grounds JSONB NOT NULL,
    body JSONB NOT NULL,
    CONSTRAINT pk_findings PRIMARY KEY (id),
    CONSTRAINT ck_findings_eligible CHECK (eligible IN ('yes','no','unclear','needs_info')),
    CONSTRAINT fk_findings_case_id FOREIGN KEY(case_id) REFERENCES cases (id)
);
CREATE INDEX ix_findings_case ON findings (case_id, id);
CREATE OR REPLACE TRIGGER findings_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON findings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The last days of bodies are watched like the claim's own.
ALTER TABLE case_timers DROP CONSTRAINT ck_case_timers_kind;
ALTER TABLE case_timers ADD CONSTRAINT ck_case_timers_kind CHECK (kind IN (
    'deadline', 'nudge', 'heartbeat', 'question_due', 'offer_warning', 'offer_expiry',
    'promise_due', 'hold_end', 'body_status', 'agency_late', 'limitation', 'body_limit'
));
ALTER TABLE tasks DROP CONSTRAINT ck_tasks_kind;
ALTER TABLE tasks ADD CONSTRAINT ck_tasks_kind CHECK (kind IN (
    'assess', 'approve_letter', 'read_reply', 'choose_next_step', 'fix_channel',
    'confirm_company', 'file_complaint', 'answer_body', 'answer_company', 'offer_lapsing',
    'promise_broken', 'check_direct_payment', 'register_voucher', 'prepare_payout', 'fix_payout',
    'return_money', 'settle_effect', 'care', 'legal', 'incident', 'agency_late', 'limitation',
    'body_limit', 'call_consumer', 'poisoned_case', 'feed_silent', 'rate_missing'
));
