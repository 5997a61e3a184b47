-- How strong a signature is, until when it stands, who signed for whom, and where originals lie.
ALTER TABLE claimants ADD COLUMN level TEXT NOT NULL DEFAULT 'typed';
ALTER TABLE claimants ADD COLUMN valid_until DATE;
ALTER TABLE claimants ADD CONSTRAINT ck_claimants_level
    CHECK (level IN ('typed', 'drawn', 'qualified', 'wet_ink'));
ALTER TABLE claimants DROP CONSTRAINT ck_claimants_mandate;
ALTER TABLE claimants ADD CONSTRAINT ck_claimants_mandate
    CHECK (mandate IN ('none', 'signed', 'revoked', 'expired'));
UPDATE claimants p SET level = m.level FROM mandates m WHERE m.id = p.mandate_id;
ALTER TABLE case_timers DROP CONSTRAINT ck_case_timers_kind;
ALTER TABLE case_timers ADD CONSTRAINT ck_case_timers_kind CHECK (kind IN (
    'deadline', 'nudge', 'heartbeat', 'question_due', 'offer_warning', 'offer_expiry',
    'promise_due', 'hold_end', 'body_status', 'agency_late', 'limitation', 'body_limit',
    'withdrawal_end', 'mandate_end'
));
ALTER TABLE mandates ADD COLUMN drawing TEXT;
ALTER TABLE mandates ADD COLUMN valid_until DATE;
ALTER TABLE mandates ADD COLUMN evidence_id UUID;
ALTER TABLE mandates ADD CONSTRAINT fk_mandates_evidence_id
    FOREIGN KEY (evidence_id) REFERENCES evidence (id);
CREATE TABLE mandate_signers (
    mandate_id UUID NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    relation TEXT,
    evidence_id UUID,
    scope TEXT[] NOT NULL,
    valid_until DATE,
    CONSTRAINT pk_mandate_signers PRIMARY KEY (mandate_id),
    CONSTRAINT ck_mandate_signers_role CHECK (role IN ('guardian', 'proxy')),
    CONSTRAINT ck_mandate_signers_proof
        CHECK (role = 'guardian' OR (evidence_id IS NOT NULL AND valid_until IS NOT NULL)),
    CONSTRAINT fk_mandate_signers_mandate_id FOREIGN KEY (mandate_id) REFERENCES mandates (id),
    CONSTRAINT fk_mandate_signers_evidence_id FOREIGN KEY (evidence_id) REFERENCES evidence (id)
);
CREATE OR REPLACE TRIGGER mandate_signers_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON mandate_signers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TABLE mandate_originals (
    id UUID NOT NULL,
    mandate_id UUID NOT NULL,
    what TEXT NOT NULL,
    happened_on DATE NOT NULL,
    place TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_mandate_originals PRIMARY KEY (id),
    CONSTRAINT ck_mandate_originals_what CHECK (what IN ('received', 'kept', 'sent', 'returned')),
    CONSTRAINT fk_mandate_originals_mandate_id FOREIGN KEY (mandate_id) REFERENCES mandates (id)
);
CREATE INDEX ix_mandate_originals_mandate ON mandate_originals (mandate_id, id);
CREATE OR REPLACE TRIGGER mandate_originals_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON mandate_originals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
