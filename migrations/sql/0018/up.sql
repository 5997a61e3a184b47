-- One set of states for every file that somebody gave us, and its turn at the scanner.
ALTER TABLE attachments DROP CONSTRAINT ck_attachments_released_by_content;
ALTER TABLE attachments DROP CONSTRAINT ck_attachments_state;
UPDATE attachments SET state = CASE state WHEN 'released' THEN 'unscanned' ELSE 'rejected' END;
ALTER TABLE evidence DROP CONSTRAINT ck_evidence_state;
UPDATE evidence SET state = CASE WHEN state = 'quarantine' THEN 'quarantined'
    WHEN state = 'refused' OR scan = 'infected' THEN 'rejected'
    WHEN scan = 'clean' THEN 'clean' ELSE 'unscanned' END;
ALTER TABLE evidence DROP COLUMN scan;
ALTER TABLE attachments ADD CONSTRAINT ck_attachments_kind_known
    CHECK (state = 'rejected' OR media_type IS NOT NULL);
ALTER TABLE attachments ADD CONSTRAINT ck_attachments_state
    CHECK (state IN ('quarantined', 'clean', 'unscanned', 'rejected'));
ALTER TABLE attachments ADD COLUMN scan_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE attachments ADD COLUMN scan_tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attachments ADD COLUMN finding TEXT;
CREATE INDEX ix_attachments_screen ON attachments (scan_at) WHERE state = 'quarantined';
ALTER TABLE evidence ADD CONSTRAINT ck_evidence_state
    CHECK (state IN ('quarantined', 'clean', 'unscanned', 'rejected'));
ALTER TABLE evidence ADD COLUMN scan_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE evidence ADD COLUMN scan_tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE evidence ADD COLUMN finding TEXT;
CREATE INDEX ix_evidence_screen ON evidence (scan_at) WHERE state = 'quarantined';
