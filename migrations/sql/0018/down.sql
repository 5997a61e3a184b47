DROP INDEX ix_attachments_screen;
ALTER TABLE attachments DROP COLUMN finding;
ALTER TABLE attachments DROP COLUMN scan_tries;
ALTER TABLE attachments DROP COLUMN scan_at;
ALTER TABLE attachments DROP CONSTRAINT ck_attachments_state;
DROP INDEX ix_evidence_screen;
ALTER TABLE evidence DROP COLUMN finding;
ALTER TABLE evidence DROP COLUMN scan_tries;
ALTER TABLE evidence DROP COLUMN scan_at;
ALTER TABLE evidence DROP CONSTRAINT ck_evidence_state;
ALTER TABLE attachments DROP CONSTRAINT ck_attachments_kind_known;
ALTER TABLE evidence ADD COLUMN scan TEXT;
UPDATE evidence SET scan = CASE state WHEN 'clean' THEN 'clean'
    WHEN 'rejected' THEN 'infected' ELSE 'unscanned' END;
ALTER TABLE evidence ALTER COLUMN scan SET NOT NULL;
UPDATE evidence SET state = CASE state WHEN 'quarantined' THEN 'quarantine'
    WHEN 'rejected' THEN 'refused' ELSE 'released' END;
ALTER TABLE evidence ADD CONSTRAINT ck_evidence_state
    CHECK (state IN ('quarantine','released','refused'));
-- The older code serves whatever has a kind: what was found infected loses it.
UPDATE attachments SET media_type = NULL WHERE state IN ('rejected', 'quarantined');
UPDATE attachments SET state = CASE WHEN media_type IS NULL THEN 'quarantine' ELSE 'released' END;
ALTER TABLE attachments ADD CONSTRAINT ck_attachments_state
    CHECK (state IN ('quarantine', 'released'));
ALTER TABLE attachments ADD CONSTRAINT ck_attachments_released_by_content
    CHECK ((state = 'released') = (media_type IS NOT NULL));
