DROP TABLE letter_details;
DROP INDEX uq_letters_topic;
ALTER TABLE letters DROP CONSTRAINT ck_letters_kind;
ALTER TABLE letters ADD CONSTRAINT ck_letters_kind CHECK (kind IN ('contact', 'reminder', 'formal_notice', 'complaint')) NOT VALID;
ALTER TABLE letters DROP COLUMN topic;
