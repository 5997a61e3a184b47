"""The place where benchmarks run: a database of their own, servers, and people with tokens.

The servers are those of `./run up` (embedded, or the ones named in the environment), with the
durability of production: nothing is switched off to look faster. The database is dropped after.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from sqlalchemy import insert

from app.clock import wall_now
from app.crypto import new_token, token_hash
from app.db import Database
from app.ids import new_id
from app.sessions import format_api_key, open_session
from app.settings import Settings
from app.tables.security import ApiKey, Staff
from ops import migrations
from ops.local import local_installation, settings_from
from ops.processes import Processes, answers_ok
from ops.servers import free_port

HOST = "127.0.0.1"
START_SECONDS_MAX = 30.0
SCOPES = ("cases.read", "cases.write", "documents.write")


@dataclass(frozen=True)
class Place:
    """`environment` gives a child process the same settings."""

    settings: Settings
    environment: dict[str, str]

    @property
    def database_url(self) -> str:
        """Without the name of a driver."""
        return plain_url(self.settings.database_url)


@contextlib.contextmanager
def place(name: str, **overrides: str) -> Iterator[Place]:
    """A migrated database `bench_<name>`, dropped at the end."""
    named = {"log_level": "warning", **overrides}
    with local_installation("bench", fresh=False, volatile=False, **named) as here:
        server, _, _ = plain_url(here.settings.database_url).rpartition("/")
        admin, url = f"{server}/postgres", f"{server}/bench_{name}"
        drop = f"DROP DATABASE IF EXISTS bench_{name} WITH (FORCE)"
        asyncio.run(_as_admin(admin, drop, f"CREATE DATABASE bench_{name}"))
        try:
            migrations.upgrade(url)
            environment = {**here.environment, "RECOURSE_DATABASE_URL": url}
            yield Place(settings_from(environment), environment)
        finally:
            asyncio.run(_as_admin(admin, drop))


@contextlib.contextmanager
def copies(where: Place, names: list[str]) -> Iterator[list[str]]:
    """Copies of the place's database as it now is; their addresses. Dropped at the end."""
    server, _, original = plain_url(where.database_url).rpartition("/")
    admin = f"{server}/postgres"
    drops = [f"DROP DATABASE IF EXISTS bench_{name} WITH (FORCE)" for name in names]
    makes = [f"CREATE DATABASE bench_{name} TEMPLATE {original}" for name in names]
    asyncio.run(_as_admin(admin, *drops, *makes))
    try:
        yield [f"{server}/bench_{name}" for name in names]
    finally:
        asyncio.run(_as_admin(admin, *drops))


def plain_url(url: str) -> str:
    return url.replace("postgresql+asyncpg://", "postgresql://")


async def _as_admin(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@contextlib.contextmanager
def serving(where: Place, **applications: str) -> Iterator[dict[str, tuple[int, int]]]:
    """Each application behind uvicorn (uvloop, httptools, one process): name -> (port, pid).

    An application ending in `:create_app` is a factory. All get the same arguments.
    """
    logs = Path(where.settings.data_dir) / "logs"
    logs.mkdir(exist_ok=True)
    with Processes(where.environment) as processes:
        found = {}
        for name, application in applications.items():
            port = free_port()
            factory = ("--factory",) if application.endswith(":create_app") else ()
            processes.start(
                name, "uvicorn", application, *factory, "--host", HOST, "--port", str(port),
                "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level",
                "warning", "--no-server-header", log=logs / f"{name}.log",
            )  # fmt: skip
            found[name] = (port, processes.children[name].pid)
        for name, (port, _) in found.items():
            page = f"http://{HOST}:{port}/" + ("openapi.json" if name == "floor" else "ready")
            processes.wait_for(name, functools.partial(answers_ok, page), START_SECONDS_MAX)
        yield found


async def new_api_key(database: Database, settings: Settings) -> str:
    """The token of an app that may file and read."""
    owner, key_id, secret, now = (
        await new_staff(database, "admin"),
        new_id(),
        new_token(),
        wall_now(),
    )
    async with database.transaction() as session:
        await session.execute(
            insert(ApiKey).values(
                id=key_id, app_id=key_id, name="bench", environment=KEY_NAMES[settings.environment],
                secret_hash=token_hash(secret), scopes=list(SCOPES), created_by=owner[0],
                created_at=now, expires_at=now + timedelta(days=1),
            )
        )  # fmt: skip
    return format_api_key(settings.environment, key_id, secret)


KEY_NAMES = {"development": "dev", "test": "test", "production": "live"}


async def new_staff(database: Database, *roles: str) -> tuple[Any, str]:
    """A colleague with these roles: id and the token of an open session."""
    staff_id, now = new_id(), wall_now()
    async with database.transaction() as session:
        await session.execute(
            insert(Staff).values(
                id=staff_id, email=f"s{staff_id.hex[-12:]}@agency.test", name="Kim Colleague",
                roles=list(roles), status="active", password_hash="-", totp_secret=b"-",
                created_at=now,
            )
        )  # fmt: skip
        opened = await open_session(session, kind="staff", subject_id=staff_id, hours=12, now=now)
    return staff_id, opened.token


def median(values: list[float]) -> float:
    return statistics.median(values)


def run(work: Any) -> Any:
    """Run a coroutine on the loop that the servers use."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
