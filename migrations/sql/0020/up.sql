-- One row for each file that somebody imported: it is posted, waits for what must come before it,
-- only informs, or was taken back.
CREATE TABLE bank_imports (
    id UUID NOT NULL,
    external_event_id UUID NOT NULL,
    state TEXT NOT NULL,
    heads JSONB NOT NULL,
    held JSONB,
    made_by TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    undone_by TEXT,
    undone_at TIMESTAMP WITH TIME ZONE,
    undo_reason TEXT,
    CONSTRAINT pk_bank_imports PRIMARY KEY (id),
    CONSTRAINT ck_bank_imports_state CHECK (state IN ('posted', 'waiting', 'notice', 'undone')),
    CONSTRAINT ck_bank_imports_undone CHECK ((state = 'undone') = (undone_at IS NOT NULL)
        AND (undone_at IS NULL) = (undone_by IS NULL)
        AND (undone_at IS NULL) = (undo_reason IS NULL)),
    CONSTRAINT ck_bank_imports_held CHECK (held IS NULL OR state IN ('waiting', 'undone')),
    CONSTRAINT fk_bank_imports_external_event_id FOREIGN KEY (external_event_id)
        REFERENCES external_events (id)
);
CREATE UNIQUE INDEX uq_bank_imports_live ON bank_imports (external_event_id)
    WHERE undone_at IS NULL;
CREATE INDEX ix_bank_imports_waiting ON bank_imports (id) WHERE state = 'waiting';

-- Files are kept packed: a large day of XML shrinks to a tenth.
ALTER TABLE external_events ADD COLUMN packing TEXT NOT NULL DEFAULT 'none';
ALTER TABLE external_events ALTER COLUMN packing DROP DEFAULT;
ALTER TABLE external_events ADD CONSTRAINT ck_external_events_packing
    CHECK (packing IN ('none', 'zlib'));

ALTER TABLE bank_statements ADD COLUMN import_id UUID;
ALTER TABLE bank_statements ADD COLUMN undone_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE bank_statements ADD CONSTRAINT fk_bank_statements_import_id
    FOREIGN KEY (import_id) REFERENCES bank_imports (id);
CREATE INDEX ix_bank_statements_import_id ON bank_statements (import_id);
ALTER TABLE movements ADD COLUMN value_on DATE;
ALTER TABLE movements ADD COLUMN reversal BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE movements ALTER COLUMN reversal DROP DEFAULT;
ALTER TABLE movements ADD COLUMN code TEXT;
ALTER TABLE movements ADD COLUMN instructed_minor BIGINT;
ALTER TABLE movements ADD COLUMN instructed_currency TEXT;
ALTER TABLE movements ADD COLUMN undone_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE movements ADD CONSTRAINT ck_movements_instructed
    CHECK ((instructed_minor IS NULL) = (instructed_currency IS NULL));

-- What was taken back leaves its place: the same file may come again.
ALTER TABLE bank_statements DROP CONSTRAINT uq_bank_statements_bank_account_id_ident;
ALTER TABLE bank_statements DROP CONSTRAINT uq_bank_statements_bank_account_id_position;
ALTER TABLE movements DROP CONSTRAINT uq_movements_bank_account_id_entry_key;
CREATE UNIQUE INDEX uq_bank_statements_ident ON bank_statements (bank_account_id, ident)
    WHERE undone_at IS NULL;
CREATE UNIQUE INDEX uq_bank_statements_position ON bank_statements (bank_account_id, position)
    WHERE undone_at IS NULL;
CREATE UNIQUE INDEX uq_movements_entry_key ON movements (bank_account_id, entry_key)
    WHERE undone_at IS NULL;

-- Append-only but for the mark that they were taken back, which is set once and never lifted.
CREATE FUNCTION bank_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.undone_at IS NOT NULL OR NEW.undone_at IS NULL
       OR to_jsonb(OLD) - 'undone_at' <> to_jsonb(NEW) - 'undone_at' THEN
        RAISE EXCEPTION '% is append-only: a correction is a new row', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER bank_statements_append_only ON bank_statements;
DROP TRIGGER movements_append_only ON movements;
CREATE TRIGGER bank_statements_append_only BEFORE DELETE OR TRUNCATE ON bank_statements
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER movements_append_only BEFORE DELETE OR TRUNCATE ON movements
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER bank_statements_undone_only BEFORE UPDATE ON bank_statements
    FOR EACH ROW EXECUTE FUNCTION bank_refuse_change();
CREATE TRIGGER movements_undone_only BEFORE UPDATE ON movements
    FOR EACH ROW EXECUTE FUNCTION bank_refuse_change();
CREATE TRIGGER bank_imports_kept BEFORE DELETE OR TRUNCATE ON bank_imports
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
