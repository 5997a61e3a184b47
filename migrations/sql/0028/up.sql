-- Entries of finance: proposed by one person, approved by another. Months that close.
INSERT INTO ledger_accounts (name, number, title, book, kind, never_negative, cached) VALUES
  ('C.STRIPE', '1930', 'Stripe balance of clients', 'client', 'asset', true, true),
  ('C.TRANSIT', '1940', 'From Stripe to the bank', 'client', 'asset', true, true),
  ('C.UNCLEARED', '2115', 'Cheques not cleared', 'client', 'liability', true, true),
  ('O.ERRORREC', '1725', 'Receivable from our errors', 'own', 'asset', true, true),
  ('O.OUTLAY', '1730', 'Outlays at bodies and post', 'own', 'asset', true, true),
  ('O.STRIPE', '1935', 'Own Stripe balance', 'own', 'asset', false, true),
  ('O.PARTNER', '2720', 'Owed to partners', 'own', 'liability', true, true),
  ('O.OTHERINC', '3020', 'Other income', 'own', 'income', false, false),
  ('O.COMPENSATION', '4220', 'Compensation paid by us', 'own', 'expense', false, false),
  ('O.OUTLAYLOSS', '4230', 'Outlays written off', 'own', 'expense', false, false),
  ('O.PARTNERCOST', '4310', 'Partner share', 'own', 'expense', false, false);

ALTER TABLE case_fees ADD COLUMN waived_minor BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE case_fees ADD CONSTRAINT ck_case_fees_waived_within_fee
    CHECK (waived_minor BETWEEN 0 AND fee_minor);
-- Money taken back is a line below zero of its own source.
ALTER TABLE recovery_lines DROP CONSTRAINT ck_recovery_lines_amount;
ALTER TABLE recovery_lines ADD CONSTRAINT ck_recovery_lines_amount CHECK (amount_minor <> 0);

CREATE TABLE book_entries (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    names JSONB NOT NULL,
    vat_relief BOOLEAN NOT NULL,
    reason TEXT NOT NULL,
    case_id UUID,
    allocation_id UUID,
    consent_id UUID,
    made_by TEXT NOT NULL,
    made_at TIMESTAMPTZ NOT NULL,
    decided_by TEXT,
    decided_at TIMESTAMPTZ,
    note TEXT,
    told JSONB,
    CONSTRAINT pk_book_entries PRIMARY KEY (id),
    CONSTRAINT fk_book_entries_consent_id_messages FOREIGN KEY (consent_id) REFERENCES messages (id),
    CONSTRAINT fk_book_entries_allocation_id_allocations FOREIGN KEY (allocation_id)
        REFERENCES allocations (id),
    CONSTRAINT ck_book_entries_state CHECK (state IN ('proposed', 'approved', 'rejected')),
    CONSTRAINT ck_book_entries_amount CHECK (amount_minor > 0),
    CONSTRAINT ck_book_entries_decided
        CHECK ((state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)),
    CONSTRAINT ck_book_entries_four_eyes CHECK (state <> 'approved' OR decided_by <> made_by),
    CONSTRAINT ck_book_entries_separate_yes
        CHECK (kind <> 'outlay_charged' OR consent_id IS NOT NULL),
    CONSTRAINT ck_book_entries_told CHECK ((state = 'approved') = (told IS NOT NULL))
);
CREATE INDEX ix_book_entries_state ON book_entries (state, id);
CREATE INDEX ix_book_entries_case ON book_entries (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX ix_book_entries_allocation ON book_entries (allocation_id) WHERE allocation_id IS NOT NULL;
-- One yes charges once; an entry is taken back once.
CREATE UNIQUE INDEX uq_book_entries_consent ON book_entries (consent_id)
    WHERE consent_id IS NOT NULL AND state <> 'rejected';
CREATE UNIQUE INDEX uq_book_entries_reverses ON book_entries ((names ->> 'entry'))
    WHERE kind = 'entry_reversed' AND state <> 'rejected';

-- What was proposed is what is approved: only the decision is ever added.
CREATE FUNCTION book_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an entry is rejected, never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'proposed'
       OR (NEW.id, NEW.kind, NEW.amount_minor, NEW.currency, NEW.names, NEW.vat_relief, NEW.reason,
           NEW.case_id, NEW.allocation_id, NEW.consent_id, NEW.made_by, NEW.made_at)
       IS DISTINCT FROM
          (OLD.id, OLD.kind, OLD.amount_minor, OLD.currency, OLD.names, OLD.vat_relief, OLD.reason,
           OLD.case_id, OLD.allocation_id, OLD.consent_id, OLD.made_by, OLD.made_at)
    THEN
        RAISE EXCEPTION 'an entry is decided once and never changed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER book_entries_guard BEFORE UPDATE OR DELETE ON book_entries
    FOR EACH ROW EXECUTE FUNCTION book_entry_guard();

-- A month: soft closed (finance alone still posts), hard closed (nobody). `proof` is the
-- certificate as it was signed, `proof_sha256` the hash of the month's reports.
CREATE TABLE ledger_periods (
    month DATE NOT NULL,
    state TEXT NOT NULL,
    soft_by TEXT NOT NULL,
    soft_at TIMESTAMPTZ NOT NULL,
    hard_by TEXT,
    hard_at TIMESTAMPTZ,
    proof JSONB,
    proof_sha256 TEXT,
    CONSTRAINT pk_ledger_periods PRIMARY KEY (month),
    CONSTRAINT ck_ledger_periods_first_day CHECK (extract(day FROM month) = 1),
    CONSTRAINT ck_ledger_periods_state CHECK (state IN ('soft', 'hard')),
    CONSTRAINT ck_ledger_periods_hard
        CHECK ((state = 'hard') = (hard_by IS NOT NULL AND hard_at IS NOT NULL AND proof IS NOT NULL
                                   AND proof_sha256 IS NOT NULL)),
    CONSTRAINT ck_ledger_periods_four_eyes CHECK (state <> 'hard' OR hard_by <> soft_by)
);
CREATE FUNCTION ledger_period_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'hard' THEN
        RAISE EXCEPTION 'a month that is closed hard stays closed' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_periods_guard BEFORE UPDATE OR DELETE ON ledger_periods
    FOR EACH ROW EXECUTE FUNCTION ledger_period_guard();

-- A posting that belongs to a closed month counts for the first open day; `original_on` is its own.
ALTER TABLE journal_txns ADD COLUMN original_on DATE;
ALTER TABLE journal_txns ADD CONSTRAINT ck_journal_txns_moved_on
    CHECK (original_on IS NULL OR original_on < effective_on);

-- By statement, not by row: a large import looks once. Hard closes everything up to its month.
CREATE FUNCTION ledger_refuse_closed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE hard date;
BEGIN
    SELECT max(month) INTO hard FROM ledger_periods WHERE state = 'hard';
    IF hard IS NOT NULL
       AND EXISTS (SELECT FROM new_txns WHERE effective_on < hard + interval '1 month')
    THEN
        RAISE EXCEPTION 'the month % is closed', to_char(hard, 'YYYY-MM')
            USING ERRCODE = 'check_violation', CONSTRAINT = 'period_closed';
    END IF;
    IF EXISTS (SELECT FROM ledger_periods p WHERE p.state = 'soft' AND EXISTS (
        SELECT FROM new_txns t WHERE t.effective_on >= p.month
           AND t.effective_on < p.month + interval '1 month' AND t.actor NOT LIKE 'staff:%'))
    THEN
        RAISE EXCEPTION 'only finance posts into a month that is closed softly'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'period_closed';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_txns_open_period AFTER INSERT ON journal_txns
    REFERENCING NEW TABLE AS new_txns
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_closed();
