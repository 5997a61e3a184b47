"""The whole way of money through the API: in, allocated, approved by another, out, settled."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import httpx
from lxml import etree
from sqlalchemy import text

from app.clock import wall_now
from app.db import Database
from app.moment import read_moment
from app.payouts.payable import ready_payables
from tests.api.finance_office import CONSUMER_IBAN, open_office, running_case
from tests.banking.statements import Line
from tests.support.http import staff
from tests.support.staff_work import one, problem


async def test_one_case_from_the_statement_to_paid_out(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database, 100_00, 149_90)
    await office.give_account(case)
    movement = await office.received(249_90, reference=await office.reference(case))
    shown = (await office.get("/bank/unallocated"))["items"]
    assert [
        (u["unallocated"]["minor"], u["candidates"][0]["case_id"], u["candidates"][0]["certain"])
        for u in shown
    ] == [(249_90, str(case.id), True)]
    done = await office.allocate(movement, case)
    assert (done["our_fee"]["text"], done["fee_reason"]) == ("62.48 EUR", "fee_due")
    assert done["shares"][0]["to_be_paid_out"]["minor"] == 187_42
    assert (await office.case(case)).stage == "settlement"
    assert await office.tasks(case, "prepare_payout") == ["open"]
    lines = (await office.get("/payouts/payable"))["items"]
    assert [(x["amount"]["minor"], x["account"], x["payable_now"]) for x in lines] == [
        (187_42, "****3458", True)
    ]

    batch = await office.batch()
    assert (batch["state"], batch["item_count"], batch["total"]["minor"]) == ("proposed", 1, 187_42)
    approved = await office.approve(batch)
    assert approved.status_code == 200, approved.text
    batch = approved.json()
    assert batch["state"] == "exported"
    assert await office.tasks(case, "prepare_payout") == ["done"]
    await check_file(client, database, office.approver.auth, batch)

    told = await office.paid(batch)
    assert (told["payouts_settled"], told["not_told"], told["to_explain"]) == (1, [], [])
    row = await office.case(case)
    assert (row.stage, row.outcome) == ("closed", "refunded_full")
    assert row.money["paid_out"] == 187_42 and row.money["fee"] == 62_48
    assert (await office.get(f"/payouts/batches/{batch['id']}"))["state"] == "settled"
    await office.check()
    posted = await office.get(f"/cases/{case.id}/postings")
    kinds = [p["kind"] for p in posted["postings"]]
    assert {"money_allocated", "commission_deducted", "payout_approved", "payout_settled"} <= set(
        kinds
    )
    assert posted["allocations"][0]["rule"] == "creditor_reference"
    invoice = posted["invoices"][0]
    assert (invoice["gross"]["minor"], invoice["vat"]["minor"], invoice["mode"]) == (
        62_48,
        12_70,
        "deducted",
    )
    assert (await office.get("/invoices", case_id=str(case.id)))["items"] == [invoice]


async def check_file(
    client: httpx.AsyncClient, database: Database, auth: dict[str, str], batch: dict[str, object]
) -> None:
    """The bytes are the approved ones, always the same, ordered once, and kept sealed."""
    files = [
        await client.get(f"/v1/payouts/batches/{batch['id']}/file", headers=auth) for _ in range(2)
    ]
    raw = files[0].content
    assert files[0].status_code == 200 and raw == files[1].content
    assert hashlib.sha256(raw).hexdigest() == batch["file_sha256"]
    found = {e.tag.rpartition("}")[2]: e.text for e in etree.fromstring(raw).iter()}
    assert found["CtrlSum"] == "187.42" and found["IBAN"] == CONSUMER_IBAN
    order = await one(
        database, "SELECT stream, payload, state FROM effects WHERE kind = 'SubmitBankFile'"
    )
    assert order.stream == f"batch:{batch['id']}" and order.state == "planned"
    assert order.payload["sha256"] == batch["file_sha256"]
    async with database.read() as session:
        stored = await session.scalar(text("SELECT file_cipher FROM payout_batches"))
        taken = await session.scalar(
            text("SELECT count(*) FROM audit_entries WHERE code = 'bank_file_taken'")
        )
    assert stored is not None and CONSUMER_IBAN.encode() not in stored and taken == 2


async def test_who_prepared_never_approves_and_only_what_was_read(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    both = await staff(database, "finance", "finance_approver")
    case = await running_case(database)
    await office.give_account(case)
    await office.allocate(await office.received(100_00), case)
    office.clerk, clerk = both, office.clerk
    batch = await office.batch()
    problem(await office.approve(batch, by=both), 403, "four_eyes")
    problem(await office.approve(batch, by=clerk), 403, "forbidden")
    problem(await office.approve(batch | {"content_hash": "0" * 64}), 409, "batch_changed")
    missing = await client.get(
        f"/v1/payouts/batches/{batch['id']}/file", headers=office.approver.auth
    )
    problem(missing, 404, "bank_file_not_found")
    assert (await office.approve(batch)).status_code == 200
    problem(await office.approve(batch), 409, "batch_state")
    rejected = await office.post(f"/payouts/batches/{batch['id']}/reject", {"reason": "mistake"})
    problem(rejected, 409, "batch_state")
    assert await one(database, "SELECT count(*) FROM effects WHERE kind = 'SubmitBankFile'") == (1,)
    await office.check()


async def test_a_rejected_batch_makes_its_money_payable_again(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    await office.give_account(case)
    await office.allocate(await office.received(100_00), case)
    first = await office.batch()
    line = (await office.get("/payouts/payable"))["items"][0]
    assert (line["why_not"], line["batch_id"]) == ("being_paid", first["id"])
    problem(await office.post("/payouts/batches", {"all": True}), 409, "nothing_to_pay")
    dropped = await office.post(
        f"/payouts/batches/{first['id']}/reject",
        {"reason": "not_now"},
        by=office.approver,
        expect=200,
    )
    assert (dropped.json()["state"], dropped.json()["items"][0]["state"]) == (
        "cancelled",
        "cancelled",
    )
    second = await office.batch(claimant_ids=[str(case.claimant_ids[0])])
    assert second["total"] == first["total"]
    newest = await office.get("/payouts/batches", limit=1)
    assert newest["items"][0]["id"] == second["id"] and newest["next_cursor"]
    older = await office.get("/payouts/batches", limit=1, cursor=newest["next_cursor"])
    assert older["items"][0]["id"] == first["id"] and older["next_cursor"] is None


async def test_lines_that_cannot_be_paid_starve_none_behind_them(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    cases = [await running_case(database) for _ in range(5)]
    await office.give_account(cases[-1])
    for case in cases:
        await office.allocate(await office.received(100_00), case)
    async with database.read() as session:
        now = (await read_moment(session)).now
        ready = await ready_payables(session, now=now, limit=1, page=2)
        assert [line.case_id for line in ready] == [cases[-1].id]
    listed = await office.get("/payouts/payable", limit=4)
    rest = await office.get("/payouts/payable", limit=4, cursor=listed["next_cursor"])
    assert {i["case_id"] for i in listed["items"] + rest["items"]} == {str(c.id) for c in cases}


async def test_a_payout_that_comes_back_waits_for_a_new_account(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    await office.give_account(case)
    await office.allocate(await office.received(100_00), case)
    batch = (await office.approve(await office.batch())).json()
    await office.paid(batch)
    item = batch["items"][0]
    told = await office.bank(
        Line(item["amount"]["minor"], end_to_end_id=item["end_to_end_id"], reason="AC04")
    )
    assert told["payouts_returned"] == 1
    assert await office.tasks(case, "fix_payout") == ["open"]
    assert (await office.case(case)).money["paid_out"] == 0
    line = (await office.get("/payouts/payable"))["items"][0]
    assert (line["amount"]["minor"], line["why_not"]) == (75_00, "account_failed")
    problem(await office.post("/payouts/batches", {"all": True}), 409, "nothing_to_pay")
    again = await office.batch(claimant_ids=[str(case.claimant_ids[0])])
    await office.paid((await office.approve(again)).json())
    assert await office.tasks(case, "fix_payout") == ["done"]
    assert (await office.case(case)).money["paid_out"] == 75_00
    await office.check()


async def test_the_bank_refuses_before_it_pays_and_a_debit_without_our_id_is_explained(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    await office.give_account(case)
    await office.allocate(await office.received(100_00), case)
    batch = (await office.approve(await office.batch())).json()
    item = batch["items"][0]["id"]
    refused = await office.post(f"/payouts/items/{item}/refused", {"reason": "AM04"}, expect=200)
    assert (refused.json()["state"], refused.json()["reason"]) == ("rejected", "AM04")
    assert (await office.case(case)).money["in_flight"] == 0
    again = (
        await office.approve(await office.batch(claimant_ids=[str(case.claimant_ids[0])]))
    ).json()
    item = again["items"][0]["id"]
    await office.received(200_00)
    wrong = (await office.bank(Line(-74_99, text="?")))["to_explain"][0]
    right = (await office.bank(Line(-75_00, text="?")))["to_explain"][0]
    for movement, code in ((wrong, "movement_does_not_fit"), (item, "payout_not_found")):
        answer = await office.post(f"/payouts/items/{item}/settled", {"movement_id": movement})
        assert answer.json()["code"] == code
    done = await office.post(f"/payouts/items/{item}/settled", {"movement_id": right}, expect=200)
    assert done.json()["state"] == "settled"
    assert (await office.case(case)).outcome == "refunded_full"
    twice = await office.post(f"/payouts/items/{item}/settled", {"movement_id": right})
    problem(twice, 409, "payout_state")


async def test_the_commission_is_swept_to_our_own_account(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    own = (
        await office.post(
            "/bank/accounts",
            {
                "book": "own",
                "holder": "Recourse Oy",
                "number": "FI49 5000 9420 0287 30",
                "currency": "EUR",
            },
            by=office.approver,
            expect=201,
        )
    ).json()
    case = await running_case(database)
    await office.allocate(await office.received(100_00), case)
    ready = await office.post("/payouts/sweeps", {"own_account_id": own["id"]}, expect=201)
    assert ready.json()["amount"]["minor"] == 25_00
    page = await office.get("/payouts/payable")
    assert [i["kind"] for i in page["ready"]] == ["sweep"]
    assert page["items"][0]["why_not"] == "no_account"
    batch = (await office.approve(await office.batch())).json()
    assert [i["kind"] for i in batch["items"]] == ["sweep"]
    await office.paid(batch)
    accounts = (await office.get("/bank/accounts"))["items"]
    assert {a["book"]: a["balance"]["minor"] for a in accounts} == {"client": 75_00, "own": 25_00}
    await office.check()


async def test_a_batch_is_executed_on_a_day_the_banks_are_open(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    await office.give_account(case)
    await office.allocate(await office.received(100_00), case)
    today = wall_now().date()
    saturday = today + timedelta(days=(5 - today.weekday()) % 7 or 7)
    answer = await office.post(
        "/payouts/batches", {"all": True, "execution_date": saturday.isoformat()}
    )
    assert problem(answer, 422, "fields_refused")["errors"][0]["code"] == "not_a_bank_day"
    batch = await office.batch()
    assert date.fromisoformat(batch["execution_date"]).weekday() < 5
