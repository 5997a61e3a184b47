-- What is sealed cannot be put back in clear by the database: it is removed.
ALTER TABLE letter_versions ADD COLUMN content JSONB NOT NULL DEFAULT '{}';
ALTER TABLE letter_versions ALTER COLUMN content DROP DEFAULT;
UPDATE letter_versions SET content = jsonb_build_object('deadline', deadline)
 WHERE deadline IS NOT NULL;
ALTER TABLE letter_versions DROP COLUMN content_cipher;
ALTER TABLE letter_versions DROP COLUMN sealed_for;
ALTER TABLE letter_versions DROP COLUMN deadline;

ALTER TABLE messages DROP COLUMN to_consumer_id;
ALTER TABLE messages DROP COLUMN to_cipher;

ALTER TABLE external_events ADD COLUMN raw BYTEA NOT NULL DEFAULT '\x';
ALTER TABLE external_events ALTER COLUMN raw DROP DEFAULT;
ALTER TABLE external_events DROP COLUMN raw_cipher;

ALTER TABLE movements ADD COLUMN payer_account TEXT;
ALTER TABLE movements DROP COLUMN payer_account_masked;
ALTER TABLE movements DROP COLUMN payer_account_cipher;
