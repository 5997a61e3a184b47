"""Fixtures every test may use: real servers, a database of its own, settings.

The servers are embedded ones in ``.data/test`` unless RECOURSE_DATABASE_URL and
RECOURSE_REDIS_URL name others. All pytest processes of this checkout share one PostgreSQL;
each has its own Redis, which is emptied for every test that asks for it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis as redis_client

from app.db import Database
from app.settings import Settings
from ops.binaries import find_redis, readable_redis, service_user
from ops.embedded import data_folder, embedded_servers, make_folder
from ops.servers import Redis
from tests.support.databases import Databases, alive

TEST_DATA = Path(__file__).resolve().parent.parent / ".data" / "test"
TEST_SECRET = "test-only-" + "0123456789abcdef" * 4  # long enough, known to everybody


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The maintenance database of a PostgreSQL server on which databases may be made."""
    given = os.environ.get("RECOURSE_DATABASE_URL")
    if given:
        yield given.replace("postgresql+asyncpg://", "postgresql://", 1)
        return
    source = os.environ.get("RECOURSE_EMBEDDED_POSTGRES", "auto")
    with embedded_servers(TEST_DATA / source, volatile=True) as servers:
        yield servers.postgres_url


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Iterator[Databases]:
    """Makes databases: cloned from the migrated template, or empty ones."""
    made = Databases(postgres_url)
    try:
        made.prepare()
        yield made
    finally:
        made.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The address of a migrated database that belongs to this test alone."""
    url = databases.take()
    yield url
    databases.give_back(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The test's own database, opened; small pool, so that many tests fit on one server."""
    opened = Database(database_url, pool_size=10)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of this process alone: tests may flush it."""
    given = os.environ.get("RECOURSE_REDIS_URL")
    if given:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
        yield f"{given.rpartition('/')[0]}/{8 + int(worker) % 8}"  # of 16; 0 is the operator's
        return
    folder = TEST_DATA / "redis" / str(os.getpid())
    for left_over in folder.parent.glob("*"):
        if not alive(int(left_over.name)):
            shutil.rmtree(left_over, ignore_errors=True)
    make_folder(folder)
    user = service_user()
    server = Redis(data_folder(folder, user), readable_redis(find_redis(), user), user)
    server.start()
    yield server.url
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The address of an empty Redis."""
    with redis_client.Redis.from_url(redis_server) as client:
        client.flushdb()
    return redis_server


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a test installation; ``settings.model_copy(update={...})`` changes some."""
    return Settings(
        environment="test",
        database_url=database_url,
        redis_url=redis_url,
        data_dir=tmp_path,
        secret_key=TEST_SECRET,
        providers="fake",
        mail_domain="mail.agency.test",
        release_hold_seconds=0,
    )
