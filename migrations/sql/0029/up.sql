-- The signed mandate as a document: its bytes lie in the store under their hash.
CREATE TABLE mandate_documents (
    mandate_id UUID NOT NULL,
    sha256 TEXT NOT NULL,
    rendered_sha256 TEXT NOT NULL,
    sealed_at TIMESTAMPTZ,
    pages BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    language TEXT NOT NULL,
    made_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_mandate_documents PRIMARY KEY (mandate_id),
    CONSTRAINT fk_mandate_documents_mandate_id FOREIGN KEY (mandate_id) REFERENCES mandates (id)
);
CREATE OR REPLACE TRIGGER mandate_documents_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON mandate_documents
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
