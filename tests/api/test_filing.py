"""Filing a case: by a consumer, by an app, as a draft."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import event, text

from app.crypto import load_keyring
from app.db import Database
from app.settings import Settings
from app.vault import open_cipher
from tests.support.http import (
    api_key,
    body_of_app,
    body_of_consumer,
    consumer,
    file,
    pointers,
    rows,
    staff,
)


async def test_a_consumer_files_and_reads_what_happens_next(
    client: httpx.AsyncClient, database: Database
) -> None:
    anna = await consumer(database)
    answer = await client.post("/v1/cases", headers=anna.auth, json=body_of_consumer())
    assert answer.status_code == 201, answer.text
    case = answer.json()
    assert answer.headers["location"] == f"/v1/cases/{case['id']}"
    assert answer.headers["etag"] == '"1"' and case["version"] == 1
    assert case["stage"] == "assessment" and case["waiting_on"] == "handler"
    promised = case["next_promised_date"]
    assert promised["explanation"].startswith("By ") and "submitted" in promised["explanation"]
    assert all(case["now_and_next"].values())
    assert case["money"]["claimed"] == {
        "minor": 8560,
        "currency": "EUR",
        "amount": "85.60",
        "text": "85.60 EUR",
    }
    assert [i["earns_fee"] for i in case["items"]] == [True, False]
    assert case["company"] == {
        "name": "Slow Parcels Ltd",
        "brand": None,
        "company_id": None,
        "confirmed": False,
    }
    assert case["claimants"][0]["is_you"] and case["staff"] is None
    read = await client.get(f"/v1/cases/{case['id']}", headers=anna.auth)
    assert read.status_code == 200 and read.json() == case
    assert read.headers["etag"] == '"1"'


async def test_the_words_come_in_the_language_of_the_case_or_of_the_reader(
    client: httpx.AsyncClient, database: Database
) -> None:
    anna = await consumer(database)
    case = await file(client, anna, body_of_consumer(language="fi"))
    assert case["stage_text"] == "tarkastettavana meillä"
    read = await client.get(f"/v1/cases/{case['id']}?language=en", headers=anna.auth)
    assert read.json()["stage_text"] == "being checked by us"


async def test_an_app_files_for_a_party_and_personal_data_are_encrypted(
    client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    shop = await api_key(database)
    body = body_of_app()
    body["party"] = [{"name": "Bo Virtanen", "email": "bo@people.test"}, {"name": "Cy Virtanen"}]
    body["claim"]["items"][1]["creditor"] = 2
    case = await file(client, shop, body)
    assert [c["name"] for c in case["claimants"]] == ["Anna Virtanen", "Bo Virtanen", "Cy Virtanen"]
    assert case["items"][1]["claimant_id"] == case["claimants"][2]["id"]
    async with database.read() as session:
        stored = (
            await session.execute(
                text(
                    "SELECT id, address_cipher, birth_date_cipher FROM consumers"
                    " WHERE email = 'anna@people.test'"
                )
            )
        ).one()
        cipher = await open_cipher(session, load_keyring(settings), stored.id)
    assert b"Kotikatu" not in stored.address_cipher and b"1980" not in stored.birth_date_cipher
    assert (
        cipher.decrypt(stored.address_cipher, column="consumers.address_cipher", row_id=stored.id)
        == "Kotikatu 1 A 2\n00100 Helsinki"
    )


async def test_a_known_person_is_reused_and_the_app_cannot_tell(
    client: httpx.AsyncClient, database: Database
) -> None:
    known = await consumer(database, name="Anna Known", email="anna@people.test")
    shop, other = await api_key(database), await api_key(database)
    case = await file(client, shop, body_of_app())
    stranger = body_of_app()
    stranger["consumer"]["email"] = "nobody@people.test"
    unknown = await file(client, shop, stranger)
    async with database.read() as session:
        assert (
            await session.scalar(
                text("SELECT consumer_id FROM cases WHERE reference = :r"), {"r": case["reference"]}
            )
            == known.id
        )
        assert (
            await session.scalar(text("SELECT name FROM consumers WHERE id = :i"), {"i": known.id})
            == "Anna Known"
        )
    differing = {"id", "reference", "claimants", "items"}
    assert {k: v for k, v in case.items() if k not in differing}["claim"] == {
        k: v for k, v in unknown.items() if k not in differing
    }["claim"]
    assert case["claimants"][0]["name"] == unknown["claimants"][0]["name"] == "Anna Virtanen"
    # The person sees it among their own; another app does not.
    mine = await client.get("/v1/cases", headers=known.auth)
    assert [c["id"] for c in mine.json()["items"]] == [case["id"]]
    assert (await client.get(f"/v1/cases/{case['id']}", headers=other.auth)).status_code == 404


async def test_the_same_key_gives_the_same_case_and_another_body_is_refused(
    client: httpx.AsyncClient, database: Database
) -> None:
    shop = await api_key(database)
    headers = shop.auth | {"Idempotency-Key": "order-1"}
    first = await client.post("/v1/cases", headers=headers, json=body_of_app())
    before = await rows(database)
    again = await client.post("/v1/cases", headers=headers, json=body_of_app())
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["location"] == first.headers["location"]
    other = await client.post("/v1/cases", headers=headers, json=body_of_app(language="fi"))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await rows(database) == before


async def test_parallel_identical_posts_make_one_case(
    client: httpx.AsyncClient, database: Database
) -> None:
    shop = await api_key(database)
    headers = shop.auth | {"Idempotency-Key": "double-click"}
    answers = await asyncio.gather(
        *(client.post("/v1/cases", headers=headers, json=body_of_app()) for _ in range(8))
    )
    assert {a.status_code for a in answers} <= {201, 409}
    assert len({a.json()["id"] for a in answers if a.status_code == 201}) == 1
    assert (await rows(database))["cases"] == 1


async def test_two_filings_for_the_same_new_person_at_once_never_fail_blindly(
    client: httpx.AsyncClient, database: Database
) -> None:
    shop = await api_key(database)
    answers = await asyncio.gather(
        *(client.post("/v1/cases", headers=shop.auth, json=body_of_app()) for _ in range(4))
    )
    assert {a.status_code for a in answers} <= {201, 409}
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"busy"}
    found = await rows(database)
    assert found["consumers"] == 1 and found["cases"] == found["claimants"] >= 1


async def test_filing_by_key_is_one_commit_and_at_most_five_round_trips(
    client: httpx.AsyncClient, database: Database, wire: list[str]
) -> None:
    """Counted at the driver: every query and statement asyncpg is given, BEGIN and COMMIT too.

    The identity of a key is cached for seconds, and a statement is prepared once per connection;
    so the first two calls warm the way and the third is counted.
    """
    shop = await api_key(database)
    for at in range(3):
        body = body_of_app()
        body["consumer"]["email"] = f"p{at}@people.test"
        wire.clear()
        answer = await client.post(
            "/v1/cases", json=body, headers=shop.auth | {"Idempotency-Key": f"k{at}"}
        )
        assert answer.status_code == 201, answer.text
    assert len(wire) <= 5, "\n".join(s[:80] for s in wire)
    assert [s for s in wire if s.startswith("COMMIT")] == ["COMMIT;"]
    writing = [s for s in wire if "INSERT INTO cases" in s]
    assert len(writing) == 1 and "UPDATE idempotency_keys" in writing[0]


@pytest.fixture
async def wire(database: Database) -> Any:
    """What crosses to the server: SQLAlchemy's cursor events and the driver's own transaction
    words, which its adapter sends as queries of their own."""
    sent: list[str] = []

    def cursor(conn: Any, cur: Any, statement: str, *rest: Any) -> None:
        sent.append(statement.strip())

    def begun(conn: Any) -> None:
        sent.append("BEGIN;")

    def committed(conn: Any) -> None:
        sent.append("COMMIT;")

    def rolled_back(conn: Any) -> None:
        sent.append("ROLLBACK;")

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", cursor)
    event.listen(engine, "begin", begun)
    event.listen(engine, "commit", committed)
    event.listen(engine, "rollback", rolled_back)
    yield sent
    event.remove(engine, "before_cursor_execute", cursor)
    event.remove(engine, "begin", begun)
    event.remove(engine, "commit", committed)
    event.remove(engine, "rollback", rolled_back)


async def test_a_draft_resumes_and_is_submitted_when_nothing_is_missing(
    client: httpx.AsyncClient, database: Database
) -> None:
    anna = await consumer(database)
    draft = await file(
        client,
        anna,
        {
            "submit": False,
            "claim": {"claim_kind": "hotel", "jurisdiction": "FI", "currency": "EUR"},
        },
    )
    assert draft["stage"] == "intake" and draft["waiting_on"] == "consumer"
    missing = {m["pointer"] for m in draft["still_missing"]}
    assert missing == {"/claim/company", "/claim/what_happened", "/claim/items"}
    path = f"/v1/cases/{draft['id']}"
    early = await client.post(f"{path}/submit", headers=anna.at(1))
    assert (early.status_code, early.json()["code"]) == (422, "case_incomplete")
    assert pointers(early) == missing

    change = {
        "claim": {
            k: body_of_consumer()["claim"][k]
            for k in ("company", "what_happened", "items", "booking_reference", "answers")
        }
    }
    assert (await client.patch(path, headers=anna.auth, json=change)).status_code == 428
    changed = await client.patch(path, headers=anna.at(1), json=change)
    assert changed.status_code == 200, changed.text
    assert changed.json()["money"]["claimed"]["minor"] == 8560
    assert changed.json()["still_missing"] == [] and changed.json()["version"] == 2
    assert (await client.patch(path, headers=anna.at(1), json=change)).status_code == 412
    assert (await client.post(f"{path}/submit", headers=anna.at(1))).status_code == 412
    done = await client.post(f"{path}/submit", headers=anna.at(2))
    assert done.status_code == 200 and done.json()["stage"] == "assessment"
    late = await client.patch(path, headers=anna.at(3), json=change)
    assert (late.status_code, late.json()["code"]) == (409, "case_not_a_draft")


async def test_a_draft_of_somebody_else_does_not_exist(
    client: httpx.AsyncClient, database: Database
) -> None:
    anna, eve = await consumer(database), await consumer(database)
    draft = await file(client, anna, body_of_consumer() | {"submit": False})
    path, before = f"/v1/cases/{draft['id']}", await rows(database)
    for answer in (
        await client.get(path, headers=eve.auth),
        await client.patch(path, headers=eve.at(1), json={"claim": {}}),
        await client.post(f"{path}/submit", headers=eve.at(1)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "case_not_found")
    assert await rows(database) == before


async def test_lines_in_another_currency_are_listed_and_not_counted(
    client: httpx.AsyncClient, database: Database
) -> None:
    anna = await consumer(database)
    body = body_of_consumer()
    body["claim"]["items"].append(
        {"what": "customs", "kind": "loss", "amount": {"amount": "900", "currency": "JPY"}}
    )
    case = await file(client, anna, body)
    assert case["money"]["claimed"]["minor"] == 8560
    assert case["money"]["not_counted"] == [
        {"minor": 900, "currency": "JPY", "amount": "900", "text": "900 JPY"}
    ]
    assert case["items"][2]["counted"] is False


async def test_staff_see_possible_duplicates_and_nobody_else_does(
    client: httpx.AsyncClient, database: Database
) -> None:
    anna, handler = await consumer(database), await staff(database, "handler")
    first = await file(client, anna, body_of_consumer())
    second = await file(client, anna, body_of_consumer())
    read = await client.get(f"/v1/cases/{second['id']}", headers=handler.auth)
    assert [d["id"] for d in read.json()["staff"]["possible_duplicates"]] == [first["id"]]
    assert {t["kind"] for t in read.json()["staff"]["open_tasks"]} == {"assess", "confirm_company"}
    assert second["staff"] is None
