ALTER TABLE messages DROP COLUMN read_as, DROP COLUMN reading;
