-- Files whose pages made one statement are taken back together; a file that waited longer than its
-- term ends as forgotten.
ALTER TABLE bank_imports ADD COLUMN posted_with UUID;
ALTER TABLE bank_imports ADD CONSTRAINT fk_bank_imports_posted_with_bank_imports
    FOREIGN KEY (posted_with) REFERENCES bank_imports (id);
CREATE INDEX ix_bank_imports_posted_with ON bank_imports (posted_with)
    WHERE posted_with IS NOT NULL;
ALTER TABLE bank_imports DROP CONSTRAINT ck_bank_imports_state;
ALTER TABLE bank_imports ADD CONSTRAINT ck_bank_imports_state
    CHECK (state IN ('posted', 'waiting', 'notice', 'undone', 'forgotten'));
ALTER TABLE bank_imports DROP CONSTRAINT ck_bank_imports_held;
ALTER TABLE bank_imports ADD CONSTRAINT ck_bank_imports_held
    CHECK (held IS NULL OR state IN ('waiting', 'undone', 'forgotten'));
ALTER TABLE bank_imports ADD CONSTRAINT ck_bank_imports_posted_with
    CHECK (posted_with IS NULL OR state IN ('posted', 'undone'));
