"""The one writer of cases, on a real database: lock, load, decide, write."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app import audit, engine
from app.clock import wall_now
from app.db import Database
from app.domain.case import Case, Claimant, ClaimItem, Stage
from app.domain.errors import NotFound, StaleVersion, TransitionRefused
from app.domain.events import (
    CaseAccepted,
    CaseHeld,
    CaseReassigned,
    CaseReopened,
    CaseSubmitted,
    LetterRendered,
    MandateSigned,
)
from app.engine.changes import collect
from app.engine.load import lock_cases
from app.engine.write import new_rows, write_rows
from app.ids import new_id, new_reference
from app.moment import read_moment
from tests.workers.conftest import until


def _new_case(now: datetime, *, amount_minor: int = 12_300) -> engine.NewCase:
    case_id, consumer_id, claimant_id, item_id = (new_id() for _ in range(4))
    case = Case(
        id=case_id,
        reference=new_reference(),
        claim_kind="air",
        jurisdiction="FI",
        currency="EUR",
        stage=Stage.INTAKE,
        step=0,
        opened_at=now,
        playbook="house.generic@1",
        company_known=True,
        claimants=(Claimant(id=claimant_id, consumer_id=consumer_id, position=0),),
        items=(
            ClaimItem(
                id=item_id, amount_minor=amount_minor, earns_fee=True, creditor_id=claimant_id
            ),
        ),
    )
    consumer = {
        "id": str(consumer_id),
        "name": "Reetta Kallunki",
        "email": f"{consumer_id}@posti.test",
        "by_post": False,
        "language": "fi",
        "country": "FI",
        "address_cipher": None,
        "birth_date_cipher": None,
        "heartbeat_days": None,
        "created_at": now.isoformat(),
        "version": 1,
    }
    columns = _columns(case_id, consumer_id)
    return engine.NewCase(
        case=case,
        columns=columns,
        claimants=[_claimant(claimant_id, case_id, consumer_id)],
        items=[_item(item_id, case_id, claimant_id, amount_minor)],
        consumers=[consumer],
    )


def _columns(case_id: uuid.UUID, consumer_id: uuid.UUID) -> dict[str, Any]:
    return {
        "payment_ref": str(case_id.int % 10**12),
        "consumer_id": str(consumer_id),
        "company_id": None,
        "company_text": "Norrvind Air",
        "booking_ref": "HL9RT4",
        "what_happened": "The flight was cancelled.",
        "answers": {},
        "language": "fi",
        "source": "app",
    }


def _claimant(claimant_id: uuid.UUID, case_id: uuid.UUID, consumer_id: uuid.UUID) -> dict[str, Any]:
    return {
        "id": str(claimant_id),
        "case_id": str(case_id),
        "consumer_id": str(consumer_id),
        "position": 0,
        "mandate": "none",
        "mandate_id": None,
        "signed_at": None,
        "receives_money": False,
        "has_account": False,
    }


def _item(
    item_id: uuid.UUID, case_id: uuid.UUID, claimant_id: uuid.UUID, amount_minor: int
) -> dict[str, Any]:
    return {
        "id": str(item_id),
        "case_id": str(case_id),
        "creditor_id": str(claimant_id),
        "position": 0,
        "kind": "price",
        "what": "ticket",
        "amount_minor": amount_minor,
        "currency": "EUR",
        "earns_fee": True,
        "counted": True,
        "ground": None,
    }


async def _file(database: Database) -> Case:
    async with database.transaction() as session:
        moment = await read_moment(session)
        return await engine.create(
            session,
            _new_case(moment.now),
            CaseSubmitted("consumer"),
            actor="consumer:test",
            moment=moment,
        )


async def _accepted(database: Database) -> Case:
    case = await _file(database)
    async with database.transaction() as session:
        await engine.advance(
            session,
            case.id,
            CaseAccepted(
                entry_stage=Stage.CONTACT,
                entry_reason="never_in_writing",
                playbook="house.generic@1",
                decided_by="staff:x",
            ),
            actor="staff:x",
        )
        return await engine.advance(
            session,
            case.id,
            MandateSigned(claimant_id=case.claimants[0].id, mandate_id=new_id()),
            actor="consumer:test",
        )


async def _scalar(database: Database, sql: str, **params: Any) -> Any:
    async with database.read() as session:
        return (await session.execute(text(sql), params)).scalar()


async def test_a_filed_case_is_read_back_as_it_was_decided(database: Database) -> None:
    case = await _file(database)
    async with database.read() as session:
        loaded = await engine.peek(session, case.id)
    assert loaded is not None
    assert loaded.case == case
    assert case.stage is Stage.ASSESSMENT
    assert case.waiting_on is not None and case.due_at is not None


async def test_filing_opens_the_assessment_task_and_writes_history(database: Database) -> None:
    case = await _file(database)
    assert (
        await _scalar(
            database,
            "SELECT count(*) FROM tasks WHERE case_id = :id AND kind = 'assess' AND state = 'open'",
            id=case.id,
        )
        == 1
    )
    assert (
        await _scalar(
            database, "SELECT count(*) FROM audit_entries WHERE stream = :s", s=f"case:{case.id}"
        )
        >= 1
    )


async def test_every_move_leaves_the_stored_case_equal_to_the_decided_one(
    database: Database,
) -> None:
    case = await _accepted(database)
    assert case.stage is Stage.CONTACT
    assert case.letter is not None
    async with database.transaction() as session:
        case = await engine.advance(
            session, case.id, LetterRendered(case.letter.id, case.step, "ab" * 32), actor="system"
        )
    async with database.read() as session:
        loaded = await engine.peek(session, case.id)
    assert loaded is not None
    assert loaded.case == case


async def test_entering_the_ladder_orders_a_letter_once(database: Database) -> None:
    case = await _accepted(database)
    assert (
        await _scalar(
            database,
            "SELECT count(*) FROM effects WHERE case_id = :id AND kind = 'RenderLetter'",
            id=case.id,
        )
        == 1
    )


async def test_a_stale_version_changes_nothing(database: Database) -> None:
    case = await _file(database)
    until = wall_now() + timedelta(days=3)
    with pytest.raises(StaleVersion):
        async with database.transaction() as session:
            await engine.advance(
                session,
                case.id,
                CaseHeld("k", "care", until, "staff:x"),
                actor="staff:x",
                expected_version=99,
            )
    assert await _scalar(database, "SELECT version FROM cases WHERE id = :id", id=case.id) == 1


async def test_a_refused_event_changes_nothing_and_says_why(database: Database) -> None:
    case = await _file(database)
    with pytest.raises(TransitionRefused):
        async with database.transaction() as session:
            await engine.advance(
                session, case.id, CaseReopened("new_proof", "staff:x"), actor="staff:x"
            )
    assert await _scalar(database, "SELECT version FROM cases WHERE id = :id", id=case.id) == 1


async def test_an_unknown_case_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        async with database.transaction() as session:
            await engine.advance(
                session,
                uuid.UUID(int=7),
                CaseHeld("k", "care", wall_now(), "staff:x"),
                actor="staff:x",
            )


async def test_the_database_itself_refuses_a_quiet_case(database: Database) -> None:
    case = await _file(database)
    with pytest.raises(Exception, match="never_quiet"):
        async with database.transaction() as session:
            await session.execute(
                text("UPDATE cases SET waiting_on = NULL WHERE id = :id"), {"id": case.id}
            )


async def test_two_sweeps_at_once_move_each_due_case_once(database: Database) -> None:
    cases = [await _file(database) for _ in range(12)]
    async with database.transaction() as session:
        await session.execute(
            text("INSERT INTO clock_offset (id, seconds) VALUES (1, :s)"), {"s": 40 * 86_400}
        )

    async def sweep() -> int:
        async with database.transaction() as session:
            return len(await engine.sweep_due(session, limit=5))

    moved = 0
    while True:
        batch = sum(await asyncio.gather(sweep(), sweep(), sweep()))
        if not batch:
            break
        moved += batch
    assert moved == len(cases)
    late = await _scalar(database, "SELECT count(*) FROM cases WHERE agency_late")
    assert late == len(cases)


async def test_a_poisoned_case_is_parked_with_a_task_and_stops_nobody(database: Database) -> None:
    good, bad = await _file(database), await _file(database)
    async with database.transaction() as session:
        await session.execute(
            text("INSERT INTO clock_offset (id, seconds) VALUES (1, :s)"), {"s": 40 * 86_400}
        )
        await session.execute(
            text("UPDATE cases SET playbook = 'gone@9' WHERE id = :id"), {"id": bad.id}
        )
    async with database.transaction() as session:
        results = {r.case_id: r for r in await engine.sweep_due(session)}
    assert results[good.id].case is not None
    assert results[bad.id].why == "parked"
    assert (
        await _scalar(
            database,
            "SELECT count(*) FROM tasks WHERE case_id = :id AND kind = 'poisoned_case'",
            id=bad.id,
        )
        == 1
    )
    async with database.transaction() as session:
        assert await engine.sweep_due(session) == []


async def test_many_facts_are_decided_alone_and_written_together(database: Database) -> None:
    one, two = await _file(database), await _file(database)
    until = wall_now() + timedelta(days=9)
    async with database.transaction() as session:
        results = await engine.advance_many(
            session,
            [
                engine.Fact(one.id, CaseHeld("k", "care", until, "staff:x"), "staff:x"),
                engine.Fact(two.id, CaseReopened("new_proof", "staff:x"), "staff:x"),
            ],
        )
    by_id = {r.case_id: r for r in results}
    assert by_id[one.id].refused is None and by_id[two.id].refused is not None
    assert await _scalar(database, "SELECT version FROM cases WHERE id = :id", id=one.id) == 2
    assert await _scalar(database, "SELECT version FROM cases WHERE id = :id", id=two.id) == 1


async def test_a_refused_fact_takes_no_other_fact_of_its_case_with_it(database: Database) -> None:
    case = await _file(database)
    until = wall_now() + timedelta(days=9)
    facts = [
        engine.Fact(case.id, CaseHeld("k", "care", until, "staff:a"), "staff:a"),
        engine.Fact(case.id, CaseReopened("new_proof", "staff:b"), "staff:b"),
        engine.Fact(case.id, CaseReassigned(handler_id=None, by="staff:c"), "staff:c"),
    ]
    async with database.transaction() as session:
        results = await engine.advance_many(session, facts)
    assert [r.why is None for r in results] == [True, False, True]
    assert results[1].refused is not None
    async with database.read() as session:
        found = await session.execute(
            text("SELECT code, actor FROM audit_entries WHERE stream = :s ORDER BY seq"),
            {"s": f"case:{case.id}"},
        )
        history = {row.code: row.actor for row in found}
    assert (history["held"], history["reassigned"]) == ("staff:a", "staff:c")


async def test_a_case_that_changed_since_it_was_read_is_not_overwritten(
    database: Database,
) -> None:
    case = await _file(database)
    async with database.transaction() as session:
        loaded = (await lock_cases(session, [case.id]))[case.id]
        await session.execute(text("UPDATE cases SET version = version + 1"))
        rows = new_rows()
        outcome = engine.Outcome(loaded.case, loaded.case, "system", wall_now())
        collect(rows, outcome, head=audit.Head(1, b""), version=loaded.version)
        with pytest.raises(StaleVersion):
            await write_rows(session, rows)


async def test_a_row_nobody_can_read_is_parked_and_stops_nobody(database: Database) -> None:
    good, bad = await _file(database), await _file(database)
    async with database.transaction() as session:
        await session.execute(
            text("INSERT INTO clock_offset (id, seconds) VALUES (1, :s)"), {"s": 40 * 86_400}
        )
        await session.execute(
            text("""UPDATE cases SET pauses = '[{"kind": "of another age"}]' WHERE id = :id"""),
            {"id": bad.id},
        )
    async with database.transaction() as session:
        results = {r.case_id: r for r in await engine.sweep_due(session)}
    assert results[good.id].case is not None
    assert results[bad.id].why == "parked"


async def test_who_waits_for_a_case_decides_on_what_the_other_left(database: Database) -> None:
    case = await _file(database)
    soon, later = wall_now() + timedelta(hours=1), wall_now() + timedelta(days=9)

    async def hold_later() -> None:
        async with database.transaction() as session:
            await engine.advance(
                session, case.id, CaseHeld("later", "care", later, "staff:x"), actor="staff:x"
            )

    async def is_waiting() -> bool:
        return bool(
            await _scalar(
                database,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'",
            )
        )

    async with database.transaction() as session:
        await engine.advance(
            session, case.id, CaseHeld("soon", "care", soon, "staff:x"), actor="staff:x"
        )
        waiting = asyncio.create_task(hold_later())
        await until(is_waiting)
    await waiting
    assert await _scalar(
        database,
        "SELECT next_wake_at = (SELECT min(due_at) FROM case_timers WHERE case_id = c.id)"
        " FROM cases c WHERE id = :id",
        id=case.id,
    )
    async with database.read() as session:
        loaded = await engine.peek(session, case.id)
    assert loaded is not None
    assert {t.key for t in loaded.case.timers} >= {"hold:soon", "hold:later"}
