"""The alarm clock: wakes loops sooner than their poll would. It carries no truth.

Three methods, so that another queue can take its place: `nudge` (something was staged), `run`
(call back when nudged), `health`. arq over Redis is the one in use; PostgreSQL's own NOTIFY is the
other, for installations without Redis. A lost nudge costs one poll interval and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import asyncpg
import structlog
from arq.worker import Worker, create_worker

from app.clock import monotonic
from app.settings import Settings
from app.wake import Bell, redis_settings
from workers.arq_settings import Tuned

log = structlog.get_logger(__name__)
CHANNEL = "recourse_wake"
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
NUDGE_SECONDS_MAX = 0.5  # a hanging server must not hold up the caller
OnWake = Callable[[str], None]


class WakeBus(Protocol):
    async def nudge(self, what: str) -> None:
        """Never raises and never waits long: it is only a hint."""
        ...

    async def run(self, on_wake: OnWake) -> None:
        """Until cancelled; comes back by itself whatever happens to the server."""
        ...

    async def health(self) -> bool: ...


class ArqBus:
    """Jobs named `wake` with one word; no ids of ours, no results, nothing that could be lost."""

    def __init__(self, settings: Settings) -> None:
        assert settings.redis_url is not None
        self._url = settings.redis_url
        self._bell = Bell(settings.redis_url)

    async def nudge(self, what: str) -> None:
        self._bell.ring(what)

    async def run(self, on_wake: OnWake) -> None:
        tries = 0
        while True:
            started = monotonic()
            worker: Worker | None = None
            try:
                worker = make_worker(self._url, on_wake)
                await worker.async_run()
            # arq's worker ends with whatever Redis did to it; the polls go on meanwhile.
            except Exception as failure:
                log.info("bus_away", error=type(failure).__name__)
            finally:
                if worker is not None:
                    await _close(worker)
            tries = 0 if monotonic() - started > BACKOFF_SECONDS[-1] else tries + 1
            await asyncio.sleep(BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS) - 1)])

    async def health(self) -> bool:
        return await self._bell.answers()


async def _close(worker: Worker) -> None:
    with suppress(Exception):  # it is broken already; what it held lives in PostgreSQL
        await worker.close()


def make_worker(url: str, on_wake: OnWake) -> Worker:
    """arq's worker with our tuned settings, inside this process."""
    settings = dict(Tuned.__dict__) | {
        "redis_settings": redis_settings(url), "ctx": {"on_wake": on_wake},
        "handle_signals": False,
    }  # fmt: skip
    return create_worker(type("Settings", (), settings))


class PostgresBus:
    """NOTIFY on the database that is there anyway."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._speaker: asyncpg.Connection | None = None

    async def nudge(self, what: str) -> None:
        try:
            async with asyncio.timeout(NUDGE_SECONDS_MAX):
                if self._speaker is None or self._speaker.is_closed():
                    self._speaker = await asyncpg.connect(self._dsn)
                await self._speaker.execute("SELECT pg_notify($1, $2)", CHANNEL, what)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            log.info("nudge_lost")

    async def run(self, on_wake: OnWake) -> None:
        tries = 0
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._listen(on_wake)
                tries = 0
            await asyncio.sleep(BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS) - 1)])
            tries += 1

    async def _listen(self, on_wake: OnWake) -> None:
        connection = await asyncpg.connect(self._dsn)
        gone = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: gone.set())
            await connection.add_listener(CHANNEL, lambda *heard: on_wake(str(heard[-1])))
            await gone.wait()
        finally:
            await connection.close(timeout=1)

    async def health(self) -> bool:
        try:
            connection = await asyncpg.connect(self._dsn, timeout=NUDGE_SECONDS_MAX)
            await connection.close()
        except (TimeoutError, OSError, asyncpg.PostgresError):
            return False
        return True


def make_bus(settings: Settings) -> WakeBus:
    """Redis where there is one, else the database."""
    return ArqBus(settings) if settings.redis_url else PostgresBus(settings.database_dsn)
