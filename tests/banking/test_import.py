"""Statement import: posted whole or not at all, once, and continuing from the last."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.banking.chain import AccountUnknown, OpeningMissing, StatementChanged, StatementGap
from app.db import Database
from app.domain.errors import RecourseError
from app.payouts.settling import give_back_return
from tests.banking.desk import Desk, a_case
from tests.banking.statements import Line, camt053, statement


async def test_every_line_posts_once_understood_or_not(database: Database) -> None:
    desk = await Desk(database).open()
    raw = desk.next_file([Line(24_990, text="x"), Line(100), Line(-350, family="CHRG"), Line(-40)])
    done = await desk.import_raw(raw)
    assert len(done.receipts) == 2 and len(done.unexplained) == 1
    await desk.check()
    assert sum(m.unallocated.minor for m in await desk.unallocated()) == 25_090
    again = await desk.import_raw(raw)
    assert again.statements[0].replayed and again.receipts == []
    await desk.check()


async def test_the_same_statement_in_another_file_is_a_repeat_and_another_content_is_refused(
    database: Database,
) -> None:
    desk = await Desk(database).open()
    one = statement([Line(500)], opening=0)
    await desk.import_raw(camt053(one))
    repeat = await desk.import_raw(camt053(one).replace(b"<MsgId>M1", b"<MsgId>M2"))
    assert repeat.statements[0].replayed
    with pytest.raises(StatementChanged):
        await desk.import_raw(camt053(statement([Line(501)], opening=0)))


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (camt053(statement([Line(5)], opening=1)), OpeningMissing),
        (camt053(statement([Line(5)], opening=0, iban="DE89370400440532013000")), AccountUnknown),
        (camt053(statement([Line(5)], opening=0, currency="SEK")), AccountUnknown),
        (camt053(statement([Line(5)], opening=0, closing=6)), RecourseError),
        (
            camt053(
                statement([Line(5)], opening=0, ident="A"),
                statement([Line(5)], opening=6, ident="B", sequence=2),
            ),
            StatementGap,
        ),
    ],
)
async def test_a_refused_file_leaves_nothing(
    database: Database, raw: bytes, error: type[RecourseError]
) -> None:
    desk = await Desk(database).open()
    with pytest.raises(error):
        await desk.import_raw(raw)
    async with database.read() as session:
        for table in ("movements", "bank_statements", "journal_txns", "external_events"):
            assert (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar() == 0


async def test_one_file_imported_by_two_workers_at_once_posts_once(database: Database) -> None:
    desk = await Desk(database).open()
    raw = desk.next_file([Line(500), Line(700)])
    outcomes = await asyncio.gather(*(desk.import_raw(raw) for _ in range(3)))
    assert sorted(o.statements[0].replayed for o in outcomes) == [False, True, True]
    await desk.check()
    assert len(await desk.unallocated()) == 2


async def test_movements_and_raw_files_cannot_be_changed(database: Database) -> None:
    desk = await Desk(database).open()
    await desk.received(500)
    for statement_text in (
        "UPDATE movements SET amount_minor = 1",
        "DELETE FROM external_events",
        "TRUNCATE bank_statements CASCADE",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.transaction() as session:
                await session.execute(text(statement_text))


async def test_a_payout_settles_by_its_statement_line_only_and_once(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(24_990)
    who = case.items[0].claimant_id
    await desk.allocate(await desk.received(24_990), case, 24_990)
    await desk.received(50_000)
    item = await desk.paid_item(case, who)
    assert await desk.balance("C.PAYOUT", str(item.id)) == 18_742
    wrong = await desk.bank(Line(-18_741, end_to_end_id=item.end_to_end_id))
    assert wrong.settled == [] and len(wrong.unexplained) == 1
    done = await desk.bank(Line(-18_742, end_to_end_id=item.end_to_end_id))
    assert [s.item_id for s in done.settled] == [item.id]
    assert done.settled[0].case_id == case.id
    twice = await desk.bank(Line(100), Line(-18, end_to_end_id=item.end_to_end_id))
    assert twice.settled == [] and len(twice.unexplained) == 1
    assert await desk.balance("C.PAYOUT", str(item.id)) == 0
    await desk.check()


async def test_a_batch_booking_settles_all_its_items(database: Database) -> None:
    desk = await Desk(database).open()
    cases = [a_case(10_000), a_case(20_000)]
    items = []
    for case in cases:
        await desk.allocate(await desk.received(case.items[0].open_minor), case,
                            case.items[0].open_minor)  # fmt: skip
        consumer = a_case(1).id
        await desk.account(consumer)
        items.append(await desk.prepare(case, case.items[0].claimant_id, consumer))
    batch = await desk.export(await desk.approve(await desk.batch(*(i.id for i in items))))
    done = await desk.bank(Line(-22_500, pmt_inf_id=f"B{batch.id.hex}"))
    assert {s.item_id for s in done.settled} == {i.id for i in items}
    async with database.read() as session:
        state = await session.execute(text("SELECT state FROM payout_batches"))
        assert state.scalar() == "settled"
    await desk.check()


async def test_a_returned_payout_comes_back_to_its_claimant(database: Database) -> None:
    desk = await Desk(database).open()
    case = a_case(10_000)
    who = case.items[0].claimant_id
    await desk.allocate(await desk.received(10_000), case, 10_000)
    item = await desk.paid_item(case, who)
    await desk.bank(Line(-7_500, end_to_end_id=item.end_to_end_id))
    done = await desk.bank(Line(7_500, end_to_end_id=item.end_to_end_id, reason="AC04"))
    assert done.receipts == [] and done.returned[0].reason == "AC04"
    assert done.returned[0].settled_before
    assert await desk.balance("C.RETURN", str(item.id)) == 7_500
    for _ in range(2):  # told twice, given back once
        async with database.transaction() as session:
            await give_back_return(session, item.id, actor="test", at=desk.at)
    assert await desk.owed(case, who) == 7_500
    await desk.check()
