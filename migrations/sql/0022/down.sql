ALTER TABLE mandates DROP COLUMN proof;
ALTER TABLE mandates DROP COLUMN start_asked_at;
ALTER TABLE mandates DROP COLUMN text_sha256;
