"""Files in any order: what comes too early waits, and the books end the same."""

from __future__ import annotations

import asyncio
import uuid
import zipfile
from io import BytesIO
from itertools import permutations

import pytest

from app.banking.holds import hold_in_full_settlement
from app.banking.service import MovementUndone
from app.banking.undoing import ImportNotLast, ImportUsed, undo_import
from app.db import Database
from app.domain.errors import RecourseError
from app.tables.banking import BankImport
from app.vault import destroy_key
from tests.banking.desk import Desk, a_case
from tests.banking.statements import IBAN, Line, camt053, statement


def page(number: int, *, last: bool, minors: list[int], opening: int, closing: int) -> bytes:
    which = f"<PgNb>{number}</PgNb><LastPgInd>{str(last).lower()}</LastPgInd>"
    one = statement([Line(m) for m in minors], opening=opening, closing=closing, ident="P",
                    sequence=3)  # fmt: skip
    return camt053(one.replace("<Stmt>", f"<Stmt><StmtPgntn>{which}</StmtPgntn>"))


def four_days() -> list[bytes]:
    """Three statements, the last in two pages; the second as MT940, the pages as camt."""
    second = (
        f":20:X\n:25:{IBAN}\n:28C:2/1\n:60F:C260302EUR7,00\n:61:260303C1,00NTRFNONREF//B2\n"
        ":61:260303D0,50NCHGNONREF\n:62F:C260303EUR7,50\n-\n"
    )
    return [
        camt053(statement([Line(500), Line(200)], opening=0, ident="A", sequence=1)),
        second.encode(),
        page(1, last=False, minors=[5, 5], opening=750, closing=750),
        page(2, last=True, minors=[40], opening=0, closing=800),
    ]


async def test_every_order_of_the_same_files_gives_the_same_books(database: Database) -> None:
    files = four_days()
    for at, order in enumerate(list(permutations(files))[::5]):
        desk = await Desk(database, iban=f"FI21123456000{at:05}", own_iban=f"OWN{at:05}").open()
        states = []
        for raw in order:
            done = await desk.import_raw(raw.replace(IBAN.encode(), desk.iban.encode()))
            states.append(done.state)
        assert await desk.balance("C.BANK", str(desk.bank_id)) == 800
        desk.closing = 800
        await desk.check()
        again = await desk.import_raw(files[0].replace(IBAN.encode(), desk.iban.encode()))
        assert again.statements[0].replayed
        if order[0] is files[3]:
            assert states[0] == "waiting"


async def test_what_is_missing_is_named_and_a_person_may_go_on(database: Database) -> None:
    desk = await Desk(database).open()
    early = await desk.import_raw(camt053(statement([Line(1)], opening=9, ident="E", sequence=4)))
    assert (early.state, early.waiting[0].missing) == ("waiting", "statements 1 to 3")
    await desk.import_raw(four_days()[0])
    gap = camt053(statement([Line(1)], opening=700, ident="C", sequence=3))
    held = await desk.import_raw(gap)
    assert held.waiting[0].missing == "statement 2" and "after_gap" in held.waiting[0].how
    assert await desk.balance("C.BANK", str(desk.bank_id)) == 700
    by_hand = await desk.import_raw(gap, after_gap=True)
    assert by_hand.state == "posted" and by_hand.import_id == held.import_id
    later = camt053(statement([Line(1)], opening=800, ident="F", sequence=6))
    assert (await desk.import_raw(later)).waiting[0].missing == "statements 4 to 5"
    pages = (await desk.import_raw(page(2, last=True, minors=[1], opening=0, closing=1))).waiting
    assert pages[0].missing == "page 1 of statement 3"
    with pytest.raises(RecourseError, match="no missing statement explains it"):
        await desk.import_raw(camt053(statement([Line(1)], opening=5, ident="G", sequence=4)))


async def test_an_archive_is_one_import_whatever_the_order_inside(database: Database) -> None:
    desk = await Desk(database).open()
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for at, raw in enumerate(reversed(four_days())):
            archive.writestr(f"../{at}.dat", raw)
        archive.writestr("a copy.pdf", b"%PDF-1.7 only for people")
    done = await desk.import_raw(packed.getvalue())
    assert [s.movements for s in done.statements] == [2, 2, 3]
    desk.closing = 800
    await desk.check()
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("broken.xml", four_days()[0].replace(b"5.00", b"6.00"))
    with pytest.raises(RecourseError):
        await desk.import_raw(packed.getvalue())


async def test_a_whole_import_is_taken_back_and_may_come_again(database: Database) -> None:
    desk = await Desk(database).open()
    files = [desk.next_file([Line(500, bank_ref="R"), Line(500, bank_ref="R"), Line(-20)]),
             desk.next_file([Line(7)])]  # fmt: skip
    first, second = [await desk.import_raw(raw) for raw in files]

    async def undo(import_id: object) -> None:
        async with database.transaction() as session:
            await undo_import(session, import_id, actor="test", at=desk.at, reason="wrong file")  # type: ignore[arg-type]  # an id of ours

    with pytest.raises(ImportNotLast, match="later statement"):
        await undo(first.import_id)
    await undo(second.import_id)
    desk.closing -= 7
    await desk.check()
    case = a_case(500)
    done = await desk.allocate(first.receipts[0], case, 500)
    with pytest.raises(ImportUsed) as refused:
        await undo(first.import_id)
    assert str(first.receipts[0]) in str(refused.value.params["used"])
    assert "is allocated" in str(refused.value.params["used"])
    await desk.undo(done.allocation_id)
    await undo(first.import_id)
    assert await desk.balance("C.BANK", str(desk.bank_id)) == 0
    assert await desk.unallocated() == []
    for raw in files:
        assert (await desk.import_raw(raw)).state == "posted"
    desk.closing = 987
    await desk.check()
    assert len(await desk.unallocated()) == 3


async def test_undoing_an_import_and_using_its_money_in_the_same_moment_take_turns(
    database: Database,
) -> None:
    desk = await Desk(database).open()
    first, second = await desk.bank(Line(500)), await desk.bank(Line(7))
    case = a_case(900)

    async def undo(import_id: uuid.UUID, seen: asyncio.Event) -> None:
        async with database.transaction() as session:
            await undo_import(session, import_id, actor="test", at=desk.at, reason="wrong file")
            seen.set()
            await asyncio.sleep(0.2)

    async def hold(movement: uuid.UUID, seen: asyncio.Event) -> None:
        async with database.transaction() as session:
            await hold_in_full_settlement(session, movement, case.id, actor="test", at=desk.at)
            seen.set()
            await asyncio.sleep(0.2)

    taken = asyncio.Event()
    undoing = asyncio.create_task(undo(second.import_id, taken))
    await taken.wait()
    with pytest.raises(MovementUndone):
        await hold(second.receipts[0], asyncio.Event())
    await undoing
    held = asyncio.Event()
    holding = asyncio.create_task(hold(first.receipts[0], held))
    await held.wait()
    with pytest.raises(ImportUsed) as refused:
        await undo(first.import_id, asyncio.Event())
    assert "is held" in str(refused.value.params["used"])
    await holding
    desk.closing = 500
    await desk.check()


def a_batch() -> tuple[bytes, bytes]:
    """A statement with a batch in one sum, and the notice of its payments."""
    paid = [Line(300, text="one", reference="RF18539007547034"), Line(200, text="two", name="B")]
    lines = [Line(500, bank_ref="BATCH", details=paid), Line(40, bank_ref="ALONE")]
    whole = camt053(statement(lines, opening=0, ident="S1"))
    notice = camt053(statement(lines[:1], opening=0, ident="N1")).replace(b"camt.053", b"camt.054")
    notice = notice.replace(b"BkToCstmrStmt", b"BkToCstmrDbtCdtNtfctn")
    one_sum = b"<Btch><NbOfTxs>2</NbOfTxs></Btch>"
    start, end = whole.index(b"<TxDtls>"), whole.index(b"</NtryDtls>")
    return whole[:start] + one_sum + whole[end:], notice.replace(b"Stmt>", b"Ntfctn>")


async def test_a_batch_is_itemised_by_its_notice_before_or_after_and_booked_once(
    database: Database,
) -> None:
    whole, notice = a_batch()
    seen = []
    for at, files in enumerate(((notice, whole), (whole, notice), (whole, notice, notice))):
        desk = await Desk(database, iban=f"FI21123456000{at:05}", own_iban=f"OWN{at:05}").open()
        raws = [raw.replace(IBAN.encode(), desk.iban.encode()) for raw in files]
        done = [await desk.import_raw(raw) for raw in raws]
        desk.closing = 540
        await desk.check()
        seen.append(sorted((m.amount.minor, m.remittance) for m in await desk.unallocated()))
        for left in await desk.unallocated():  # the next account starts with none of it
            case = a_case(left.amount.minor)
            await desk.allocate(left.movement_id, case, left.amount.minor)
        if files[0] is notice:
            async with database.transaction() as session:
                with pytest.raises(ImportUsed, match="itemised by this notice"):
                    await undo_import(session, done[0].import_id, actor="t", at=desk.at, reason="x")
    assert seen == [[(40, ""), (200, "two"), (300, "one")]] * 3
    # A sum that is in use stays one sum, and the answer says so.
    desk = await Desk(database, iban="FI2112345600099999", own_iban="OWN9").open()
    raws = [raw.replace(IBAN.encode(), desk.iban.encode()) for raw in (whole, notice)]
    first = await desk.import_raw(raws[0])
    await desk.allocate(first.receipts[0], a_case(500), 500)
    assert "is allocated" in (await desk.import_raw(raws[1])).warnings[0]
    desk.closing = 540
    await desk.check()


async def test_files_of_one_statement_are_taken_back_together(database: Database) -> None:
    desk = await Desk(database).open()
    files = four_days()
    done = [await desk.import_raw(raw) for raw in files]
    assert done[3].together == [done[2].import_id]
    again = await desk.import_raw(files[2])
    assert (again.state, [s.replayed for s in again.statements]) == ("posted", [True])
    async with database.transaction() as session:
        rows = await undo_import(session, done[2].import_id, actor="t", at=desk.at, reason="wrong")
    assert [row.id for row in rows] == [done[2].import_id, done[3].import_id]
    assert {row.state for row in rows} == {"undone"}
    assert await desk.balance("C.BANK", str(desk.bank_id)) == 750
    # A page that waited until its file's key was destroyed waits no more, and stops nobody.
    early = await desk.import_raw(files[3])
    async with database.transaction() as session:
        assert await destroy_key(session, early.external_event_id, at=desk.at)
    late = await desk.import_raw(files[2])
    assert late.state == "waiting" and "cannot be read" in late.warnings[0]
    async with database.read() as session:
        assert (await session.get_one(BankImport, early.import_id)).state == "forgotten"
