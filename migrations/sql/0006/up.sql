-- What a company is, how it hears an agent, which signature it takes.
ALTER TABLE companies
    ADD COLUMN kind TEXT,
    ADD COLUMN direct_first_days BIGINT,
    ADD COLUMN direct_first_source TEXT,
    ADD COLUMN mandate_level TEXT,
    ADD CONSTRAINT ck_companies_kind CHECK (kind IN ('business','public_body','private_person')),
    ADD CONSTRAINT ck_companies_mandate_level
        CHECK (mandate_level IN ('typed', 'drawn', 'qualified', 'wet_ink')),
    ADD CONSTRAINT ck_companies_direct_first_days CHECK (direct_first_days BETWEEN 1 AND 90),
    ADD CONSTRAINT ck_companies_direct_first
        CHECK ((direct_first_days IS NULL) = (direct_first_source IS NULL));
-- A person confirmed these by their number in a register of companies.
UPDATE companies SET kind = 'business' WHERE status = 'confirmed';

-- The gates as they stood when a person decided. Older decisions knew none.
ALTER TABLE assessments
    ADD COLUMN opponent_role TEXT,
    ADD COLUMN gates JSONB NOT NULL DEFAULT '[]';
ALTER TABLE assessments ALTER COLUMN gates DROP DEFAULT;

-- A licence, or the cover under it, comes to its end.
ALTER TABLE tasks DROP CONSTRAINT ck_tasks_kind;
ALTER TABLE tasks ADD CONSTRAINT ck_tasks_kind CHECK (kind IN (
    'assess', 'approve_letter', 'read_reply', 'choose_next_step', 'fix_channel',
    'confirm_company', 'file_complaint', 'answer_body', 'answer_company', 'offer_lapsing',
    'promise_broken', 'check_direct_payment', 'register_voucher', 'prepare_payout', 'fix_payout',
    'return_money', 'settle_effect', 'care', 'legal', 'incident', 'agency_late', 'limitation',
    'body_limit', 'call_consumer', 'poisoned_case', 'feed_silent', 'rate_missing',
    'licence_ending'
));
