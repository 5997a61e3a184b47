"""Limits per principal and address, and what happens without Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import redis.asyncio
from fastapi import FastAPI

from app.db import Database
from app.domain.errors import Limited, Unavailable
from app.limits import LIMITS, Limiter, address_group
from app.main import create_app
from app.settings import Settings

NO_REDIS = "redis://127.0.0.1:1/0"
KEY = b"k" * 32


@pytest.fixture
async def limiter(redis_url: str) -> AsyncIterator[Limiter]:
    made = Limiter(redis_url, key=KEY)
    yield made
    await made.close()


async def test_tries_of_one_principal_end_and_others_go_on(limiter: Limiter) -> None:
    for _ in range(LIMITS["login"].per_principal.amount):
        await limiter.hit("login", principal="staff:a", address="192.0.2.1")
    with pytest.raises(Limited) as caught:
        await limiter.hit("login", principal="staff:a", address="192.0.2.2")
    assert 1 <= caught.value.retry_after <= 60
    await limiter.hit("login", principal="staff:b", address="192.0.2.1")


async def test_tries_from_one_address_end_whoever_is_named(limiter: Limiter) -> None:
    for number in range(LIMITS["login"].per_address.amount):
        await limiter.hit("login", principal=f"staff:{number}", address="192.0.2.1")
    with pytest.raises(Limited):
        await limiter.hit("login", principal="staff:x", address="192.0.2.1")
    await limiter.hit("login", principal="staff:x", address="192.0.2.2")


async def test_an_ipv6_caller_cannot_rotate_inside_the_own_network(limiter: Limiter) -> None:
    for number in range(LIMITS["link"].per_address.amount):
        await limiter.hit("link", address=f"2001:db8:1:1::{number:x}")
    with pytest.raises(Limited):
        await limiter.hit("link", address="2001:db8:1:1:ffff::1")
    await limiter.hit("link", address="2001:db8:1:2::1")


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1%eth0", "2001:db8::/64"),
        ("not an address", "not an address"),
        (None, None),
    ],
)
def test_what_counts_as_one_address(address: str | None, group: str | None) -> None:
    assert address_group(address) == group


@pytest.mark.parametrize("name", sorted(LIMITS))
async def test_without_redis_each_limit_follows_its_written_policy(name: str) -> None:
    limiter = Limiter(NO_REDIS, key=KEY)
    if LIMITS[name].without_redis == "closed":
        with pytest.raises(Unavailable):
            await limiter.hit(name, principal="a", address="192.0.2.1")
    else:
        await limiter.hit(name, principal="a", address="192.0.2.1")
    await limiter.close()


def test_login_and_links_are_closed_without_redis_and_uploads_open() -> None:
    policies = {name: limit.without_redis for name, limit in LIMITS.items()}
    assert (policies["login"], policies["link"], policies["upload"]) == ("closed", "closed", "open")


async def test_addresses_and_accounts_are_not_written_to_redis_in_the_clear(
    limiter: Limiter, redis_url: str
) -> None:
    await limiter.hit("login", principal="staff:anna@agency.test", address="192.0.2.77")
    async with redis.asyncio.Redis.from_url(redis_url) as raw:
        keys = [k.decode() for k in await raw.keys("*")]
    assert keys
    assert not [k for k in keys if "anna" in k or "192.0.2" in k]


@pytest.fixture
async def app_without_redis(settings: Settings, database: Database) -> AsyncIterator[FastAPI]:
    made = create_app(settings.model_copy(update={"redis_url": NO_REDIS}), database)
    async with made.router.lifespan_context(made):
        yield made


async def test_with_redis_down_login_is_closed_and_reads_are_open(
    app_without_redis: FastAPI,
) -> None:
    transport = httpx.ASGITransport(app_without_redis)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        login = await client.post(
            "/v1/staff/session", json={"email": "a@b.test", "password": "x", "code": "123456"}
        )
        ready = await client.get("/ready")
    assert login.status_code == 503
    assert login.json()["code"] == "limits_unavailable"
    assert "retry-after" in login.headers
    assert (ready.status_code, ready.json()["redis"]) == (200, "down")


async def test_too_many_logins_for_one_account_answer_429(client: httpx.AsyncClient) -> None:
    body = {"email": "a@b.test", "password": "wrong password", "code": "123456"}
    answers = [await client.post("/v1/staff/session", json=body) for _ in range(11)]
    assert [a.status_code for a in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
