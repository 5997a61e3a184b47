DROP INDEX ix_consumers_words;
ALTER TABLE api_keys DROP COLUMN app_id;
