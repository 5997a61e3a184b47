-- What was promised on a phone call, and when we come back to it.
ALTER TABLE calls ADD COLUMN promise TEXT;
ALTER TABLE calls ADD COLUMN next_at TIMESTAMPTZ;
