"""The bank over HTTP: accounts, statements, unallocated money, allocations."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import select

from app.banking import queries
from app.banking.queries import Candidate, UnallocatedMoney
from app.banking.service import AllocationDone
from app.cases.schemas import Amount
from app.crypto import mask_name
from app.deps import (
    Caller,
    Held,
    Pages,
    ReadSession,
    Router,
    Session,
    problems,
)
from app.domain.money import Money
from app.finance import allocating, books, match_words, receiving
from app.finance import bank_schemas as s
from app.finance.books import amount
from app.finance.desk import open_desk
from app.pagination import keyset
from app.schemas import Id, LanguageCode
from app.tables.banking import BankAccount, BankStatement
from app.texts import Words

router = Router(prefix="/v1/bank", tags=["bank"])
UNALLOCATED_MAX = 25  # a page: each line asks for its candidates
CONFLICT = problems("conflict")
Reader = Annotated[
    LanguageCode | None,
    Query(description="Read the words in this language instead of English (en, fi, sv, fr, de)."),
]


@router.get("/accounts", operation_id="list_bank_accounts")
async def list_bank_accounts(session: ReadSession) -> s.BankAccountList:
    return s.BankAccountList(items=await books.accounts_out(session))


@router.post("/accounts", operation_id="open_bank_account", status_code=201, responses=CONFLICT)
async def open_bank_account(
    body: s.BankAccountIn, session: Session, caller: Caller
) -> s.BankAccountOut:
    """Register an account of the agency. The client account must stand before its first statement,
    which opens at zero or with the recorded opening balance."""
    row = await receiving.open_account(await open_desk(session, caller), body)
    return books.account_out(row, Money(0, row.currency), None)


@router.post(
    "/accounts/{client_account_id}/opening-balance",
    operation_id="record_opening_balance",
    status_code=201,
    responses=problems("conflict", "not_found"),
)
async def record_opening_balance(
    client_account_id: Id, body: s.OpeningIn, session: Session, caller: Caller, held: Held
) -> s.OpeningOut:
    """What stood on a client account before its first statement, which must open with exactly
    this. Recorded again it corrects the one before; after the first statement it is refused."""
    desk = await open_desk(session, caller)
    movement = await receiving.record_opening_balance(desk, held.keyring, client_account_id, body)
    return s.OpeningOut(movement_id=movement, amount=amount(body.amount.money()), as_of=body.as_of)


@router.get("/statements", operation_id="list_statements")
async def list_statements(session: ReadSession, pages: Pages) -> s.StatementList:
    """The newest first."""
    every: Any = (
        select(BankStatement, BankAccount.currency)
        .join(BankAccount, BankAccount.id == BankStatement.bank_account_id)
        .where(BankStatement.position > 0, BankStatement.undone_at.is_(None))
    )
    query = keyset(
        every,
        [BankStatement.__table__.c.id],
        pages.after("statements"),
        pages.limit,
        descending=True,
    )
    rows = (await session.execute(query)).all()
    shown = rows[: pages.limit]
    return s.StatementList(
        items=[
            s.StatementLine(
                id=row.id,
                bank_account_id=row.bank_account_id,
                name=row.ident,
                number=row.sequence,
                closes_on=row.closes_on,
                opening_balance=Amount.of(row.opening_minor, currency),
                closing_balance=Amount.of(row.closing_minor, currency),
                imported_at=row.imported_at,
            )
            for row, currency in shown
        ],
        next_cursor=pages.next("statements", [shown[-1][0].id])
        if len(rows) > pages.limit
        else None,
    )


@router.post(
    "/receipts",
    operation_id="record_receipt",
    status_code=201,
    responses=problems("conflict", "not_found"),
)
async def record_receipt(
    body: s.ReceiptIn, session: Session, caller: Caller, held: Held
) -> s.ReceiptOut:
    """Money received, recorded by hand before its statement comes."""
    movement_id = await receiving.record_by_hand(
        await open_desk(session, caller), held.keyring, body
    )
    return s.ReceiptOut(
        movement_id=movement_id, amount=amount(body.amount.money()), booked_on=body.booked_on
    )


@router.get("/unallocated", operation_id="list_unallocated")
async def list_unallocated(
    session: ReadSession, caller: Caller, pages: Pages, held: Held, language: Reader = None
) -> s.UnallocatedList:
    """Money that is no case's yet, oldest first, with the cases it may belong to and why."""
    say = match_words.said_in(language)
    limit = min(pages.limit, UNALLOCATED_MAX)
    after = pages.after("unallocated")
    rows = await queries.unallocated(session, after=after[0] if after else None, limit=limit + 1)
    shown = rows[:limit]
    masked = caller.has("auditor")
    return s.UnallocatedList(
        items=[
            _unallocated(
                row,
                await queries.candidates(session, row.movement_id, keyring=held.keyring),
                say,
                masked=masked,
            )
            for row in shown
        ],
        next_cursor=pages.next("unallocated", [shown[-1].movement_id])
        if len(rows) > limit
        else None,
    )


def _unallocated(
    row: UnallocatedMoney, found: list[Candidate], say: Words, *, masked: bool
) -> s.UnallocatedOut:
    payer = row.payer_name
    return s.UnallocatedOut(
        movement_id=row.movement_id,
        booked_on=row.booked_on,
        amount=amount(row.amount),
        unallocated=amount(row.unallocated),
        payer=mask_name(payer) if payer and masked else payer,
        payer_account=row.payer_account,
        reference=row.creditor_ref,
        message="***" if masked else row.remittance,
        held_for_case=row.held_for_case,
        answer=row.hold,
        to_return=amount(row.to_return),
        candidates=[
            s.CandidateOut(
                case_id=c.case_id,
                reference=c.reference,
                company=c.company,
                claimed=amount(c.claimed),
                rule=c.rule,
                why=match_words.step_of(say, c.rule, c.evidence["found"]),
                certain=c.confirms,
                amount=amount(c.amount),
                score=c.score,
                reasons=[match_words.reason_out(say, one) for one in c.reasons],
                not_certain_because=c.against.code if c.against else None,
                not_certain_text=match_words.doubt_of(say, c.against),
            )
            for c in found
        ],
        why_unallocated=match_words.why_unallocated(say, row, found),
    )


@router.post(
    "/movements/{movement_id}/allocations",
    operation_id="allocate",
    status_code=201,
    responses=CONFLICT,
)
async def allocate(
    movement_id: Id, body: s.AllocateIn, session: Session, caller: Caller, held: Held
) -> s.AllocationOut:
    """Set money against a case: fee, invoice and what each claimant gets follow in the same step.
    Below the claim and in full settlement it is held, and the claimants are asked."""
    desk = await open_desk(session, caller)
    done = await allocating.allocate_money(desk, held.keyring, movement_id, body)
    if isinstance(done, AllocationDone):
        return s.AllocationOut(
            state="allocated",
            allocation_id=done.allocation_id,
            movement_id=done.movement_id,
            case_id=done.case_id,
            offer_id=None,
            amount=amount(done.amount),
            our_fee=amount(done.fee),
            fee_reason=done.fee_reason,
            shares=[
                s.ShareOut(
                    claimant_id=share.claimant_id,
                    received=amount(share.received),
                    our_fee=amount(share.fee),
                    vat_inside_fee=amount(share.vat),
                    to_be_paid_out=amount(share.payout),
                )
                for share in done.shares
            ],
            invoices=[f"{i.series}-{i.number:06d}" for i in done.invoices],
        )
    return s.AllocationOut(
        state="held",
        allocation_id=None,
        movement_id=done.movement_id,
        case_id=done.case_id,
        offer_id=done.offer_id,
        amount=amount(done.amount),
        our_fee=None,
        fee_reason=None,
        shares=[],
        invoices=[],
    )


@router.post(
    "/allocations/{allocation_id}/undo", operation_id="undo_allocation", responses=CONFLICT
)
async def undo_allocation(
    allocation_id: Id, body: s.UndoIn, session: Session, caller: Caller
) -> s.UndoneOut:
    """It belonged elsewhere: money and fee go back by mirrored postings and credit notes."""
    done = await allocating.undo(await open_desk(session, caller), allocation_id, body.reason)
    return s.UndoneOut(
        allocation_id=done.allocation_id,
        movement_id=done.movement_id,
        case_id=done.case_id,
        amount=amount(done.amount),
        fee_given_back=amount(-done.fee),
    )


@router.post(
    "/movements/{movement_id}/return",
    operation_id="return_money",
    status_code=201,
    responses=CONFLICT,
)
async def return_money(movement_id: Id, session: Session, caller: Caller) -> s.ReturnOut:
    """Prepare sending what is unallocated or refused back to the account it came from; it leaves
    with the next batch that somebody else approves."""
    item = await allocating.send_back(await open_desk(session, caller), movement_id)
    return s.ReturnOut(
        item_id=item.id, movement_id=movement_id, amount=amount(item.amount), state=item.state
    )


@router.post(
    "/movements/{movement_id}/invoice-payments",
    operation_id="pay_invoice",
    status_code=201,
    responses=CONFLICT,
)
async def pay_invoice(
    movement_id: Id, body: s.PayInvoiceIn, session: Session, caller: Caller
) -> s.InvoicePaidOut:
    """A consumer paid our commission invoice on the client account."""
    left = await allocating.pay(await open_desk(session, caller), movement_id, body)
    return s.InvoicePaidOut(invoice_id=body.invoice_id, still_open=amount(left))
