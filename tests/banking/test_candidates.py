"""Which case a receipt belongs to, on cases that came through the engine."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import text

from app.banking.case_money import load_case_money
from app.banking.queries import Candidate, candidates
from app.banking.service import AllocateMoney, allocate
from app.clock import wall_now
from app.db import Database
from app.domain.bank_refs import in_fives, rf_reference
from app.domain.case import Stage
from app.domain.money import Money
from app.ids import new_id
from tests.banking.desk import Desk
from tests.support.cases import Made, make_case


async def payment_ref(database: Database, made: Made) -> str:
    async with database.read() as session:
        found = await session.execute(
            text("SELECT payment_ref FROM cases WHERE id = :id"), {"id": made.id}
        )
        return str(found.scalar_one())


async def found(database: Database, movement: uuid.UUID) -> list[Candidate]:
    async with database.read() as session:
        return await candidates(session, movement)


async def test_one_checked_reference_confirms_one_case(database: Database) -> None:
    desk = await Desk(database).open()
    wanted, other = await make_case(database), await make_case(database)
    ref = await payment_ref(database, wanted)
    for spelled in ({"reference": rf_reference(ref)}, {"reference": f"000{ref}"},
                    {"text": f"viite {in_fives(ref)}"}, {"text": f"your case {wanted.reference}"},
                    {"text": f"RE {rf_reference(ref)} refund"}):  # fmt: skip
        (candidate,) = await found(database, await desk.received(500, **spelled))
        assert (candidate.case_id, candidate.confirms) == (wanted.id, True)
        assert candidate.evidence["matches"] in (ref, wanted.reference)
    assert await found(database, await desk.received(500, text="refund, sorry")) == []
    both = f"{wanted.reference} and {other.reference}"
    pair = await found(database, await desk.received(500, text=both))
    assert {c.case_id for c in pair} == {wanted.id, other.id}
    assert not any(c.confirms for c in pair), "two cases: a person decides"


async def test_a_case_in_another_currency_is_no_candidate(database: Database) -> None:
    desk = await Desk(database).open()
    pounds = await make_case(database, currency="GBP")
    movement = await desk.received(500, text=pounds.reference)
    assert await found(database, movement) == []


async def test_a_case_knows_what_is_open_on_its_items(database: Database) -> None:
    desk = await Desk(database).open()
    desk.at = wall_now()
    made = await make_case(database, stage=Stage.REMINDER, letter="sent", amounts=(10_000, 2_000))
    movement = await desk.received(5_000)
    async with database.transaction() as session:
        case = await load_case_money(session, made.id)
        assert case.open_minor == 12_000
        done = await allocate(
            session,
            AllocateMoney(
                id=new_id(), movement_id=movement, case=case, amount=Money(5_000, "EUR"),
                rule="person", evidence={}, actor="staff:f", at=desk.at + timedelta(minutes=1),
            ),
        )  # fmt: skip
    assert (done.fee_reason, done.fee) == ("fee_due", Money(1_250, "EUR"))
    async with database.transaction() as session:
        assert (await load_case_money(session, made.id)).open_minor == 7_000
    await desk.check()
