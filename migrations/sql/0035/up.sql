-- The links by which companies answer letters; of each token only its hash.
CREATE TABLE answer_links (
    token_hash BYTEA NOT NULL,
    letter_id UUID NOT NULL,
    language TEXT NOT NULL,
    made_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    answered BIGINT NOT NULL,
    CONSTRAINT pk_answer_links PRIMARY KEY (token_hash),
    CONSTRAINT fk_answer_links_letter_id_letters FOREIGN KEY (letter_id) REFERENCES letters (id),
    CONSTRAINT uq_answer_links_letter_id UNIQUE (letter_id),
    CONSTRAINT ck_answer_links_answered CHECK (answered >= 0)
);
