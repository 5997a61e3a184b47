"""Reading the ledger: balances, the trial balance, the proof of the client book, a case's postings.

Proofs are summed from the legs themselves, not from the kept balances.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.money import Money
from app.tables.ledger import AccountBalance, JournalTxn, LedgerAccount, Leg


@dataclass(frozen=True, slots=True)
class Balance:
    """What stands on one sub-account, in its normal direction."""

    account: str
    sub: str
    amount: Money


async def balance_of(session: AsyncSession, account: str, sub: str, currency: str) -> Money:
    """Balance of one guarded sub-account; zero when it was never posted to."""
    row = await session.get(AccountBalance, (account, sub, currency), populate_existing=True)
    return Money(row.balance if row else 0, currency)


async def balances(
    session: AsyncSession, account: str, *, sub_prefix: str = "", limit: int = 1000
) -> list[Balance]:
    """Sub-accounts of one account that are not zero, by sub; at most ``limit``."""
    rows = await session.execute(
        select(AccountBalance)
        .where(
            AccountBalance.account == account,
            AccountBalance.balance != 0,
            AccountBalance.sub.startswith(sub_prefix, autoescape=True),
        )
        .order_by(AccountBalance.sub, AccountBalance.currency)
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [Balance(r.account, r.sub, Money(r.balance, r.currency)) for r in rows.scalars()]


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One account of the trial balance: everything ever debited and credited."""

    book: str
    number: str
    account: str
    title: str
    kind: str
    currency: str
    debit: Money
    credit: Money
    balance: Money


async def trial_balance(session: AsyncSession, *, until: date | None = None) -> list[TrialLine]:
    """Both books, account by account and currency, summed from the legs themselves."""
    query = (
        select(
            LedgerAccount, JournalTxn.currency, func.sum(Leg.debit), func.sum(Leg.credit)
        )
        .join(Leg, Leg.account == LedgerAccount.name)
        .join(JournalTxn, JournalTxn.id == Leg.txn_id)
        .group_by(LedgerAccount.name, JournalTxn.currency)
        .order_by(LedgerAccount.book, LedgerAccount.number, JournalTxn.currency)
    )  # fmt: skip
    if until is not None:
        query = query.where(JournalTxn.effective_on <= until)
    lines = []
    for account, currency, debit, credit in await session.execute(query):
        net = int(debit - credit) if account.kind in ("asset", "expense") else int(credit - debit)
        lines.append(
            TrialLine(
                account.book, account.number, account.name, account.title, account.kind, currency,
                Money(int(debit), currency), Money(int(credit), currency), Money(net, currency),
            )
        )  # fmt: skip
    return lines


@dataclass(frozen=True, slots=True)
class ClientBookProof:
    """The client book per currency: what is there equals what is owed, and both books agree."""

    currency: str
    assets: Money
    liabilities: Money
    due_to_own: Money
    due_from_client: Money
    due_from_own: Money
    due_to_client: Money

    @property
    def in_balance(self) -> bool:
        """Assets = liabilities, 1950 = 2950 and 1960 = 2960."""
        return (
            self.assets == self.liabilities
            and self.due_to_own == self.due_from_client
            and self.due_from_own == self.due_to_client
        )


async def client_book(session: AsyncSession) -> list[ClientBookProof]:
    """The proof for every currency in use, summed from the legs."""
    lines = await trial_balance(session)

    def total(currency: str, wanted: set[str] | None, book: str, kind: str | None) -> Money:
        return Money(
            sum(
                line.balance.minor
                for line in lines
                if line.currency == currency
                and (line.account in wanted if wanted else line.book == book and line.kind == kind)
            ),
            currency,
        )

    return [
        ClientBookProof(
            currency,
            assets=total(currency, None, "client", "asset"),
            liabilities=total(currency, None, "client", "liability"),
            due_to_own=total(currency, {"C.TOOWN"}, "", None),
            due_from_client=total(currency, {"O.FROMCLIENT"}, "", None),
            due_from_own=total(currency, {"C.FROMOWN"}, "", None),
            due_to_client=total(currency, {"O.TOCLIENT"}, "", None),
        )
        for currency in sorted({line.currency for line in lines})
    ]


async def client_book_in_balance(session: AsyncSession) -> bool:
    """True when the proof holds in every currency (an empty ledger is in balance)."""
    return all(proof.in_balance for proof in await client_book(session))


async def balance_differences(session: AsyncSession) -> list[tuple[str, str, str, int, int]]:
    """Cached balances that are not the sum of their legs: (account, sub, currency, kept, sum).

    Empty unless someone got past the triggers; the nightly proof reads it.
    """
    rows = await session.execute(_DIFFERENCES)
    return [(r[0], r[1], r[2], int(r[3]), int(r[4])) for r in rows]


_DIFFERENCES = text(
    """
    WITH summed AS (
      SELECT l.account, l.sub, t.currency,
             sum(CASE WHEN a.kind IN ('asset', 'expense') THEN l.debit - l.credit
                      ELSE l.credit - l.debit END) AS minor
      FROM legs l JOIN journal_txns t ON t.id = l.txn_id
      JOIN ledger_accounts a ON a.name = l.account
      WHERE a.cached GROUP BY 1, 2, 3)
    SELECT account, sub, currency, coalesce(b.balance, 0), coalesce(s.minor, 0)
    FROM summed s FULL JOIN account_balances b USING (account, sub, currency)
    WHERE coalesce(b.balance, 0) <> coalesce(s.minor, 0)
    """
)


@dataclass(frozen=True, slots=True)
class PostedLeg:
    """One leg as a person reads it."""

    account: str
    title: str
    sub: str
    debit: Money
    credit: Money


@dataclass(frozen=True, slots=True)
class PostedTxn:
    """One transaction of a case with its legs."""

    id: uuid.UUID
    book: str
    kind: str
    effective_on: date
    posted_at: datetime
    actor: str
    reverses_id: uuid.UUID | None
    legs: tuple[PostedLeg, ...]


async def postings_of_case(
    session: AsyncSession, case_id: uuid.UUID, *, limit: int = 500
) -> list[PostedTxn]:
    """Everything posted for a case, oldest first, at most ``limit`` transactions."""
    return await _with_legs(
        session,
        select(JournalTxn)
        .where(JournalTxn.case_id == case_id)
        .order_by(JournalTxn.posted_at, JournalTxn.id)
        .limit(limit),
    )


async def postings_of_event(session: AsyncSession, prefix: str) -> list[PostedTxn]:
    """What was posted under keys that begin like this (``entry:{id}:``), in their order."""
    return await _with_legs(
        session,
        select(JournalTxn)
        .where(JournalTxn.event_key >= prefix, JournalTxn.event_key < prefix + "~")
        .order_by(JournalTxn.event_key, JournalTxn.book),
    )


async def _with_legs(session: AsyncSession, query: Select[JournalTxn]) -> list[PostedTxn]:
    txns = (await session.execute(query)).scalars().all()
    rows = await session.execute(
        select(Leg, LedgerAccount.title)
        .join(LedgerAccount, LedgerAccount.name == Leg.account)
        .where(Leg.txn_id.in_([txn.id for txn in txns]))
        .order_by(Leg.txn_id, Leg.line)
    )
    currency = {txn.id: txn.currency for txn in txns}
    legs: dict[uuid.UUID, list[PostedLeg]] = {}
    for leg, title in rows:
        code = currency[leg.txn_id]
        legs.setdefault(leg.txn_id, []).append(
            PostedLeg(leg.account, title, leg.sub, Money(leg.debit, code), Money(leg.credit, code))
        )
    return [
        PostedTxn(
            txn.id, txn.book, txn.kind, txn.effective_on, txn.posted_at, txn.actor,
            txn.reverses_id, tuple(legs.get(txn.id, ())),
        )
        for txn in txns
    ]  # fmt: skip
