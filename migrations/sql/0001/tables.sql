-- The tables of the first release, as the classes of app/tables described them on that day.
-- Never edited: a change is a new revision.

CREATE TABLE bank_accounts (
    id UUID NOT NULL,
    book TEXT NOT NULL,
    holder TEXT NOT NULL,
    number TEXT NOT NULL,
    bic TEXT,
    currency TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_bank_accounts PRIMARY KEY (id),
    CONSTRAINT uq_bank_accounts_number_currency UNIQUE (number, currency),
    CONSTRAINT ck_bank_accounts_book CHECK (book IN ('client', 'own'))
);


CREATE TABLE external_events (
    id UUID NOT NULL,
    provider TEXT NOT NULL,
    external_id TEXT NOT NULL,
    raw BYTEA NOT NULL,
    sha256 TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_external_events PRIMARY KEY (id),
    CONSTRAINT uq_external_events_provider_external_id UNIQUE (provider, external_id)
);


CREATE TABLE recovery_lines (
    source_id UUID NOT NULL,
    item_id UUID NOT NULL,
    case_id UUID NOT NULL,
    claimant_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    earns_fee BOOLEAN NOT NULL,
    in_basis BOOLEAN NOT NULL,
    CONSTRAINT pk_recovery_lines PRIMARY KEY (source_id, item_id),
    CONSTRAINT ck_recovery_lines_amount CHECK (amount_minor > 0),
    CONSTRAINT ck_recovery_lines_basis CHECK (earns_fee OR NOT in_basis)
);

CREATE INDEX ix_recovery_lines_case_id ON recovery_lines (case_id);

CREATE TABLE direct_recoveries (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    fee_reason TEXT NOT NULL,
    fee_rule JSONB NOT NULL,
    content_hash TEXT NOT NULL,
    paid_on DATE NOT NULL,
    recorded_by TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_direct_recoveries PRIMARY KEY (id),
    CONSTRAINT ck_direct_recoveries_amount CHECK (amount_minor > 0)
);


CREATE TABLE parked_events (
    id UUID NOT NULL,
    case_id UUID,
    name TEXT NOT NULL,
    payload JSONB NOT NULL,
    cause TEXT NOT NULL,
    parked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_parked_events PRIMARY KEY (id)
);


CREATE TABLE inbound (
    id UUID NOT NULL,
    provider TEXT NOT NULL,
    external_id TEXT NOT NULL,
    raw BYTEA NOT NULL,
    sha256 TEXT NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    cause TEXT,
    envelope_to TEXT,
    envelope_from TEXT,
    CONSTRAINT pk_inbound PRIMARY KEY (id),
    CONSTRAINT ck_inbound_state CHECK (state IN ('stored','done','parked')),
    CONSTRAINT uq_inbound_provider_external_id UNIQUE (provider, external_id)
);

CREATE INDEX ix_inbound_todo ON inbound (stored_at, id) WHERE state = 'stored';

CREATE TABLE effects (
    id UUID NOT NULL,
    stream TEXT NOT NULL,
    case_id UUID,
    lane TEXT NOT NULL,
    kind TEXT NOT NULL,
    version BIGINT NOT NULL,
    business_key TEXT NOT NULL,
    payload JSONB NOT NULL,
    state TEXT DEFAULT 'planned' NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE NOT NULL,
    staged_at TIMESTAMP WITH TIME ZONE NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    lease_epoch BIGINT DEFAULT '0' NOT NULL,
    attempts BIGINT DEFAULT '0' NOT NULL,
    dispatched_at TIMESTAMP WITH TIME ZONE,
    settled_at TIMESTAMP WITH TIME ZONE,
    provider TEXT,
    provider_ref TEXT,
    cause TEXT,
    CONSTRAINT pk_effects PRIMARY KEY (id),
    CONSTRAINT ck_effects_state CHECK (state IN ('planned', 'sending', 'done', 'superseded', 'failed', 'unknown', 'parked')),
    CONSTRAINT ck_effects_lane CHECK (lane IN ('company', 'consumer', 'money', 'render')),
    CONSTRAINT ck_effects_lease CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
    CONSTRAINT uq_effects_business_key UNIQUE (business_key),
    CONSTRAINT uq_effects_provider_provider_ref UNIQUE (provider, provider_ref)
);

CREATE INDEX ix_effects_case ON effects (case_id, id);
CREATE INDEX ix_effects_lane ON effects (stream, lane, id) WHERE state IN ('planned','sending','unknown');
CREATE INDEX ix_effects_lease ON effects (lease_until) WHERE state = 'sending';
CREATE INDEX ix_effects_people ON effects (state, id) WHERE state IN ('unknown','parked','failed');
CREATE INDEX ix_effects_planned ON effects (not_before, id) WHERE state = 'planned';
CREATE UNIQUE INDEX uq_effects_sending ON effects (stream, lane) WHERE state = 'sending';

CREATE TABLE effect_attempts (
    id BIGSERIAL NOT NULL,
    effect_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    worker TEXT NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_effect_attempts PRIMARY KEY (id)
);

CREATE INDEX ix_effect_attempts_effect ON effect_attempts (effect_id, id);

CREATE TABLE ledger_accounts (
    name TEXT NOT NULL,
    number TEXT NOT NULL,
    title TEXT NOT NULL,
    book TEXT NOT NULL,
    kind TEXT NOT NULL,
    never_negative BOOLEAN NOT NULL,
    cached BOOLEAN NOT NULL,
    CONSTRAINT pk_ledger_accounts PRIMARY KEY (name),
    CONSTRAINT ck_ledger_accounts_book CHECK (book IN ('client', 'own')),
    CONSTRAINT ck_ledger_accounts_kind CHECK (kind IN ('asset', 'liability', 'income', 'expense')),
    CONSTRAINT ck_ledger_accounts_guarded_is_cached CHECK (cached OR NOT never_negative),
    CONSTRAINT uq_ledger_accounts_number UNIQUE (number)
);


CREATE TABLE journal_txns (
    id UUID NOT NULL,
    linked_group UUID NOT NULL,
    book TEXT NOT NULL,
    currency TEXT NOT NULL,
    kind TEXT NOT NULL,
    event_key TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    effective_on DATE NOT NULL,
    posted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    leg_count BIGINT NOT NULL,
    total_minor BIGINT NOT NULL,
    reverses_id UUID,
    case_id UUID,
    actor TEXT NOT NULL,
    rule_version TEXT NOT NULL,
    CONSTRAINT pk_journal_txns PRIMARY KEY (id),
    CONSTRAINT uq_journal_txns_event_key_book UNIQUE (event_key, book),
    CONSTRAINT uq_journal_txns_reverses_id UNIQUE (reverses_id),
    CONSTRAINT ck_journal_txns_book CHECK (book IN ('client', 'own')),
    CONSTRAINT ck_journal_txns_currency CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT ck_journal_txns_two_legs CHECK (leg_count >= 2),
    CONSTRAINT ck_journal_txns_moves_money CHECK (total_minor > 0),
    CONSTRAINT ck_journal_txns_not_itself CHECK (reverses_id IS NULL OR reverses_id <> id),
    CONSTRAINT ck_journal_txns_event_key_length CHECK (length(event_key) BETWEEN 1 AND 200),
    CONSTRAINT fk_journal_txns_reverses_id FOREIGN KEY(reverses_id) REFERENCES journal_txns (id)
);

CREATE INDEX ix_journal_txns_case_id ON journal_txns (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX ix_journal_txns_linked_group ON journal_txns (linked_group);

CREATE TABLE case_fees (
    case_id UUID NOT NULL,
    currency TEXT NOT NULL,
    recovered_minor BIGINT NOT NULL,
    basis_minor BIGINT NOT NULL,
    fee_minor BIGINT NOT NULL,
    CONSTRAINT pk_case_fees PRIMARY KEY (case_id),
    CONSTRAINT ck_case_fees_fee_within_basis CHECK (fee_minor BETWEEN 0 AND basis_minor),
    CONSTRAINT ck_case_fees_basis_within_recovered CHECK (basis_minor <= recovered_minor)
);


CREATE TABLE invoice_series (
    series TEXT NOT NULL,
    next_number BIGINT NOT NULL,
    CONSTRAINT pk_invoice_series PRIMARY KEY (series),
    CONSTRAINT ck_invoice_series_from_one CHECK (next_number >= 1)
);


CREATE TABLE commission_invoices (
    id UUID NOT NULL,
    series TEXT NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    mode TEXT NOT NULL,
    case_id UUID NOT NULL,
    claimant_id UUID NOT NULL,
    source_id UUID NOT NULL,
    corrects_id UUID,
    currency TEXT NOT NULL,
    gross_minor BIGINT NOT NULL,
    net_minor BIGINT NOT NULL,
    vat_minor BIGINT NOT NULL,
    vat_bp BIGINT NOT NULL,
    fee_rule TEXT NOT NULL,
    issued_on DATE NOT NULL,
    CONSTRAINT pk_commission_invoices PRIMARY KEY (id),
    CONSTRAINT uq_commission_invoices_series_number UNIQUE (series, number),
    CONSTRAINT ck_commission_invoices_kind CHECK (kind IN ('invoice', 'credit_note')),
    CONSTRAINT ck_commission_invoices_mode CHECK (mode IN ('deducted', 'receivable')),
    CONSTRAINT ck_commission_invoices_adds_up CHECK (net_minor + vat_minor = gross_minor),
    CONSTRAINT ck_commission_invoices_sign CHECK ((kind = 'invoice' AND gross_minor > 0 AND vat_minor >= 0 AND net_minor >= 0) OR (kind = 'credit_note' AND gross_minor < 0 AND vat_minor <= 0 AND net_minor <= 0)),
    CONSTRAINT fk_commission_invoices_corrects_id FOREIGN KEY(corrects_id) REFERENCES commission_invoices (id)
);

CREATE INDEX ix_commission_invoices_case_id ON commission_invoices (case_id);

CREATE TABLE payout_accounts (
    id UUID NOT NULL,
    consumer_id UUID NOT NULL,
    version BIGINT NOT NULL,
    rail TEXT NOT NULL,
    country TEXT NOT NULL,
    currency TEXT NOT NULL,
    iban_cipher BYTEA NOT NULL,
    iban_index BYTEA,
    iban_last4 TEXT,
    holder_cipher BYTEA NOT NULL,
    added_by TEXT NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    usable_from TIMESTAMP WITH TIME ZONE NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_payout_accounts PRIMARY KEY (id),
    CONSTRAINT ck_payout_accounts_rail CHECK (rail IN ('sepa', 'gb', 'us', 'other')),
    CONSTRAINT ck_payout_accounts_last4 CHECK (iban_last4 IS NULL OR iban_last4 ~ '^[0-9A-Z]{4}$'),
    CONSTRAINT ck_payout_accounts_sepa_has_iban CHECK (rail <> 'sepa' OR (iban_index IS NOT NULL AND iban_last4 IS NOT NULL)),
    CONSTRAINT uq_payout_accounts_consumer_id_version UNIQUE (consumer_id, version)
);

CREATE INDEX ix_payout_accounts_iban_index ON payout_accounts (iban_index);
CREATE INDEX ix_payout_accounts_iban_last4 ON payout_accounts (iban_last4);
CREATE UNIQUE INDEX uq_payout_accounts_current ON payout_accounts (consumer_id) WHERE retired_at IS NULL;

CREATE TABLE consumers (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    by_post BOOLEAN NOT NULL,
    language TEXT NOT NULL,
    country TEXT NOT NULL,
    address_cipher BYTEA,
    birth_date_cipher BYTEA,
    heartbeat_days BIGINT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_consumers PRIMARY KEY (id),
    CONSTRAINT ck_consumers_reachable CHECK (email IS NOT NULL OR by_post)
);

CREATE INDEX ix_consumers_name ON consumers (lower(name) text_pattern_ops);
CREATE UNIQUE INDEX uq_consumers_email ON consumers (email) WHERE email IS NOT NULL;

CREATE TABLE companies (
    id UUID NOT NULL,
    legal_name TEXT NOT NULL,
    brand TEXT NOT NULL,
    country TEXT NOT NULL,
    register_number TEXT,
    sector TEXT,
    language TEXT NOT NULL,
    address_lines TEXT[] NOT NULL,
    status TEXT NOT NULL,
    confirmed_by UUID,
    confirmed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_companies PRIMARY KEY (id),
    CONSTRAINT ck_companies_status CHECK (status IN ('candidate','confirmed','closed'))
);

CREATE INDEX ix_companies_brand ON companies (lower(brand) text_pattern_ops);
CREATE INDEX ix_companies_name ON companies (lower(legal_name) text_pattern_ops);

CREATE TABLE agency_profiles (
    version BIGINT NOT NULL,
    profile JSONB NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    set_by TEXT NOT NULL,
    CONSTRAINT pk_agency_profiles PRIMARY KEY (version),
    CONSTRAINT ck_agency_profiles_version CHECK (version > 0)
);


CREATE TABLE clock_offset (
    id BIGINT NOT NULL,
    seconds BIGINT NOT NULL,
    CONSTRAINT pk_clock_offset PRIMARY KEY (id),
    CONSTRAINT ck_clock_offset_one_row CHECK (id = 1)
);


CREATE TABLE installation (
    id BIGINT NOT NULL,
    outgoing_paused BOOLEAN NOT NULL,
    outgoing_paused_reason TEXT,
    outgoing_paused_by TEXT,
    mail_read_until TIMESTAMP WITH TIME ZONE,
    bank_read_until TIMESTAMP WITH TIME ZONE,
    swept_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_installation PRIMARY KEY (id),
    CONSTRAINT ck_installation_one_row CHECK (id = 1)
);


CREATE TABLE staff (
    id UUID NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    roles TEXT[] NOT NULL,
    status TEXT NOT NULL,
    password_hash TEXT,
    totp_secret BYTEA,
    totp_last_step BIGINT DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deactivated_at TIMESTAMP WITH TIME ZONE,
    handed_over_to UUID,
    version BIGINT DEFAULT 1 NOT NULL,
    audit_seq BIGINT DEFAULT 0 NOT NULL,
    audit_head BYTEA DEFAULT '\x' NOT NULL,
    CONSTRAINT pk_staff PRIMARY KEY (id),
    CONSTRAINT uq_staff_email UNIQUE (email),
    CONSTRAINT ck_staff_status CHECK (status IN ('invited', 'active', 'deactivated')),
    CONSTRAINT ck_staff_roles CHECK (roles <@ ARRAY['handler', 'senior', 'finance', 'finance_approver', 'legal', 'auditor', 'admin']::text[]),
    CONSTRAINT ck_staff_email_lower CHECK (email = lower(email)),
    CONSTRAINT ck_staff_active_is_complete CHECK (status <> 'active' OR (password_hash IS NOT NULL AND totp_secret IS NOT NULL)),
    CONSTRAINT fk_staff_handed_over_to FOREIGN KEY(handed_over_to) REFERENCES staff (id)
);


CREATE TABLE login_sessions (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    stepped_up_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_login_sessions PRIMARY KEY (id),
    CONSTRAINT uq_login_sessions_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_login_sessions_kind CHECK (kind IN ('consumer', 'staff'))
);

CREATE INDEX ix_login_sessions_subject_id ON login_sessions (subject_id) WHERE revoked_at IS NULL;

CREATE TABLE login_links (
    id UUID NOT NULL,
    consumer_id UUID,
    token_hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_login_links PRIMARY KEY (id),
    CONSTRAINT uq_login_links_token_hash UNIQUE (token_hash)
);

CREATE INDEX ix_login_links_consumer_id ON login_links (consumer_id);

CREATE TABLE idempotency_keys (
    principal TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    status BIGINT,
    headers JSONB,
    body BYTEA,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (principal, route, key),
    CONSTRAINT ck_idempotency_keys_key_length CHECK (length(key) BETWEEN 1 AND 255)
);

CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);

CREATE TABLE data_keys (
    subject_id UUID NOT NULL,
    key_id TEXT NOT NULL,
    wrapped BYTEA,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    destroyed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_data_keys PRIMARY KEY (subject_id),
    CONSTRAINT ck_data_keys_destroyed CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

CREATE INDEX ix_data_keys_key_id ON data_keys (key_id) WHERE wrapped IS NOT NULL;

CREATE TABLE audit_entries (
    stream TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    code TEXT NOT NULL,
    params JSONB NOT NULL,
    hash BYTEA NOT NULL,
    txid BIGINT DEFAULT (pg_current_xact_id()::text::bigint) NOT NULL,
    CONSTRAINT pk_audit_entries PRIMARY KEY (stream, seq),
    CONSTRAINT ck_audit_entries_seq CHECK (seq > 0),
    CONSTRAINT ck_audit_entries_hash_length CHECK (length(hash) = 32)
);

CREATE INDEX ix_audit_entries_txid ON audit_entries USING brin (txid);

CREATE TABLE audit_heads (
    stream TEXT NOT NULL,
    audit_seq BIGINT NOT NULL,
    audit_head BYTEA NOT NULL,
    CONSTRAINT pk_audit_heads PRIMARY KEY (stream)
);


CREATE TABLE audit_anchors (
    number BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    snapshot TEXT NOT NULL,
    streams BIGINT NOT NULL,
    root BYTEA NOT NULL,
    object_key TEXT NOT NULL,
    CONSTRAINT pk_audit_anchors PRIMARY KEY (number)
);


CREATE TABLE bank_statements (
    id UUID NOT NULL,
    bank_account_id UUID NOT NULL,
    external_event_id UUID NOT NULL,
    position BIGINT NOT NULL,
    ident TEXT NOT NULL,
    sequence BIGINT,
    closes_on DATE,
    opening_minor BIGINT NOT NULL,
    closing_minor BIGINT NOT NULL,
    content_hash TEXT NOT NULL,
    imported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_bank_statements PRIMARY KEY (id),
    CONSTRAINT uq_bank_statements_bank_account_id_ident UNIQUE (bank_account_id, ident),
    CONSTRAINT uq_bank_statements_bank_account_id_position UNIQUE (bank_account_id, position),
    CONSTRAINT fk_bank_statements_bank_account_id FOREIGN KEY(bank_account_id) REFERENCES bank_accounts (id),
    CONSTRAINT fk_bank_statements_external_event_id FOREIGN KEY(external_event_id) REFERENCES external_events (id)
);


CREATE TABLE cases (
    id UUID NOT NULL,
    reference TEXT NOT NULL,
    payment_ref TEXT NOT NULL,
    consumer_id UUID NOT NULL,
    company_id UUID,
    company_text TEXT NOT NULL,
    company_known BOOLEAN NOT NULL,
    booking_ref TEXT,
    claim_kind TEXT NOT NULL,
    jurisdiction TEXT NOT NULL,
    currency TEXT NOT NULL,
    claimed_minor BIGINT NOT NULL,
    what_happened TEXT NOT NULL,
    answers JSONB NOT NULL,
    language TEXT NOT NULL,
    source TEXT NOT NULL,
    stage TEXT NOT NULL,
    step BIGINT NOT NULL,
    outcome TEXT,
    waiting_on TEXT,
    due_at TIMESTAMP WITH TIME ZONE,
    due_basis JSONB,
    next_wake_at TIMESTAMP WITH TIME ZONE,
    mode TEXT NOT NULL,
    playbook TEXT NOT NULL,
    pauses JSONB NOT NULL,
    remaining_seconds BIGINT,
    questions JSONB NOT NULL,
    offer JSONB,
    promise JSONB,
    promises_made BIGINT NOT NULL,
    money JSONB NOT NULL,
    agreed_minor BIGINT,
    agreed_at TIMESTAMP WITH TIME ZONE,
    stage_left TEXT,
    entry_stage TEXT,
    entry_reason TEXT,
    body_index BIGINT NOT NULL,
    first_written_complaint DATE,
    first_contact_at TIMESTAMP WITH TIME ZONE,
    limitation_on DATE,
    duplicate_of UUID,
    handler_id UUID,
    prepared_by TEXT,
    heartbeat_days BIGINT,
    agency_late BOOLEAN NOT NULL,
    distress BOOLEAN NOT NULL,
    extra JSONB NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    version BIGINT NOT NULL,
    audit_seq BIGINT NOT NULL,
    audit_head BYTEA NOT NULL,
    parked_reason TEXT,
    letter_id UUID,
    CONSTRAINT pk_cases PRIMARY KEY (id),
    CONSTRAINT ck_cases_stage CHECK (stage IN ('intake', 'assessment', 'agreement', 'contact', 'reminder', 'formal_notice', 'complaint', 'settlement', 'closed')),
    CONSTRAINT ck_cases_outcome CHECK (outcome IN ('refunded_full', 'refunded_part', 'paid_direct', 'bill_cancelled', 'paid_by_third_party', 'voucher_accepted', 'non_money_remedy', 'refused_final', 'no_merit', 'declined_by_us', 'uneconomic', 'withdrawn', 'not_signed', 'consumer_silent', 'lapsed', 'handed_over', 'agency_late', 'duplicate', 'self_filed', 'insolvent', 'time_barred')),
    CONSTRAINT ck_cases_waiting_on CHECK (waiting_on IN ('consumer', 'handler', 'company', 'body', 'bank', 'delivery', 'date')),
    CONSTRAINT ck_cases_mode CHECK (mode IN ('A','B')),
    CONSTRAINT ck_cases_step CHECK (step >= 0),
    CONSTRAINT ck_cases_claimed CHECK (claimed_minor >= 0),
    CONSTRAINT ck_cases_currency CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT ck_cases_never_quiet CHECK ((stage = 'closed') = (outcome IS NOT NULL) AND (stage = 'closed') = (waiting_on IS NULL) AND (stage = 'closed') = (due_at IS NULL) AND (stage = 'closed') = (closed_at IS NOT NULL) AND (stage = 'closed') = (next_wake_at IS NULL)),
    CONSTRAINT uq_cases_reference UNIQUE (reference),
    CONSTRAINT uq_cases_payment_ref UNIQUE (payment_ref),
    CONSTRAINT fk_cases_consumer_id FOREIGN KEY(consumer_id) REFERENCES consumers (id),
    CONSTRAINT fk_cases_company_id FOREIGN KEY(company_id) REFERENCES companies (id),
    CONSTRAINT fk_cases_duplicate_of FOREIGN KEY(duplicate_of) REFERENCES cases (id)
);

CREATE INDEX ix_cases_booking ON cases (booking_ref);
CREATE INDEX ix_cases_company ON cases (company_id, id);
CREATE INDEX ix_cases_company_text ON cases (company_text, id);
CREATE INDEX ix_cases_consumer ON cases (consumer_id, id);
CREATE INDEX ix_cases_duplicate ON cases (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX ix_cases_handler ON cases (handler_id, id) WHERE stage <> 'closed';
CREATE INDEX ix_cases_source ON cases (source, id);
CREATE INDEX ix_cases_wake ON cases (next_wake_at, id) WHERE parked_reason IS NULL;

CREATE TABLE legs (
    txn_id UUID NOT NULL,
    line BIGINT NOT NULL,
    account TEXT NOT NULL,
    sub TEXT NOT NULL,
    debit BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    CONSTRAINT pk_legs PRIMARY KEY (txn_id, line),
    CONSTRAINT ck_legs_not_negative CHECK (debit >= 0 AND credit >= 0),
    CONSTRAINT ck_legs_one_side CHECK ((debit = 0) <> (credit = 0)),
    CONSTRAINT fk_legs_txn_id FOREIGN KEY(txn_id) REFERENCES journal_txns (id),
    CONSTRAINT fk_legs_account FOREIGN KEY(account) REFERENCES ledger_accounts (name)
);

CREATE INDEX ix_legs_account_sub ON legs (account, sub);

CREATE TABLE account_balances (
    account TEXT NOT NULL,
    sub TEXT NOT NULL,
    currency TEXT NOT NULL,
    balance BIGINT NOT NULL,
    never_negative BOOLEAN NOT NULL,
    CONSTRAINT pk_account_balances PRIMARY KEY (account, sub, currency),
    CONSTRAINT ck_account_balances_never_negative CHECK (balance >= 0 OR NOT never_negative),
    CONSTRAINT fk_account_balances_account FOREIGN KEY(account) REFERENCES ledger_accounts (name)
);

CREATE INDEX ix_account_balances_open ON account_balances (account, sub) WHERE balance <> 0;

CREATE TABLE payout_batches (
    id UUID NOT NULL,
    bank_account_id UUID NOT NULL,
    message_id TEXT NOT NULL,
    state TEXT NOT NULL,
    currency TEXT NOT NULL,
    execute_on DATE NOT NULL,
    item_count BIGINT NOT NULL,
    total_minor BIGINT NOT NULL,
    content_hash TEXT NOT NULL,
    maker TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    checker TEXT,
    approved_at TIMESTAMP WITH TIME ZONE,
    approved_hash TEXT,
    file_cipher BYTEA,
    file_sha256 TEXT,
    exported_at TIMESTAMP WITH TIME ZONE,
    exported_by TEXT,
    version BIGINT DEFAULT 1 NOT NULL,
    CONSTRAINT pk_payout_batches PRIMARY KEY (id),
    CONSTRAINT ck_payout_batches_state CHECK (state IN ('draft', 'proposed', 'approved', 'exported', 'settled', 'cancelled')),
    CONSTRAINT ck_payout_batches_four_eyes CHECK (checker IS NULL OR checker <> maker),
    CONSTRAINT ck_payout_batches_approved_as_is CHECK (state NOT IN ('approved', 'exported', 'settled') OR (checker IS NOT NULL AND approved_hash IS NOT NULL AND approved_hash = content_hash)),
    CONSTRAINT ck_payout_batches_exported_has_file CHECK (state NOT IN ('exported', 'settled') OR (file_cipher IS NOT NULL AND file_sha256 IS NOT NULL AND exported_at IS NOT NULL)),
    CONSTRAINT uq_payout_batches_message_id UNIQUE (message_id),
    CONSTRAINT fk_payout_batches_bank_account_id FOREIGN KEY(bank_account_id) REFERENCES bank_accounts (id)
);


CREATE TABLE channels (
    id UUID NOT NULL,
    company_id UUID NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    health TEXT NOT NULL,
    official BOOLEAN NOT NULL,
    language TEXT NOT NULL,
    source TEXT NOT NULL,
    last_success_at TIMESTAMP WITH TIME ZONE,
    last_error TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_channels PRIMARY KEY (id),
    CONSTRAINT ck_channels_kind CHECK (kind IN ('email','post','portal','phone')),
    CONSTRAINT ck_channels_health CHECK (health IN ('alive', 'degraded', 'dead', 'retired', 'no_reply')),
    CONSTRAINT uq_channels_company_id_kind_address UNIQUE (company_id, kind, address),
    CONSTRAINT fk_channels_company_id FOREIGN KEY(company_id) REFERENCES companies (id)
);


CREATE TABLE staff_invites (
    id UUID NOT NULL,
    staff_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    totp_secret BYTEA NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_staff_invites PRIMARY KEY (id),
    CONSTRAINT uq_staff_invites_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_staff_invites_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);

CREATE INDEX ix_staff_invites_staff_id ON staff_invites (staff_id);

CREATE TABLE recovery_codes (
    id UUID NOT NULL,
    staff_id UUID NOT NULL,
    code_hash BYTEA NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_recovery_codes PRIMARY KEY (id),
    CONSTRAINT uq_recovery_codes_staff_id_code_hash UNIQUE (staff_id, code_hash),
    CONSTRAINT fk_recovery_codes_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);


CREATE TABLE api_keys (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    environment TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    scopes TEXT[] NOT NULL,
    created_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_api_keys PRIMARY KEY (id),
    CONSTRAINT ck_api_keys_expires_later CHECK (expires_at > created_at),
    CONSTRAINT ck_api_keys_has_scopes CHECK (cardinality(scopes) > 0),
    CONSTRAINT fk_api_keys_created_by FOREIGN KEY(created_by) REFERENCES staff (id)
);


CREATE TABLE movements (
    id UUID NOT NULL,
    bank_account_id UUID NOT NULL,
    statement_id UUID NOT NULL,
    entry_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    direction TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    booked_on DATE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    bank_ref TEXT,
    end_to_end_id TEXT,
    creditor_ref TEXT,
    remittance TEXT NOT NULL,
    payer_name TEXT,
    payer_account TEXT,
    return_reason TEXT,
    CONSTRAINT pk_movements PRIMARY KEY (id),
    CONSTRAINT uq_movements_bank_account_id_entry_key UNIQUE (bank_account_id, entry_key),
    CONSTRAINT ck_movements_amount CHECK (amount_minor > 0),
    CONSTRAINT ck_movements_direction CHECK (direction IN ('credit', 'debit')),
    CONSTRAINT ck_movements_kind CHECK (kind IN ('receipt', 'payout', 'payout_return', 'bank_charge', 'unexplained_debit', 'sweep')),
    CONSTRAINT fk_movements_bank_account_id FOREIGN KEY(bank_account_id) REFERENCES bank_accounts (id),
    CONSTRAINT fk_movements_statement_id FOREIGN KEY(statement_id) REFERENCES bank_statements (id)
);

CREATE INDEX ix_movements_statement_id ON movements (statement_id);

CREATE TABLE claimants (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    consumer_id UUID NOT NULL,
    position BIGINT NOT NULL,
    mandate TEXT NOT NULL,
    mandate_id UUID,
    signed_at TIMESTAMP WITH TIME ZONE,
    receives_money BOOLEAN NOT NULL,
    has_account BOOLEAN NOT NULL,
    CONSTRAINT pk_claimants PRIMARY KEY (id),
    CONSTRAINT ck_claimants_mandate CHECK (mandate IN ('none', 'signed', 'revoked')),
    CONSTRAINT uq_claimants_case_id_position UNIQUE (case_id, position),
    CONSTRAINT uq_claimants_case_id_consumer_id UNIQUE (case_id, consumer_id),
    CONSTRAINT fk_claimants_case_id FOREIGN KEY(case_id) REFERENCES cases (id),
    CONSTRAINT fk_claimants_consumer_id FOREIGN KEY(consumer_id) REFERENCES consumers (id)
);

CREATE INDEX ix_claimants_consumer ON claimants (consumer_id, case_id);

CREATE TABLE case_timers (
    case_id UUID NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    step BIGINT NOT NULL,
    basis JSONB NOT NULL,
    CONSTRAINT pk_case_timers PRIMARY KEY (case_id, kind, key),
    CONSTRAINT ck_case_timers_kind CHECK (kind IN ('deadline', 'nudge', 'heartbeat', 'question_due', 'offer_warning', 'offer_expiry', 'promise_due', 'hold_end', 'body_status', 'agency_late', 'limitation')),
    CONSTRAINT fk_case_timers_case_id FOREIGN KEY(case_id) REFERENCES cases (id)
);


CREATE TABLE letters (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    kind TEXT NOT NULL,
    step BIGINT NOT NULL,
    n BIGINT NOT NULL,
    state TEXT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    sha256 TEXT,
    approved_by TEXT,
    sent_at TIMESTAMP WITH TIME ZONE,
    delivered_at TIMESTAMP WITH TIME ZONE,
    evidence_grade TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    prepared_by TEXT,
    CONSTRAINT pk_letters PRIMARY KEY (id),
    CONSTRAINT ck_letters_kind CHECK (kind IN ('contact', 'reminder', 'formal_notice', 'complaint')),
    CONSTRAINT ck_letters_state CHECK (state IN ('rendering', 'awaiting_approval', 'returned', 'released', 'handed_over', 'delivered', 'bounced', 'cancelled')),
    CONSTRAINT fk_letters_case_id FOREIGN KEY(case_id) REFERENCES cases (id)
);

CREATE INDEX ix_letters_case ON letters (case_id, id);

CREATE TABLE assessments (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    decision TEXT NOT NULL,
    merit TEXT,
    entry_stage TEXT,
    entry_reason TEXT,
    outcome TEXT,
    rule TEXT,
    would_change TEXT,
    mode TEXT NOT NULL,
    mode_reason TEXT NOT NULL,
    conflict_found BOOLEAN NOT NULL,
    conflict_words TEXT,
    decided_by TEXT NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_assessments PRIMARY KEY (id),
    CONSTRAINT ck_assessments_decision CHECK (decision IN ('accept','reject')),
    CONSTRAINT ck_assessments_mode CHECK (mode IN ('A','B')),
    CONSTRAINT ck_assessments_no_conflict CHECK (NOT (decision = 'accept' AND conflict_found)),
    CONSTRAINT fk_assessments_case_id FOREIGN KEY(case_id) REFERENCES cases (id)
);

CREATE INDEX ix_assessments_case ON assessments (case_id, id);

CREATE TABLE case_notes (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    about TEXT NOT NULL,
    words TEXT NOT NULL,
    written_by TEXT NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_case_notes PRIMARY KEY (id),
    CONSTRAINT fk_case_notes_case_id FOREIGN KEY(case_id) REFERENCES cases (id)
);

CREATE INDEX ix_case_notes_case ON case_notes (case_id, id);

CREATE TABLE messages (
    id UUID NOT NULL,
    case_id UUID,
    inbound_id UUID,
    effect_id UUID,
    letter_id UUID,
    direction TEXT NOT NULL,
    channel TEXT NOT NULL,
    sender TEXT NOT NULL,
    from_address TEXT NOT NULL,
    to_address TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    automatic BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    pen_reasons TEXT[] NOT NULL,
    message_id_header TEXT,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_messages PRIMARY KEY (id),
    CONSTRAINT ck_messages_direction CHECK (direction IN ('in','out')),
    CONSTRAINT ck_messages_state CHECK (state IN ('unread','read','set_aside','pen','sent','bounced')),
    CONSTRAINT fk_messages_case_id FOREIGN KEY(case_id) REFERENCES cases (id),
    CONSTRAINT fk_messages_inbound_id FOREIGN KEY(inbound_id) REFERENCES inbound (id)
);

CREATE INDEX ix_messages_case ON messages (case_id, id);
CREATE INDEX ix_messages_message_id ON messages (message_id_header);
CREATE INDEX ix_messages_pen ON messages (received_at, id) WHERE state = 'pen';

CREATE TABLE tasks (
    id UUID NOT NULL,
    case_id UUID,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    role TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    priority BIGINT NOT NULL,
    priority_reason TEXT NOT NULL,
    subject_id UUID,
    assignee_id UUID,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_by TEXT,
    CONSTRAINT pk_tasks PRIMARY KEY (id),
    CONSTRAINT ck_tasks_kind CHECK (kind IN ('assess', 'approve_letter', 'read_reply', 'choose_next_step', 'fix_channel', 'confirm_company', 'file_complaint', 'answer_body', 'answer_company', 'offer_lapsing', 'promise_broken', 'check_direct_payment', 'register_voucher', 'prepare_payout', 'fix_payout', 'return_money', 'settle_effect', 'care', 'legal', 'incident', 'agency_late', 'limitation', 'call_consumer', 'poisoned_case', 'feed_silent')),
    CONSTRAINT ck_tasks_state CHECK (state IN ('open','done','dropped')),
    CONSTRAINT ck_tasks_role CHECK (role IN ('handler','senior','finance','legal','admin')),
    CONSTRAINT fk_tasks_case_id FOREIGN KEY(case_id) REFERENCES cases (id)
);

CREATE INDEX ix_tasks_assignee ON tasks (assignee_id, priority, due_at, id) WHERE state = 'open';
CREATE INDEX ix_tasks_pool ON tasks (role, priority, due_at, id) WHERE state = 'open' AND assignee_id IS NULL;
CREATE INDEX ix_tasks_queue ON tasks (role, priority, due_at, id) WHERE state = 'open';
CREATE UNIQUE INDEX uq_tasks_open ON tasks (case_id, kind, key) WHERE state = 'open';

CREATE TABLE offers (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answer_by TIMESTAMP WITH TIME ZONE NOT NULL,
    in_full_settlement BOOLEAN NOT NULL,
    message_id UUID,
    words TEXT NOT NULL,
    answers JSONB NOT NULL,
    recorded_by TEXT NOT NULL,
    CONSTRAINT pk_offers PRIMARY KEY (id),
    CONSTRAINT ck_offers_kind CHECK (kind IN ('part', 'full', 'voucher', 'goodwill', 'recommendation')),
    CONSTRAINT ck_offers_state CHECK (state IN ('open', 'accepted', 'countered', 'refused', 'lapsed', 'withdrawn')),
    CONSTRAINT ck_offers_amount CHECK (amount_minor > 0),
    CONSTRAINT fk_offers_case_id FOREIGN KEY(case_id) REFERENCES cases (id)
);

CREATE INDEX ix_offers_case ON offers (case_id, id);

CREATE TABLE questions (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    code TEXT NOT NULL,
    words TEXT NOT NULL,
    default_action TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    asked_by TEXT NOT NULL,
    answer TEXT,
    answered_at TIMESTAMP WITH TIME ZONE,
    answered_by TEXT,
    CONSTRAINT pk_questions PRIMARY KEY (id),
    CONSTRAINT fk_questions_case_id FOREIGN KEY(case_id) REFERENCES cases (id)
);

CREATE INDEX ix_questions_case ON questions (case_id, id);

CREATE TABLE direct_payments (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    paid_on DATE NOT NULL,
    state TEXT NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reported_by TEXT NOT NULL,
    decided_by TEXT,
    CONSTRAINT pk_direct_payments PRIMARY KEY (id),
    CONSTRAINT ck_direct_payments_amount CHECK (amount_minor > 0),
    CONSTRAINT ck_direct_payments_state CHECK (state IN ('reported','confirmed','refused')),
    CONSTRAINT fk_direct_payments_case_id FOREIGN KEY(case_id) REFERENCES cases (id)
);

CREATE INDEX ix_direct_payments_case ON direct_payments (case_id);

CREATE TABLE evidence (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    uploaded_by TEXT NOT NULL,
    file_name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    storage_key TEXT NOT NULL,
    state TEXT NOT NULL,
    scan TEXT NOT NULL,
    what TEXT NOT NULL,
    uploaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_evidence PRIMARY KEY (id),
    CONSTRAINT ck_evidence_state CHECK (state IN ('quarantine','released','refused')),
    CONSTRAINT ck_evidence_size CHECK (size_bytes > 0),
    CONSTRAINT fk_evidence_case_id FOREIGN KEY(case_id) REFERENCES cases (id)
);

CREATE INDEX ix_evidence_case ON evidence (case_id, id);
CREATE INDEX ix_evidence_sha256 ON evidence (sha256);

CREATE TABLE calls (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    with_whom TEXT NOT NULL,
    notes TEXT NOT NULL,
    outcome TEXT NOT NULL,
    called_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_by TEXT NOT NULL,
    CONSTRAINT pk_calls PRIMARY KEY (id),
    CONSTRAINT ck_calls_with_whom CHECK (with_whom IN ('company','consumer','body')),
    CONSTRAINT fk_calls_case_id FOREIGN KEY(case_id) REFERENCES cases (id)
);

CREATE INDEX ix_calls_case ON calls (case_id, id);

CREATE TABLE movement_holds (
    movement_id UUID NOT NULL,
    case_id UUID NOT NULL,
    outcome TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_by TEXT,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_movement_holds PRIMARY KEY (movement_id),
    CONSTRAINT ck_movement_holds_outcome CHECK (outcome IN ('waiting', 'accepted', 'refused', 'lifted')),
    CONSTRAINT ck_movement_holds_settled CHECK ((outcome = 'waiting') = (settled_at IS NULL)),
    CONSTRAINT fk_movement_holds_movement_id FOREIGN KEY(movement_id) REFERENCES movements (id)
);


CREATE TABLE allocations (
    id UUID NOT NULL,
    movement_id UUID NOT NULL,
    case_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    rule TEXT NOT NULL,
    evidence JSONB NOT NULL,
    fee_reason TEXT NOT NULL,
    fee_rule JSONB NOT NULL,
    content_hash TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    undone_by TEXT,
    undone_at TIMESTAMP WITH TIME ZONE,
    undo_reason TEXT,
    CONSTRAINT pk_allocations PRIMARY KEY (id),
    CONSTRAINT ck_allocations_amount CHECK (amount_minor > 0),
    CONSTRAINT ck_allocations_undone CHECK ((undone_at IS NULL) = (undone_by IS NULL) AND (undone_at IS NULL) = (undo_reason IS NULL)),
    CONSTRAINT fk_allocations_movement_id FOREIGN KEY(movement_id) REFERENCES movements (id)
);

CREATE INDEX ix_allocations_case_id ON allocations (case_id);
CREATE INDEX ix_allocations_movement_id ON allocations (movement_id);

CREATE TABLE claim_items (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    creditor_id UUID NOT NULL,
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    earns_fee BOOLEAN NOT NULL,
    counted BOOLEAN NOT NULL,
    ground TEXT,
    CONSTRAINT pk_claim_items PRIMARY KEY (id),
    CONSTRAINT ck_claim_items_amount CHECK (amount_minor > 0),
    CONSTRAINT fk_claim_items_case_id FOREIGN KEY(case_id) REFERENCES cases (id),
    CONSTRAINT fk_claim_items_creditor_id FOREIGN KEY(creditor_id) REFERENCES claimants (id)
);

CREATE INDEX ix_claim_items_case ON claim_items (case_id);

CREATE TABLE letter_versions (
    letter_id UUID NOT NULL,
    n BIGINT NOT NULL,
    content JSONB NOT NULL,
    sha256 TEXT NOT NULL,
    pages BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    subject TEXT NOT NULL,
    language TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_letter_versions PRIMARY KEY (letter_id, n),
    CONSTRAINT fk_letter_versions_letter_id FOREIGN KEY(letter_id) REFERENCES letters (id)
);


CREATE TABLE payout_items (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    case_id UUID,
    claimant_id UUID,
    account_id UUID,
    movement_id UUID,
    sweep_lines JSONB,
    own_account_id UUID,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    end_to_end_id TEXT NOT NULL,
    remittance TEXT NOT NULL,
    batch_id UUID,
    reason TEXT,
    settled_by_movement UUID,
    returned_by_movement UUID,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_payout_items PRIMARY KEY (id),
    CONSTRAINT ck_payout_items_kind CHECK (kind IN ('consumer', 'payer_return', 'sweep')),
    CONSTRAINT ck_payout_items_state CHECK (state IN ('draft', 'proposed', 'approved', 'exported', 'settled', 'rejected', 'returned', 'cancelled')),
    CONSTRAINT ck_payout_items_amount CHECK (amount_minor > 0),
    CONSTRAINT ck_payout_items_consumer_has_account CHECK ((kind = 'consumer') = (case_id IS NOT NULL AND claimant_id IS NOT NULL AND account_id IS NOT NULL)),
    CONSTRAINT ck_payout_items_return_has_movement CHECK ((kind = 'payer_return') = (movement_id IS NOT NULL)),
    CONSTRAINT ck_payout_items_sweep_has_lines CHECK ((kind = 'sweep') = (sweep_lines IS NOT NULL)),
    CONSTRAINT ck_payout_items_live_in_batch CHECK ((state IN ('draft', 'cancelled')) OR batch_id IS NOT NULL),
    CONSTRAINT ck_payout_items_settled_by_statement CHECK ((state IN ('settled', 'returned')) = (settled_by_movement IS NOT NULL)),
    CONSTRAINT uq_payout_items_end_to_end_id UNIQUE (end_to_end_id),
    CONSTRAINT fk_payout_items_account_id FOREIGN KEY(account_id) REFERENCES payout_accounts (id),
    CONSTRAINT fk_payout_items_movement_id FOREIGN KEY(movement_id) REFERENCES movements (id),
    CONSTRAINT fk_payout_items_own_account_id FOREIGN KEY(own_account_id) REFERENCES bank_accounts (id),
    CONSTRAINT fk_payout_items_batch_id FOREIGN KEY(batch_id) REFERENCES payout_batches (id),
    CONSTRAINT fk_payout_items_settled_by_movement FOREIGN KEY(settled_by_movement) REFERENCES movements (id),
    CONSTRAINT fk_payout_items_returned_by_movement FOREIGN KEY(returned_by_movement) REFERENCES movements (id)
);

CREATE INDEX ix_payout_items_batch_id ON payout_items (batch_id);
CREATE INDEX ix_payout_items_case_id ON payout_items (case_id);
CREATE UNIQUE INDEX uq_payout_items_live ON payout_items (case_id, claimant_id) WHERE state IN ('draft', 'proposed', 'approved') AND kind='consumer';

CREATE TABLE mandates (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    claimant_id UUID NOT NULL,
    level TEXT NOT NULL,
    signed_name TEXT NOT NULL,
    text_version TEXT NOT NULL,
    fee_rule TEXT NOT NULL,
    scope TEXT[] NOT NULL,
    receives_money BOOLEAN NOT NULL,
    shown JSONB NOT NULL,
    signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    filed_by TEXT NOT NULL,
    CONSTRAINT pk_mandates PRIMARY KEY (id),
    CONSTRAINT ck_mandates_level CHECK (level IN ('typed','drawn','qualified','wet_ink')),
    CONSTRAINT fk_mandates_case_id FOREIGN KEY(case_id) REFERENCES cases (id),
    CONSTRAINT fk_mandates_claimant_id FOREIGN KEY(claimant_id) REFERENCES claimants (id)
);

CREATE INDEX ix_mandates_case ON mandates (case_id);
CREATE UNIQUE INDEX uq_mandates_current ON mandates (claimant_id) WHERE revoked_at IS NULL;
