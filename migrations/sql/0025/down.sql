ALTER TABLE bank_imports DROP CONSTRAINT ck_bank_imports_posted_with;
ALTER TABLE bank_imports DROP CONSTRAINT ck_bank_imports_held;
UPDATE bank_imports SET state = 'undone', undone_by = 'system', undone_at = made_at,
    undo_reason = 'its file was forgotten after its term' WHERE state = 'forgotten';
ALTER TABLE bank_imports ADD CONSTRAINT ck_bank_imports_held
    CHECK (held IS NULL OR state IN ('waiting', 'undone'));
ALTER TABLE bank_imports DROP CONSTRAINT ck_bank_imports_state;
ALTER TABLE bank_imports ADD CONSTRAINT ck_bank_imports_state
    CHECK (state IN ('posted', 'waiting', 'notice', 'undone'));
DROP INDEX ix_bank_imports_posted_with;
ALTER TABLE bank_imports DROP COLUMN posted_with;
