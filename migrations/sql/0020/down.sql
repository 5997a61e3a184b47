DROP TRIGGER bank_statements_undone_only ON bank_statements;
DROP TRIGGER movements_undone_only ON movements;
DROP TRIGGER bank_statements_append_only ON bank_statements;
DROP TRIGGER movements_append_only ON movements;
DROP FUNCTION bank_refuse_change();
CREATE TRIGGER bank_statements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_statements
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movements
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
DROP INDEX uq_movements_entry_key;
DROP INDEX uq_bank_statements_position;
DROP INDEX uq_bank_statements_ident;
ALTER TABLE movements ADD CONSTRAINT uq_movements_bank_account_id_entry_key
    UNIQUE (bank_account_id, entry_key);
ALTER TABLE bank_statements ADD CONSTRAINT uq_bank_statements_bank_account_id_position
    UNIQUE (bank_account_id, position);
ALTER TABLE bank_statements ADD CONSTRAINT uq_bank_statements_bank_account_id_ident
    UNIQUE (bank_account_id, ident);
ALTER TABLE movements DROP COLUMN undone_at, DROP COLUMN instructed_currency,
    DROP COLUMN instructed_minor, DROP COLUMN code, DROP COLUMN reversal, DROP COLUMN value_on;
ALTER TABLE bank_statements DROP COLUMN undone_at, DROP COLUMN import_id;
ALTER TABLE external_events DROP COLUMN packing;
DROP TABLE bank_imports;
