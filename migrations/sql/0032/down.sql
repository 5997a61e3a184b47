ALTER TABLE legs DROP CONSTRAINT ck_legs_line;
ALTER FUNCTION ledger_apply_legs() RESET ALL;
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
