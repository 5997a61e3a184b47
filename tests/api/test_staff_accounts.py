"""Admins and accounts: roles, reset, deactivation, keys of apps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit_check import verify
from app.clock import wall_now
from app.db import Database
from app.staff.enrolment import invite_token
from tests.support.api import PASSWORD, People, Person
from tests.support.http import body_of_app


async def account(client: httpx.AsyncClient, admin: Person, person: Person) -> httpx.Response:
    return await client.get(f"/v1/staff/accounts/{person.id}", headers=admin.auth)


async def change(
    client: httpx.AsyncClient,
    admin: Person,
    person: Person,
    what: str,
    body: dict[str, Any] | None = None,
    method: str = "POST",
) -> httpx.Response:
    etag = (await account(client, admin, person)).headers["etag"]
    return await client.request(
        method,
        f"/v1/staff/accounts/{person.id}/{what}",
        headers=admin.auth | {"If-Match": etag},
        json=body,
    )


async def test_a_role_taken_away_is_gone_with_the_next_call(
    people: People, client: httpx.AsyncClient
) -> None:
    admin, second = await people.admin(), await people.staff("admin")
    assert (await client.get("/v1/staff/accounts", headers=second.auth)).status_code == 200
    done = await change(client, admin, second, "roles", {"roles": ["handler"]}, "PUT")
    assert done.status_code == 200, done.text
    assert done.json()["roles"] == ["handler"]
    assert (await client.get("/v1/staff/accounts", headers=second.auth)).status_code == 403


async def test_nobody_changes_their_own_account(people: People, client: httpx.AsyncClient) -> None:
    admin = await people.admin()
    for what, body, method in (
        ("roles", {"roles": ["admin", "finance"]}, "PUT"),
        ("reset", None, "POST"),
        ("deactivate", {"hand_over_to": None}, "POST"),
    ):
        refused = await change(client, admin, admin, what, body, method)
        assert (refused.status_code, refused.json()["code"]) == (403, "own_account")


async def test_an_auditor_holds_no_other_role(people: People, client: httpx.AsyncClient) -> None:
    admin, person = await people.admin(), await people.staff("handler")
    refused = await change(client, admin, person, "roles", {"roles": ["auditor", "finance"]}, "PUT")
    assert (refused.status_code, refused.json()["code"]) == (422, "roles_invalid")


async def test_two_admins_who_remove_each_other_at_once_leave_one(
    people: People, client: httpx.AsyncClient
) -> None:
    first, second = await people.admin(), await people.staff("admin")
    answers = await asyncio.gather(
        *(
            client.post(
                f"/v1/staff/accounts/{other.id}/deactivate",
                json={"hand_over_to": None},
                headers=admin.auth | {"If-Match": '"2"'},
            )
            for admin, other in ((first, second), (second, first))
        )
    )
    assert sorted(a.status_code for a in answers)[0] == 200
    assert sorted(a.status_code for a in answers)[1] in (401, 403, 409)
    alive = [
        p
        for p in (first, second)
        if (await client.get("/v1/staff/me", headers=p.auth)).status_code == 200
    ]
    assert len(alive) == 1


async def test_a_change_needs_the_version_that_was_read(
    people: People, client: httpx.AsyncClient
) -> None:
    admin, person = await people.admin(), await people.staff("handler")
    url = f"/v1/staff/accounts/{person.id}/roles"
    for if_match, status, code in (
        (None, 428, "if_match_required"),
        ('"1"', 412, "stale_version"),
        ("*", 422, "if_match_invalid"),
        ('W/"2"', 422, "if_match_invalid"),
        ('"1", "2"', 422, "if_match_invalid"),
        ("2", 422, "if_match_invalid"),
    ):
        headers = admin.auth | ({"If-Match": if_match} if if_match else {})
        refused = await client.put(url, headers=headers, json={"roles": ["senior"]})
        assert (refused.status_code, refused.json()["code"]) == (status, code), if_match
    assert (await account(client, admin, person)).json()["roles"] == ["handler"]


async def test_a_reset_ends_everything_and_invites_anew(
    people: People, client: httpx.AsyncClient
) -> None:
    admin, person = await people.admin(), await people.staff("handler")
    done = await change(client, admin, person, "reset")
    assert (done.status_code, done.json()["status"]) == (200, "invited")
    assert (await client.get("/v1/staff/me", headers=person.auth)).status_code == 401
    for factor in ({"code": person.code(1)}, {"recovery_code": person.recovery_codes[0]}):
        refused = await client.post(
            "/v1/staff/session", json={"email": person.email, "password": PASSWORD, **factor}
        )
        assert refused.status_code == 401
    effect = await people.last_effect("SendStaffInvite", f"staff:{person.id}")
    assert (await people.enrol(invite_token(people.link_key, effect))).id == person.id


async def test_a_deactivation_hands_the_work_over_in_the_same_transaction(
    people: People, client: httpx.AsyncClient, app: FastAPI
) -> None:
    calls: list[tuple[UUID, UUID | None, str]] = []

    async def hand_over(
        session: AsyncSession, leaver: UUID, successor: UUID | None, actor: str
    ) -> int:
        assert (
            await session.execute(text("SELECT status FROM staff WHERE id = :id"), {"id": leaver})
        ).scalar_one() == "active"
        calls.append((leaver, successor, actor))
        return 3

    app.state.parts = replace(app.state.parts, hand_over=(hand_over,))
    admin, leaver, heir = (
        await people.admin(),
        await people.staff("handler"),
        await people.staff("handler"),
    )
    bad = await change(client, admin, leaver, "deactivate", {"hand_over_to": str(leaver.id)})
    assert (bad.status_code, bad.json()["code"]) == (422, "successor_invalid")
    done = await change(client, admin, leaver, "deactivate", {"hand_over_to": str(heir.id)})
    assert (done.status_code, done.json()["status"]) == (200, "deactivated")
    assert calls == [(leaver.id, heir.id, f"staff:{admin.id}")]
    assert (await client.get("/v1/staff/me", headers=leaver.auth)).status_code == 401
    history = await client.get(f"/v1/staff/accounts/{leaver.id}/history", headers=admin.auth)
    last = history.json()["items"][-1]
    assert (last["code"], last["params"]["moved"]) == ("staff_deactivated", 3)
    again = await change(client, admin, leaver, "deactivate", {"hand_over_to": None})
    assert (again.status_code, again.json()["code"]) == (409, "deactivated")


async def test_every_change_stands_in_the_history_of_the_account(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    admin, person = await people.admin(), await people.staff("handler")
    await change(client, admin, person, "roles", {"roles": ["senior"]}, "PUT")
    await change(client, admin, person, "reset")
    url = f"/v1/staff/accounts/{person.id}/history"
    codes, cursor = [], None
    while True:  # in pages of two
        page = (
            await client.get(
                url,
                headers=admin.auth,
                params={"limit": 2} | ({"cursor": cursor} if cursor else {}),
            )
        ).json()
        codes += [item["code"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert codes == [
        "staff_invited",
        "staff_enrolled",
        "staff_signed_in",
        "staff_roles_set",
        "staff_reset",
    ]
    async with database.read() as session:
        assert (await verify(session)).sound


async def test_a_cursor_of_another_list_or_person_is_refused(
    people: People, client: httpx.AsyncClient
) -> None:
    admin, second = await people.admin(), await people.staff("admin")
    page = await client.get("/v1/staff/accounts", headers=admin.auth, params={"limit": 1})
    cursor = page.json()["next_cursor"]
    for url, person, value in (
        ("/v1/staff/accounts", second, cursor),
        ("/v1/api-keys", admin, cursor),
        ("/v1/staff/accounts", admin, cursor[:-2] + "AA"),
        ("/v1/staff/accounts", admin, "x"),
        ("/v1/staff/accounts", admin, "ä" * 20),
    ):
        refused = await client.get(url, headers=person.auth, params={"cursor": value})
        assert (refused.status_code, refused.json()["code"]) == (422, "cursor_invalid")
    rest = await client.get("/v1/staff/accounts", headers=admin.auth, params={"cursor": cursor})
    assert rest.json()["next_cursor"] is None
    seen = [item["id"] for part in (page, rest) for item in part.json()["items"]]
    assert sorted(seen) == sorted([str(admin.id), str(second.id)])


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": -1},
        {"limit": 101},
        {"limit": 10**9},
        {"limit": "x"},
        {"cursor": "x" * 2_000},
    ],
)
async def test_pages_are_bounded(
    people: People, client: httpx.AsyncClient, params: dict[str, Any]
) -> None:
    admin = await people.admin()
    refused = await client.get("/v1/staff/accounts", headers=admin.auth, params=params)
    assert refused.status_code == 422


async def test_a_key_is_shown_once_works_and_is_revoked(
    people: People, client: httpx.AsyncClient, database: Database, app: FastAPI
) -> None:
    admin, key = await people.admin(), await people.app("metrics.read")
    assert key.token.startswith("rk_test_")
    assert (await client.get("/metrics", headers=key.auth)).status_code == 200
    listed = await client.get("/v1/api-keys", headers=admin.auth)
    assert key.token not in listed.text
    assert listed.json()["items"][0]["last_used_at"] is not None
    async with database.read() as session:
        dump = (await session.execute(text("SELECT k::text FROM api_keys k"))).scalar_one()
    assert key.token[-24:] not in dump  # the secret may hold "_" itself
    gone = await client.delete(f"/v1/api-keys/{key.id}", headers=admin.auth)
    assert gone.json()["revoked_at"] is not None
    app.state.parts.authenticator._keys.clear()  # five seconds pass
    assert (await client.get("/metrics", headers=key.auth)).status_code == 401


@pytest.mark.parametrize(
    "spoil",
    [
        lambda k: k[:-1] + ("A" if k[-1] != "A" else "B"),
        lambda k: k.replace("rk_test", "rk_live"),
        lambda k: k + "x",
        lambda k: k[:40],
        lambda k: k.upper(),
        lambda k: k + "\u00e4",
    ],
)
async def test_a_key_that_is_not_exactly_right_is_refused(
    people: People, client: httpx.AsyncClient, spoil: Any
) -> None:
    key = await people.app("metrics.read")
    token = spoil(key.token)
    refused = await client.get("/metrics", headers=[(b"authorization", f"Bearer {token}".encode())])
    assert refused.status_code == 401


async def test_an_expired_key_is_refused(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    key = await people.app("metrics.read")
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE api_keys SET created_at = :then, expires_at = :now"),
            {"then": wall_now() - timedelta(days=2), "now": wall_now()},
        )
    assert (await client.get("/metrics", headers=key.auth)).status_code == 401


async def test_an_app_keeps_its_cases_when_its_key_changes_and_sees_nothing_without_one(
    people: People, client: httpx.AsyncClient, app: FastAPI
) -> None:
    admin, old = await people.admin(), await people.app("cases.read", "cases.write")
    filed = await client.post(
        "/v1/cases", json=body_of_app(), headers=old.auth | {"Idempotency-Key": "rotate-1"}
    )
    path = f"/v1/cases/{filed.json()['id']}"
    body = {"name": "An app", "scopes": ["cases.read"], "days": 30, "replaces": str(old.id)}
    made = (await client.post("/v1/api-keys", json=body, headers=admin.auth)).json()
    assert made["api_key"]["app_id"] == str(old.id) != made["api_key"]["id"]
    new = {"Authorization": f"Bearer {made['key']}"}
    seen: list[list[int]] = []
    for key in (old.id, made["api_key"]["id"]):
        seen.append([(await client.get(path, headers=h)).status_code for h in (old.auth, new)])
        await client.delete(f"/v1/api-keys/{key}", headers=admin.auth)
        app.state.parts.authenticator._keys.clear()  # five seconds pass
    seen.append([(await client.get(path, headers=h)).status_code for h in (old.auth, new)])
    assert seen == [[200, 200], [401, 200], [401, 401]]
    stranger = await people.app("cases.read")
    assert (await client.get(path, headers=stranger.auth)).status_code == 404


async def test_a_key_is_no_cookie(people: People, client: httpx.AsyncClient) -> None:
    key = await people.app("metrics.read")
    refused = await client.get("/metrics", headers={"Cookie": f"__Host-recourse={key.token}"})
    assert refused.status_code == 401
