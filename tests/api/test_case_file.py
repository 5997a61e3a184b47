"""Filing for somebody who called or wrote, and looking behind a mask with a reason."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.db import Database
from app.ids import new_id
from tests.support.api import People, Person
from tests.support.staff_work import one, post, problem

IBAN = "FI2112345600000785"
BY_PHONE: dict[str, Any] = {
    "claim": {
        "claim_kind": "online_not_delivered",
        "jurisdiction": "FI",
        "currency": "EUR",
        "company": {"name": "Slow Parcels Ltd"},
        "what_happened": "The parcel never came.",
        "items": [
            {"what": "shoes", "kind": "price", "amount": {"amount": "120.00", "currency": "EUR"}}
        ],
    },
    "consumer": {
        "name": "Anna Virtanen",
        "country": "FI",
        "by_post": True,
        "birth_date": "1980-02-29",
        "address": {"lines": ["Lake Road 1", "00100 Helsinki"]},
    },
}


async def file_for(client: httpx.AsyncClient, who: Person, **change: Any) -> httpx.Response:
    return await post(client, who, "/v1/staff/cases", BY_PHONE | change)


async def test_a_handler_files_for_somebody_who_called(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    answer = await file_for(client, handler, source="paper")
    assert answer.status_code == 201, answer.text
    assert answer.json()["stage"] == "assessment"
    row = await one(
        database, "SELECT source, handler_id FROM cases WHERE id = :id", id=answer.json()["id"]
    )
    assert tuple(row) == ("paper", None)
    tasks = await one(
        database,
        "SELECT array_agg(kind ORDER BY kind) AS kinds FROM tasks"
        " WHERE case_id = :id AND state = 'open'",
        id=answer.json()["id"],
    )
    assert tasks.kinds == ["assess", "confirm_company"]


@pytest.mark.parametrize(
    "change",
    [
        {"source": "app"},
        {"source": "rk_test"},
        {"consumer": None},
        {"handler_id": str(new_id())},
    ],
)
async def test_a_filing_that_says_too_much_or_too_little_is_refused(
    client: httpx.AsyncClient, people: People, change: dict[str, Any]
) -> None:
    handler = await people.staff("handler")
    answer = await file_for(client, handler, **change)
    assert answer.status_code == 422, answer.text


async def test_finance_files_nothing(client: httpx.AsyncClient, people: People) -> None:
    problem(await file_for(client, await people.staff("finance")), 403, "forbidden")


async def reveal(
    client: httpx.AsyncClient, who: Person, case: dict[str, Any], what: str, **change: Any
) -> httpx.Response:
    body = {
        "what": what,
        "claimant_id": case["claimants"][0]["id"],
        "reason": "The letter came back.",
    } | change
    return await post(client, who, f"/v1/cases/{case['id']}/reveal", body)


async def test_who_works_on_the_case_sees_an_address_and_history_keeps_that(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = (await file_for(client, handler)).json()
    address = await reveal(client, handler, case, "address")
    assert address.json()["value"] == "Lake Road 1\n00100 Helsinki", address.text
    assert (await reveal(client, handler, case, "birth_date")).json()["value"] == "1980-02-29"
    rows = await one(
        database,
        "SELECT count(*) AS n, min(actor) AS actor FROM audit_entries"
        " WHERE stream = :s AND code = 'field_revealed'",
        s=f"case:{case['id']}",
    )
    assert tuple(rows) == (2, f"staff:{handler.id}")
    note = await one(database, "SELECT words FROM case_notes WHERE case_id = :id", id=case["id"])
    assert note.words == "The letter came back."
    version = await one(database, "SELECT version FROM cases WHERE id = :id", id=case["id"])
    assert version.version == case["version"], "looking changes nothing"


async def test_only_finance_sees_an_account_number(
    client: httpx.AsyncClient, people: People
) -> None:
    handler, finance = await people.staff("handler"), await people.staff("finance")
    senior = await people.staff("senior")
    case = (await file_for(client, handler)).json()
    problem(await reveal(client, finance, case, "iban"), 404, "not_on_file")
    given = await client.put(
        f"/v1/cases/{case['id']}/claimants/{case['claimants'][0]['id']}/payout-account",
        headers=senior.auth | {"If-Match": f'"{case["version"]}"'},
        json={"rail": "sepa", "holder": "Anna Virtanen", "iban": IBAN},
    )
    assert given.status_code == 200, given.text
    assert (await reveal(client, finance, case, "iban")).json()["value"] == IBAN
    problem(await reveal(client, handler, case, "iban"), 403, "finance_needed")
    problem(await reveal(client, finance, case, "address"), 403, "handler_needed")


async def test_a_foreign_or_missing_claimant_reveals_nothing(
    client: httpx.AsyncClient, people: People
) -> None:
    handler = await people.staff("handler")
    case, other = (await file_for(client, handler)).json(), (await file_for(client, handler)).json()
    for claimant in (other["claimants"][0]["id"], str(new_id())):
        problem(
            await reveal(client, handler, case, "address", claimant_id=claimant),
            404,
            "claimant_not_found",
        )
    problem(await reveal(client, handler, case, "password"), 422, "validation_failed")
