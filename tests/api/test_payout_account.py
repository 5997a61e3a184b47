"""Where the money goes: checked, encrypted, masked, told to its owner."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import insert, text

from app.clock import wall_now
from app.crypto import load_keyring
from app.db import Database
from app.domain.case import Stage
from app.ids import new_id
from app.settings import Settings
from app.tables.banking import BankAccount
from app.vault import open_cipher
from tests.support.cases import Made, make_case
from tests.support.http import Caller, api_key, consumer, pointers, rows, session_of, staff

IBAN = "FI21 1234 5600 0007 85"
OTHER = "DE89370400440532013000"


async def owned(database: Database, **wish: Any) -> tuple[Made, Caller, str]:
    made = await make_case(database, **({"stage": Stage.CONTACT} | wish))
    anna = await session_of(database, made.consumer_ids[0])
    return made, anna, f"/v1/cases/{made.id}/claimants/{made.claimant_ids[0]}/payout-account"


def sepa(iban: str = IBAN, holder: str = "Anna Virtanen") -> dict[str, str]:
    return {"rail": "sepa", "holder": holder, "iban": iban}


async def test_an_account_is_stored_encrypted_and_shown_masked(
    client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    made, anna, path = await owned(database)
    answer = await client.put(path, headers=anna.auth, json=sepa())
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["number"] == "FI** **** **** **07 85" and shown["holder"] == "A*** V***"
    assert "1234" not in answer.text and shown["changed"] is True
    assert shown["text"] == "Payments can go to this account at once."
    view = (await client.get(f"/v1/cases/{made.id}", headers=anna.auth)).json()
    assert view["claimants"][0]["account_on_file"] is True
    async with database.read() as session:
        row = (await session.execute(text("SELECT * FROM payout_accounts"))).one()
        cipher = await open_cipher(session, load_keyring(settings), row.consumer_id)
        told = await session.scalar(
            text(
                "SELECT count(*) FROM effects WHERE kind ="
                " 'NotifyConsumer' AND business_key LIKE '%account%'"
            )
        )
    assert (
        cipher.decrypt(row.iban_cipher, column="payout_accounts.iban_cipher", row_id=row.id)
        == "FI2112345600000785"
    )
    assert row.iban_last4 == "0785" and told == 1


async def test_the_same_account_again_changes_nothing_and_another_waits(
    client: httpx.AsyncClient, database: Database
) -> None:
    _, anna, path = await owned(database)
    first = (await client.put(path, headers=anna.auth, json=sepa())).json()
    before = await rows(database)
    same = (await client.put(path, headers=anna.auth, json=sepa("fi2112345600000785"))).json()
    assert same["id"] == first["id"] and same["changed"] is False
    assert await rows(database) == before
    changed = (await client.put(path, headers=anna.auth, json=sepa(OTHER))).json()
    assert changed["changed"] is True and changed["usable_from"] > first["usable_from"]
    assert "two days" in changed["text"]
    again = (await client.put(path, headers=anna.auth, json=sepa(OTHER))).json()
    assert again["changed"] is False and again["text"] == changed["text"]


@pytest.mark.parametrize(
    ("body", "masked", "currency"),
    [
        (
            {"rail": "gb", "holder": "A B", "sort_code": "12-34-56", "account": "12345678"},
            "****5678",
            "GBP",
        ),
        (
            {"rail": "us", "holder": "A B", "routing": "021000021", "account": "123456789"},
            "****6789",
            "USD",
        ),
        (
            {
                "rail": "other",
                "holder": "A B",
                "country": "JP",
                "currency": "JPY",
                "details": "Bank 1\nBranch 2",
            },
            "****",
            "JPY",
        ),
    ],
)
async def test_the_other_rails(
    client: httpx.AsyncClient, database: Database, body: dict[str, str], masked: str, currency: str
) -> None:
    _, anna, path = await owned(database)
    answer = await client.put(path, headers=anna.auth, json=body)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["number"], answer.json()["currency"]) == (masked, currency)


BAD: list[tuple[dict[str, Any], str]] = [
    (sepa("FI2112345600000786"), "/iban"),  # B071
    (sepa("FI211234560000078"), "/iban"),  # B072
    (sepa("FI21\u200b12345600000785"), "/iban"),  # B073
    (sepa("BR1500000000000010932840814P2"), "/iban"),  # B074
    (sepa(""), "/sepa/iban"),
    (sepa("x" * 60), "/sepa/iban"),
    (sepa(holder="A\r\nB"), "/sepa/holder"),
    (sepa() | {"bic": "NDEAFIHH"}, "/sepa/bic"),
    ({"rail": "gb", "holder": "A", "sort_code": "12345", "account": "12345678"}, "/gb/sort_code"),
    ({"rail": "gb", "holder": "A", "sort_code": "123456", "account": "١٢٣٤٥٦٧٨"}, "/gb/account"),
    ({"rail": "us", "holder": "A", "routing": "021000022", "account": "1234"}, "/us/routing"),
    ({"rail": "us", "holder": "A", "routing": "021000021", "account": "1" * 18}, "/us/account"),
    (
        {"rail": "other", "holder": "A", "country": "Japan", "currency": "JPY", "details": "x"},
        "/other/country",
    ),
    (
        {"rail": "other", "holder": "A", "country": "JP", "currency": "JPY", "details": "x" * 501},
        "/other/details",
    ),
    ({"rail": "paypal", "holder": "A"}, ""),
    ({}, ""),
]


async def test_numbers_that_cannot_be_paid_to_are_refused(
    client: httpx.AsyncClient, database: Database
) -> None:
    _, anna, path = await owned(database)
    async with database.transaction() as session:
        await session.execute(
            insert(BankAccount).values(
                id=new_id(),
                book="client",
                holder="Agency",
                number="FI1410093000123458",
                bic=None,
                currency="EUR",
                opened_at=wall_now(),
            )
        )
    before, wrong = await rows(database), []
    for body, pointer in [*BAD, (sepa("FI14 1009 3000 1234 58"), "/iban")]:  # B075: our own
        answer = await client.put(path, headers=anna.auth, json=body)
        if answer.status_code != 422 or pointer not in pointers(answer):
            wrong.append((body, answer.status_code, answer.json()))
        assert str(body.get("iban") or "no number") not in answer.text
    assert wrong == [] and await rows(database) == before


async def test_only_the_claimant_and_their_app_set_an_account(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, anna, path = await owned(database, claimants=2)
    bo = await session_of(database, made.consumer_ids[1])
    shop, handler = await api_key(database), await staff(database, "handler")
    senior, eve = await staff(database, "senior"), await consumer(database)
    before = await rows(database)
    for who, status in (
        (bo.auth, 404),
        (eve.auth, 404),
        (shop.auth, 404),
        (handler.auth, 403),
        (senior.auth, 428),
        (anna.at(1), 412),
    ):
        answer = await client.put(path, headers=who, json=sepa())
        assert answer.status_code == status, answer.text
    assert await rows(database) == before
    assert (await client.put(path, headers=anna.auth, json=sepa())).status_code == 200


async def test_one_account_for_two_people_shows_in_the_history_of_staff(
    client: httpx.AsyncClient, database: Database
) -> None:
    _, anna, hers = await owned(database)
    made, bo, his = await owned(database)
    senior = await staff(database, "senior")
    await client.put(hers, headers=anna.auth, json=sepa())
    assert (await client.put(his, headers=bo.auth, json=sepa(holder="Bo"))).status_code == 200
    seen = (await client.get(f"/v1/cases/{made.id}", headers=senior.auth)).json()["timeline"]
    assert [e["internal"] for e in seen if e["code"] == "account_shared"] == [True]
    own = (await client.get(f"/v1/cases/{made.id}", headers=bo.auth)).json()["timeline"]
    assert "account_shared" not in {e["code"] for e in own}


async def test_an_app_gives_no_account_of_somebody_others_know_too(
    client: httpx.AsyncClient, database: Database
) -> None:
    """Whoever knows an e-mail address could otherwise lead another person's money away."""
    made, anna, path = await owned(database)
    assert (await client.put(path, headers=anna.auth, json=sepa())).status_code == 200
    app = await api_key(database, "cases.write", "cases.read")
    same = {"consumer_ids": made.consumer_ids, "source": f"app:{app.id}"}
    _, _, through_app = await owned(database, **same)
    refused = await client.put(through_app, headers=app.auth, json=sepa(OTHER, "Mallory"))
    assert (refused.status_code, refused.json()["code"]) == (404, "claimant_not_found")
    alone = await make_case(database, stage=Stage.CONTACT, source=f"app:{app.id}")
    own = f"/v1/cases/{alone.id}/claimants/{alone.claimant_ids[0]}/payout-account"
    assert (await client.put(own, headers=app.auth, json=sepa())).status_code == 200
