"""Entries of finance: proposed by one, approved by another, and never another client's money."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from app.clock import wall_now
from app.db import Database
from app.ids import new_id
from app.playbooks.chart import load_chart
from app.tables.correspondence import MessageRow
from app.tables.ledger import LedgerAccount
from tests.api.finance_office import Office, open_office, running_case
from tests.banking.statements import Line
from tests.support.cases import Made
from tests.support.staff_work import problem

OWN_IBAN = "FI4950009420028730"


def eur(minor: int) -> dict[str, str]:
    return {"amount": f"{minor // 100}.{minor % 100:02d}", "currency": "EUR"}


async def proposed(office: Office, kind: str, minor: int, **names: Any) -> str:
    body = {"kind": kind, "amount": eur(minor), "reason": "as the papers say"} | names
    return str((await office.post("/finance/entries", body, expect=201)).json()["id"])


async def entered(office: Office, kind: str, minor: int, **names: Any) -> dict[str, Any]:
    entry = await proposed(office, kind, minor, **names)
    done = await office.post(f"/finance/entries/{entry}/approve", by=office.approver, expect=200)
    return dict(done.json())


async def refused(office: Office, code: str, kind: str, minor: int, **names: Any) -> None:
    entry = await proposed(office, kind, minor, **names)
    problem(await office.post(f"/finance/entries/{entry}/approve", by=office.approver), 409, code)
    await office.post(f"/finance/entries/{entry}/reject", {"reason": "impossible"}, expect=200)


async def debited(office: Office, minor: int) -> str:
    """The bank takes money nobody ordered; its movement."""
    await office.bank(Line(-minor, text="reversal"))
    async with office.database.read() as session:
        return str(
            await session.scalar(
                text("SELECT id FROM movements WHERE kind = 'unexplained_debit' ORDER BY id DESC")
            )
        )


async def balance(office: Office, account: str) -> int:
    async with office.database.read() as session:
        return int(
            await session.scalar(
                text("SELECT coalesce(sum(balance), 0) FROM account_balances WHERE account = :a"),
                {"a": account},
            )
        )


async def money_of(office: Office, case: Made) -> dict[str, int]:
    found = dict((await office.case(case)).money)
    found["payable"] = (
        found["received"] + found["adjusted"] - found["fee"] - found["paid_out"]
        - found["in_flight"]
    )  # fmt: skip
    return found


async def test_money_taken_back_after_payout_is_lent_by_us_and_set_off_when_it_comes_again(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database, 100_00)
    other = await running_case(database, 100_00)
    who = {"case_id": str(case.id), "claimant_id": str(case.claimant_ids[0])}
    await office.give_account(case)
    done = await office.allocate(await office.received(40_00), case)
    await office.allocate(await office.received(100_00), other)
    batch = await office.batch()
    assert (await office.approve(batch)).status_code == 200
    await office.paid(batch)
    debit = await debited(office, 40_00)
    names = {"allocation_id": done["allocation_id"], "debit_id": debit}
    await refused(office, "entry_too_large", "reversal", 40_01, **names)
    first = await entered(office, "reversal", 15_00, **names)
    assert [p["kind"] for p in first["postings"] if p["book"] == "own"] == [
        "fee_taken_back", "reversal_taken",
    ]  # fmt: skip
    await entered(office, "reversal", 25_00, **names)
    await refused(office, "entry_too_large", "reversal", 1, **names)
    # The fee of 10.00 was still here and pays for it; the 30.00 paid out are lent by us.
    assert await balance(office, "O.CLAWBACK") == await balance(office, "C.FROMOWN") == 30_00
    assert (await money_of(office, case))["payable"] == 0
    assert (await office.case(other)).money["received"] == 100_00
    notes = [i for i in (await office.get("/invoices", case_id=str(case.id)))["items"]]
    assert sum(i["gross"]["minor"] for i in notes) == 0 and len(notes) == 3
    undone = await office.post(
        f"/bank/allocations/{done['allocation_id']}/undo", {"reason": "wrong case"}
    )
    problem(undone, 409, "entry_rests_on_it")
    await office.allocate(await office.received(100_00), case)
    assert (await money_of(office, case))["payable"] == 75_00
    set_off = {**who, "cause": debit}
    await refused(office, "entry_too_large", "clawback_netted", 30_01, **set_off)
    await entered(office, "clawback_netted", 30_00, **set_off)
    assert (await money_of(office, case))["payable"] == 45_00
    assert await balance(office, "O.CLAWBACK") == await balance(office, "C.FROMOWN") == 0
    await office.check()


async def test_outlays_waivers_cheques_and_our_own_errors_have_their_door(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    opened = await office.post(
        "/bank/accounts",
        {"book": "own", "holder": "Recourse Oy", "number": OWN_IBAN, "currency": "EUR"},
        by=office.approver, expect=201,
    )  # fmt: skip
    own = {"own_account_id": opened.json()["id"]}
    case, other = await running_case(database, 100_00), await running_case(database, 50_00)
    on = {"case_id": str(case.id)}
    who = on | {"claimant_id": str(case.claimant_ids[0])}
    await office.allocate(await office.received(80_00), case)

    # Outlays: ours, unless the claimant said a separate yes on this very case.
    await entered(office, "outlay_paid", 12_00, **on, **own)
    body = {"kind": "outlay_charged", "amount": eur(5_00), "reason": "post"} | who
    answer = await office.post("/finance/entries", body)
    assert "/consent_message_id" in answer.text and answer.status_code == 422
    no = await said(database, other)
    answer = await office.post("/finance/entries", body | {"consent_message_id": no})
    problem(answer, 404, "message_not_found")
    yes = await said(database, case)
    charge = who | {"consent_message_id": yes}
    await refused(office, "funds_missing", "outlay_charged", 13_00, **charge)
    await entered(office, "outlay_charged", 5_00, **charge)
    await entered(office, "outlay_awarded", 4_00, **on, movement_id=await office.received(4_00))
    await entered(office, "outlay_written_off", 3_00, **on)
    assert (await money_of(office, case))["payable"] == 55_00

    # A fee waived: back to the claimant, with its credit note; never more than the fee.
    await refused(office, "entry_too_large", "fee_waived", 20_01, **who)
    await entered(office, "fee_waived", 6_00, **who)
    assert (await money_of(office, case))["payable"] == 61_00

    await cheques(office, on)
    await errors(office, case, other)
    await office.check()
    await in_the_database(office)


async def cheques(office: Office, on: dict[str, str]) -> None:
    """A cheque is nobody's before it is cleared."""
    cheque = await office.received(20_00)
    await entered(office, "cheque_credited", 20_00, movement_id=cheque)
    early = await office.post(f"/bank/movements/{cheque}/allocations", {**on, "amount": eur(20_00)})
    problem(early, 409, "nothing_unallocated")
    await entered(office, "cheque_cleared", 20_00, movement_id=cheque)
    bad = await office.received(9_00)
    await entered(office, "cheque_credited", 9_00, movement_id=bad)
    await entered(
        office, "cheque_bounced", 9_00, movement_id=bad, debit_id=await debited(office, 9_00)
    )


async def errors(office: Office, case: Made, other: Made) -> None:
    """Our error: whole the same day; a mistaken entry goes by its mirror, once."""
    who = {"case_id": str(case.id), "claimant_id": str(case.claimant_ids[0])}
    wrong = str(other.claimant_ids[0])
    done = await entered(office, "error_made_good", 10_00, **who, wrong=wrong)
    back = {"kind": "entry_reversed", "amount": eur(10_00), "reason": "x", "entry_id": done["id"]}
    mirror = (await office.post("/finance/entries", back, expect=201)).json()["id"]
    await office.post(f"/finance/entries/{mirror}/approve", by=office.approver, expect=200)
    assert (await money_of(office, case))["payable"] == 61_00
    await entered(office, "bank_interest_ours", 2_00, movement_id=await office.received(2_00))
    await entered(office, "partner_share", 1_00, partner="shop-7")
    strangers = {"case_id": str(other.id), "claimant_id": str(case.claimant_ids[0])}
    answer = await office.post(
        "/finance/entries", {"kind": "compensated", "amount": eur(1), "reason": "x"} | strangers
    )
    problem(answer, 404, "claimant_not_found")


async def said(database: Database, case: Made) -> str:
    """A message of the claimant on their case."""
    message = new_id()
    async with database.transaction() as session:
        await session.execute(
            insert(MessageRow).values(
                id=message, case_id=case.id, direction="in", channel="app", sender="consumer",
                from_address="", to_address="", subject="", text="yes, pay the fee for me",
                automatic=False, state="read", pen_reasons=[], received_at=wall_now(),
            )
        )  # fmt: skip
    return str(message)


async def in_the_database(office: Office) -> None:
    """Four eyes hold whoever writes; the chart is the one that is published."""
    entry = await proposed(office, "partner_share", 1_00, partner="shop-7")
    for change, why in (
        ("state='approved', told='{}', decided_by=made_by, decided_at=now()", "four_eyes"),
        ("amount_minor = 1", "decided once"),
        ("kind = 'outlay_charged'", "decided once"),
    ):
        with pytest.raises(DBAPIError, match=why):
            async with office.database.transaction() as session:
                await session.execute(
                    text(f"UPDATE book_entries SET {change} WHERE id = :id"), {"id": entry}
                )
    async with office.database.read() as session:
        rows = (await session.execute(LedgerAccount.__table__.select())).all()
    assert {tuple(row) for row in rows} == {
        (a.name, a.number, a.title, a.book, a.kind, a.guarded, a.kept) for a in load_chart()
    }
