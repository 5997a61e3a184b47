-- Matching: receipts that wait for the cascade, what it made of each, and learned payers' accounts.
CREATE TABLE match_queue (
    movement_id UUID NOT NULL,
    CONSTRAINT pk_match_queue PRIMARY KEY (movement_id),
    CONSTRAINT fk_match_queue_movement_id_movements FOREIGN KEY (movement_id)
        REFERENCES movements (id) ON DELETE CASCADE
);
CREATE TABLE match_outcomes (
    movement_id UUID NOT NULL,
    rules TEXT NOT NULL,
    outcome TEXT NOT NULL,
    step TEXT,
    reason TEXT,
    score BIGINT NOT NULL,
    minor BIGINT NOT NULL,
    decided_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_match_outcomes PRIMARY KEY (movement_id),
    CONSTRAINT fk_match_outcomes_movement_id_movements FOREIGN KEY (movement_id)
        REFERENCES movements (id) ON DELETE CASCADE,
    CONSTRAINT ck_match_outcomes_outcome
        CHECK (outcome IN ('confirmed','suggested','nothing','not_taken')),
    CONSTRAINT ck_match_outcomes_minor CHECK (minor >= 0)
);
CREATE INDEX ix_match_outcomes_decided ON match_outcomes (decided_at);
CREATE TABLE payer_links (
    account_index BYTEA NOT NULL,
    company TEXT NOT NULL,
    allocation_id UUID NOT NULL,
    learned_by TEXT NOT NULL,
    learned_at TIMESTAMPTZ NOT NULL,
    expires_on DATE NOT NULL,
    CONSTRAINT pk_payer_links PRIMARY KEY (account_index, company)
);
CREATE INDEX ix_payer_links_allocation ON payer_links (allocation_id);
CREATE INDEX ix_movements_booked ON movements (booked_on, bank_account_id);
CREATE INDEX ix_journal_txns_effective ON journal_txns (effective_on, id);
CREATE INDEX ix_commission_invoices_issued ON commission_invoices (issued_on);
