-- Whose a channel is, who vouches for it, and which one followed it.
ALTER TABLE channels
    ADD COLUMN for_whom TEXT,
    ADD COLUMN outsourced BOOLEAN,
    ADD COLUMN confirmed_by TEXT,
    ADD COLUMN successor_id UUID,
    ADD COLUMN last_error_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT fk_channels_successor_id FOREIGN KEY(successor_id) REFERENCES channels (id),
    -- A channel that is no longer used names what took its place, or nothing did.
    ADD CONSTRAINT ck_channels_successor
        CHECK (successor_id IS NULL OR health = 'retired' AND successor_id <> id);
CREATE INDEX ix_letters_delivered ON letters (delivered_at) WHERE delivered_at IS NOT NULL;
