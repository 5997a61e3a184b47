ALTER TABLE companies DROP COLUMN claims_list_to;
