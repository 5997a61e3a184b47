DROP INDEX ix_letters_delivered;
ALTER TABLE channels
    DROP COLUMN last_error_at, DROP COLUMN successor_id, DROP COLUMN confirmed_by,
    DROP COLUMN outsourced, DROP COLUMN for_whom;
