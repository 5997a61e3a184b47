-- What a mail seems to say (a suggestion, app/reading), and as what a person recorded it: where the
-- two differ, the next rules and training know better.
ALTER TABLE messages ADD COLUMN reading JSONB, ADD COLUMN read_as TEXT;
