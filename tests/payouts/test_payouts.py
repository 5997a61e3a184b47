"""Payouts: four eyes, one approved content, one file, and money that cannot leave twice."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from datetime import timedelta

import pytest
from lxml import etree
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db import Database
from app.domain.errors import Conflict, NotFound
from app.domain.money import Money
from app.ids import new_id
from app.payouts import batches, queries, service
from app.payouts.accounts import CHANGE_HOLD, same_account_elsewhere
from app.payouts.batches import AccountHeld, BatchState, ContentChanged, FourEyes
from app.payouts.pain001 import NAMESPACE, read_control
from app.payouts.service import NoAccount, NoPayoutRail, NothingToPay, PayoutWaits
from tests.banking.desk import Desk, TestCase, a_case
from tests.banking.statements import Line


async def owing(database: Database, *minors: int) -> tuple[Desk, list[TestCase], list[uuid.UUID]]:
    """A desk with one case per amount, each allocated whole, each consumer with an account."""
    desk = await Desk(database).open()
    cases, consumers = [], []
    for minor in minors:
        case = a_case(minor)
        await desk.allocate(await desk.received(minor), case, minor)
        consumer = new_id()
        await desk.account(consumer)
        cases.append(case)
        consumers.append(consumer)
    return desk, cases, consumers


async def test_from_owed_money_to_a_file_that_says_exactly_that(database: Database) -> None:
    desk, cases, consumers = await owing(database, 10_000, 24_990)
    items = [
        await desk.prepare(c, c.items[0].claimant_id, who)
        for c, who in zip(cases, consumers, strict=True)
    ]
    batch = await desk.export(await desk.approve(await desk.batch(*(i.id for i in items))))
    raw = await desk.file(batch)
    assert read_control(raw) == (2, Money(7_500 + 18_742, "EUR"))
    assert read_control(raw)[1] == batch.total
    ledger_side = [await desk.balance("C.PAYOUT", str(i.id)) for i in items]
    assert sum(ledger_side) == batch.total.minor
    root = etree.fromstring(raw)
    ids = [e.text for e in root.iter(f"{{{NAMESPACE}}}EndToEndId")]
    assert ids == [service.end_to_end_id(i.id) for i in sorted(items, key=lambda i: i.id)]
    assert "Aiti AEnigma" in [e.text for e in root.iter(f"{{{NAMESPACE}}}Nm")]
    assert not list(root.iter(f"{{{NAMESPACE}}}PstlAdr"))
    await desk.check()


async def test_the_file_is_made_once_and_every_download_is_the_same(database: Database) -> None:
    desk, (case,), (consumer,) = await owing(database, 10_000)
    item = await desk.prepare(case, case.items[0].claimant_id, consumer)
    batch = await desk.export(await desk.approve(await desk.batch(item.id)))
    desk.at += timedelta(days=3)
    again = await desk.export(batch)
    files = {await desk.file(batch) for _ in range(5)}
    assert len(files) == 1 and again.file_sha256 == batch.file_sha256
    assert hashlib.sha256(files.pop()).hexdigest() == batch.file_sha256
    async with database.read() as session:
        stored = (await session.execute(text("SELECT file_cipher FROM payout_batches"))).scalar()
    assert stored is not None and b"FI1410093000123458" not in stored
    with pytest.raises(DBAPIError, match="made once"):
        async with database.transaction() as session:
            await session.execute(text("UPDATE payout_batches SET file_sha256 = 'x'"))


async def test_two_exports_at_once_make_one_file(database: Database) -> None:
    desk, (case,), (consumer,) = await owing(database, 10_000)
    item = await desk.prepare(case, case.items[0].claimant_id, consumer)
    batch = await desk.approve(await desk.batch(item.id))
    done = await asyncio.gather(*(desk.export(batch) for _ in range(3)))
    assert len({d.file_sha256 for d in done}) == 1


@pytest.mark.parametrize("who", ["staff:maker", "staff:clerk"])
async def test_neither_the_maker_nor_who_gave_the_account_approves(
    database: Database, who: str
) -> None:
    desk = await Desk(database).open()
    case, consumer = a_case(10_000), new_id()
    await desk.account(consumer, by="staff:clerk")
    await desk.allocate(await desk.received(10_000), case, 10_000)
    item = await desk.prepare(case, case.items[0].claimant_id, consumer)
    batch = await desk.batch(item.id)
    with pytest.raises(FourEyes):
        await desk.approve(batch, by=who)
    with pytest.raises(DBAPIError, match=r"four_eyes|account does not approve"):
        async with database.transaction() as session:
            await session.execute(
                text(
                    "UPDATE payout_batches SET state = 'approved', checker = :who,"
                    " approved_hash = content_hash"
                ),
                {"who": who},
            )


async def test_two_approvers_race_and_the_money_is_reserved_once(database: Database) -> None:
    desk, (case,), (consumer,) = await owing(database, 10_000)
    item = await desk.prepare(case, case.items[0].claimant_id, consumer)
    batch = await desk.batch(item.id)
    outcomes = await asyncio.gather(
        *(desk.approve(batch, by=f"staff:{at}") for at in range(4)), return_exceptions=True
    )
    assert sum(isinstance(o, BatchState) for o in outcomes) == 3
    assert await desk.balance("C.PAYOUT", str(item.id)) == 7_500
    await desk.check()


async def test_a_change_voids_the_approval_and_gives_the_money_back(database: Database) -> None:
    desk, cases, consumers = await owing(database, 10_000, 20_000)
    items = [
        await desk.prepare(c, c.items[0].claimant_id, who)
        for c, who in zip(cases, consumers, strict=True)
    ]
    first = await desk.batch(*(i.id for i in items))
    approved = await desk.approve(first)
    async with database.transaction() as session:
        changed = await batches.remove_item(
            session, first.id, items[0].id, actor="staff:x", at=desk.at
        )
    assert (changed.state, changed.checker, changed.item_count) == ("draft", None, 1)
    assert changed.content_hash != approved.content_hash
    assert await desk.owed(cases[1], cases[1].items[0].claimant_id) == 15_000
    with pytest.raises(BatchState):
        await desk.approve(approved)
    async with database.transaction() as session:
        await batches.propose(session, first.id, actor="staff:maker", at=desk.at)
    with pytest.raises(ContentChanged):
        await desk.approve(approved)
    async with database.read() as session:
        seen = await queries.batch(session, first.id)
    assert seen is not None and seen.content_hash == changed.content_hash
    await desk.approve(changed)
    assert await desk.balance("C.PAYOUT", str(items[1].id)) == 15_000
    await desk.check()


async def test_a_new_account_voids_the_approval_and_waits_48_hours(database: Database) -> None:
    desk, (case,), (consumer,) = await owing(database, 10_000)
    item = await desk.prepare(case, case.items[0].claimant_id, consumer)
    batch = await desk.approve(await desk.batch(item.id))
    change = await desk.account(consumer, iban="FI2112345600000785")
    assert change.voided_batches == (batch.id,)
    assert change.usable_from == desk.at + CHANGE_HOLD and change.version == 2
    assert await desk.balance("C.PAYOUT", str(item.id)) == 0
    async with database.transaction() as session:
        batch = await batches.propose(session, batch.id, actor="staff:maker", at=desk.at)
    with pytest.raises(AccountHeld):
        await desk.approve(batch)
    desk.at += CHANGE_HOLD
    exported = await desk.export(await desk.approve(batch))
    assert b"FI2112345600000785" in (await desk.file(exported)).split(b"CdtTrfTxInf")[1]
    await desk.check()


async def test_the_first_account_before_any_money_has_no_hold(database: Database) -> None:
    desk = await Desk(database).open()
    consumer, key = new_id(), new_id()
    first = await desk.account(consumer, account_id=key)
    assert first.usable_from == desk.at
    assert (await desk.account(consumer, account_id=key)).version == 1  # the same call again
    other = new_id()
    await desk.account(other)
    async with database.read() as session:
        assert await same_account_elsewhere(session, b"i" * 16, consumer) == [other]
        view = await queries.current_account(session, consumer)
        assert view is not None and view.last4 == "3458"


async def test_two_accounts_at_once_leave_one_in_force(database: Database) -> None:
    desk = await Desk(database).open()
    consumer = new_id()
    outcomes = await asyncio.gather(
        *(desk.account(consumer) for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(o, Conflict) or not isinstance(o, BaseException) for o in outcomes)
    async with database.read() as session:
        live = await session.execute(
            text("SELECT count(*) FROM payout_accounts WHERE retired_at IS NULL")
        )
        assert live.scalar() == 1


async def test_what_cannot_be_paid_is_refused(database: Database) -> None:
    desk, (case,), (consumer,) = await owing(database, 10_000)
    who = case.items[0].claimant_id
    with pytest.raises(NoAccount):
        await desk.prepare(case, who, new_id())
    with pytest.raises(NothingToPay):
        await desk.prepare(case, who, consumer, 7_501)
    british = new_id()
    await desk.account(british, rail="gb")
    with pytest.raises(NoPayoutRail):
        await desk.prepare(case, who, british)
    pounds = a_case(100)
    pounds.currency = "GBP"
    with pytest.raises(NoPayoutRail):
        await desk.prepare(pounds, pounds.items[0].claimant_id, consumer)
    await desk.prepare(case, who, consumer)
    with pytest.raises(PayoutWaits):
        await desk.prepare(case, who, consumer, 1)


async def test_a_payout_is_in_one_batch_only(database: Database) -> None:
    desk, (case,), (consumer,) = await owing(database, 10_000)
    item = await desk.prepare(case, case.items[0].claimant_id, consumer)
    outcomes = await asyncio.gather(
        *(desk.batch(item.id) for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(o, BatchState) for o in outcomes) == 2


async def test_a_refused_payment_gives_the_money_back(database: Database) -> None:
    desk, (case,), (consumer,) = await owing(database, 10_000)
    who = case.items[0].claimant_id
    item = await desk.prepare(case, who, consumer)
    await desk.export(await desk.approve(await desk.batch(item.id)))
    async with database.transaction() as session:
        done = await batches.reject_item(session, item.id, reason="AC01", actor="bank", at=desk.at)
    assert done.settled_before is False and await desk.owed(case, who) == 7_500
    assert (await desk.prepare(case, who, consumer)).amount == Money(7_500, "EUR")
    await desk.check()


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE payout_items SET amount_minor = 1", "keeps its amount"),
        ("UPDATE payout_items SET state = 'settled'", "does not go from"),
        ("DELETE FROM payout_items", "never deleted"),
        ("DELETE FROM payout_batches", "never deleted"),
        ("UPDATE payout_batches SET content_hash = 'x'", "approved_as_is"),
        ("UPDATE payout_batches SET state = 'exported'", "exported_has_file"),
        ("UPDATE payout_batches SET state = 'settled'", "does not go from"),
    ],
)
async def test_the_database_keeps_what_was_approved(
    database: Database, statement: str, why: str
) -> None:
    desk, (case,), (consumer,) = await owing(database, 10_000)
    item = await desk.prepare(case, case.items[0].claimant_id, consumer)
    await desk.approve(await desk.batch(item.id))
    with pytest.raises(DBAPIError, match=why):
        async with database.transaction() as session:
            await session.execute(text(statement))


async def test_refused_money_goes_back_to_the_account_it_came_from(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(10_000)
    movement = await desk.received(4_000, account="DE89370400440532013000", name="Norrvind Air")
    await desk.hold(movement, case)
    await desk.answer_hold(movement, accepted=False)
    async with database.transaction() as session:
        item = await service.return_to_payer(
            session, item_id=new_id(), movement_id=movement, remittance="returned",
            actor="staff:maker", at=desk.at,
        )  # fmt: skip
    batch = await desk.export(await desk.approve(await desk.batch(item.id)))
    assert b"DE89370400440532013000" in await desk.file(batch)
    done = await desk.bank(Line(-4_000, end_to_end_id=item.end_to_end_id))
    assert [s.kind for s in done.settled] == ["payer_return"]
    assert await desk.balance("C.PAYER", str(movement)) == 0
    await desk.check()


async def test_our_commission_is_swept_in_two_phases(database: Database) -> None:
    desk, cases, _ = await owing(database, 10_000, 20_000)

    async def sweep() -> service.ItemDone:
        async with database.transaction() as session:
            return await service.prepare_sweep(
                session, item_id=new_id(), own_account_id=desk.own_id, remittance="commission",
                actor="staff:maker", at=desk.at,
            )  # fmt: skip

    item = await sweep()
    assert item.amount == Money(7_500, "EUR")
    with pytest.raises(PayoutWaits):
        await sweep()
    batch = await desk.approve(await desk.batch(item.id))
    assert await desk.balance("C.TOOWN", str(cases[0].id)) == 0
    async with database.transaction() as session:
        await batches.void_approval(session, batch.id, actor="staff:x", at=desk.at)
    assert await desk.balance("C.TOOWN", str(cases[0].id)) == 2_500
    async with database.transaction() as session:
        again = await batches.propose(session, batch.id, actor="staff:maker", at=desk.at)
    await desk.export(await desk.approve(again))
    await desk.bank(Line(-7_500, end_to_end_id=item.end_to_end_id))
    assert await desk.balance("O.BANK", str(desk.own_id)) == 7_500
    await desk.check()


async def test_a_draft_can_be_dropped_and_a_missing_thing_is_not_found(database: Database) -> None:
    desk, (case,), (consumer,) = await owing(database, 10_000)
    item = await desk.prepare(case, case.items[0].claimant_id, consumer)
    async with database.transaction() as session:
        assert (await service.cancel_item(session, item.id)).state == "cancelled"
        with pytest.raises(NotFound):
            await service.cancel_item(session, new_id())
        with pytest.raises(NotFound):
            await batches.bank_file(session, new_id(), unseal=lambda sealed: "")
    await desk.prepare(case, case.items[0].claimant_id, consumer)
