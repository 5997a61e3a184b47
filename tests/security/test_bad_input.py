"""Bad input over HTTP (catalogue B001-B070): a clear problem, nothing changed, never a 5xx.

Proven on two real operations: inviting a colleague (a write by an admin) and asking for a link.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.db import Database
from tests.support.api import People

URL = "/v1/staff/accounts"
GOOD = '{"email": "new@agency.test", "name": "New", "roles": ["handler"]}'
JSON = {"Content-Type": "application/json"}


async def accounts(database: Database) -> int:
    async with database.read() as session:
        return int((await session.execute(text("SELECT count(*) FROM staff"))).scalar_one())


def with_field(name: str, value: str) -> bytes:
    """GOOD with one field replaced or added, as raw JSON text."""
    fields = {"email": '"new@agency.test"', "name": '"New"', "roles": '["handler"]', name: value}
    return ("{" + ", ".join(f'"{k}": {v}' for k, v in fields.items()) + "}").encode()


BODIES: dict[str, bytes] = {
    "B001 empty": b"",
    "B002 null": b"null",
    "B003 array": b"[]",
    "B003 string": b'"x"',
    "B004 deep": b"[" * 200_000 + b"]" * 200_000,
    "B004 deep objects": b'{"a":' * 120_000 + b"1" + b"}" * 120_000,
    "B004 deep, not closed": b"[" * 200_000,
    "B006 duplicate keys": b'{"email": "a@agency.test", "email": "b@agency.test",'
    b' "name": "N", "roles": ["handler"]}',
    "B007 role": with_field("role", '"admin"'),
    "B008 is_admin": with_field("is_admin", "true"),
    "B009 id": with_field("id", '"00000000-0000-0000-0000-000000000000"'),
    "B010 status": with_field("status", '"active"'),
    "B011 NaN": with_field("name", "NaN"),
    "B011 Infinity": with_field("name", "-Infinity"),
    "B012 1e400": with_field("name", "1e400"),
    "B012 long number": with_field("name", "9" * 10_000),
    "B013 float": with_field("name", "0.30000000000000004"),
    "B020 lone surrogate": with_field("name", r'"a\ud800b"'),
    "B020 lone surrogate as key": with_field(r"\udc00", '"x"'),
    "B021 NUL": with_field("name", r'"a\u0000b"'),
    "B021 NUL in an address": with_field("email", r'"a\u0000@b.fi"'),
    "B022 right to left": with_field("name", r'"a\u202eb"'),
    "B023 zero width only": with_field("name", r'"\u200b\u200d"'),
    "B023 spaces only": with_field("name", '"   "'),
    "B026 combining marks": with_field("name", '"a' + "\u0301" * 100 + '"'),
    "B027 long word": with_field("name", '"' + "x" * 900_000 + '"'),
    "B034 line break": with_field("name", r'"a\r\nBcc: x@y.fi"'),
    "B039 text for a list": with_field("roles", '"handler"'),
    "B040 trailing space": with_field("roles", '["handler "]'),
    "B040 upper case": with_field("roles", '["Handler"]'),
    "roles twice": with_field("roles", '["handler", "handler"]'),
    "roles empty": with_field("roles", "[]"),
    "roles many": with_field("roles", "[" + ",".join(['"handler"'] * 1_000) + "]"),
    "not UTF-8": b'{"email": "\xff\xfe"}',
    "B053 UTF-16": GOOD.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "cut": GOOD[:-2].encode(),
    "two values": (GOOD + GOOD).encode(),
    "comment": (GOOD + "// x").encode(),
}


async def test_a_bad_body_is_a_clear_problem_and_changes_nothing(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    """One installation for all of them: making one costs more than asking it."""
    admin = await people.admin()
    for name, body in BODIES.items():
        answer = await client.post(URL, headers=admin.auth | JSON, content=body)
        assert answer.status_code == 422, (name, answer.text)
        assert_problem(answer)
        assert await accounts(database) == 1, name


def assert_problem(answer: httpx.Response) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) - {"params"} == {
        "type",
        "title",
        "status",
        "code",
        "detail",
        "errors",
        "request_id",
    }
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:recourse:problem:{body['code']}"
    assert body["request_id"] == answer.headers["x-request-id"]


async def test_a_field_error_points_at_the_field_and_does_not_repeat_what_was_sent(
    people: People, client: httpx.AsyncClient
) -> None:
    admin = await people.admin()
    answer = await client.post(
        URL,
        headers=admin.auth,
        json={
            "email": "HEREIAM",
            "name": "n" * 200,
            "roles": ["handler", "CANARY"],
            "Anna Virtanen": "CANARY",
        },
    )
    errors = {(e["in"], e["pointer"]) for e in answer.json()["errors"]}
    assert errors == {("body", "/email"), ("body", "/name"), ("body", "/roles/1"), ("body", "/?")}
    for sent in ("HEREIAM", "CANARY", "Anna", "nnnn"):
        assert sent not in answer.text


async def test_harmless_texts_are_kept_as_they_are(
    people: People, client: httpx.AsyncClient
) -> None:
    admin = await people.admin()
    texts = [
        '"><script>alert(1)</script>',
        "{{7*7}} {% x %} ${7*7} <%= %>",
        "'; DROP TABLE staff",
        "=HYPERLINK(1)",
        "👨‍👩‍👧 Ääkkönen",
        "नमस्ते",
        "a\u200db",
        "Nguyễn Thị",
        "שָׁלוֹם",
    ]
    for number, name in enumerate(texts):
        made = await client.post(
            URL,
            headers=admin.auth,
            json={"email": f"n{number}@agency.test", "name": name, "roles": ["handler"]},
        )
        assert made.status_code == 201, (name, made.text)
        assert made.json()["name"] == name


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        ({"Content-Type": "multipart/form-data"}, 415, "unsupported_media_type"),
        ({"Content-Type": "application/json; charset=utf-16"}, 415, "charset_unsupported"),
        ({}, 415, "unsupported_media_type"),
        (JSON | {"Content-Encoding": "gzip"}, 415, "content_encoding_unsupported"),
        (JSON | {"Content-Length": "2000000"}, 413, "too_large"),
        (JSON | {"Content-Length": "9" * 30}, 413, "too_large"),
        (JSON | {"Content-Length": "-1"}, 413, "too_large"),
        (JSON | {"X-Long": "x" * 40_000}, 431, "headers_too_large"),
        (JSON | {f"X-{n}": "x" for n in range(200)}, 431, "headers_too_large"),
    ],
)
async def test_headers_that_cannot_be_used(
    people: People,
    client: httpx.AsyncClient,
    database: Database,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    admin = await people.admin()
    answer = await client.post(URL, headers=admin.auth | headers, content=GOOD.encode())
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert_problem(answer)
    assert await accounts(database) == 1


async def test_a_body_without_a_length_is_cut_off_at_the_bound(
    people: People, client: httpx.AsyncClient
) -> None:
    admin, sent = await people.admin(), 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" " * 100_000

    answer = await client.post(URL, headers=admin.auth | JSON, content=endless())
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_stranger_is_refused_before_the_body_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, headers=JSON, content=BODIES["B004 deep"])
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/v1/staff/accounts/",
        "/v1//staff/accounts",
        "/v1/staff/accounts/%00",
        "/v1/../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/%252e%252e%252f",
        "/docs/../main.py",
        "/docs/..%2f..%2fmain.py",
        "/docs/README.md",
        "/v1/staff/accounts/x%0d%0aSet-Cookie:a",
    ],
)
async def test_addresses_that_are_nothing(
    people: People, client: httpx.AsyncClient, path: str
) -> None:
    admin = await people.admin()
    answer = await client.get(path, headers=admin.auth)
    assert answer.status_code in (404, 422)
    assert_problem(answer)


@pytest.mark.parametrize(
    "bad",
    [
        "x",
        "1",
        "00000000000000000000000000000000",
        "{01980000-0000-7000-8000-000000000000}",
        "urn:uuid:x",
        "01980000-0000-7000-8000-00000000000g",
        "%C3%A4",
    ],
)
async def test_ids_that_are_no_ids(people: People, client: httpx.AsyncClient, bad: str) -> None:
    admin = await people.admin()
    answer = await client.get(f"/v1/staff/accounts/{bad}", headers=admin.auth)
    assert answer.status_code == 422
    assert_problem(answer)


@pytest.mark.parametrize(
    "known",
    [
        "00000000-0000-0000-0000-000000000000",
        "01980000-0000-7000-8000-00000000000A",
        "01980000-0000-1000-8000-000000000000",
    ],
)
async def test_an_id_of_nobody_is_not_found(
    people: People, client: httpx.AsyncClient, known: str
) -> None:
    admin = await people.admin()
    answer = await client.get(f"/v1/staff/accounts/{known}", headers=admin.auth)
    assert answer.status_code == 404


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "FOO"])
async def test_a_method_that_an_address_does_not_take(
    client: httpx.AsyncClient, method: str
) -> None:
    answer = await client.request(method, "/v1/session/link")
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


async def test_the_method_cannot_be_overridden(people: People, client: httpx.AsyncClient) -> None:
    person = await people.staff("handler")
    await client.get("/v1/staff/me", headers=person.auth | {"X-HTTP-Method-Override": "DELETE"})
    assert (await client.get("/v1/staff/me", headers=person.auth)).status_code == 200


async def test_a_long_address_and_a_nul_in_the_query_are_refused(
    people: People, client: httpx.AsyncClient
) -> None:
    admin = await people.admin()
    for query, status in (("cursor=" + "x" * 5_000, 414), ("cursor=%00", 422)):
        answer = await client.get(f"{URL}?{query}", headers=admin.auth)
        assert answer.status_code == status
        assert_problem(answer)


@pytest.mark.parametrize(
    "value",
    [
        "Basic eDp5",
        "Bearer",
        "Bearer ",
        "bearer  x",
        "x",
        "Bearer " + "x" * 10_000,
        "Bearer rk_",
        "Bearer rk_test_x_y",
    ],
)
async def test_authorisation_headers_that_open_nothing(
    client: httpx.AsyncClient, value: str
) -> None:
    answer = await client.get("/v1/staff/me", headers={"Authorization": value})
    assert answer.status_code == 401
    assert len(value) < 10 or value not in answer.text


async def test_two_authorization_headers_are_refused(
    people: People, client: httpx.AsyncClient
) -> None:
    person = await people.staff("handler")
    value = person.auth["Authorization"].encode()
    answer = await client.get(
        "/v1/staff/me", headers=[(b"authorization", value), (b"authorization", value)]
    )
    assert answer.status_code == 401


async def test_a_forwarded_address_does_not_get_around_a_limit(client: httpx.AsyncClient) -> None:
    """B048: only a proxy the server trusts may name the caller; the application never reads it."""
    statuses = [
        (
            await client.post(
                "/v1/staff/session",
                headers={"X-Forwarded-For": f"192.0.2.{n}"},
                json={"email": "a@b.test", "password": "x", "code": "123456"},
            )
        ).status_code
        for n in range(11)
    ]
    assert statuses[-1] == 429


async def test_a_call_broken_off_in_the_middle_changes_nothing(
    people: People, app: FastAPI, database: Database
) -> None:
    """B070: the client disappears after half of the body."""
    admin = await people.admin()
    messages = [
        {"type": "http.request", "body": GOOD[:30].encode(), "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": URL,
        "raw_path": URL.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
        "server": ("t", 80),
        "client": ("192.0.2.1", 1),
        "headers": [
            (b"authorization", admin.auth["Authorization"].encode()),
            (b"content-type", b"application/json"),
        ],
    }
    await asyncio.wait_for(app(scope, receive, send), 5)
    assert await accounts(database) == 1
    assert [
        m["status"] for m in sent if m["type"] == "http.response.start"
    ] == []  # nobody is there to answer
