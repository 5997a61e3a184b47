"""Who may, what cannot be used, and commission that is invoiced instead of deducted (mode B)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.db import Database
from app.domain.case import Stage
from app.domain.settlement import FeeRule
from app.ids import new_id
from tests.api.finance_office import Office, open_office, running_case
from tests.api.test_finance_receipts import money_rows
from tests.banking.statements import Line
from tests.support.cases import Made, make_case
from tests.support.http import Caller, api_key, consumer, session_of, staff
from tests.support.staff_work import problem

NONE = new_id()
EUR = {"amount": "10.00", "currency": "EUR"}
READS = [
    "/bank/accounts",
    "/bank/statements",
    "/bank/unallocated",
    "/payouts/payable",
    "/payouts/batches",
    "/ledger/trial-balance",
    "/invoices",
]


async def test_the_auditor_reads_all_and_changes_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    movement = await office.received(100_00)
    await office.allocate(movement, case)
    auditor = await staff(database, "auditor")
    for path in [*READS, f"/cases/{case.id}/postings"]:
        await office.get(path, by=auditor)
    before = await money_rows(database)
    for path, body in writes(office, movement, case):
        problem(await office.post(path, body, by=auditor), 403, "forbidden")
    assert await money_rows(database) == before


def writes(office: Office, movement: str, case: Made) -> list[tuple[str, Any]]:
    receipt = {
        "bank_account_id": office.account,
        "amount": EUR,
        "bank_reference": "X",
        "booked_on": office.day.isoformat(),
    }
    return [
        (
            "/bank/accounts",
            {"book": "own", "holder": "A", "number": "FI4950009420028730", "currency": "EUR"},
        ),
        ("/bank/receipts", receipt),
        (f"/bank/movements/{movement}/allocations", {"case_id": str(case.id)}),
        (f"/bank/allocations/{NONE}/undo", {"reason": "no"}),
        (f"/bank/movements/{movement}/return", None),
        (f"/bank/movements/{movement}/invoice-payments", {"invoice_id": str(NONE)}),
        ("/payouts/batches", {"all": True}),
        ("/payouts/sweeps", {"own_account_id": str(NONE)}),
        (f"/payouts/batches/{NONE}/approve", {"content_hash": "0" * 64}),
        (f"/payouts/batches/{NONE}/reject", {"reason": "other"}),
        (f"/payouts/batches/{NONE}/propose", None),
        (f"/payouts/items/{NONE}/settled", {"movement_id": movement}),
        (f"/payouts/items/{NONE}/refused", {"reason": "AC04"}),
    ]


async def test_people_without_the_role_see_no_money(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    movement = await office.received(100_00)
    before = await money_rows(database)
    strangers: list[Caller] = [
        await staff(database, "handler"),
        await staff(database, "senior"),
        await session_of(database, case.consumer_ids[0]),
        await api_key(database),
        await consumer(database),
    ]
    for stranger in strangers:
        for path in READS:
            answer = await client.get(f"/v1{path}", headers=stranger.auth)
            problem(answer, 403, "forbidden")
        for path, body in writes(office, movement, case):
            problem(await office.post(path, body, by=stranger), 403, "forbidden")
    problem(
        await office.post("/bank/accounts", writes(office, movement, case)[0][1]), 403, "forbidden"
    )
    admin = await staff(database, "admin")
    postings = await client.get(f"/v1/cases/{case.id}/postings", headers=admin.auth)
    problem(postings, 403, "forbidden")
    assert await money_rows(database) == before


@pytest.mark.parametrize("what", ["allocate", "receipt", "account", "batch"])
async def test_bad_input_is_refused_and_changes_nothing(
    client: httpx.AsyncClient, database: Database, what: str
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    movement = await office.received(100_00)
    before = await money_rows(database)
    for path, body, by, status, code in bad(office, movement, case)[what]:
        answer = await office.post(path, body, by=by)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (body, answer.text)
    assert await money_rows(database) == before


BAD_RECEIPTS: list[tuple[dict[str, Any], int, str]] = [
    ({"booked_on": "2099-01-01"}, 422, "fields_refused"),
    ({"booked_on": "2026-02-30"}, 422, "validation_failed"),
    ({"bank_reference": ""}, 422, "validation_failed"),
    ({"bank_reference": "a b"}, 422, "validation_failed"),
    ({"bank_account_id": str(NONE)}, 404, "bank_account_not_found"),
    ({"amount": {"amount": "5", "currency": "JPY"}}, 422, "currency_mismatch"),
    ({"payer_name": "x" * 200}, 422, "validation_failed"),
]


def bad(office: Office, movement: str, case: Made) -> dict[str, list[tuple[Any, ...]]]:
    path, on = f"/bank/movements/{movement}/allocations", {"case_id": str(case.id)}
    sums = ["0", "0.00", "-1", "1.005", "1e3", "1,00", "9223372036854775808", " 1", "NaN"]
    receipt: dict[str, Any] = {
        "bank_account_id": office.account,
        "amount": EUR,
        "bank_reference": "X",
        "booked_on": office.day.isoformat(),
    }
    account = {"book": "client", "holder": "A", "number": "FI4950009420028730", "currency": "EUR"}
    clerk, chief, invalid = office.clerk, office.approver, "validation_failed"
    return {
        "allocate": [
            *[
                (
                    path,
                    on | {"amount": {"amount": a, "currency": "EUR"}},
                    clerk,
                    422,
                    {"0": "amount_zero", "0.00": "amount_zero", "1.005": "amount_invalid"}.get(
                        a, invalid
                    ),
                )
                for a in sums
            ],
            (
                path,
                on | {"amount": {"amount": "1.00", "currency": "SEK"}},
                clerk,
                422,
                "currency_mismatch",
            ),
            (
                path,
                on | {"amount": {"amount": "100.01", "currency": "EUR"}},
                clerk,
                409,
                "above_claim",
            ),
            (path, on | {"amount": EUR, "in_full_settlement": True}, clerk, 422, "fields_refused"),
            (path, on | {"third_party": "yes"}, clerk, 422, invalid),
            (path, on | {"fee": 0}, clerk, 422, invalid),
            (path, {"case_id": str(NONE)}, clerk, 404, "case_not_found"),
            (f"/bank/movements/{NONE}/allocations", on, clerk, 404, "not_found"),
            ("/bank/movements/1/allocations", on, clerk, 422, invalid),
            (f"/bank/allocations/{NONE}/undo", {"reason": "x"}, clerk, 404, "allocation_not_found"),
            (f"/bank/allocations/{NONE}/undo", {"reason": " "}, clerk, 422, invalid),
            (
                f"/bank/movements/{movement}/invoice-payments",
                {"invoice_id": str(NONE)},
                clerk,
                404,
                "invoice_not_found",
            ),
        ],
        "receipt": [
            ("/bank/receipts", receipt | change, clerk, status, code)
            for change, status, code in BAD_RECEIPTS
        ],
        "account": [
            (
                "/bank/accounts",
                account | {"number": "FI4950009420028731"},
                chief,
                422,
                "fields_refused",
            ),
            ("/bank/accounts", account | {"number": "12345678"}, chief, 422, "fields_refused"),
            (
                "/bank/accounts",
                account | {"number": "FI21 1234 5600 0007 85"},
                chief,
                409,
                "bank_account_known",
            ),
            ("/bank/accounts", account | {"currency": "XXX"}, chief, 422, invalid),
            ("/bank/accounts", account | {"book": "mine"}, chief, 422, invalid),
        ],
        "batch": bad_batches(office, case),
    }


def bad_batches(office: Office, case: Made) -> list[tuple[Any, ...]]:
    clerk, chief, invalid = office.clerk, office.approver, "validation_failed"
    return [
        ("/payouts/batches", {}, clerk, 422, "fields_refused"),
        ("/payouts/batches", {"all": True, "item_ids": [str(NONE)]}, clerk, 422, "fields_refused"),
        ("/payouts/batches", {"all": True}, clerk, 409, "nothing_to_pay"),
        ("/payouts/batches", {"item_ids": [str(NONE)]}, clerk, 409, "batch_state"),
        (
            "/payouts/batches",
            {"claimant_ids": [str(case.claimant_ids[0])]},
            clerk,
            409,
            "not_payable",
        ),
        (
            "/payouts/batches",
            {"all": True, "execution_date": "1999-01-01"},
            clerk,
            422,
            "fields_refused",
        ),
        (
            "/payouts/batches",
            {"all": True, "bank_account_id": str(NONE)},
            clerk,
            404,
            "bank_account_not_found",
        ),
        (f"/payouts/batches/{NONE}/approve", {"content_hash": "0" * 64}, chief, 404, "not_found"),
        (f"/payouts/batches/{NONE}/approve", {"content_hash": "zz"}, chief, 422, invalid),
        (f"/payouts/batches/{NONE}/reject", {"reason": "because"}, chief, 422, invalid),
        (f"/payouts/items/{NONE}/refused", {"reason": "no"}, clerk, 422, invalid),
        ("/payouts/sweeps", {"own_account_id": office.account}, clerk, 404, "not_found"),
    ]


async def test_an_account_changed_lately_waits_and_voids_the_batch(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database)
    await office.give_account(case)
    await office.allocate(await office.received(100_00), case)
    batch = await office.batch()
    await office.give_account(case, iban="DE89370400440532013000")
    problem(await office.approve(batch), 409, "batch_state")
    again = (await office.post(f"/payouts/batches/{batch['id']}/propose", expect=200)).json()
    assert again["content_hash"] != batch["content_hash"]
    problem(await office.approve(again), 409, "account_held")
    await office.post(f"/payouts/batches/{batch['id']}/reject", {"reason": "not_now"}, expect=200)
    line = (await office.get("/payouts/payable"))["items"][0]
    assert (line["why_not"], line["account"]) == ("account_changed_lately", "****3000")


async def confirmed_direct(office: Office, case: Made, amount: str) -> None:
    """The consumer says that the company paid them, and a handler finds it true."""
    anna = await session_of(office.database, case.consumer_ids[0])
    currency = case.case.currency
    said = await office.post(
        f"/cases/{case.id}/direct-payments",
        {
            "amount": {"amount": amount, "currency": currency},
            "paid_on": office.day.isoformat(),
        },
        by=anna,
        expect=201,
    )
    assert said.status_code == 201
    async with office.database.read() as session:
        report = await session.scalar(
            text("SELECT id FROM direct_payments WHERE case_id = :id"), {"id": case.id}
        )
    handler = await staff(office.database, "handler")
    version = (await office.case(case)).version
    await office.post(
        f"/cases/{case.id}/direct-payments/{report}/decide",
        {"confirmed": True, "whole": True},
        by=handler,
        expect=200,
        headers={"If-Match": f'"{version}"'},
    )


async def test_mode_b_invoices_the_commission_by_the_rule_of_the_contract(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await make_case(database, stage=Stage.REMINDER, letter="delivered", amounts=(100_00,))
    rule = FeeRule(id="standard-2025", version=3, rate_bp=2000, vat_bp=2400).to_document()
    async with database.transaction() as session:
        await session.execute(
            text(
                "UPDATE mandates SET shown = jsonb_build_object('fee_rule_document',"
                " CAST(:rule AS jsonb)) WHERE case_id = :id"
            ),
            {"id": case.id, "rule": json.dumps(rule)},
        )
    await confirmed_direct(office, case, "100.00")
    assert (await office.case(case)).outcome == "paid_direct"
    invoice = (await office.get("/invoices", mode="receivable"))["items"][0]
    assert (
        invoice["gross"]["minor"],
        invoice["vat"]["minor"],
        invoice["vat_percent"],
        invoice["open"]["minor"],
    ) == (20_00, 3_87, "24.00", 20_00)
    movement = (await office.bank(Line(20_00, text="my invoice")))["receipts"][0]
    path = f"/bank/movements/{movement}/invoice-payments"
    over = {"invoice_id": invoice["id"], "amount": {"amount": "20.01", "currency": "EUR"}}
    problem(await office.post(path, over), 409, "invoice_overpaid")
    paid = await office.post(path, {"invoice_id": invoice["id"]}, expect=201)
    assert paid.json()["still_open"]["minor"] == 0
    assert (await office.get("/invoices"))["items"][0]["open"]["minor"] == 0
    assert (await office.get("/payouts/payable"))["items"] == []
    await office.check()


async def test_the_fee_of_a_deduction_follows_the_contract_too(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database, 50_00, 50_00, claimants=2)
    done = await office.allocate(await office.received(60_00), case)
    assert done["our_fee"]["minor"] == 15_00
    assert [s["to_be_paid_out"]["minor"] for s in done["shares"]] == [22_50, 22_50]
    assert len(done["invoices"]) == 2
    assert (await office.case(case)).stage == "reminder"  # a part: the ladder goes on
