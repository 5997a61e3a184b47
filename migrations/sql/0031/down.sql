DROP INDEX ix_inbound_clear;
ALTER TABLE inbound DROP COLUMN raw_sealed;
