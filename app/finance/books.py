"""Reading the books: postings of a case, trial balance with its proofs, invoices, statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.authorisation import case_scope
from app.authorisation.principal import Principal
from app.banking import queries
from app.banking.movements import awaiting_confirmation
from app.cases.schemas import Amount
from app.domain.errors import NotFound
from app.domain.money import Money
from app.finance import ledger_schemas as out
from app.finance import match_words
from app.finance.bank_schemas import BankAccountOut
from app.tables.banking import BankAccount, BankStatement
from app.tables.cases import CaseRow
from app.tables.ledger import AccountBalance, CommissionInvoice
from app.texts import Words


def amount(money: Money) -> Amount:
    return Amount.of(money.minor, money.currency)


def leg_out(leg: ledger.PostedLeg) -> out.LegOut:
    return out.LegOut(
        account=leg.account,
        title=leg.title,
        sub_account=leg.sub,
        debit=amount(leg.debit),
        credit=amount(leg.credit),
    )


async def case_postings(
    session: AsyncSession, caller: Principal, case_id: UUID, say: Words
) -> out.CasePostingsOut:
    """Amounts only, no case content. Raises NotFound for a case outside the caller's scope."""
    reference = await session.scalar(
        select(CaseRow.reference).where(CaseRow.id == case_id, case_scope(caller))
    )
    if reference is None:
        raise NotFound("there is no such case", code="case_not_found")
    postings = await ledger.postings_of_case(session, case_id)
    lines = await queries.allocations_of_case(session, case_id)
    issued = (
        await session.execute(
            invoices_query(case_id=case_id, mode=None).order_by(CommissionInvoice.id)
        )
    ).all()
    return out.CasePostingsOut(
        case_id=case_id,
        reference=reference,
        postings=[
            out.PostingOut(
                id=p.id,
                book=p.book,
                kind=p.kind,
                effective_on=p.effective_on,
                posted_at=p.posted_at,
                posted_by=p.actor,
                reverses=p.reverses_id,
                legs=[leg_out(leg) for leg in p.legs],
            )
            for p in postings
        ],
        allocations=[
            out.AllocationLineOut(
                id=a.id,
                movement_id=a.movement_id,
                amount=amount(a.amount),
                rule=a.rule,
                evidence=a.evidence,
                why=match_words.told_evidence(say, a.evidence),
                fee_reason=a.fee_reason,
                made_by=a.made_by,
                made_at=a.made_at,
                undone_at=a.undone_at,
            )
            for a in lines
        ],
        invoices=[invoice_out(row) for row in issued],
    )


def invoices_query(*, case_id: UUID | None, mode: str | None) -> Any:
    """Invoices with their case's reference and what is still open on them."""
    query = (
        select(
            CommissionInvoice,
            CaseRow.reference,
            func.coalesce(AccountBalance.balance, 0).label("open_minor"),
        )
        .join(CaseRow, CaseRow.id == CommissionInvoice.case_id)
        .outerjoin(
            AccountBalance,
            and_(
                AccountBalance.account == "O.COMMREC",
                AccountBalance.currency == CommissionInvoice.currency,
                AccountBalance.sub
                == func.concat(CommissionInvoice.claimant_id, "/", CommissionInvoice.id),
            ),
        )
    )
    if case_id is not None:
        query = query.where(CommissionInvoice.case_id == case_id)
    if mode is not None:
        query = query.where(CommissionInvoice.mode == mode)
    return query


def invoice_out(row: Any) -> out.InvoiceOut:
    i: CommissionInvoice = row.CommissionInvoice
    whole, rest = divmod(i.vat_bp, 100)
    return out.InvoiceOut(
        id=i.id,
        number=f"{i.series}-{i.number:06d}",
        kind=i.kind,
        mode=i.mode,
        case_id=i.case_id,
        reference=row.reference,
        claimant_id=i.claimant_id,
        gross=Amount.of(i.gross_minor, i.currency),
        net=Amount.of(i.net_minor, i.currency),
        vat=Amount.of(i.vat_minor, i.currency),
        vat_percent=f"{whole}.{rest:02d}",
        issued_on=i.issued_on,
        open=Amount.of(int(row.open_minor), i.currency),
    )


async def trial_balance(session: AsyncSession, until: date | None) -> out.TrialBalanceOut:
    """Both books with every proof, summed from the postings themselves."""
    lines = await ledger.trial_balance(session, until=until)
    proofs = await ledger.client_book(session)
    bank = await bank_proofs(session)
    differences = await ledger.balance_differences(session)
    return out.TrialBalanceOut(
        until=until,
        lines=[
            out.TrialLineOut(
                book=line.book,
                number=line.number,
                account=line.account,
                title=line.title,
                kind=line.kind,
                debit=amount(line.debit),
                credit=amount(line.credit),
                balance=amount(line.balance),
            )
            for line in lines
        ],
        client_book=[
            out.ProofOut(
                currency=p.currency,
                assets=amount(p.assets),
                liabilities=amount(p.liabilities),
                due_to_own_book=amount(p.due_to_own),
                due_from_client_book=amount(p.due_from_client),
                due_from_own_book=amount(p.due_from_own),
                due_to_client_book=amount(p.due_to_client),
                in_balance=p.in_balance,
            )
            for p in proofs
        ],
        bank=bank,
        balances_that_differ=len(differences),
        in_balance=all(p.in_balance for p in proofs)
        and all(b.agrees for b in bank)
        and not differences,
    )


async def bank_proofs(session: AsyncSession) -> list[out.BankProofOut]:
    """Every client account: book = last statement + what people recorded ahead of it."""
    proofs = []
    for account, last in await _accounts(session, "client"):
        book = await ledger.balance_of(session, "C.BANK", str(account.id), account.currency)
        shown = Money(last.closing_minor if last else 0, account.currency)
        ahead = await awaiting_confirmation(session, account)
        proofs.append(
            out.BankProofOut(
                bank_account_id=account.id,
                book_balance=amount(book),
                statement_balance=amount(shown),
                statement_day=last.closes_on if last else None,
                recorded_by_hand=amount(ahead),
                agrees=book == shown + ahead,
            )
        )
    return proofs


async def accounts_out(session: AsyncSession) -> list[BankAccountOut]:
    """Every account of the agency, with its balance in the books."""
    found = []
    for account, last in await _accounts(session, None):
        ledger_account = "C.BANK" if account.book == "client" else "O.BANK"
        book = await ledger.balance_of(session, ledger_account, str(account.id), account.currency)
        found.append(account_out(account, book, last.closes_on if last else None))
    return found


def account_out(account: BankAccount, balance: Money, last: date | None) -> BankAccountOut:
    return BankAccountOut(
        id=account.id,
        book=account.book,
        holder=account.holder,
        number=account.number,
        bic=account.bic,
        currency=account.currency,
        opened_at=account.opened_at,
        balance=amount(balance),
        last_statement=last,
    )


async def _accounts(
    session: AsyncSession, book: str | None
) -> Sequence[tuple[BankAccount, BankStatement | None]]:
    """Accounts with their last statement (positions below zero are receipts recorded by hand)."""
    query = (
        select(BankAccount, BankStatement)
        .outerjoin(
            BankStatement,
            and_(
                BankStatement.bank_account_id == BankAccount.id,
                BankStatement.position > 0,
                BankStatement.undone_at.is_(None),
            ),
        )
        .ext(distinct_on(BankAccount.id))
        .order_by(BankAccount.id, BankStatement.position.desc())
    )
    if book is not None:
        query = query.where(BankAccount.book == book)
    return [(row[0], row[1]) for row in await session.execute(query)]
