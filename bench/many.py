"""Many cases from one that the engine wrote: rows multiplied by INSERT ... SELECT."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.crypto import Keyring
from app.db import Database
from app.domain.bank_refs import national_reference
from app.domain.case import Case, Claimant, ClaimItem, Stage
from app.domain.events import (
    CaseAccepted,
    CaseSubmitted,
    Event,
    LetterHandedOver,
    LetterRendered,
    MandateSigned,
)
from app.ids import new_id, new_reference
from app.moment import read_moment
from app.playbooks.book import GENERIC
from app.tables.people import AgencyProfileRow, InstallationRow
from app.tables.security import DataKey
from app.vault import data_key_row

CASE_IDS = "('01900000-0000-7000-8000-' || lpad(to_hex(g), 12, '0'))::uuid"
CHUNK = 100_000  # rows of one statement


async def one_case(database: Database, keyring: Keyring) -> UUID:
    """A case filed through the engine, waiting for assessment."""
    async with database.transaction() as session:
        moment = await read_moment(session)
        await session.execute(
            insert(AgencyProfileRow).values(
                version=1, profile={"name": "Bench Oy"}, effective_at=moment.now, set_by="bench"
            )
        )
        await session.execute(insert(InstallationRow).values(id=1, outgoing_paused=False))
        consumer, case_id, claimant, item = new_id(), new_id(), new_id(), new_id()
        await session.execute(
            text(
                "INSERT INTO consumers (id, name, email, by_post, language, country, created_at,"
                " version) VALUES (:id, 'Bench', 'bench@person.test', false, 'en', 'FI', :now, 1)"
            ),
            {"id": consumer, "now": moment.now},
        )
        _, key = data_key_row(keyring, consumer, moment.now)
        await session.execute(insert(DataKey).values(**key))
        case = Case(
            id=case_id, reference=new_reference(), claim_kind="air_fees", jurisdiction="FI",
            currency="EUR", stage=Stage.INTAKE, step=0, opened_at=moment.now, playbook=GENERIC,
            company_known=True, claimants=(Claimant(claimant, consumer, 0),),
            items=(ClaimItem(item, 12_300, True, claimant),),
        )  # fmt: skip
        new = engine.NewCase(
            case=case, consumers=[],
            columns={
                "payment_ref": national_reference(1000), "consumer_id": str(consumer),
                "company_id": None, "company_text": "Airline", "booking_ref": None,
                "what_happened": "Bag fee.", "answers": {}, "language": "en", "source": "app",
            },
            claimants=[{
                "id": str(claimant), "case_id": str(case_id), "consumer_id": str(consumer),
                "position": 0, "mandate": "none", "mandate_id": None, "signed_at": None,
                "receives_money": False, "has_account": False,
            }],
            items=[{
                "id": str(item), "case_id": str(case_id), "creditor_id": str(claimant),
                "position": 0, "kind": "price", "what": "bag fee", "amount_minor": 12_300,
                "currency": "EUR", "earns_fee": True, "counted": True, "ground": None,
            }],
        )  # fmt: skip
        await engine.create(session, new, CaseSubmitted("consumer"), actor="bench", moment=moment)
    return case_id


async def onto_the_ladder(database: Database, case_id: UUID) -> None:
    """Accepted, signed and written to: the company's time runs, and its next date is a letter."""
    async with database.transaction() as session:

        async def tell(event: Event) -> Case:
            return await engine.advance(session, case_id, event, actor="bench")

        await tell(CaseAccepted(Stage.CONTACT, "never_in_writing", GENERIC, "bench"))
        case = await tell(MandateSigned((await _case(session, case_id)).claimants[0].id, new_id()))
        letter = case.letter
        assert letter is not None, "the signature orders the first letter"
        await tell(LetterRendered(letter.id, letter.step, "0" * 64, letter.n))
        now = (await read_moment(session)).now
        await tell(LetterHandedOver(letter.id, now, "bench", True))


async def _case(session: AsyncSession, case_id: UUID) -> Case:
    loaded = await engine.peek(session, case_id)
    assert loaded is not None, "the case is there"
    return loaded.case


async def multiply(dsn: str, case_id: UUID, count: int, *, later_from: int) -> None:
    """`count` copies; those from number `later_from` on have all their dates 60 days later."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("DELETE FROM effects")
        for start in range(1, count + 1, CHUNK):
            end = min(start + CHUNK - 1, count)
            for table, changed in _COPIES.items():
                names = await _columns(connection, table)
                listed = ", ".join(changed.get(n, f"t.{n}") for n in names)
                await connection.execute(
                    f"INSERT INTO {table} ({', '.join(names)}) SELECT {listed}"
                    f" FROM {table} t, generate_series({start}, {end}) g"
                    f" CROSS JOIN LATERAL (SELECT CASE WHEN g >= {later_from}"
                    " THEN interval '60 days' ELSE interval '0' END AS shift) s"
                    f" WHERE t.{'id' if table == 'cases' else 'case_id'} = $1",
                    case_id, timeout=600,
                )  # fmt: skip
        await connection.execute("VACUUM ANALYZE", timeout=600)
    finally:
        await connection.close()


_COPIES: dict[str, dict[str, str]] = {
    "cases": {
        "id": CASE_IDS,
        "letter_id": f"CASE WHEN t.letter_id IS NOT NULL THEN {CASE_IDS} END",
        "reference": "'RC-' || g", "payment_ref": "(g * 10 + 7)::text",
        "next_wake_at": "t.next_wake_at + s.shift", "due_at": "t.due_at + s.shift",
    },
    "claimants": {"id": CASE_IDS, "case_id": CASE_IDS},
    "letters": {"id": CASE_IDS, "case_id": CASE_IDS},
    "claim_items": {"id": CASE_IDS, "case_id": CASE_IDS, "creditor_id": CASE_IDS},
    "case_timers": {"case_id": CASE_IDS, "due_at": "t.due_at + s.shift"},
}  # fmt: skip


async def _columns(connection: Any, table: str) -> list[str]:
    rows = await connection.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_name = $1"
        " ORDER BY ordinal_position", table,
    )  # fmt: skip
    return [r["column_name"] for r in rows]


async def bring_forward(dsn: str, first: int, last: int) -> None:
    """Cases `first`..`last` become due like the others."""
    connection = await asyncpg.connect(dsn)
    between = f"BETWEEN {_id(first)} AND {_id(last)}"
    try:
        await connection.execute(
            "UPDATE cases SET next_wake_at = next_wake_at - interval '60 days',"
            f" due_at = due_at - interval '60 days' WHERE id {between}",
            timeout=600,
        )
        await connection.execute(
            f"UPDATE case_timers SET due_at = due_at - interval '60 days' WHERE case_id {between}",
            timeout=600,
        )
        await connection.execute("VACUUM ANALYZE cases, case_timers", timeout=600)
    finally:
        await connection.close()


def _id(number: int) -> str:
    return CASE_IDS.replace("g)", f"{number})")
