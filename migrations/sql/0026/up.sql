-- Who signed without asking us to begin waits for themself alone; a later request to begin is kept
-- apart, as it was shown.
ALTER TABLE claimants ADD COLUMN waits_until TIMESTAMPTZ;
ALTER TABLE case_timers DROP CONSTRAINT ck_case_timers_kind;
ALTER TABLE case_timers ADD CONSTRAINT ck_case_timers_kind CHECK (kind IN (
    'deadline', 'nudge', 'heartbeat', 'question_due', 'offer_warning', 'offer_expiry',
    'promise_due', 'hold_end', 'body_status', 'agency_late', 'limitation', 'body_limit',
    'withdrawal_end'
));
CREATE TABLE mandate_starts (
    id UUID NOT NULL,
    mandate_id UUID NOT NULL,
    asked_at TIMESTAMPTZ NOT NULL,
    asked_by TEXT NOT NULL,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    text_sha256 TEXT NOT NULL,
    proof JSONB NOT NULL,
    CONSTRAINT pk_mandate_starts PRIMARY KEY (id),
    CONSTRAINT uq_mandate_starts_mandate_id UNIQUE (mandate_id),
    CONSTRAINT fk_mandate_starts_mandate_id FOREIGN KEY (mandate_id) REFERENCES mandates (id)
);
CREATE OR REPLACE TRIGGER mandate_starts_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON mandate_starts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
