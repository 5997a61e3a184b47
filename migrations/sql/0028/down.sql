DROP TRIGGER journal_txns_open_period ON journal_txns;
DROP FUNCTION ledger_refuse_closed();
ALTER TABLE journal_txns DROP CONSTRAINT ck_journal_txns_moved_on;
ALTER TABLE journal_txns DROP COLUMN original_on;
DROP TABLE ledger_periods;
DROP FUNCTION ledger_period_guard();
DROP TABLE book_entries;
DROP FUNCTION book_entry_guard();
ALTER TABLE recovery_lines DROP CONSTRAINT ck_recovery_lines_amount;
ALTER TABLE recovery_lines ADD CONSTRAINT ck_recovery_lines_amount CHECK (amount_minor > 0);
ALTER TABLE case_fees DROP CONSTRAINT ck_case_fees_waived_within_fee;
ALTER TABLE case_fees DROP COLUMN waived_minor;
ALTER TABLE ledger_accounts DISABLE TRIGGER ledger_accounts_append_only;
DELETE FROM ledger_accounts WHERE name IN (
    'C.STRIPE', 'C.TRANSIT', 'C.UNCLEARED', 'O.ERRORREC', 'O.OUTLAY', 'O.STRIPE', 'O.PARTNER',
    'O.OTHERINC', 'O.COMPENSATION', 'O.OUTLAYLOSS', 'O.PARTNERCOST');
ALTER TABLE ledger_accounts ENABLE TRIGGER ledger_accounts_append_only;
