DROP INDEX ix_letters_sha256;
ALTER TABLE letter_versions DROP COLUMN rendered_sha256;
ALTER TABLE letter_versions DROP COLUMN sealed_at;
