"""Companies and channels: candidates, confirmation by register number, health."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.db import Database
from app.ids import new_id
from tests.support.api import People
from tests.support.staff_work import get, one, post, problem

SHOP: dict[str, Any] = {
    "legal_name": "Slow Parcels Ltd",
    "brand": "SlowPar",
    "country": "FI",
    "address_lines": ["Harbour Street 1", "00100 Helsinki"],
}
MAIL = {"kind": "email", "address": "Claims@Slow.example", "source": "their own site"}


async def test_a_candidate_is_confirmed_with_its_register_number(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    made = await post(client, handler, "/v1/companies", SHOP)
    assert (made.status_code, made.json()["status"]) == (201, "candidate"), made.text
    path, headers = f"/v1/companies/{made.json()['id']}", handler.auth
    sent = headers | {"If-Match": made.headers["etag"]}
    problem(
        await client.patch(path, json={"status": "confirmed"}, headers=sent),
        422,
        "register_number_needed",
    )
    problem(
        await client.patch(path, json={"status": "confirmed"}, headers=headers),
        428,
        "if_match_required",
    )
    confirm = {"status": "confirmed", "register_number": "FI-1234567-8"}
    problem(await client.patch(path, headers=sent, json=confirm), 422, "company_kind_needed")
    private = confirm | {"kind": "private_person"}
    problem(await client.patch(path, headers=sent, json=private), 422, "private_person")
    done = await client.patch(path, headers=sent, json=confirm | {"kind": "business"})
    assert done.status_code == 200, done.text
    problem(await client.patch(path, json={"brand": "Slow"}, headers=sent), 412, "stale_version")
    row = await one(
        database, "SELECT confirmed_by, status FROM companies WHERE id = :id", id=made.json()["id"]
    )
    assert tuple(row) == (handler.id, "confirmed")
    twin = await post(client, handler, "/v1/companies", SHOP | {"register_number": "FI-1234567-8"})
    problem(twin, 409, "company_exists")


async def test_channels_have_one_spelling_and_their_health(
    client: httpx.AsyncClient, people: People
) -> None:
    admin = await people.admin()
    company = (await post(client, admin, "/v1/companies", SHOP)).json()["id"]
    path = f"/v1/companies/{company}/channels"
    added = await post(client, admin, path, MAIL)
    assert added.json()["address"] == "claims@slow.example", added.text
    problem(
        await post(client, admin, path, MAIL | {"address": "claims@slow.example"}),
        409,
        "channel_exists",
    )
    dead = await client.patch(
        f"/v1/channels/{added.json()['id']}",
        json={"health": "dead"},
        headers=admin.auth | {"If-Match": added.headers["etag"]},
    )
    assert dead.json()["health"] == "dead", dead.text
    shown = (await get(client, admin, f"/v1/companies/{company}")).json()
    assert [c["health"] for c in shown["channels"]] == ["dead"]


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("email", "claims@sl\u043ew.example"),
        ("email", "Claims <claims@slow.example>"),
        ("portal", "http://slow.example"),
        ("portal", "javascript:alert(1)"),
        ("phone", "call me"),
        ("post", "1\n2\n3\n4\n5\n6\n7"),
        ("post", " \n \n "),
        ("email", "a@b"),
        ("fax", "+358 9 1234"),
    ],
)
async def test_an_address_that_does_not_fit_its_kind_is_refused(
    client: httpx.AsyncClient, people: People, kind: str, address: str
) -> None:
    admin = await people.admin()
    company = (await post(client, admin, "/v1/companies", SHOP)).json()["id"]
    problem(
        await post(
            client,
            admin,
            f"/v1/companies/{company}/channels",
            {"kind": kind, "address": address, "source": "x"},
        ),
        422,
        "validation_failed",
    )


async def test_companies_are_found_by_the_beginning_of_name_or_brand(
    client: httpx.AsyncClient, people: People
) -> None:
    admin = await people.admin()
    for name, brand in (("Alpha Oy", "Parcel"), ("Beta Oy", "Bus"), ("100% Oy", "Full")):
        await post(client, admin, "/v1/companies", SHOP | {"legal_name": name, "brand": brand})

    async def found(q: str) -> list[str]:
        answer = await get(client, admin, "/v1/companies", q=q)
        return [c["legal_name"] for c in answer.json()["items"]]

    assert await found("alph") == ["Alpha Oy"]
    assert await found("PARC") == ["Alpha Oy"]
    assert await found("100%") == ["100% Oy"]
    assert await found("%") == []
    first = (await get(client, admin, "/v1/companies", limit=2)).json()
    second = (
        await get(client, admin, "/v1/companies", limit=2, cursor=first["next_cursor"])
    ).json()
    assert len(first["items"]) + len(second["items"]) == 3 and second["next_cursor"] is None


async def test_finance_reads_companies_and_changes_none(
    client: httpx.AsyncClient, people: People
) -> None:
    finance = await people.staff("finance")
    problem(await post(client, finance, "/v1/companies", SHOP), 403, "forbidden")
    problem(await get(client, finance, f"/v1/companies/{new_id()}"), 404, "company_not_found")


async def test_how_long_a_company_lets_consumers_write_first_has_a_source(
    client: httpx.AsyncClient, people: People
) -> None:
    handler = await people.staff("handler")
    days = SHOP | {"direct_first_days": 28}
    problem(await post(client, handler, "/v1/companies", days), 422, "direct_first_incomplete")
    source = days | {"direct_first_source": "its conditions of carriage, art. 17"}
    made = await post(client, handler, "/v1/companies", source)
    assert (made.status_code, made.json()["direct_first_days"]) == (201, 28), made.text
    sent = handler.auth | {"If-Match": made.headers["etag"]}
    gone = await client.patch(
        f"/v1/companies/{made.json()['id']}", headers=sent, json={"direct_first_days": 0}
    )
    assert (gone.json()["direct_first_days"], gone.json()["direct_first_source"]) == (None, None)
