-- What stood on a client account before its first statement, as a person recorded it. The money is
-- a movement of its own, unallocated until finance knows whose it is.
ALTER TABLE bank_accounts ADD COLUMN opening_minor BIGINT;
ALTER TABLE bank_accounts ADD COLUMN opening_movement_id UUID;
ALTER TABLE bank_accounts ADD CONSTRAINT ck_bank_accounts_opening CHECK (
    (opening_minor IS NULL) = (opening_movement_id IS NULL)
    AND (opening_minor IS NULL OR opening_minor > 0 AND book = 'client')
);
