-- Papers of a case: statements of account, invoices, credit notes; their stored files.
CREATE TABLE case_papers (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    kind TEXT NOT NULL,
    claimant_id UUID,
    language TEXT,
    asked_by TEXT NOT NULL,
    asked_at TIMESTAMPTZ NOT NULL,
    made_at TIMESTAMPTZ,
    CONSTRAINT pk_case_papers PRIMARY KEY (id),
    CONSTRAINT fk_case_papers_case_id_cases FOREIGN KEY (case_id) REFERENCES cases (id),
    CONSTRAINT fk_case_papers_claimant_id_claimants FOREIGN KEY (claimant_id)
        REFERENCES claimants (id),
    CONSTRAINT ck_case_papers_kind CHECK (kind IN ('statement', 'invoice', 'credit_note', 'bundle'))
);
CREATE INDEX ix_case_papers_case ON case_papers (case_id, id);
CREATE TABLE case_paper_files (
    paper_id UUID NOT NULL,
    part BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    pages BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    file_name TEXT NOT NULL,
    CONSTRAINT pk_case_paper_files PRIMARY KEY (paper_id, part),
    CONSTRAINT fk_case_paper_files_paper_id_case_papers FOREIGN KEY (paper_id)
        REFERENCES case_papers (id),
    CONSTRAINT ck_case_paper_files_part CHECK (part >= 1),
    CONSTRAINT ck_case_paper_files_pages CHECK (pages >= 1),
    CONSTRAINT ck_case_paper_files_size CHECK (size_bytes >= 1)
);
CREATE TABLE proof_ties (
    case_id UUID NOT NULL,
    element TEXT NOT NULL,
    ref TEXT NOT NULL,
    tied_by TEXT NOT NULL,
    tied_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_proof_ties PRIMARY KEY (case_id, element, ref),
    CONSTRAINT fk_proof_ties_case_id_cases FOREIGN KEY (case_id) REFERENCES cases (id)
);
CREATE TABLE paper_classes (
    case_id UUID NOT NULL,
    ref TEXT NOT NULL,
    class TEXT,
    reason TEXT,
    set_by TEXT,
    set_at TIMESTAMPTZ,
    released_by TEXT,
    released_at TIMESTAMPTZ,
    release_reason TEXT,
    CONSTRAINT pk_paper_classes PRIMARY KEY (case_id, ref),
    CONSTRAINT fk_paper_classes_case_id_cases FOREIGN KEY (case_id) REFERENCES cases (id),
    CONSTRAINT ck_paper_classes_class
        CHECK (class IS NULL OR class IN ('open', 'negotiation', 'mediation', 'internal')),
    CONSTRAINT ck_paper_classes_released
        CHECK ((released_by IS NULL) = (released_at IS NULL)
               AND (released_by IS NULL) = (release_reason IS NULL))
);
