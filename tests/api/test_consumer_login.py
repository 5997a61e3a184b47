"""Consumers: a link in a mail, once, for 15 minutes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from app.clock import monotonic, wall_now
from app.consumers.login import ANSWER_SECONDS, LINKS_OPEN_MAX, link_token, purge_links
from app.db import Database
from tests.support.api import People

EMAIL = "anna@people.test"


async def fresh_token(people: People, client: httpx.AsyncClient) -> str:
    consumer_id = await people.known_consumer(EMAIL)
    await client.post("/v1/session/link", json={"email": EMAIL})
    return link_token(
        people.link_key, await people.last_effect("SendMagicLink", f"consumer:{consumer_id}")
    )


async def use(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/v1/session", json={"token": token})


async def test_a_consumer_signs_in_and_out(people: People, client: httpx.AsyncClient) -> None:
    person = await people.consumer()
    assert (await client.delete("/v1/session", headers=person.auth)).status_code == 204
    assert (await client.delete("/v1/session", headers=person.auth)).status_code == 401


async def test_known_and_unknown_addresses_get_equal_answers_in_equal_time(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    await people.known_consumer(EMAIL)
    seen, spans = [], []
    for email in (EMAIL, "nobody@people.test"):
        started = monotonic()
        answer = await client.post("/v1/session/link", json={"email": email})
        spans.append(monotonic() - started)
        headers = {k: v for k, v in answer.headers.items() if k not in ("x-request-id", "date")}
        seen.append((answer.status_code, answer.content, headers))
    assert seen[0] == seen[1]
    assert seen[0][0] == 202
    assert min(spans) >= ANSWER_SECONDS
    async with database.read() as session:
        rows = (
            (await session.execute(text("SELECT consumer_id IS NULL FROM login_links ORDER BY id")))
            .scalars()
            .all()
        )
        effects = (await session.execute(text("SELECT count(*) FROM effects"))).scalar_one()
    assert (rows, effects) == ([False, True], 1)


async def test_of_50_clicks_at_once_one_gets_a_session(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    token = await fresh_token(people, client)
    answers = await asyncio.gather(*(use(client, token) for _ in range(50)))
    assert sorted(a.status_code for a in answers) == [201] + [401] * 49
    async with database.read() as session:
        made = (await session.execute(text("SELECT count(*) FROM login_sessions"))).scalar_one()
    assert made == 1


async def test_fetching_the_address_does_not_use_the_link(
    people: People, client: httpx.AsyncClient
) -> None:
    token = await fresh_token(people, client)
    for method in ("GET", "HEAD", "OPTIONS"):
        assert (
            await client.request(method, "/v1/session", params={"token": token})
        ).status_code == 405
    assert (await use(client, token)).status_code == 201


async def test_a_link_ends_after_15_minutes(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    token = await fresh_token(people, client)
    async with database.transaction() as session:
        left = (await session.execute(text("SELECT expires_at FROM login_links"))).scalar_one()
        assert timedelta(minutes=14) < left - wall_now() <= timedelta(minutes=15)
        await session.execute(text("UPDATE login_links SET expires_at = :now"), {"now": wall_now()})
    refused = await use(client, token)
    assert (refused.status_code, refused.json()["code"]) == (401, "link_refused")


async def test_the_token_of_an_unknown_address_opens_nothing(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    await client.post("/v1/session/link", json={"email": "nobody@people.test"})
    async with database.read() as session:
        link_id = (await session.execute(text("SELECT id FROM login_links"))).scalar_one()
    assert (await use(client, link_token(people.link_key, link_id))).status_code == 401


async def test_an_effect_holds_no_token(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    token = await fresh_token(people, client)
    async with database.read() as session:
        for table in ("effects", "login_links"):
            dump = (await session.execute(text(f"SELECT t::text FROM {table} t"))).scalar_one()
            assert token not in dump
            assert token.encode().hex() not in dump


async def test_a_flood_of_requests_mails_a_person_a_few_links_only(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    await people.known_consumer(EMAIL)
    answers = [await client.post("/v1/session/link", json={"email": EMAIL}) for _ in range(6)]
    assert [a.status_code for a in answers] == [202] * 5 + [429]
    async with database.read() as session:
        staged = (await session.execute(text("SELECT count(*) FROM effects"))).scalar_one()
    assert staged == LINKS_OPEN_MAX


async def test_the_link_does_not_come_from_the_host_header(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    await people.known_consumer(EMAIL)
    await client.post(
        "/v1/session/link",
        json={"email": EMAIL},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )
    async with database.read() as session:
        dump = (await session.execute(text("SELECT e::text FROM effects e"))).scalar_one()
    assert "evil" not in dump


@pytest.mark.parametrize(
    "email",
    [
        "",
        "x",
        "a@b",
        "a@@b.fi",
        "a b@c.fi",
        '"a b"@c.fi',
        "a@[127.0.0.1]",
        "a@b..fi",
        ".a@b.fi",
        "a..b@c.fi",
        "a@b.fi\nBcc: x@y.fi",
        "a@b.fi,c@d.fi",
        "Anna <a@b.fi>",
        "a@\u0430pple.com",
        "x" * 65 + "@b.fi",
        "a@" + "b" * 260 + ".fi",
        "a@b.fi\u0000",
    ],
)
async def test_what_is_no_address_we_write_to_is_refused(
    client: httpx.AsyncClient, email: str
) -> None:
    assert (await client.post("/v1/session/link", json={"email": email})).status_code == 422


async def test_the_same_address_written_otherwise_is_the_same_person(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    consumer_id = await people.known_consumer(EMAIL)
    await client.post("/v1/session/link", json={"email": " ANNA@People.Test "})
    effect = await people.last_effect("SendMagicLink", f"consumer:{consumer_id}")
    assert (await use(client, link_token(people.link_key, effect))).status_code == 201


async def test_old_links_are_purged(
    people: People, client: httpx.AsyncClient, database: Database
) -> None:
    await fresh_token(people, client)
    async with database.transaction() as session:
        assert await purge_links(session, now=wall_now()) == 0
        assert await purge_links(session, now=wall_now() + timedelta(days=2)) == 1
