"""A worker's tools with fakes of the outside, and a relay that is run for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from app.clock import monotonic
from app.db import Database
from app.settings import Settings
from tests.workers.stage import PlainRenderer, effects_of
from workers.effects import HANDLERS
from workers.providers import Providers
from workers.providers.fakes import FakeBank, FakeMail, FakePost
from workers.relay import Relay
from workers.tools import Tools
from workers.worker import SENDING_LANES, build_tools

ALL_LANES = (*SENDING_LANES, "render")
WAIT_SECONDS = 10.0


@pytest.fixture
def mail() -> FakeMail:
    return FakeMail()


@pytest.fixture
def post() -> FakePost:
    return FakePost()


@pytest.fixture
def bank() -> FakeBank:
    return FakeBank()


@pytest.fixture
async def tools(
    settings: Settings, mail: FakeMail, post: FakePost, bank: FakeBank
) -> AsyncIterator[Tools]:
    quick = settings.model_copy(update={"sweep_seconds": 0.05, "lease_seconds": 2.0})
    made = build_tools(quick, providers=Providers(mail, post, bank), renderer=PlainRenderer())
    yield made
    await made.database.close()


@asynccontextmanager
async def relaying(tools: Tools, **values: Any) -> AsyncIterator[Relay]:
    """A relay at work inside the block."""
    given: dict[str, Any] = {"handlers": HANDLERS, "lanes": ALL_LANES, "slots": 32} | values
    relay = Relay(tools, **given)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(true: Callable[[], Awaitable[Any]], seconds: float = WAIT_SECONDS) -> None:
    """Wait for a condition of the database; fails when it does not come."""
    give_up = monotonic() + seconds
    while not await true():
        assert monotonic() < give_up, "it did not come to that in time"
        await asyncio.sleep(0.03)


async def quiet(database: Database) -> bool:
    """Nothing is planned for now and nothing is under way."""
    return all(e.state not in ("planned", "sending") for e in await effects_of(database))
