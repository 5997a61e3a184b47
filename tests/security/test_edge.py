"""What every answer carries, what is shown where, and what happens when parts are down."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.db import Database
from app.main import create_app
from app.settings import Settings
from app.system.docs import ASSETS, REFERENCE
from tests.support.api import People

SECURE_SECRET = "0123456789abcdef" * 4


def production(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"environment": "production", "public_url": "https://recourse.agency.fi"}
    )


@pytest.fixture
async def production_client(
    settings: Settings, database: Database
) -> AsyncIterator[httpx.AsyncClient]:
    made = create_app(production(settings), database)
    async with (
        made.router.lifespan_context(made),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(made), base_url="https://recourse.agency.fi"
        ) as opened,
    ):
        yield opened


@pytest.mark.parametrize("path", ["/health", "/nothing", "/v1/staff/me", "/docs", "/version"])
async def test_every_answer_carries_the_security_headers(
    client: httpx.AsyncClient, path: str
) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert re.fullmatch(r"[0-9a-f]{24}", headers["x-request-id"])
    assert "server" not in headers
    assert not [h for h in headers if h.startswith("access-control")]


async def test_scripts_come_from_us_alone(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/docs")).headers["content-security-policy"]
    assert "script-src 'self';" in policy


async def test_a_callers_request_id_is_kept_when_it_is_plain(client: httpx.AsyncClient) -> None:
    for given, kept in (
        ("trace-12345678", True),
        ("short", False),
        ("x" * 65, False),
        ("with space 123", False),
        ("a\u00e4aaaaaaaaa", False),
    ):
        answer = await client.get("/health", headers=[(b"x-request-id", given.encode())])
        assert (answer.headers["x-request-id"] == given) is kept


async def test_https_is_pinned_in_production_and_nothing_describes_the_api(
    production_client: httpx.AsyncClient,
) -> None:
    health = await production_client.get("/health")
    assert "max-age=63072000" in health.headers["strict-transport-security"]
    for path in ("/docs", "/openapi.json", "/docs/start.js", "/redoc"):
        assert (await production_client.get(path)).status_code == 404


async def test_the_reference_page_needs_nothing_from_outside(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    wanted = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert {w for w in wanted if not w.startswith("data:")} == {
        *(f"/docs/{name}" for name in ASSETS),
        "/openapi.json",
    }
    for address in wanted:
        if not address.startswith("data:"):
            found = await client.get(address)
            assert found.status_code == 200, address
            assert found.content
    assert (REFERENCE / "LICENSE").read_text().strip().startswith("Apache License")


async def test_the_document_names_security_and_problems_of_each_operation(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    ids = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            ids.append(operation["operationId"])
            where = f"{method} {path}"
            assert "503" in operation["responses"], where
            if operation["security"]:
                assert {"401", "403"} <= set(operation["responses"]), where
            if "requestBody" in operation:
                assert {"413", "415", "422"} <= set(operation["responses"]), where
            if "{" in path:
                assert {"404", "422"} <= set(operation["responses"]), where
    assert len(ids) == len(set(ids))
    invite = document["paths"]["/v1/staff/accounts"]["post"]
    assert "Idempotency-Key" in [p["name"] for p in invite["parameters"]]
    secret = document["paths"]["/v1/api-keys"]["post"]
    assert "Idempotency-Key" not in [p["name"] for p in secret.get("parameters", [])]


async def test_alive_ready_and_version(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health")).json() == {"status": "alive"}
    ready = await client.get("/ready")
    assert (ready.status_code, ready.json()) == (
        200,
        {"ready": True, "database": "ok", "migrations": "ok", "redis": "ok"},
    )
    assert (await client.get("/version")).json() == {"release": "dev", "environment": "test"}


async def test_not_ready_when_the_migrations_are_behind(
    client: httpx.AsyncClient, database: Database
) -> None:
    async with database.transaction() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    answer = await client.get("/ready")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "behind")


async def test_without_a_database_calls_answer_503_and_health_lives(settings: Settings) -> None:
    away = settings.model_copy(
        update={"database_url": "postgresql+asyncpg://u:p@127.0.0.1:1/nothing"}
    )
    made = create_app(away)
    async with (
        made.router.lifespan_context(made),
        httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://t") as client,
    ):
        assert (await client.get("/health")).status_code == 200
        ready = await client.get("/ready")
        me = await client.get("/v1/staff/me", headers={"Authorization": "Bearer " + "x" * 43})
    assert (ready.status_code, ready.json()["database"]) == (503, "down")
    assert (me.status_code, me.json()["code"]) == (503, "database_unavailable")
    assert "retry-after" in me.headers


async def test_a_row_that_somebody_holds_answers_409(
    people: People, client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    admin, person = await people.admin(), await people.staff("handler")
    impatient = Database(settings.database_url, pool_size=4, lock_timeout_ms=100)
    made = create_app(settings, impatient)
    async with (
        made.router.lifespan_context(made),
        httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://t") as other,
        database.transaction() as session,
    ):
        await session.execute(
            text("SELECT 1 FROM staff WHERE id = :id FOR UPDATE"), {"id": person.id}
        )
        answer = await other.put(
            f"/v1/staff/accounts/{person.id}/roles",
            json={"roles": ["senior"]},
            headers=admin.auth | {"If-Match": '"2"'},
        )
    await impatient.close()
    assert (answer.status_code, answer.json()["code"]) == (409, "busy")
    assert answer.headers["retry-after"] == "1"


async def test_a_full_pool_answers_503(
    people: People, settings: Settings, database: Database
) -> None:
    admin = await people.admin()
    narrow = Database(settings.database_url, pool_size=1)
    made = create_app(settings, narrow)
    async with (
        made.router.lifespan_context(made),
        httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://t") as client,
        narrow.transaction() as session,
    ):
        await session.execute(text("SELECT 1"))
        answer = await client.get("/v1/staff/me", headers=admin.auth)
    await narrow.close()
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")


async def test_a_bug_is_a_500_without_internals_and_a_log_line_without_values(
    people: People,
    client: httpx.AsyncClient,
    database: Database,
    capsys: pytest.CaptureFixture[str],
) -> None:
    admin = await people.admin()
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE api_keys RENAME COLUMN name TO canary_column"))
    answer = await client.post(
        "/v1/api-keys",
        headers=admin.auth,
        json={"name": "CANARY-VALUE", "scopes": ["cases.read"], "days": 1},
    )
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    written = capsys.readouterr()
    for inside in ("canary_column", "CANARY-VALUE", "INSERT", "asyncpg", "app/"):
        assert inside not in answer.text
    for value in ("CANARY-VALUE", "INSERT INTO"):
        assert value not in written.out + written.err
    lines = [json.loads(line) for line in written.err.splitlines() if line.startswith("{")]
    logged = next(line for line in lines if line["event"] == "unhandled_error")
    assert logged["request_id"] == answer.json()["request_id"]
    assert "staff/keys.py" in logged["exception"]


async def test_figures_need_the_right_key_and_name_operations_not_addresses(
    people: People, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/metrics")).status_code == 401
    reader, other = await people.app("metrics.read"), await people.app("cases.read")
    assert (await client.get("/metrics", headers=other.auth)).status_code == 403
    await client.get("/v1/staff/accounts/01980000-0000-7000-8000-000000000000", headers=reader.auth)
    text_ = (await client.get("/metrics", headers=reader.auth)).text
    assert 'operation="read_staff"' in text_
    assert "01980000" not in text_


async def test_many_calls_at_once_keep_their_own_request_ids(client: httpx.AsyncClient) -> None:
    ids = [f"request-{n:04d}" for n in range(50)]
    answers = await asyncio.gather(
        *(client.get("/nothing", headers={"X-Request-ID": i}) for i in ids)
    )
    assert [a.json()["request_id"] for a in answers] == ids


def test_the_application_is_not_built_twice_with_shared_state(
    app: FastAPI, settings: Settings
) -> None:
    other = create_app(settings)
    assert other.router is not app.router
    assert not hasattr(other.state, "parts")
