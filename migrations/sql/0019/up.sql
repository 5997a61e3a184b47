-- What became of an outgoing mail (RFC 3464), the pace of mails per domain, letters behind links.
ALTER TABLE messages DROP CONSTRAINT ck_messages_state;
ALTER TABLE messages ADD CONSTRAINT ck_messages_state CHECK
    (state IN ('unread','read','set_aside','pen','quarantine','not_ours','sent','deferred',
     'delivered','bounced'));
ALTER TABLE messages ADD COLUMN delivery_status TEXT;
CREATE INDEX ix_messages_effect ON messages (effect_id) WHERE effect_id IS NOT NULL;
CREATE TABLE mail_pace (
    domain TEXT NOT NULL,
    mark DOUBLE PRECISION NOT NULL,
    CONSTRAINT pk_mail_pace PRIMARY KEY (domain)
);
CREATE TABLE document_links (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    letter_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    sha256 TEXT NOT NULL,
    file_name TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    made_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ,
    revoked_by TEXT,
    opened BIGINT NOT NULL,
    last_opened_at TIMESTAMPTZ,
    CONSTRAINT pk_document_links PRIMARY KEY (id),
    CONSTRAINT uq_document_links_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_document_links_opened CHECK (opened >= 0),
    CONSTRAINT fk_document_links_case_id FOREIGN KEY (case_id) REFERENCES cases (id)
);
CREATE INDEX ix_document_links_case ON document_links (case_id, id);
