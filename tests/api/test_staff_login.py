"""Staff: invitation, sign in, second factor, sign out."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from app.clock import wall_now
from app.crypto import load_keyring
from app.db import Database
from app.settings import Settings
from app.staff.enrolment import ensure_first_admin, invite_token
from tests.support.api import PASSWORD, People, Person


def login_body(person: Person, **changes: str) -> dict[str, str]:
    return {"email": person.email, "password": PASSWORD, "code": person.code(1)} | changes


async def test_a_colleague_comes_in_by_invitation_and_reads_the_own_account(
    people: People, client: httpx.AsyncClient
) -> None:
    handler = await people.staff("handler", "senior")
    me = await client.get("/v1/staff/me", headers=handler.auth)
    assert me.status_code == 200
    assert me.json()["roles"] == ["handler", "senior"]
    assert me.json()["status"] == "active"
    assert len(handler.recovery_codes) == 10


async def test_the_first_admin_is_made_once(
    people: People, database: Database, settings: Settings
) -> None:
    await people.admin()
    async with database.transaction() as session:
        assert (
            await ensure_first_admin(
                session,
                keyring=load_keyring(settings),
                link_key=people.link_key,
                email="b@agency.test",
            )
            is None
        )


async def test_two_processes_starting_at_once_make_one_first_admin(
    people: People, database: Database, settings: Settings
) -> None:
    async def start(number: int) -> str | None:
        async with database.transaction() as session:
            return await ensure_first_admin(
                session,
                keyring=load_keyring(settings),
                link_key=people.link_key,
                email=f"admin{number}@agency.test",
            )

    tokens = await asyncio.gather(*(start(n) for n in range(4)))
    assert sum(token is not None for token in tokens) == 1


async def test_every_wrong_part_of_a_login_gets_the_same_answer(
    people: People, client: httpx.AsyncClient
) -> None:
    person = await people.staff("handler")
    answers = [
        await client.post("/v1/staff/session", json=login_body(person, **wrong))
        for wrong in (
            {"password": "wrong password"},
            {"code": "000000"},
            {"email": "nobody@agency.test"},
        )
    ]
    assert {a.status_code for a in answers} == {401}
    bodies = [{k: v for k, v in a.json().items() if k != "request_id"} for a in answers]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["code"] == "login_refused"


async def test_a_code_works_once(people: People, client: httpx.AsyncClient) -> None:
    person = await people.staff("handler")
    body = login_body(person)
    assert (await client.post("/v1/staff/session", json=body)).status_code == 201
    assert (await client.post("/v1/staff/session", json=body)).status_code == 401


async def test_of_many_logins_with_one_code_at_once_one_gets_in(
    people: People, client: httpx.AsyncClient
) -> None:
    person = await people.staff("handler")
    answers = await asyncio.gather(
        *(client.post("/v1/staff/session", json=login_body(person)) for _ in range(6))
    )
    assert sorted(a.status_code for a in answers) == [201, 401, 401, 401, 401, 401]


async def test_an_older_code_than_the_last_one_used_is_refused(
    people: People, client: httpx.AsyncClient
) -> None:
    person = await people.staff("handler")
    assert (await client.post("/v1/staff/session", json=login_body(person))).status_code == 201
    for steps in (-2, -1, 0, 2):
        refused = await client.post(
            "/v1/staff/session", json=login_body(person, code=person.code(steps))
        )
        assert refused.status_code == 401, steps


async def test_a_recovery_code_works_once(people: People, client: httpx.AsyncClient) -> None:
    person = await people.staff("handler")
    body = {
        "email": person.email,
        "password": PASSWORD,
        "recovery_code": person.recovery_codes[3].lower(),
    }
    assert (await client.post("/v1/staff/session", json=body)).status_code == 201
    assert (await client.post("/v1/staff/session", json=body)).status_code == 401


async def test_new_recovery_codes_void_the_old_ones(
    people: People, client: httpx.AsyncClient
) -> None:
    person = await people.staff("handler")
    made = await client.post("/v1/staff/recovery-codes", headers=person.auth)
    assert made.status_code == 201
    old = {"email": person.email, "password": PASSWORD, "recovery_code": person.recovery_codes[0]}
    assert (await client.post("/v1/staff/session", json=old)).status_code == 401
    new = old | {"recovery_code": made.json()["recovery_codes"][0]}
    assert (await client.post("/v1/staff/session", json=new)).status_code == 201


async def test_step_up_changes_the_token_and_voids_the_old_one(
    people: People, client: httpx.AsyncClient
) -> None:
    person = await people.staff("handler")
    answer = await client.post(
        "/v1/staff/session/step-up", headers=person.auth, json={"code": person.code(1)}
    )
    assert answer.status_code == 200, answer.text
    new = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert (await client.get("/v1/staff/me", headers=new)).status_code == 200
    assert (await client.get("/v1/staff/me", headers=person.auth)).status_code == 401


async def test_an_act_that_asks_for_the_second_factor_refuses_an_old_one(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    admin = await people.admin()
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE login_sessions SET stepped_up_at = :at"),
            {"at": wall_now() - timedelta(minutes=6)},
        )
    refused = await client.post(
        "/v1/api-keys", headers=admin.auth, json={"name": "x", "scopes": ["cases.read"], "days": 1}
    )
    assert refused.status_code == 403
    assert refused.json()["code"] == "step_up_required"


async def test_signing_out_ends_the_session_at_once(
    people: People, client: httpx.AsyncClient
) -> None:
    person = await people.staff("handler")
    assert (await client.delete("/v1/staff/session", headers=person.auth)).status_code == 204
    assert (await client.get("/v1/staff/me", headers=person.auth)).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"last_seen_at": timedelta(minutes=-31)},
        {"expires_at": timedelta(seconds=-1)},
    ],
)
async def test_a_session_ends_when_idle_and_at_its_age(
    people: People, client: httpx.AsyncClient, database: Database, change: dict[str, timedelta]
) -> None:
    person = await people.staff("handler")
    ((column, delta),) = change.items()
    async with database.transaction() as session:
        await session.execute(
            text(f"UPDATE login_sessions SET {column} = :at"), {"at": wall_now() + delta}
        )
    assert (await client.get("/v1/staff/me", headers=person.auth)).status_code == 401


async def test_tokens_codes_and_secrets_are_not_stored_in_the_clear(
    people: People, database: Database
) -> None:
    person = await people.staff("handler")
    async with database.read() as session:
        for table in (
            "login_sessions",
            "staff",
            "staff_invites",
            "recovery_codes",
            "effects",
            "audit_entries",
        ):
            rows = (await session.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all()
            dump = "\n".join(rows)
            assert rows, table
            for secret in (
                person.token,
                person.secret,
                PASSWORD,
                person.recovery_codes[0],
                person.token.encode().hex(),
                person.secret.encode().hex(),
            ):
                assert secret not in dump, table


async def test_an_invitation_works_once_and_ends(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    admin = await people.admin()
    made = await client.post(
        "/v1/staff/accounts",
        headers=admin.auth,
        json={"email": "new@agency.test", "name": "New", "roles": ["handler"]},
    )
    effect = await people.last_effect("SendStaffInvite", f"staff:{made.json()['id']}")
    token = invite_token(people.link_key, effect)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE staff_invites SET expires_at = :at WHERE id = :id"),
            {"at": wall_now(), "id": effect},
        )
    assert (await client.post("/v1/staff/invite/show", json={"token": token})).status_code == 404
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE staff_invites SET expires_at = :at WHERE id = :id"),
            {"at": wall_now() + timedelta(hours=1), "id": effect},
        )
    await people.enrol(token)
    assert (await client.post("/v1/staff/invite/show", json={"token": token})).status_code == 404


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "new-person-2026!", "x" * 200])
async def test_a_weak_password_is_refused(
    people: People, client: httpx.AsyncClient, password: str
) -> None:
    admin = await people.admin()
    made = await client.post(
        "/v1/staff/accounts",
        headers=admin.auth,
        json={"email": "new-person@agency.test", "name": "New", "roles": ["handler"]},
    )
    token = invite_token(
        people.link_key, await people.last_effect("SendStaffInvite", f"staff:{made.json()['id']}")
    )
    refused = await client.post(
        "/v1/staff/invite/accept", json={"token": token, "password": password, "code": "123456"}
    )
    assert refused.status_code == 422
    assert refused.json()["code"] == "password_weak"


async def test_a_cookie_session_is_bound_to_host_and_https_and_asks_for_our_origin(
    people: People, client: httpx.AsyncClient, settings: Settings
) -> None:
    person = await people.staff("handler")
    answer = await client.post("/v1/staff/session", json=login_body(person, keep="cookie"))
    assert answer.json()["token"] is None
    cookie = answer.headers["set-cookie"]
    for part in ("__Host-recourse=", "HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    pair = {"Cookie": cookie.partition(";")[0]}
    assert (await client.get("/v1/staff/me", headers=pair)).status_code == 200
    for origin in (
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": settings.public_url + ".evil.example"},
    ):
        refused = await client.delete("/v1/staff/session", headers=pair | origin)
        assert refused.status_code == 403
        assert refused.json()["code"] == "origin_refused"
    ours = pair | {"Origin": settings.public_url}
    assert (await client.delete("/v1/staff/session", headers=ours)).status_code == 204


async def test_a_session_cookie_sent_twice_is_refused(
    people: People, client: httpx.AsyncClient
) -> None:
    person = await people.staff("handler")
    twice = {"Cookie": f"__Host-recourse={person.token}; __Host-recourse={person.token}"}
    assert (await client.get("/v1/staff/me", headers=twice)).status_code == 401


async def test_a_login_never_takes_the_token_a_caller_chose(
    people: People, client: httpx.AsyncClient
) -> None:
    person = await people.staff("handler")
    chosen = "chosen-by-an-attacker-0000000000000000000"
    answer = await client.post(
        "/v1/staff/session",
        json=login_body(person, keep="cookie"),
        headers={"Cookie": f"__Host-recourse={chosen}"},
    )
    assert chosen not in answer.headers["set-cookie"]
    refused = await client.get("/v1/staff/me", headers={"Authorization": f"Bearer {chosen}"})
    assert refused.status_code == 401


async def test_a_token_in_the_address_opens_nothing(
    people: People, client: httpx.AsyncClient
) -> None:
    person = await people.staff("handler")
    answer = await client.get(
        "/v1/staff/me", params={"token": person.token, "access_token": person.token}
    )
    assert answer.status_code == 401
