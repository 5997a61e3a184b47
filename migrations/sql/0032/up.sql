-- What the ledger refuses stays the same; how it is looked for no longer costs several statements
-- for each leg. Balances still follow the legs in one order of sub-accounts, so that two
-- transactions never wait for each other in a circle: rows that stand are updated one by one, rows
-- that do not are inserted together.
--
-- Functions keep their plans while tables grow under them, so every lookup here is by key whatever
-- the planner believed when the table was empty: no sequential scan, and OFFSET 0 keeps a lookup a
-- lookup.
ALTER TABLE legs ADD CONSTRAINT ck_legs_line CHECK (line >= 1);

CREATE OR REPLACE FUNCTION ledger_apply_legs() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
    accounts text[]; subs text[]; currencies text[]; minors bigint[]; guards boolean[];
    further boolean; known bigint[]; moved record;
BEGIN
    -- Lines are 1 and up, and the primary key has each once: none above leg_count, never too many.
    SELECT array_agg(account), array_agg(sub), array_agg(currency), array_agg(minor),
           array_agg(never_negative), bool_or(outside)
      INTO accounts, subs, currencies, minors, guards, further
      FROM (SELECT l.account, l.sub, t.currency, a.never_negative,
                   sum(CASE WHEN a.kind IN ('asset', 'expense') THEN l.debit - l.credit
                            ELSE l.credit - l.debit END)::bigint AS minor,
                   bool_or(l.line > t.leg_count) AS outside
              FROM new_legs l
             CROSS JOIN LATERAL (SELECT currency, leg_count FROM journal_txns
                                  WHERE id = l.txn_id OFFSET 0) t
             CROSS JOIN LATERAL (SELECT kind, cached, never_negative FROM ledger_accounts
                                  WHERE name = l.account OFFSET 0) a
             WHERE a.cached OR l.line > t.leg_count
             GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3) m;
    IF further THEN
        RAISE EXCEPTION 'a posted transaction takes no further leg'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF accounts IS NULL THEN
        RETURN NULL;
    END IF;

    known := ARRAY(
        SELECT m.at
          FROM unnest(accounts, subs, currencies) WITH ORDINALITY AS m (account, sub, currency, at)
         CROSS JOIN LATERAL (SELECT FROM account_balances b
                              WHERE b.account = m.account AND b.sub = m.sub
                                AND b.currency = m.currency OFFSET 0) b);
    FOR moved IN
        SELECT m.* FROM unnest(accounts, subs, currencies, minors) WITH ORDINALITY
                        AS m (account, sub, currency, minor, at)
         WHERE m.at IN (SELECT unnest(known)) ORDER BY m.at
    LOOP
        UPDATE account_balances SET balance = balance + moved.minor
         WHERE account = moved.account AND sub = moved.sub AND currency = moved.currency;
    END LOOP;
    IF cardinality(known) = cardinality(accounts) THEN
        RETURN NULL;
    END IF;

    -- A CHECK looks at the proposed row before it looks at the sum: what falls starts at zero.
    INSERT INTO account_balances AS b (account, sub, currency, balance, never_negative)
    SELECT m.account, m.sub, m.currency, greatest(m.minor, 0), m.guarded
      FROM unnest(accounts, subs, currencies, minors, guards) WITH ORDINALITY
           AS m (account, sub, currency, minor, guarded, at)
     WHERE m.at NOT IN (SELECT unnest(known)) ORDER BY m.at
    ON CONFLICT (account, sub, currency) DO UPDATE SET balance = b.balance + excluded.balance;
    FOR moved IN
        SELECT m.* FROM unnest(accounts, subs, currencies, minors) WITH ORDINALITY
                        AS m (account, sub, currency, minor, at)
         WHERE m.minor < 0 AND m.at NOT IN (SELECT unnest(known)) ORDER BY m.at
    LOOP
        UPDATE account_balances SET balance = balance + moved.minor
         WHERE account = moved.account AND sub = moved.sub AND currency = moved.currency;
    END LOOP;
    RETURN NULL;
END $$;

-- The same checks, with the common ones in one look.
CREATE OR REPLACE FUNCTION ledger_check_txn() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
    legs_found bigint; debits numeric; credits numeric; mirrors boolean; strange boolean;
    apart numeric;
BEGIN
    SELECT count(*), coalesce(sum(l.debit), 0), coalesce(sum(l.credit), 0),
           bool_or(l.account IN ('C.TOOWN', 'C.FROMOWN', 'O.FROMCLIENT', 'O.TOCLIENT')),
           bool_or(a.book <> NEW.book)
    INTO legs_found, debits, credits, mirrors, strange
    FROM legs l JOIN ledger_accounts a ON a.name = l.account WHERE l.txn_id = NEW.id;
    IF legs_found <> NEW.leg_count OR debits <> credits OR debits <> NEW.total_minor THEN
        RAISE EXCEPTION 'transaction % does not balance: % legs of %, debit %, credit %',
            NEW.id, legs_found, NEW.leg_count, debits, credits USING ERRCODE = 'check_violation';
    END IF;
    IF strange THEN
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
