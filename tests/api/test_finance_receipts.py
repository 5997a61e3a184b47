"""Money that came in: imported once, allocated with evidence, taken back, held, sent back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import text

from app import engine
from app.banking.files import read_event
from app.clock import wall_now
from app.crypto import load_keyring
from app.db import Database
from app.settings import Settings
from tests.api.finance_office import Office, move_clock, open_office, running_case
from tests.banking.statements import Line, camt053, statement
from tests.support.cases import Made
from tests.support.http import session_of, staff
from tests.support.staff_work import one, problem


async def money_rows(database: Database) -> tuple[Any, ...]:
    """Everything a repeated or refused call leaves as it was."""
    return tuple(
        await one(
            database,
            "SELECT (SELECT count(*) FROM movements), (SELECT count(*) FROM journal_txns),"
            " (SELECT count(*) FROM allocations), (SELECT count(*) FROM commission_invoices),"
            " (SELECT count(*) FROM payout_items), (SELECT count(*) FROM payout_batches),"
            " (SELECT count(*) FROM offers), (SELECT count(*) FROM bank_statements),"
            " (SELECT count(*) FROM bank_accounts), (SELECT sum(version) FROM cases),"
            " (SELECT count(*) FROM audit_entries), (SELECT count(*) FROM tasks)",
        )
    )


async def test_a_statement_counts_once_and_says_how_far_the_bank_was_read(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    raw = office.file(Line(50_00), Line(60_00))
    first = (await office.send_file(raw)).json()
    assert len(first["receipts"]) == 2 and not first["statements"][0]["already_imported"]
    mark = (await one(database, "SELECT bank_read_until FROM installation")).bank_read_until
    # That calendar day is over in every zone, whichever statute a deadline follows.
    assert mark == datetime.combine(office.day + timedelta(days=1), time(12), tzinfo=UTC)
    before = await money_rows(database)
    again = (await office.send_file(raw)).json()
    assert again["receipts"] == [] and again["statements"][0]["already_imported"]
    assert await money_rows(database) == before
    listed = (await office.get("/bank/statements"))["items"]
    assert [(x["name"], x["closing_balance"]["text"]) for x in listed] == [("S1", "110.00 EUR")]
    await office.check()


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (b"<nonsense", 422, "statement_invalid"),
        (b"", 422, "statement_invalid"),
        (b"<a><!DOCTYPE x></a>", 422, "statement_invalid"),
        ({"opening": 5}, 409, "opening_balance_missing"),
        ({"closing": 1}, 422, "statement_invalid"),
        ({"iban": "FI4950009420028730"}, 409, "bank_account_unknown"),
        ({"currency": "SEK"}, 409, "bank_account_unknown"),
    ],
)
async def test_a_refused_file_posts_nothing_and_is_kept(
    client: httpx.AsyncClient,
    database: Database,
    settings: Settings,
    change: Any,
    status: int,
    code: str,
) -> None:
    office = await open_office(client, database)
    raw = (
        change
        if isinstance(change, bytes)
        else camt053(statement([Line(10_00)], **({"opening": 0} | change)))
    )
    before = await money_rows(database)
    problem(await office.send_file(raw), status, code)
    assert await money_rows(database) == before
    kept = await one(database, "SELECT id, raw_cipher FROM external_events")
    async with database.read() as session:
        assert await read_event(session, load_keyring(settings), kept.id) == raw
    assert not raw or raw not in bytes(kept.raw_cipher)


async def test_an_account_that_had_money_before_opens_with_it_once(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    path = f"/bank/accounts/{office.account}/opening-balance"

    def stood(amount: str) -> dict[str, Any]:
        return {
            "amount": {"amount": amount, "currency": "EUR"},
            "as_of": office.day.isoformat(),
            "words": "statement 11/2026",
        }

    office.closing = 5_000_00
    first = office.file(Line(10_00))
    problem(await office.send_file(first), 409, "opening_balance_missing")
    await office.post(path, stood("500.00"), expect=201)  # a slip of the pen
    problem(await office.send_file(first), 409, "opening_balance_missing")
    wrong = await office.post(path, stood("5000.00"), by=office.approver, expect=403)
    problem(wrong, 403, "forbidden")
    recorded = (await office.post(path, stood("5000.00"), expect=201)).json()
    assert (await office.send_file(first)).status_code == 200
    left = {row["movement_id"]: row for row in (await office.get("/bank/unallocated"))["items"]}
    assert left[recorded["movement_id"]]["unallocated"]["text"] == "5000.00 EUR"
    assert len(left) == 2
    late = await office.post(path, stood("1.00"), expect=409)
    problem(late, 409, "opening_too_late")
    await office.check()
    # Whose it was: a case that was running before.
    case = await running_case(database, 5_000_00)
    await office.allocate(recorded["movement_id"], case)
    await office.check()


async def test_the_file_must_be_xml_and_come_from_finance(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    answer = await client.post(
        "/v1/bank/statements",
        content=office.file(Line(1)),
        headers=office.clerk.auth | {"Content-Type": "text/csv"},
    )
    problem(answer, 415, "unsupported_media_type")
    handler = await staff(database, "handler")
    problem(await office.send_file(office.file(Line(1)), by=handler), 403, "forbidden")


async def test_unallocated_money_says_why_and_what_it_may_be(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    one_case, other = await running_case(database), await running_case(database)
    await office.received(10_00, text="thank you")
    await office.received(20_00, text=f"{one_case.reference} and {other.reference}")
    await office.received(30_00, text=f"refund {one_case.reference}")
    rows = (await office.get("/bank/unallocated"))["items"]
    assert [(len(r["candidates"]), r["why_unallocated"]) for r in rows] == [
        (0, "no reference of ours, case number or booking number was found in it"),
        (2, "it points at more than one case"),
        (1, "one case is named: allocate it"),
    ]
    (certain,) = rows[2]["candidates"]
    assert one_case.reference in certain["why"]
    assert one_case.reference in certain["reasons"][0]["text"]
    assert certain["score"] == sum(one["points"] for one in certain["reasons"])
    doubted = rows[1]["candidates"][0]
    assert doubted["not_certain_text"] == "something in the line points at another case"
    finnish = (await office.get("/bank/unallocated", language="fi"))["items"][2]
    assert finnish["why_unallocated"] == "yksi asia on nimetty: kohdista se"
    assert finnish["candidates"][0]["reasons"][0]["text"].startswith("viite")
    assert rows[0]["payer_account"] == "DE** **** **** **** **30 00"
    page = await office.get("/bank/unallocated", limit=2)
    rest = await office.get("/bank/unallocated", limit=2, cursor=page["next_cursor"])
    assert [len(page["items"]), len(rest["items"]), rest["next_cursor"]] == [2, 1, None]
    auditor = await staff(database, "auditor")
    masked = (await office.get("/bank/unallocated", by=auditor))["items"][2]
    assert (masked["payer"], masked["message"]) == ("S*** P*** L***", "***")


async def test_an_allocation_is_undone_whole_and_made_elsewhere(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    wrong, right = await running_case(database), await running_case(database)
    movement = await office.received(100_00)
    done = await office.allocate(movement, wrong)
    undone = (
        await office.post(
            f"/bank/allocations/{done['allocation_id']}/undo", {"reason": "wrong case"}, expect=200
        )
    ).json()
    assert undone["fee_given_back"]["minor"] == 25_00
    row = await office.case(wrong)
    assert (row.money["received"], row.money["fee"]) == (0, 0)
    await office.allocate(movement, right)
    twice = await office.post(
        f"/bank/allocations/{done['allocation_id']}/undo", {"reason": "again"}
    )
    problem(twice, 409, "already_undone")
    notes = (await office.get("/invoices", case_id=str(wrong.id)))["items"]
    assert [(i["kind"], i["gross"]["minor"]) for i in notes] == [
        ("credit_note", -25_00),
        ("invoice", 25_00),
    ]
    await office.check()


async def test_more_than_the_claim_is_refused_and_the_rest_goes_back(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    movement = await office.received(130_00)
    answer = await office.post(f"/bank/movements/{movement}/allocations", {"case_id": str(case.id)})
    assert problem(answer, 409, "above_claim")["params"]["open"] == "100.00"
    await office.allocate(movement, case, amount={"amount": "100.00", "currency": "EUR"})
    back = (await office.post(f"/bank/movements/{movement}/return", expect=201)).json()
    assert back["amount"]["minor"] == 30_00
    problem(await office.post(f"/bank/movements/{movement}/return"), 409, "payout_waits")
    batch = (await office.approve(await office.batch())).json()
    assert [(i["kind"], i["account"]) for i in batch["items"]] == [("payer_return", None)]
    await office.paid(batch)
    await office.check()


async def test_the_same_call_with_the_same_key_allocates_once(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    movement = await office.received(40_00)
    path, body = f"/bank/movements/{movement}/allocations", {"case_id": str(case.id)}
    key = {"Idempotency-Key": "once"}
    first = await office.post(path, body, expect=201, headers=key)
    again = await office.post(path, body, expect=201, headers=key)
    assert first.content == again.content
    problem(await office.post(path, body), 409, "nothing_unallocated")
    assert (await office.case(case)).money["received"] == 40_00


async def held(office: Office, case: Made) -> tuple[str, str]:
    movement = await office.received(60_00, text="in full and final settlement")
    done = await office.allocate(movement, case, in_full_settlement=True)
    assert (done["state"], done["our_fee"]) == ("held", None)
    return movement, done["offer_id"]


async def answer_offer(office: Office, case: Made, offer: str, answer: str) -> None:
    anna = await session_of(office.database, case.consumer_ids[0])
    await office.post(
        f"/cases/{case.id}/offers/{offer}/{answer}",
        {"claimant_id": str(case.claimant_ids[0])},
        by=anna,
        expect=200,
    )


async def test_money_in_full_settlement_is_accepted(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    await office.give_account(case)
    movement, offer = await held(office, case)
    row = (await office.get("/bank/unallocated"))["items"][0]
    assert row["held_for_case"] == str(case.id) and "claimants' answer" in row["why_unallocated"]
    early = await office.post(f"/bank/movements/{movement}/allocations", {"case_id": str(case.id)})
    problem(early, 409, "movement_held")
    problem(await office.post(f"/bank/movements/{movement}/return"), 409, "answer_awaited")
    assert (await office.case(case)).money["unallocated_in_full"] == 60_00
    await answer_offer(office, case, offer, "accept")
    problem(await office.post(f"/bank/movements/{movement}/return"), 409, "answer_awaited")
    row = (await office.get("/bank/unallocated"))["items"][0]
    assert (row["held_for_case"], row["answer"]) == (str(case.id), "accepted")
    done = await office.allocate(movement, case)
    assert done["our_fee"]["minor"] == 15_00
    await office.paid((await office.approve(await office.batch())).json())
    found = await office.case(case)
    assert (found.outcome, found.money["unallocated_in_full"]) == ("refunded_part", 0)
    await office.check()


@pytest.mark.parametrize("lapses", [False, True])
async def test_money_in_full_settlement_is_refused_or_lapses_and_goes_back(
    client: httpx.AsyncClient, database: Database, lapses: bool
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    movement, offer = await held(office, case)
    if lapses:
        await lapse(office, case)
    else:
        await answer_offer(office, case, offer, "refuse")
    assert await office.tasks(case, "return_money") == ["open"]
    late = await office.post(f"/bank/movements/{movement}/allocations", {"case_id": str(case.id)})
    problem(late, 409, "movement_held" if lapses else "nothing_unallocated")
    row = (await office.get("/bank/unallocated"))["items"][0]
    assert (row["held_for_case"], row["answer"]) == (str(case.id), "refused")
    assert (row["to_return"]["minor"], row["unallocated"]["minor"]) == (
        (0, 60_00) if lapses else (60_00, 0)
    )
    await office.post(f"/bank/movements/{movement}/return", expect=201)
    assert (await office.get("/bank/unallocated"))["items"] == []
    assert (await office.case(case)).money["unallocated_in_full"] == 60_00
    await office.paid((await office.approve(await office.batch())).json())
    assert (await office.case(case)).money["unallocated_in_full"] == 0
    assert await office.tasks(case, "return_money") == ["done"]
    assert (await office.case(case)).stage != "closed"
    await office.check()


async def lapse(office: Office, case: Made) -> None:
    """Nobody answers until the date has passed; mail and bank are read, and the sweep comes."""
    offer = await one(
        office.database, "SELECT answer_by FROM offers WHERE case_id = :id", id=case.id
    )
    past = offer.answer_by + timedelta(minutes=1)
    await move_clock(office.database, past - wall_now())
    async with office.database.transaction() as session:
        await engine.sweep_due(session)  # blind: nobody knows what came since
    assert await office.tasks(case, "return_money") == []
    office.day = past.astimezone(ZoneInfo("Europe/Helsinki")).date()
    await office.bank()
    await move_clock(office.database, past - wall_now() + timedelta(hours=2))
    async with office.database.transaction() as session:
        await session.execute(
            text("UPDATE installation SET mail_read_until = :at"), {"at": past + timedelta(hours=2)}
        )
        await engine.sweep_due(session)


async def test_money_that_only_a_person_has_seen_is_not_paid_out(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    await office.give_account(case)
    receipt = {
        "bank_account_id": office.account,
        "booked_on": office.day.isoformat(),
        "amount": {"amount": "100.00", "currency": "EUR"},
        "bank_reference": "BANK-90",
    }
    movement = (await office.post("/bank/receipts", receipt, expect=201)).json()["movement_id"]
    await office.allocate(movement, case)
    batch = await office.batch()
    refused = problem(await office.approve(batch), 409, "money_not_seen")
    assert "stands on no bank statement yet" in refused["detail"]
    await office.bank(Line(100_00, bank_ref="BANK-90"))
    assert (await office.approve(batch)).status_code == 200


async def test_a_receipt_by_hand_is_confirmed_by_its_statement_and_never_counts_twice(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    receipt = {
        "bank_account_id": office.account,
        "booked_on": office.day.isoformat(),
        "amount": {"amount": "100.00", "currency": "EUR"},
        "bank_reference": "BANK-77",
        "payer_name": "Slow Parcels Ltd",
        "remittance": case.reference,
    }
    movement = (await office.post("/bank/receipts", receipt, expect=201)).json()["movement_id"]
    problem(await office.post("/bank/receipts", receipt), 409, "movement_known")
    await office.allocate(movement, case)
    ahead = await office.get("/ledger/trial-balance")
    assert ahead["in_balance"] and ahead["bank"][0]["recorded_by_hand"]["minor"] == 100_00
    told = await office.bank(Line(100_00, bank_ref="BANK-77"), Line(5_00, bank_ref="BANK-78"))
    assert len(told["receipts"]) == 1
    after = await office.check()
    assert after["bank"][0]["recorded_by_hand"]["minor"] == 0
    assert after["bank"][0]["book_balance"]["minor"] == 105_00
    known = receipt | {"bank_reference": "BANK-78", "amount": {"amount": "5.00", "currency": "EUR"}}
    problem(await office.post("/bank/receipts", known), 409, "movement_known")


async def test_a_file_is_looked_at_imported_listed_and_taken_back_through_the_door(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    raw = office.file(Line(50_00), Line(60_00))
    headers = office.clerk.auth | {"Content-Type": "text/plain"}
    before = await money_rows(database)
    looked = await client.post("/v1/bank/statements/preview", content=raw, headers=headers)
    assert looked.status_code == 200 and len(looked.json()["receipts"]) == 2
    assert await money_rows(database) == before
    assert (await office.get("/bank/imports"))["items"] == []
    wrong = await client.post(
        "/v1/bank/statements/preview", content=raw.replace(b"50.00", b"51.00", 1), headers=headers
    )
    problem(wrong, 422, "statement_invalid")
    done = (await office.send_file(raw)).json()
    undo = f"/bank/imports/{done['import_id']}/undo"
    hidden = await office.post(undo, {"reason": "x"}, by=office.approver, expect=200)
    assert (hidden.json()["undo_reason"], hidden.json()["posted_with"]) == ("x", [])
    mark = (await one(database, "SELECT bank_read_until FROM installation")).bank_read_until
    assert mark is None, "nothing of the account is read any more"
    movement = f"/bank/movements/{done['receipts'][0]}"
    problem(await office.post(f"{movement}/return", {}), 409, "movement_undone")
    problem(await office.post(undo, {"reason": "again"}), 409, "import_undone")
    notice = raw.replace(b"camt.053", b"camt.052").replace(b"BkToCstmrStmt", b"BkToCstmrAcctRpt")
    told = (await office.send_file(notice.replace(b"Stmt>", b"Rpt>"))).json()
    assert (told["state"], told["receipts"], told["statements"]) == ("notice", [], [])
    again = (await office.send_file(raw)).json()
    assert (again["state"], len(again["receipts"])) == ("posted", 2)
    listed = (await office.get("/bank/imports"))["items"]
    assert [x["state"] for x in listed] == ["posted", "notice", "undone"]
    await office.check()
