ALTER TABLE bank_accounts DROP COLUMN opening_minor;
ALTER TABLE bank_accounts DROP COLUMN opening_movement_id;
