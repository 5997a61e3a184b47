-- What an order went through before its end: tries that never left, and an end nobody saw.
ALTER TABLE effects ADD COLUMN stumbles BIGINT DEFAULT '0' NOT NULL;
ALTER TABLE effects ADD COLUMN unseen_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE effects ADD CONSTRAINT ck_effects_stumbles CHECK (stumbles >= 0);
