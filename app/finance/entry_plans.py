"""What an entry does, worked out from what stands in the books at the moment of approval.

The plain kinds post one rule. The larger ones also issue credit notes and count the case's fee
anew. Everything named must be what it is called: a claimant of that case, a receipt, a debit nobody
has explained, an account of ours. Nobody's money but that of what is named is ever moved.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app import ledger
from app.banking.case_money import CaseMoney, load_case_money
from app.banking.commission import DocumentLine, When, lock_totals, number_documents
from app.banking.direct import DirectPayment, record_direct_payment
from app.banking.service import receipt_of
from app.domain.book_entries import (
    LARGER,
    CaseMoves,
    EntryTooLarge,
    Plan,
    Taken,
    net_clawback,
    plain,
    waive,
)
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.money import Money
from app.domain.settlement import Posted, vat_inside
from app.finance import fee_changes
from app.finance.desk import Desk
from app.playbooks.posting_rules import load_posting_rules
from app.tables.banking import BankAccount, Movement, MovementHold
from app.tables.cases import CaseRow, ClaimantRow
from app.tables.correspondence import MessageRow
from app.tables.entries import BookEntry
from app.tables.ledger import CommissionInvoice

NOT_REVERSIBLE: Final = frozenset(LARGER) | {"costs_awarded"}  # they issued documents


class NotAnOpenDebit(Conflict):
    """It is not a debit of the client account that still waits for its explanation."""

    code = "not_an_open_debit"


class EntryNotReversible(Conflict):
    """It issued documents or is not approved: set it right by an entry of its own."""

    code = "entry_not_reversible"


@dataclass(frozen=True, slots=True)
class Work:
    """An entry and its case, locked; ``subs`` are what the sub-accounts are named after."""

    desk: Desk
    entry: BookEntry
    subs: dict[str, str]
    case: CaseMoney | None

    @property
    def amount(self) -> int:
        return self.entry.amount_minor

    @property
    def money(self) -> CaseMoney:
        if self.case is None:
            raise InvalidInput("This entry is about a case.", code="case_needed")
        return self.case

    @property
    def when(self) -> When:
        return When(self.desk.actor, self.desk.at, self.desk.today)

    async def balance(self, account: str, sub: str) -> int:
        found = await ledger.balance_of(self.desk.session, account, sub, self.entry.currency)
        return found.minor


async def open_work(desk: Desk, entry: BookEntry) -> Work:
    """Lock the case and look at everything named. Raises NotFound, Conflict, InvalidInput."""
    names: Mapping[str, str] = entry.names
    subs = {**names, "entry": str(entry.id)} if entry.kind != "entry_reversed" else dict(names)
    invoice = await _invoice(desk, names.get("invoice"))
    if invoice is not None:
        subs |= {"claimant": str(invoice.claimant_id), "vat_rate": str(invoice.vat_bp)}
    case = None
    if entry.case_id is not None:
        case = await load_case_money(desk.session, entry.case_id, zone=desk.zone)
        if case.currency != entry.currency:
            raise InvalidInput(
                "Money and case are in different currencies.", code="currency_mismatch"
            )
        subs = {"vat_rate": str(case.fee_rule.vat_bp), **subs}
    await _claimant(desk, entry, subs.get("claimant"))
    await _movements(desk, entry, names)
    await _own_account(desk, entry, names.get("own_account"))
    await _consent(desk, entry)
    return Work(desk, entry, subs, case)


async def _invoice(desk: Desk, named: str | None) -> CommissionInvoice | None:
    if named is None:
        return None
    found = await desk.session.get(CommissionInvoice, UUID(named))
    if found is None or found.mode != "receivable" or found.kind != "invoice":
        raise NotFound("there is no such invoice", code="invoice_not_found")
    return found


async def _claimant(desk: Desk, entry: BookEntry, named: str | None) -> None:
    if named is None:
        return
    found = await desk.session.get(ClaimantRow, UUID(named))
    if found is None or found.case_id != entry.case_id:
        raise NotFound("there is no such claimant on this case", code="claimant_not_found")


async def _movements(desk: Desk, entry: BookEntry, names: Mapping[str, str]) -> None:
    if "movement" in names:
        movement = await receipt_of(desk.session, UUID(names["movement"]))
        hold = await desk.session.get(MovementHold, movement.id)
        if hold is not None and hold.outcome in ("waiting", "refused"):
            raise Conflict("this money is held for a case", code="movement_held")
        if movement.currency != entry.currency:
            raise InvalidInput("The money is in another currency.", code="currency_mismatch")
    if "debit" in names:
        debit = await desk.session.get(Movement, UUID(names["debit"]))
        if debit is None or debit.kind != "unexplained_debit" or debit.currency != entry.currency:
            raise NotAnOpenDebit("This is not an unexplained debit in this currency.")


async def _own_account(desk: Desk, entry: BookEntry, named: str | None) -> None:
    if named is None:
        return
    found = await desk.session.get(BankAccount, UUID(named))
    if found is None or found.book != "own" or found.currency != entry.currency:
        raise NotFound("there is no such account of ours", code="bank_account_not_found")


async def _consent(desk: Desk, entry: BookEntry) -> None:
    """The claimant's separate yes is a message of theirs on this very case."""
    if entry.consent_id is None:
        return
    said = await desk.session.get(MessageRow, entry.consent_id)
    if said is None or said.case_id != entry.case_id or said.sender != "consumer":
        raise NotFound("there is no such message of the claimant", code="message_not_found")


async def plan(work: Work) -> Plan:
    """The postings and what the case is told; documents and running totals are written here."""
    larger = _LARGER.get(work.entry.kind)
    if larger is not None:
        return await larger(work)
    if work.entry.kind == "costs_awarded":
        return await _costs(work)
    amounts = {"amount": work.amount, "vat": 0}
    if work.entry.kind == "commission_written_off" and work.entry.vat_relief:
        amounts["vat"] = vat_inside(work.amount, int(work.subs["vat_rate"]))
    return plain(load_posting_rules(), work.entry.kind, amounts, work.subs)


async def _costs(work: Work) -> Plan:
    """Row 17: what the other side was ordered to pay for our costs is invoiced, VAT inside."""
    case, subs = work.money, work.subs
    who = min(item.claimant_id for item in case.items)
    vat = vat_inside(work.amount, case.fee_rule.vat_bp)
    await number_documents(
        work.desk.session, case.case_id, case.currency, case.fee_rule,
        [DocumentLine(UUID(who), work.amount, vat)],
        source_id=work.entry.id, mode="deducted", when=work.when,
    )  # fmt: skip
    return plain(
        load_posting_rules(), "costs_awarded", {"amount": work.amount, "vat": vat}, subs
    )  # fmt: skip


async def _reversal(work: Work) -> Plan:
    open_minor = await work.balance("O.SUSPENSE", work.subs["debit"])
    if work.amount > open_minor:
        raise EntryTooLarge("The debit is smaller than that, or explained already.")
    return await fee_changes.reversal(
        work.desk.session, work.money, work.entry, work.subs["debit"], when=work.when
    )


async def _fee_waived(work: Work) -> Plan:
    case, who = work.money, work.subs["claimant"]
    totals = await lock_totals(work.desk.session, case.case_id, case.currency)
    was = await fee_changes.deducted(work.desk.session, case, who)
    if work.amount > min(totals.fee_minor - totals.waived_minor, was.gross_minor):
        raise EntryTooLarge("The fee is smaller than that.")
    vat = was.vat_minor - vat_inside(was.gross_minor - work.amount, case.fee_rule.vat_bp)
    await fee_changes.credit_note(
        work.desk.session, case, who, work.amount, vat, source=work.entry.id, when=work.when
    )
    totals.waived_minor += work.amount
    part = Taken(who, 0, work.amount, vat, 0)
    unswept = await work.balance("C.TOOWN", str(case.case_id))
    return waive(
        part, str(case.case_id), str(work.entry.id), str(case.fee_rule.vat_bp), unswept=unswept
    )


async def _invoice_waived(work: Work) -> Plan:
    invoice = await _invoice(work.desk, work.subs["invoice"])
    case = work.money
    if invoice is None or invoice.case_id != case.case_id:
        raise NotFound("there is no such invoice", code="invoice_not_found")
    sub = f"{invoice.claimant_id}/{invoice.id}"
    if work.amount > await work.balance("O.COMMREC", sub):
        raise EntryTooLarge("Less than that is open on the invoice.")
    totals = await lock_totals(work.desk.session, case.case_id, case.currency)
    credited = await fee_changes.credited(work.desk.session, invoice)
    was = Posted(invoice.gross_minor + credited.gross_minor, invoice.vat_minor + credited.vat_minor)
    vat = was.vat_minor - vat_inside(was.gross_minor - work.amount, invoice.vat_bp)
    await fee_changes.credit_note(
        work.desk.session, case, str(invoice.claimant_id), work.amount, vat,
        source=work.entry.id, when=work.when, corrects=invoice,
    )  # fmt: skip
    totals.waived_minor += work.amount
    moves = plain(
        load_posting_rules(), "invoice_waived", {"fee": work.amount, "vat": vat}, work.subs
    )
    return Plan(moves.steps, CaseMoves(fee_direct=-work.amount))


async def _clawback_netted(work: Work) -> Plan:
    subs, case = work.subs, str(work.money.case_id)
    return net_clawback(
        case, subs["claimant"], subs["cause"], work.amount,
        owed=await work.balance("C.CLIENT", f"{case}/{subs['claimant']}"),
        lent=await work.balance("C.FROMOWN", subs["cause"]),
        clawback=await work.balance("O.CLAWBACK", case),
    )  # fmt: skip


async def _voucher_cashed(work: Work) -> Plan:
    """Row 14: the voucher became money in the consumer's hands; only now our fee is due."""
    done = await record_direct_payment(
        work.desk.session,
        DirectPayment(
            work.entry.id, work.money, Money(work.amount, work.entry.currency), work.desk.today,
            work.desk.actor, work.desk.at,
        ),
    )  # fmt: skip
    return Plan((), CaseMoves(fee_direct=done.fee.minor))


async def _entry_reversed(work: Work) -> Plan:
    """Row 30: the mirror of every posting of an entry; the books keep both, and say which."""
    original = await work.desk.session.get(BookEntry, UUID(work.entry.names["entry"]))
    if original is None:
        raise NotFound("there is no such entry", code="entry_not_found")
    if original.state != "approved" or original.kind in NOT_REVERSIBLE:
        raise EntryNotReversible("This entry is not taken back by its mirror.")
    same = (original.amount_minor, original.currency, original.case_id)
    if same != (work.amount, work.entry.currency, work.entry.case_id):
        raise InvalidInput(
            "An entry is taken back whole: its own amount and case.", code="not_the_mirror"
        )
    await ledger.reverse(
        work.desk.session, f"entry:{original.id}:0", reversal_key=f"entry:{work.entry.id}:0",
        effective_on=work.desk.today, at=work.desk.at, actor=work.desk.actor,
    )  # fmt: skip
    return Plan((), -CaseMoves(**(original.told or {})))


_LARGER: Final[Mapping[str, Callable[[Work], Awaitable[Plan]]]] = {
    "reversal": _reversal,
    "fee_waived": _fee_waived,
    "invoice_waived": _invoice_waived,
    "clawback_netted": _clawback_netted,
    "voucher_cashed": _voucher_cashed,
    "entry_reversed": _entry_reversed,
}


async def case_of(
    desk: Desk, names: Mapping[str, str], allocation_case: UUID | None
) -> UUID | None:
    """The case an entry is about: named, or that of its allocation, invoice or entry."""
    if "case" in names:
        found = await desk.session.scalar(
            select(CaseRow.id).where(CaseRow.id == UUID(names["case"]))
        )
        if found is None:
            raise NotFound("there is no such case", code="case_not_found")
        return found
    if allocation_case is not None:
        return allocation_case
    if (invoice := await _invoice(desk, names.get("invoice"))) is not None:
        return invoice.case_id
    if "entry" in names:
        original = await desk.session.get(BookEntry, UUID(names["entry"]))
        if original is None:
            raise NotFound("there is no such entry", code="entry_not_found")
        return original.case_id
    return None
