"""Receipts find their cases: by themselves after the import, by the payer's list, by a split."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import httpx
from sqlalchemy import text

from app.banking.dry_run import dry_run
from app.banking.match_rules import load_rules
from app.crypto import load_keyring
from app.db import Database
from app.domain.bank_refs import rf_reference
from app.finance.matching import Switch, match_next
from app.settings import Settings
from tests.api.finance_office import Office, open_office, running_case
from tests.support.cases import Made
from tests.support.staff_work import problem
from workers.trouble import passes


async def matched(
    database: Database, settings: Settings, switch: Switch = "confirm"
) -> list[tuple[str, str | None]]:
    """What became of the receipts, in the order they came."""
    while await match_next(database, load_keyring(settings), switch, passes):
        pass
    async with database.read() as session:
        rows = await session.execute(
            text("SELECT outcome, reason FROM match_outcomes ORDER BY movement_id")
        )
        return [(str(o), r) for o, r in rows]


async def payment_ref(database: Database, case: Made) -> str:
    async with database.read() as session:
        found = await session.execute(
            text("SELECT payment_ref FROM cases WHERE id = :id"), {"id": case.id}
        )
        return rf_reference(str(found.scalar_one()))


async def test_what_is_beyond_doubt_is_set_against_its_case_after_the_import(
    client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    office = await open_office(client, database)
    case, other = await running_case(database), await running_case(database)
    ref = await payment_ref(database, case)
    await office.received(10_00, reference=ref)
    assert await matched(database, settings, "suggest") == [("suggested", None)]
    await office.received(20_00, reference=ref)
    await office.received(30_00, reference=ref, text="in full and final settlement")
    await office.received(40_00, text=f"{case.reference} {other.reference}")
    await office.received(900_000_00, reference=ref)
    assert (await matched(database, settings))[1:] == [
        ("confirmed", None),
        ("suggested", "in_full_settlement"),
        ("suggested", "points_elsewhere"),
        ("confirmed", "more_than_open"),
    ]
    posted = await office.get(f"/cases/{case.id}/postings")
    first, second = posted["allocations"]
    assert (first["rule"], first["made_by"]) == ("creditor_reference", "system")
    assert first["why"][0].startswith("the payer's reference field names the case: RF")
    assert "exactly the case's" in first["why"][1] and first["why"][1].endswith("(+60)")
    assert first["evidence"]["rules"] == "cascade@1" and first["evidence"]["check"] == "right"
    await office.check()
    # Exactly this one is taken back, and no machine sets it against the case again.
    undo = await office.post(f"/bank/allocations/{first['id']}/undo", {"reason": "theirs"})
    assert undo.json()["amount"]["minor"] == 20_00
    assert len(await matched(database, settings)) == 5
    again = (await office.get(f"/cases/{case.id}/postings"))["allocations"]
    assert [a["undone_at"] is None for a in again] == [False, True]
    assert again[1]["amount"] == second["amount"]
    await office.check()
    await _the_day_says_so(office, case)
    await _other_rules_would_confirm_less(database, settings, office)


async def _other_rules_would_confirm_less(
    database: Database, settings: Settings, office: Office
) -> None:
    careful = replace(load_rules(), version=2, confirms=frozenset({"end_to_end"}))
    async with database.read() as session:
        done = await dry_run(
            session, load_keyring(settings), careful, since=office.day, limit=100
        )  # fmt: skip
    assert (done.receipts, done.confirmed_now, done.confirmed_then) == (5, 3, 0)
    assert {c.then for c in done.changed} == {"suggests creditor_reference: step_suggests"}
    assert not any(c.against_standing for c in done.changed)


async def _the_day_says_so(office: Office, case: Made) -> None:
    today = await office.get("/finance/today")
    (light,) = today["accounts"]
    assert (light["agrees"], light["statement_in"]) == (True, True)
    assert today["client_money_in_balance"] and today["waiting_to_match"] == 0
    (band,) = today["unallocated"]
    left = (await office.get("/bank/unallocated"))["items"]
    assert band["total"]["minor"] == sum(one["unallocated"]["minor"] for one in left)
    lines = (await office.get("/finance/three-way"))["items"]
    assert lines and all(line["difference"]["minor"] == 0 for line in lines)
    quality = await office.get("/finance/match-quality")
    assert (quality["receipts"], quality["confirmed"], quality["percent"]) == (5, 1, "20.00")
    assert quality["undone"] == quality["by_outcome"]["taken_back"] == 1
    assert quality["by_step"][0]["step"] == "creditor_reference"
    account = await office.get(f"/cases/{case.id}/account")
    assert account["balance"] == account["moves"][-1]["balance"] and account["moves"]
    taxed = (await office.get("/finance/commission"))["items"][0]
    assert taxed["gross"]["minor"] == taxed["net"]["minor"] + taxed["vat"]["minor"]
    closing = await office.get("/finance/close", month=f"{office.day:%Y-%m}")
    against = {item["code"] for item in closing["items"] if not item["met"]}
    assert not closing["may_close"] and "month_not_over" in against
    answer = await office.client.get("/v1/finance/journal.csv", headers=office.clerk.auth)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert sum(int(r["debit_minor"]) - int(r["credit_minor"]) for r in rows) == 0 and rows


async def test_one_payment_for_two_cases_by_the_payers_list_or_a_split(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    one, two = await running_case(database), await running_case(database)
    movement = await office.received(70_00, text="refunds")
    path = f"/bank/movements/{movement}"
    unsure = f"{one.reference};30,00\n{two.reference};39,00"
    told = (await office.post(f"{path}/advice", {"text": unsure}, expect=200)).json()
    assert (told["certain"], told["not_certain_because"]) == (False, "advice_sum_differs")
    refused = await office.post(f"{path}/advice", {"text": unsure, "confirm": True})
    problem(refused, 409, "advice_unsure")
    listed = unsure.replace("39,00", "40,00")
    done = (await office.post(f"{path}/advice", {"text": listed, "confirm": True})).json()
    assert sorted(a["amount"]["minor"] for a in done["allocations"]) == [30_00, 40_00]
    await office.check()
    # A person's decision teaches the payer's account; a machine's does not.
    async with database.read() as session:
        links = await session.execute(text("SELECT count(*) FROM payer_links"))
        assert links.scalar_one() > 0
    await _split(office, one, two)


async def _split(office: Office, one: Made, two: Made) -> None:
    movement = await office.received(10_00)
    parts = [
        {"case_id": str(case.id), "amount": {"amount": "4.00", "currency": "EUR"}}
        for case in (one, two)
    ]
    path = f"/bank/movements/{movement}/split"
    done = (await office.post(path, {"parts": parts}, expect=201)).json()
    assert [a["amount"]["minor"] for a in done["allocations"]] == [4_00, 4_00]
    problem(await office.post(path, {"parts": parts}), 409, "split_too_large")
    problem(await office.post(path, {"parts": parts[:1] * 2}), 422, "fields_refused")
    await office.check()
