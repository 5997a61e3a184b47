-- A company may choose one weekly list of its open claims.
ALTER TABLE companies ADD COLUMN claims_list_to TEXT;
