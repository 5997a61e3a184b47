"""Setting money against cases: exact, once, reversible, refused when it does not fit."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from app import ledger
from app.banking.case_money import CaseMoney
from app.banking.direct import DirectDone, DirectPayment, pay_invoice, record_direct_payment
from app.banking.match_rules import load_rules
from app.banking.queries import allocations_of_case, invoice_gaps, invoices_of_case
from app.banking.service import AboveClaim, AlreadyUndone, IdReused, MovementHeld, NotAReceipt
from app.db import Database
from app.domain.errors import Conflict, NotFound
from app.domain.matching import Receipt
from app.domain.matching.clues import clues_of
from app.domain.money import Money
from app.domain.reference import format_reference
from app.domain.settlement import FeeStanding
from app.ids import new_id
from app.ledger import FundsMissing
from tests.banking.desk import CONTACTED, Desk, a_case
from tests.banking.statements import Line


async def test_an_allocation_gives_the_consumer_the_rest_and_us_the_fee(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(24_990)
    done = await desk.allocate(await desk.received(24_990), case, 24_990)
    assert (done.fee, done.fee_reason) == (Money(6_248, "EUR"), "fee_due")
    assert await desk.owed(case, case.items[0].claimant_id) == 18_742
    assert await desk.balance("C.TOOWN", str(case.id)) == 6_248
    async with database.read() as session:
        (invoice,) = await invoices_of_case(session, case.id)
        assert invoice.number == "2026-000001"
        assert (invoice.gross.minor, invoice.net.minor, invoice.vat.minor) == (6_248, 4_978, 1_270)
        (line,) = await allocations_of_case(session, case.id)
        assert line.evidence == {"step": "person"} and line.undone_at is None
    assert await desk.unallocated() == []
    await desk.check()


async def test_several_payments_cost_what_one_would(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(10_001, 3_000, fees=(True, False))
    fee = 0
    for minor in (1, 1, 1, 2_998, 3_333, 3_333, 3_334):
        fee += (await desk.allocate(await desk.received(minor), case, minor)).fee.minor
    assert fee == 2_500  # 25 % of 100.01; the first 30.00 go to the item that earns no fee
    assert await desk.owed(case, case.items[0].claimant_id) == 13_001 - 2_500
    await desk.check()


async def test_claimants_share_to_the_cent_and_each_gets_an_invoice(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(10_000, 10_000, 10_000, people=3)
    done = await desk.allocate(await desk.received(10_000), case, 10_000)
    assert [s.received.minor for s in done.shares] == [3_334, 3_333, 3_333]
    assert sum(s.fee.minor for s in done.shares) == done.fee.minor == 2_500
    for share in done.shares:
        assert await desk.owed(case, str(share.claimant_id)) == share.payout.minor
    assert [invoice.number for invoice in done.invoices] == [1, 2, 3]
    await desk.check()


async def test_the_same_order_again_is_answered_with_what_stands(database: Database) -> None:
    desk = await Desk(database).open()
    case, key = a_case(10_000), new_id()
    movement = await desk.received(10_000)
    first = await desk.allocate(movement, case, 6_000, allocation_id=key)
    again = await desk.allocate(movement, case, 6_000, allocation_id=key)
    assert again.replayed and again.fee == first.fee
    with pytest.raises(IdReused):
        await desk.allocate(movement, case, 1, allocation_id=key)
    assert (await desk.unallocated())[0].unallocated == Money(4_000, "EUR")


async def test_what_does_not_fit_is_refused(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(10_000)
    movement = await desk.received(8_000)
    with pytest.raises(FundsMissing):
        await desk.allocate(movement, case, 8_001)
    with pytest.raises(AboveClaim):
        await desk.allocate(await desk.received(20_000), case, 10_001)
    with pytest.raises(NotFound):
        await desk.allocate(new_id(), case, 1)
    charge = await desk.bank(Line(-50, text="?"))
    with pytest.raises(NotAReceipt):
        await desk.allocate(charge.unexplained[0], case, 50)
    await desk.check()


async def test_two_workers_cannot_allocate_the_same_money_twice(database: Database) -> None:
    desk = await Desk(database).open()
    movement = await desk.received(10_000)
    cases = [a_case(10_000) for _ in range(4)]
    outcomes = await asyncio.gather(
        *(desk.allocate(movement, case, 10_000) for case in cases), return_exceptions=True
    )
    assert sum(isinstance(o, FundsMissing) for o in outcomes) == 3
    assert sum(await asyncio.gather(*(desk.owed(c, c.items[0].claimant_id) for c in cases))) == 7500
    await desk.check()


async def test_two_payments_for_one_case_at_once_earn_one_cumulative_fee(
    database: Database,
) -> None:
    desk = await Desk(database).open()
    case = a_case(10_000)
    movements = [await desk.received(2_502) for _ in range(3)]
    prepared = await desk.case_money(case)
    assert prepared.open_minor == 10_000
    await asyncio.gather(*(desk.allocate(m, case, 2_502) for m in movements))
    assert await desk.balance("C.TOOWN", str(case.id)) == 1_877  # 25 % of 75.06, rounded once
    async with database.read() as session:
        assert await invoice_gaps(session) == []
    await desk.check()


async def test_invoice_numbers_have_no_gaps_under_concurrency_and_refusals(
    database: Database,
) -> None:
    desk = await Desk(database).open()
    cases = [a_case(10_000) for _ in range(8)]
    movements = [await desk.received(10_000 if at % 2 else 9_000) for at in range(8)]
    outcomes = await asyncio.gather(
        *(desk.allocate(m, c, 10_000) for m, c in zip(movements, cases, strict=True)),
        return_exceptions=True,
    )
    assert sum(isinstance(o, FundsMissing) for o in outcomes) == 4
    async with database.read() as session:
        assert await invoice_gaps(session) == []


async def test_undo_restores_everything_and_happens_once(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(10_000)
    movement = await desk.received(10_000)
    done = await desk.allocate(movement, case, 10_000)
    undone = await desk.undo(done.allocation_id)
    assert undone.fee == Money(-2_500, "EUR")
    with pytest.raises(AlreadyUndone):
        await desk.undo(done.allocation_id)
    assert await desk.owed(case, case.items[0].claimant_id) == 0
    assert await desk.balance("C.TOOWN", str(case.id)) == 0
    assert (await desk.unallocated())[0].unallocated == Money(10_000, "EUR")
    again = await desk.allocate(movement, case, 10_000)
    assert again.fee == done.fee
    async with database.read() as session:
        kinds = [(i.kind, i.gross.minor) for i in await invoices_of_case(session, case.id)]
        assert kinds == [("invoice", 2_500), ("credit_note", -2_500), ("invoice", 2_500)]
        assert await invoice_gaps(session) == []
    await desk.check()


async def test_after_an_undo_the_fee_is_again_that_of_what_is_left(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(1_000)
    first = await desk.allocate(await desk.received(2), case, 2)  # fee 1 (0.5 up)
    await desk.allocate(await desk.received(2), case, 2)  # fee of 4 is 1: nothing more
    undone = await desk.undo(first.allocation_id)  # fee of 2 is 1 again: the cent moves over
    assert undone.fee == Money(0, "EUR")
    assert await desk.balance("C.TOOWN", str(case.id)) == 1
    assert await desk.owed(case, case.items[0].claimant_id) == 1
    await desk.check()


async def test_money_on_its_way_out_cannot_be_unallocated(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(10_000)
    done = await desk.allocate(await desk.received(10_000), case, 10_000)
    await desk.paid_item(case, case.items[0].claimant_id)
    with pytest.raises(FundsMissing):
        await desk.undo(done.allocation_id)
    await desk.check()


async def test_money_that_earns_no_fee_goes_out_whole(database: Database) -> None:
    desk = await Desk(database).open()
    for standing, reason in (
        (FeeStanding(), "agreed_before_first_contact"),
        (replace(CONTACTED, agency_late=True), "agency_late"),
    ):
        case = a_case(10_000)
        case.standing = standing
        done = await desk.allocate(await desk.received(10_000), case, 10_000)
        assert (done.fee.minor, done.fee_reason, done.invoices) == (0, reason, ())
        assert await desk.owed(case, case.items[0].claimant_id) == 10_000
    await desk.check()


async def test_money_in_full_settlement_waits_for_the_claimant(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(10_000)
    movement = await desk.received(4_000)
    await desk.hold(movement, case)
    await desk.hold(movement, case)  # told twice
    with pytest.raises(MovementHeld):
        await desk.allocate(movement, case, 4_000)
    assert (await desk.unallocated())[0].held_for_case == case.id
    await desk.answer_hold(movement, accepted=True)
    with pytest.raises(Conflict):
        await desk.answer_hold(movement, accepted=False)
    assert (await desk.allocate(movement, case, 4_000)).fee == Money(1_000, "EUR")


async def test_refused_money_is_set_aside_for_its_payer(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(10_000)
    movement = await desk.received(4_000, account="DE89370400440532013000", name="Norrvind")
    await desk.hold(movement, case)
    await desk.answer_hold(movement, accepted=False)
    assert await desk.balance("C.PAYER", str(movement)) == 4_000
    assert [(u.unallocated.minor, u.to_return.minor) for u in await desk.unallocated()] == [
        (0, 4_000)
    ]
    with pytest.raises((MovementHeld, FundsMissing)):
        await desk.allocate(movement, case, 4_000)
    await desk.check()


async def test_mode_b_invoices_the_fee_and_the_consumer_pays_it(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(10_000)
    key = new_id()

    async def tell(minor: int = 10_000) -> DirectDone:
        money: CaseMoney = await desk.case_money(case)
        order = DirectPayment(
            id=key, case=money, amount=Money(minor, "EUR"), paid_on=desk.at.date(),
            actor="staff:h", at=desk.at,
        )  # fmt: skip
        async with database.transaction() as session:
            return await record_direct_payment(session, order)

    done = await tell()
    assert done.fee == Money(2_500, "EUR") and (await tell()).replayed
    with pytest.raises(IdReused):
        await tell(9_999)
    invoice = done.invoices[0]
    assert await desk.balance("C.TOOWN", str(case.id)) == 0
    movement = await desk.received(2_500)
    async with database.transaction() as session:
        left = await pay_invoice(
            session, movement, invoice.id, Money(1_000, "EUR"), actor="f", at=desk.at
        )
        assert left == Money(1_500, "EUR")
    with pytest.raises(Conflict):
        async with database.transaction() as session:
            await pay_invoice(
                session, movement, invoice.id, Money(1_501, "EUR"), actor="f", at=desk.at
            )
    assert await desk.balance("C.TOOWN", str(case.id)) == 1_000
    await desk.check()


async def test_postings_of_a_case_tell_its_story(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(10_000)
    await desk.allocate(await desk.received(10_000), case, 10_000)
    item = await desk.paid_item(case, case.items[0].claimant_id)
    await desk.bank(Line(-7_500, end_to_end_id=item.end_to_end_id))
    async with database.read() as session:
        kinds = [t.kind for t in await ledger.postings_of_case(session, case.id)]
    assert kinds == [
        "money_allocated", "commission_deducted", "commission_deducted", "payout_approved",
        "payout_settled",
    ]  # fmt: skip


def test_clues_are_ranked_and_a_bad_check_digit_only_suggests() -> None:
    number, on = format_reference(123_456), date(2026, 3, 3)
    line = Receipt(1, "EUR", on, "RF52 1234567897", None, f"refund {number} 12344")
    assert [(c.step, c.value, c.strong) for c in clues_of(line, load_rules())] == [
        ("creditor_reference", "1234567897", True),
        ("reference_in_text", "12344", False),
        ("reference_in_text", number, True),
    ]
    bad = Receipt(1, "EUR", on, "RF98123456789012", None, "RC-ZZZZZZZ0 12345")
    assert not any(clue.valid or clue.strong for clue in clues_of(bad, load_rules()))
