"""Reads for the day, the month and the matching; each a few statements over indexed rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.account import read_account
from app.cases.schemas import Amount
from app.finance import books
from app.finance import day_schemas as s
from app.finance.ledger_schemas import BankProofOut

BANDS: Final = ((0, 2), (3, 7), (8, 30), (31, None))
OLD_DAYS: Final = 30  # unallocated money older than this stands against closing a month

_UNALLOCATED = text("""
    SELECT m.currency, CAST(:today AS date) - m.booked_on AS days, count(*) AS many,
           sum(b.balance) AS minor
      FROM account_balances b JOIN movements m ON m.id = CAST(b.sub AS uuid)
     WHERE b.account = 'C.UNALLOC' AND b.balance <> 0 GROUP BY 1, 2
""")
_BATCHES = text("""
    SELECT state, count(*) AS many FROM payout_batches
     WHERE state NOT IN ('settled', 'rejected') GROUP BY state ORDER BY state
""")
_COUNTS = text("""
    SELECT (SELECT count(*) FROM account_balances WHERE account = 'C.RETURN' AND balance <> 0),
           (SELECT count(*) FROM match_queue)
""")
# Lines of statements only: what people recorded by hand has its own line there later.
_THREE_WAY = text("""
    WITH shown AS (
        SELECT m.booked_on AS day, m.currency,
               sum(CASE m.direction WHEN 'credit' THEN m.amount_minor ELSE -m.amount_minor END)
                   AS minor
          FROM movements m JOIN bank_accounts a ON a.id = m.bank_account_id AND a.book = 'client'
         WHERE m.booked_on BETWEEN :since AND :until AND m.undone_at IS NULL
           AND m.entry_key NOT LIKE 'hand:%' GROUP BY 1, 2),
    booked AS (
        SELECT coalesce(t.original_on, t.effective_on) AS day, t.currency,
               sum(l.debit - l.credit) AS minor
          FROM journal_txns t JOIN legs l ON l.txn_id = t.id AND l.account = 'C.BANK'
         WHERE t.effective_on >= :since
           AND coalesce(t.original_on, t.effective_on) BETWEEN :since AND :until GROUP BY 1, 2)
    SELECT day, currency, coalesce(shown.minor, 0) AS shown, coalesce(booked.minor, 0) AS booked
      FROM shown FULL JOIN booked USING (day, currency) ORDER BY day, currency
""")
# A confirmation that a person took back was none, whatever was thought on the day.
_OUTCOMES = text("""
    SELECT o.outcome, coalesce(o.step, '') AS step, m.currency, count(*) AS many,
           sum(m.amount_minor) AS received, sum(o.minor) AS confirmed
      FROM (SELECT d.movement_id, d.step,
                   CASE WHEN t.back THEN 'taken_back' ELSE d.outcome END AS outcome,
                   CASE WHEN t.back THEN 0 ELSE d.minor END AS minor
              FROM match_outcomes d
              LEFT JOIN LATERAL (
                   SELECT bool_or(a.undone_at IS NOT NULL) AS back FROM allocations a
                    WHERE a.movement_id = d.movement_id AND a.made_by = 'system'
                      AND d.outcome = 'confirmed') t ON true
             WHERE d.decided_at >= :since) o
      JOIN movements m ON m.id = o.movement_id AND m.undone_at IS NULL
     GROUP BY 1, 2, 3
""")
_SPEED = text("""
    SELECT percentile_cont(0.5) WITHIN GROUP
               (ORDER BY extract(epoch FROM f.made_at - m.received_at))
      FROM match_outcomes o JOIN movements m ON m.id = o.movement_id AND m.undone_at IS NULL
      JOIN LATERAL (SELECT min(made_at) AS made_at FROM allocations a
                     WHERE a.movement_id = m.id) f ON f.made_at IS NOT NULL
     WHERE o.decided_at >= :since
""")
_UNDONE = text("""
    SELECT count(DISTINCT o.movement_id)
      FROM match_outcomes o JOIN allocations a ON a.movement_id = o.movement_id
     WHERE o.decided_at >= :since AND o.outcome = 'confirmed' AND a.made_by = 'system'
       AND a.undone_at < a.made_at + interval '30 days'
""")
_COMMISSION = text("""
    SELECT currency, vat_bp, count(*) FILTER (WHERE kind = 'invoice') AS invoices,
           count(*) FILTER (WHERE kind <> 'invoice') AS credit_notes, sum(gross_minor) AS gross,
           sum(net_minor) AS net, sum(vat_minor) AS vat
      FROM commission_invoices WHERE issued_on BETWEEN :since AND :until
     GROUP BY currency, vat_bp ORDER BY currency, vat_bp
""")


async def today(session: AsyncSession, day: date) -> s.TodayOut:
    """Proof lights and what waits. `day` is the agency's."""
    proofs = await books.bank_proofs(session)
    batches = await session.execute(_BATCHES)
    returns, queued = (await session.execute(_COUNTS)).one()
    return s.TodayOut(
        day=day,
        accounts=[_light(proof, day) for proof in proofs],
        client_money_in_balance=all(p.in_balance for p in await ledger.client_book(session)),
        unallocated=await _bands(session, day),
        batches={row.state: row.many for row in batches},
        returns_waiting=returns,
        waiting_to_match=queued,
    )


def _light(proof: BankProofOut, day: date) -> s.LightOut:
    shown = proof.statement_day
    return s.LightOut(
        bank_account_id=proof.bank_account_id,
        currency=proof.book_balance.currency,
        statement_day=shown,
        statement_in=shown is not None and shown >= day - timedelta(days=1),
        statement_balance=proof.statement_balance,
        book_balance=proof.book_balance,
        agrees=proof.agrees,
    )


async def _bands(session: AsyncSession, day: date) -> list[s.AgeBandOut]:
    found: dict[tuple[str, int], list[int]] = {}
    for row in await session.execute(_UNALLOCATED, {"today": day}):
        band = max(at for at, (first, _) in enumerate(BANDS) if max(row.days, 0) >= first)
        counts = found.setdefault((row.currency, band), [0, 0])
        counts[0] += row.many
        counts[1] += int(row.minor)
    return [
        s.AgeBandOut(
            currency=currency, from_days=BANDS[band][0], to_days=BANDS[band][1], receipts=many,
            total=Amount.of(minor, currency),
        )
        for (currency, band), (many, minor) in sorted(found.items())
    ]  # fmt: skip


async def three_way(session: AsyncSession, since: date, until: date) -> s.ThreeWayOut:
    rows = await session.execute(_THREE_WAY, {"since": since, "until": until})
    return s.ThreeWayOut(
        items=[
            s.ThreeWayLine(
                day=row.day, currency=row.currency,
                statement=Amount.of(int(row.shown), row.currency),
                ledger=Amount.of(int(row.booked), row.currency),
                difference=Amount.of(int(row.shown - row.booked), row.currency),
            )
            for row in rows
        ]
    )  # fmt: skip


async def match_quality(session: AsyncSession, since: date) -> s.MatchQualityOut:
    by_step: dict[str, int] = {}
    by_outcome: dict[str, int] = {}
    value: dict[str, list[int]] = {}
    for row in await session.execute(_OUTCOMES, {"since": since}):
        by_outcome[row.outcome] = by_outcome.get(row.outcome, 0) + row.many
        if row.outcome == "confirmed":
            by_step[row.step] = by_step.get(row.step, 0) + row.many
        sums = value.setdefault(row.currency, [0, 0])
        sums[0] += int(row.received)
        sums[1] += int(row.confirmed)
    many, confirmed = sum(by_outcome.values()), by_outcome.get("confirmed", 0)
    median = await session.scalar(_SPEED, {"since": since})
    return s.MatchQualityOut(
        since=since,
        receipts=many,
        confirmed=confirmed,
        percent=_percent(confirmed, many),
        by_value=[
            s.ValueRateOut(
                currency=currency, received=Amount.of(got, currency),
                confirmed=Amount.of(sure, currency), percent=_percent(sure, got),
            )
            for currency, (got, sure) in sorted(value.items())
        ],
        by_step=[s.StepOut(step=step, receipts=n) for step, n in sorted(by_step.items())],
        by_outcome=by_outcome,
        undone=await session.scalar(_UNDONE, {"since": since}) or 0,
        median_seconds=None if median is None else int(median),
    )  # fmt: skip


def _percent(part: int, whole: int) -> str:
    """Two decimals, cut: 99.999 % is not shown as all."""
    hundredths = 10_000 * part // whole if whole else 0
    return f"{hundredths // 100}.{hundredths % 100:02d}"


async def case_account(session: AsyncSession, case_id: UUID) -> s.CaseAccountOut:
    """Raises NotFound for an unknown case."""
    found = await read_account(session, case_id)

    def amount(minor: int) -> Amount:
        return Amount.of(minor, found.currency)

    return s.CaseAccountOut(
        case_id=case_id,
        moves=[
            s.MoveOut(
                posting_id=move.posting_id, on=move.on, posted_at=move.posted_at, kind=move.kind,
                taken_back=move.taken_back, change=amount(move.minor),
                balance=amount(move.balance_minor),
            )
            for move in found.moves
        ],
        balance=amount(found.balance_minor), received=amount(found.received_minor),
        paid_directly=amount(found.paid_directly_minor), fee=amount(found.fee_minor),
        vat_inside_fee=amount(found.vat_minor), net=amount(found.net_minor),
        paid_out=amount(found.paid_out_minor), open_fee=amount(found.open_fee_minor),
    )  # fmt: skip


async def commission(session: AsyncSession, since: date, until: date) -> s.CommissionOut:
    rows = await session.execute(_COMMISSION, {"since": since, "until": until})
    return s.CommissionOut(
        items=[
            s.VatLine(
                currency=row.currency, vat_percent=f"{row.vat_bp // 100}.{row.vat_bp % 100:02d}",
                invoices=row.invoices, credit_notes=row.credit_notes,
                gross=Amount.of(int(row.gross), row.currency),
                net=Amount.of(int(row.net), row.currency),
                vat=Amount.of(int(row.vat), row.currency),
            )
            for row in rows
        ]
    )  # fmt: skip


async def close_list(session: AsyncSession, first: date, day: date) -> s.CloseOut:
    """What stands against closing the month that begins on ``first``."""
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    lights = await books.bank_proofs(session)
    unshown = sum(1 for one in lights if one.statement_day is None or one.statement_day < last)
    days = [d for d in (await three_way(session, first, last)).items if d.difference.minor]
    old = sum(b.receipts for b in await _bands(session, day) if b.from_days > OLD_DAYS)
    proofs = await ledger.client_book(session)
    waiting = sum(row.many for row in await session.execute(_BATCHES))
    counts = (
        ("month_not_over", int(day <= last), "/v1/finance/close"),
        ("statement_missing", unshown, "/v1/bank/statements"),
        ("book_differs_from_bank", sum(not one.agrees for one in lights), "/v1/finance/today"),
        ("day_not_explained", len(days), "/v1/finance/three-way"),
        ("unallocated_too_old", old, "/v1/bank/unallocated"),
        ("client_money_out_of_balance", sum(not p.in_balance for p in proofs),
         "/v1/ledger/trial-balance"),
        ("own_book_owes_clients", sum(p.due_from_own.minor != 0 for p in proofs),
         "/v1/ledger/trial-balance"),
        ("approval_open", waiting, "/v1/payouts/batches"),
    )  # fmt: skip
    items = [s.CloseItem(code=code, met=not n, count=n, link=link) for code, n, link in counts]
    return s.CloseOut(
        month=f"{first:%Y-%m}", may_close=all(item.met for item in items), items=items
    )
