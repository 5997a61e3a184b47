"""The thirty stories played once for all test processes, through HTTP, SMTP and bank files."""

from __future__ import annotations

import asyncio
import fcntl
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
import uvicorn

from app.crypto import new_key_line
from app.main import create_app
from app.settings import Settings
from ops.world.catcher import HOST, Catcher
from ops.world.fingerprints import fingerprints
from ops.world.play import open_world, play
from ops.world.report import proof
from tests.conftest import TEST_SECRET
from tests.support.databases import Databases

START_LOOK_SECONDS = 0.01


@pytest.fixture(scope="session")
def stage(
    databases: Databases, redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Stage:
    return Stage(databases, redis_server, tmp_path_factory)


@pytest.fixture(scope="session")
def played(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """How all thirty ended. The first process that asks plays; the others wait and read."""
    shared = tmp_path_factory.getbasetemp()
    if shared.name.startswith("popen-"):  # a process of several: the folder above is everybody's
        shared = shared.parent
    kept = shared / "played-world.json"
    with (shared / "played-world.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(json.dumps(stage.play()))
        found: dict[str, Any] = json.loads(kept.read_text())
    return found


class Stage:
    """Plays stories on a fresh database, with the API behind a real socket."""

    def __init__(
        self, databases: Databases, redis_url: str, folders: pytest.TempPathFactory
    ) -> None:
        self.databases, self.redis_url, self.folders = databases, redis_url, folders

    def play(self, stories: Sequence[str] = (), seed: int = 1) -> dict[str, Any]:
        """The end of the play as plain data."""
        with redis_client.Redis.from_url(self.redis_url) as client:
            client.flushdb()
        url = self.databases.take()
        try:
            done = asyncio.run(self._play(url, self.folders.mktemp("world"), stories, seed))
            as_kept: dict[str, Any] = json.loads(json.dumps(done))
            return as_kept
        finally:
            self.databases.give_back(url)

    async def _play(
        self, url: str, folder: Path, stories: Sequence[str], seed: int
    ) -> dict[str, Any]:
        catcher = Catcher(folder / "mail")
        port = await catcher.open()
        settings = Settings(
            environment="test", database_url=url, redis_url=self.redis_url, data_dir=folder,
            secret_key=TEST_SECRET, keys=f"{new_key_line('world-1')}\n{new_key_line('index')}",
            mail_domain="mail.agency.test", smtp_port=port, inbound_smtp_port=0,
        )  # fmt: skip
        try:
            async with (
                serving(settings) as address,
                open_world(settings, address, catcher, seed=seed, stories=stories) as world,
            ):
                done = await play(world)
                found = await proof(world)
                return {
                    "outcomes": {o.story: asdict(o) for o in done.outcomes},
                    "letters": await fingerprints(world), "trouble": world.trouble,
                    "improvised": {t.story.id: t.improvised for t in world.tales if t.improvised},
                    "in_balance": found.in_balance, "unknown": found.unknown,
                    "counts": world.counts, "refused": catcher.refused,
                }  # fmt: skip
        finally:
            await catcher.close()


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """The API on a free port of the loopback; yields its address."""
    config = uvicorn.Config(create_app(settings), host=HOST, port=0, log_level="warning",
                            access_log=False)  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done(), "the API did not start"
        await asyncio.sleep(START_LOOK_SECONDS)
    try:
        yield f"http://{HOST}:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
