-- What proves a signature: the hash of the text shown, whether we may begin before the time to
-- withdraw is over, and from where it came. Signatures of before have none of it.
ALTER TABLE mandates ADD COLUMN text_sha256 TEXT;
ALTER TABLE mandates ADD COLUMN start_asked_at TIMESTAMPTZ;
ALTER TABLE mandates ADD COLUMN proof JSONB;
