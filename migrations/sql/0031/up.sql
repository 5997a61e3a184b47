-- Raw mails are sealed under a key of their own; those from before lie in the clear and say so.
ALTER TABLE inbound ADD COLUMN raw_sealed BOOLEAN DEFAULT false NOT NULL;
CREATE INDEX ix_inbound_clear ON inbound (id) WHERE NOT raw_sealed AND raw <> ''::bytea;
