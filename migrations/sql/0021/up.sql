-- The seal of a letter, and finding a letter by the hash of its bytes.
ALTER TABLE letter_versions ADD COLUMN sealed_at TIMESTAMPTZ;
ALTER TABLE letter_versions ADD COLUMN rendered_sha256 TEXT;
CREATE INDEX ix_letters_sha256 ON letters (sha256) WHERE sha256 IS NOT NULL;
