-- The chart of accounts, and what the ledger refuses whatever the program believes.

INSERT INTO ledger_accounts (name, number, title, book, kind, never_negative, cached) VALUES
  ('C.BANK',       '1910', 'Client bank',              'client', 'asset',     true,  true),
  ('C.FROMOWN',    '1960', 'Due from own book',        'client', 'asset',     true,  true),
  ('C.CLIENT',     '2100', 'Owed to consumers',        'client', 'liability', true,  true),
  ('C.UNALLOC',    '2110', 'Unallocated receipts',     'client', 'liability', true,  true),
  ('C.PAYER',      '2120', 'To return to payer',       'client', 'liability', true,  true),
  ('C.PAYOUT',     '2130', 'Payouts in flight',        'client', 'liability', true,  true),
  ('C.RETURN',     '2140', 'Returned payouts',         'client', 'liability', true,  true),
  ('C.UNCLAIMED',  '2150', 'Unclaimed',                'client', 'liability', true,  true),
  ('C.TOOWN',      '2950', 'Due to own book',          'client', 'liability', true,  true),
  ('O.COMMREC',    '1710', 'Commission receivable',    'own',    'asset',     false, true),
  ('O.CLAWBACK',   '1720', 'Clawback receivable',      'own',    'asset',     false, true),
  ('O.BANK',       '1920', 'Own bank',                 'own',    'asset',     false, true),
  ('O.SWEEP',      '1925', 'Sweep on its way',         'own',    'asset',     true,  true),
  ('O.FROMCLIENT', '1950', 'Due from client book',     'own',    'asset',     true,  true),
  ('O.VAT',        '2710', 'VAT payable',              'own',    'liability', false, false),
  ('O.TOCLIENT',   '2960', 'Due to client book',       'own',    'liability', true,  true),
  ('O.COMM',       '3000', 'Commission',               'own',    'income',    false, false),
  ('O.LEGALFEE',   '3010', 'Legal fees',               'own',    'income',    false, false),
  ('O.FEES',       '4100', 'Bank charges',             'own',    'expense',   false, false),
  ('O.FX',         '4110', 'Currency differences',     'own',    'expense',   false, false),
  ('O.BADDEBT',    '4200', 'Bad debts',                'own',    'expense',   false, false),
  ('O.LOSS',       '4210', 'Losses from reversals',    'own',    'expense',   false, false),
  ('O.SUSPENSE',   '4900', 'Unexplained bank debits',  'own',    'expense',   false, true)
ON CONFLICT (name) DO NOTHING;

CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: a correction is a new row', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['journal_txns', 'legs', 'ledger_accounts', 'commission_invoices',
        'external_events', 'bank_statements', 'movements', 'recovery_lines', 'direct_recoveries']
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()',
            name || '_append_only', name);
    END LOOP;
END $$;

-- Balances follow the legs: per statement one update per sub-account, in one order, so that two
-- transactions never wait for each other in a circle. Lookups are by key, one row at a time: the
-- planner knows nothing about a transition table and would scan whole tables for it.
-- A new row starts at zero, because a CHECK looks at the proposed row before it looks at the sum.
CREATE OR REPLACE FUNCTION ledger_apply_legs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE touched record; moved record; declared bigint;
BEGIN
    FOR touched IN SELECT DISTINCT txn_id FROM new_legs LOOP
        SELECT leg_count INTO declared FROM journal_txns WHERE id = touched.txn_id;
        IF (SELECT count(*) FROM legs WHERE txn_id = touched.txn_id) > declared THEN
            RAISE EXCEPTION 'a posted transaction takes no further leg'
                USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;

    FOR moved IN
        SELECT l.account, l.sub, l.currency, a.never_negative,
               sum(CASE WHEN a.kind IN ('asset', 'expense') THEN l.debit - l.credit
                        ELSE l.credit - l.debit END)::bigint AS minor
        FROM (SELECT n.*, (SELECT t.currency FROM journal_txns t WHERE t.id = n.txn_id) AS currency
              FROM new_legs n) l
        JOIN ledger_accounts a ON a.name = l.account
        WHERE a.cached GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3
    LOOP
        UPDATE account_balances SET balance = balance + moved.minor
        WHERE account = moved.account AND sub = moved.sub AND currency = moved.currency;
        IF NOT FOUND THEN
            INSERT INTO account_balances (account, sub, currency, balance, never_negative)
            VALUES (moved.account, moved.sub, moved.currency, 0, moved.never_negative)
            ON CONFLICT DO NOTHING;
            UPDATE account_balances SET balance = balance + moved.minor
            WHERE account = moved.account AND sub = moved.sub AND currency = moved.currency;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER legs_apply AFTER INSERT ON legs
    REFERENCING NEW TABLE AS new_legs
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_legs();

-- Nobody writes a balance by hand: only the trigger above, which runs one level deeper.
CREATE OR REPLACE FUNCTION ledger_guard_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'balances follow the legs and are never written directly'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER account_balances_guard
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON account_balances
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_balances();

-- At commit, once per transaction (not per leg): all legs are in, they balance, a reversal is the
-- exact mirror, and what the client book owes the own book stands on both sides.
CREATE OR REPLACE FUNCTION ledger_check_txn() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    legs_found bigint; debits numeric; credits numeric; mirrors boolean; apart numeric;
BEGIN
    SELECT count(*), coalesce(sum(debit), 0), coalesce(sum(credit), 0),
           bool_or(account IN ('C.TOOWN', 'C.FROMOWN', 'O.FROMCLIENT', 'O.TOCLIENT'))
    INTO legs_found, debits, credits, mirrors FROM legs WHERE txn_id = NEW.id;
    IF legs_found <> NEW.leg_count OR debits <> credits OR debits <> NEW.total_minor THEN
        RAISE EXCEPTION 'transaction % does not balance: % legs of %, debit %, credit %',
            NEW.id, legs_found, NEW.leg_count, debits, credits USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM legs l JOIN ledger_accounts a ON a.name = l.account
               WHERE l.txn_id = NEW.id AND a.book <> NEW.book) THEN
        RAISE EXCEPTION 'a leg names an account of the other book'
            USING ERRCODE = 'check_violation';
    END IF;
    IF mirrors THEN
        SELECT max(abs(difference)) INTO apart FROM (
            SELECT sum(CASE WHEN l.account IN ('C.TOOWN', 'O.FROMCLIENT')
                            THEN l.debit - l.credit ELSE 0 END) AS difference
            FROM journal_txns t JOIN legs l ON l.txn_id = t.id
            WHERE t.linked_group = NEW.linked_group GROUP BY t.currency, l.sub
            UNION ALL
            SELECT sum(CASE WHEN l.account IN ('C.FROMOWN', 'O.TOCLIENT')
                            THEN l.debit - l.credit ELSE 0 END)
            FROM journal_txns t JOIN legs l ON l.txn_id = t.id
            WHERE t.linked_group = NEW.linked_group GROUP BY t.currency, l.sub
        ) sides;
        IF apart <> 0 THEN
            RAISE EXCEPTION 'the client book and the own book disagree in group %',
                NEW.linked_group USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF NEW.reverses_id IS NOT NULL THEN
        PERFORM 1 FROM journal_txns r WHERE r.id = NEW.reverses_id
            AND r.book = NEW.book AND r.currency = NEW.currency AND r.leg_count = NEW.leg_count;
        IF NOT FOUND OR EXISTS (
            SELECT account, sub, credit, debit FROM legs WHERE txn_id = NEW.id
            EXCEPT ALL
            SELECT account, sub, debit, credit FROM legs WHERE txn_id = NEW.reverses_id
        ) THEN
            RAISE EXCEPTION 'transaction % is not the mirror of the one it reverses', NEW.id
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS journal_txns_balance ON journal_txns;
CREATE CONSTRAINT TRIGGER journal_txns_balance AFTER INSERT ON journal_txns
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_txn();

-- A payout item only moves along these lines, and what was approved stays as it was approved.
CREATE OR REPLACE FUNCTION payout_item_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a payout item is cancelled, never deleted'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN (
        'draft>proposed', 'draft>cancelled', 'proposed>draft', 'proposed>approved',
        'approved>draft', 'approved>exported', 'exported>settled', 'exported>rejected',
        'settled>returned')
    THEN
        RAISE EXCEPTION 'a payout item does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.id, NEW.kind, NEW.case_id, NEW.claimant_id, NEW.movement_id, NEW.amount_minor,
        NEW.currency, NEW.end_to_end_id, NEW.remittance, NEW.sweep_lines)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.case_id, OLD.claimant_id, OLD.movement_id, OLD.amount_minor,
        OLD.currency, OLD.end_to_end_id, OLD.remittance, OLD.sweep_lines)
       OR (OLD.state NOT IN ('draft', 'proposed')
           AND NEW.account_id IS DISTINCT FROM OLD.account_id)
       OR (OLD.state IN ('exported', 'settled', 'returned', 'rejected')
           AND NEW.batch_id IS DISTINCT FROM OLD.batch_id)
    THEN
        RAISE EXCEPTION 'a payout item keeps its amount, payee and file'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER payout_items_guard BEFORE UPDATE OR DELETE ON payout_items
    FOR EACH ROW EXECUTE FUNCTION payout_item_guard();

-- Approval is by another person than the maker (a CHECK) and than whoever last gave one of the
-- accounts; a file, once made, is the file.
CREATE OR REPLACE FUNCTION payout_batch_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a payout batch is cancelled, never deleted'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.file_sha256 IS NOT NULL AND (NEW.file_sha256, NEW.file_cipher, NEW.content_hash)
        IS DISTINCT FROM (OLD.file_sha256, OLD.file_cipher, OLD.content_hash)
    THEN
        RAISE EXCEPTION 'the bank file of a batch is made once' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN (
        'draft>proposed', 'draft>cancelled', 'proposed>draft', 'proposed>approved',
        'proposed>cancelled', 'approved>draft', 'approved>exported', 'exported>settled')
    THEN
        RAISE EXCEPTION 'a payout batch does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'approved' AND OLD.state <> 'approved' AND EXISTS (
        SELECT FROM payout_items i JOIN payout_accounts a ON a.id = i.account_id
        WHERE i.batch_id = NEW.id AND a.added_by = NEW.checker)
    THEN
        RAISE EXCEPTION 'who gave a payee''s account does not approve its payment'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER payout_batches_guard BEFORE UPDATE OR DELETE ON payout_batches
    FOR EACH ROW EXECUTE FUNCTION payout_batch_guard();
