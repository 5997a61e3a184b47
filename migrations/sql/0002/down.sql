ALTER TABLE effects DROP COLUMN unseen_at;
ALTER TABLE effects DROP COLUMN stumbles;
