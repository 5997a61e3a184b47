"""One Idempotency-Key, one effect; proven on inviting a colleague."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from app.clock import wall_now
from app.db import Database
from app.idempotency import purge
from tests.support.api import People, Person

URL = "/v1/staff/accounts"


def body(email: str = "new@agency.test") -> dict[str, object]:
    return {"email": email, "name": "New", "roles": ["handler"]}


async def post(
    client: httpx.AsyncClient, person: Person, key: str, **changes: object
) -> httpx.Response:
    return await client.post(
        URL, json=body() | changes, headers=person.auth | {"Idempotency-Key": key}
    )


async def count(database: Database, table: str) -> int:
    async with database.read() as session:
        return int((await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def test_a_repeated_call_gets_the_first_answer_and_changes_nothing(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    admin = await people.admin()
    first = await post(client, admin, "k-1")
    accounts = await count(database, "staff")
    again = await post(client, admin, "k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    for header in ("location", "etag", "content-type"):
        assert again.headers[header] == first.headers[header]
    assert await count(database, "staff") == accounts


async def test_the_same_key_with_another_body_is_refused(
    people: People, client: httpx.AsyncClient
) -> None:
    admin = await people.admin()
    await post(client, admin, "k-1")
    other = await post(client, admin, "k-1", email="other@agency.test")
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


async def test_keys_of_two_people_are_apart(people: People, client: httpx.AsyncClient) -> None:
    first, second = await people.admin(), await people.staff("admin")
    assert (await post(client, first, "k-1")).status_code == 201
    taken = await post(client, second, "k-1")
    assert taken.status_code == 409  # their own call, refused on its own merits
    assert taken.json()["code"] == "email_taken"


async def test_a_refused_call_leaves_the_key_free(
    people: People, client: httpx.AsyncClient
) -> None:
    admin = await people.admin()
    assert (await post(client, admin, "k-1", email=admin.email)).status_code == 409
    assert (await post(client, admin, "k-1", roles=["no-such"])).status_code == 422
    assert (await post(client, admin, "k-1")).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "with space", "tab\tkey"])
async def test_a_key_out_of_bounds_is_refused(
    people: People, client: httpx.AsyncClient, key: str
) -> None:
    refused = await post(client, await people.admin(), key)
    assert refused.status_code == 422
    assert refused.json()["code"] == "idempotency_key_invalid"


async def test_an_emoji_key_and_two_keys_are_refused(
    people: People, client: httpx.AsyncClient
) -> None:
    admin = await people.admin()
    for headers in (
        [(b"idempotency-key", "🔑".encode())],
        [(b"idempotency-key", b"a"), (b"idempotency-key", b"b")],
    ):
        refused = await client.post(
            URL,
            json=body(),
            headers=[(b"authorization", admin.auth["Authorization"].encode()), *headers],
        )
        assert refused.status_code == 422


async def test_the_longest_key_works(people: People, client: httpx.AsyncClient) -> None:
    assert (await post(client, await people.admin(), "x" * 255)).status_code == 201


async def test_64_parallel_identical_calls_make_one_row(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    admin = await people.admin()
    before = await count(database, "staff")
    answers = await asyncio.gather(*(post(client, admin, "k-64") for _ in range(64)))
    assert {a.status_code for a in answers} <= {201, 409}
    fresh = [a for a in answers if a.status_code == 201 and "idempotency-replayed" not in a.headers]
    assert len(fresh) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "call_running"
            assert answer.headers["retry-after"] == "1"
        else:
            assert answer.content == fresh[0].content
    assert await count(database, "staff") == before + 1
    assert (await post(client, admin, "k-64")).headers["idempotency-replayed"] == "true"


async def test_an_answer_that_holds_a_secret_is_not_kept(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    admin = await people.admin()
    made = await client.post(
        "/v1/api-keys",
        headers=admin.auth | {"Idempotency-Key": "k"},
        json={"name": "x", "scopes": ["cases.read"], "days": 1},
    )
    assert made.status_code == 201
    assert await count(database, "idempotency_keys") == 0


async def test_old_keys_are_purged_and_may_be_used_anew(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    admin = await people.admin()
    await post(client, admin, "k-1")
    async with database.transaction() as session:
        assert await purge(session, now=wall_now() + timedelta(days=29)) == 0
        assert await purge(session, now=wall_now() + timedelta(days=31)) == 1
    again = await post(client, admin, "k-1", email="later@agency.test")
    assert again.status_code == 201
