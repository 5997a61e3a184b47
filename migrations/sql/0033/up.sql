-- Batches that the bank's notices (camt.054) itemise, by the key their booking has on a statement.
CREATE TABLE notice_entries (
    import_id UUID NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    entry TEXT NOT NULL,
    CONSTRAINT pk_notice_entries PRIMARY KEY (import_id, account, currency, entry),
    CONSTRAINT fk_notice_entries_import_id_bank_imports FOREIGN KEY (import_id)
        REFERENCES bank_imports (id)
);
CREATE INDEX ix_notice_entries_entry ON notice_entries (account, currency, entry);
