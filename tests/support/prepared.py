"""One prepared world for each pytest process: built once, used by every test that only rehearses.

The fixture stands in tests/api/conftest.py, so that it is one for all modules there.

Whoever commits takes a database of their own (the usual fixtures) and builds their own world.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.settings import Settings
from tests.support.databases import Databases, in_thread
from tests.support.estate import Builder, World
from tests.support.rehearsal import Rehearsal


@dataclass(frozen=True)
class Prepared:
    """The world and where it lives."""

    settings: Settings
    world: World


@dataclass(frozen=True)
class Rehearsing:
    """The application on the prepared world: what is called leaves nothing. No limits, because
    thousands of calls from one address are what these tests are about."""

    app: FastAPI
    client: httpx.AsyncClient
    database: Rehearsal


_DOCUMENTS: list[dict[str, Any]] = []


def document_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, worked out once in each process: every application here has the same,
    and to make it takes a second."""
    if not _DOCUMENTS:
        _DOCUMENTS.append(app.openapi())
    return _DOCUMENTS[0]


@pytest.fixture(scope="session")
def prepared(
    databases: Databases, redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared]:
    url = databases.take()
    settings = Settings(
        environment="test", database_url=url, redis_url=redis_server,
        data_dir=tmp_path_factory.mktemp("prepared"), secret_key="test-only-" + "0123456789" * 6,
        providers="fake", mail_domain="mail.agency.test", release_hold_seconds=0,
    )  # fmt: skip
    built: list[World] = []

    async def build() -> None:
        async with rehearsing(settings) as made:
            made.database.rehearsing = False
            built.append(await Builder(made.client, made.database, settings).build())

    in_thread(lambda: asyncio.run(build()))
    yield Prepared(settings, built[0])
    databases.give_back(url)


@asynccontextmanager
async def rehearsing(settings: Settings) -> AsyncIterator[Rehearsing]:
    """The application opened on the prepared database."""
    database = Rehearsal(settings.database_url, pool_size=5)
    app = create_app(settings, database)
    transport = httpx.ASGITransport(app)
    try:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url=settings.public_url) as client,
        ):
            app.state.parts.limiter.enabled = False
            database.rehearsing = True
            yield Rehearsing(app, client, database)
    finally:
        await database.close()
