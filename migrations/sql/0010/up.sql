-- Cases belong to the app; keys come and go. Until now every key was an app of its own, and its id
-- stands in `cases.source` as the app's.
ALTER TABLE api_keys ADD COLUMN app_id UUID;
UPDATE api_keys SET app_id = id;
ALTER TABLE api_keys ALTER COLUMN app_id SET NOT NULL;
CREATE INDEX ix_api_keys_app_id ON api_keys (app_id);

-- People are found by any word of their name, not by its beginning alone.
CREATE INDEX ix_consumers_words ON consumers USING gin (to_tsvector('simple'::regconfig, name));
