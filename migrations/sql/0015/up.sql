-- What hung on an incoming mail. It belongs to the mail, so every message made of it shows it.
CREATE TABLE attachments (
    id UUID NOT NULL,
    inbound_id UUID NOT NULL,
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    declared_type TEXT NOT NULL,
    media_type TEXT,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL,
    CONSTRAINT pk_attachments PRIMARY KEY (id),
    CONSTRAINT uq_attachments_inbound_id_position UNIQUE (inbound_id, position),
    CONSTRAINT ck_attachments_state CHECK (state IN ('quarantine', 'released')),
    CONSTRAINT ck_attachments_released_by_content CHECK
        ((state = 'released') = (media_type IS NOT NULL)),
    CONSTRAINT fk_attachments_inbound_id FOREIGN KEY (inbound_id) REFERENCES inbound (id)
);
CREATE INDEX ix_messages_inbound ON messages (inbound_id);
