"""The bell: tells the workers that something was staged, after the commit that staged it.

Only a hint through Redis (one job named `wake`, JSON, no ids of ours); the workers poll anyway. It
never raises and never makes a caller wait.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import redis.exceptions
import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool

log = structlog.get_logger(__name__)
QUEUE = "recourse:wake"
JOB = "wake"
RING_SECONDS_MAX = 0.5  # for the background task: a hanging Redis must not pile them up
# One job for all rings of this span, sent at its end: so it always comes after the last commit.
COALESCE_SECONDS = 0.02
REDIS_AWAY = (redis.exceptions.RedisError, OSError, asyncio.TimeoutError)


def dumps(job: dict[str, Any]) -> bytes:
    """JSON, never pickle: who can write to Redis must not be able to run code here."""
    return orjson.dumps(job, default=str)


def loads(raw: bytes) -> dict[str, Any]:
    """Anything that is not a job of ours becomes one that does nothing."""
    try:
        job = orjson.loads(raw)
    except orjson.JSONDecodeError:
        job = None
    if not isinstance(job, dict) or not {"t", "f", "a", "k", "et"} <= job.keys():
        return {"t": 1, "f": "ignored", "a": (), "k": {}, "et": 0}
    return job


def redis_settings(url: str) -> RedisSettings:
    """Where it is; one short try, because the caller has a poll to fall back on."""
    found = RedisSettings.from_dsn(url)
    found.conn_timeout, found.conn_retries, found.conn_retry_delay = 1, 0, 1
    return found


class Bell:
    """One per process. Without a Redis address it is silent."""

    def __init__(self, redis_url: str | None) -> None:
        self._url = redis_url
        self._pool: ArqRedis | None = None
        self._ringing: asyncio.Task[None] | None = None

    def ring(self, what: str = "") -> None:
        """Call it after the commit. Comes back at once."""
        if self._url is not None and (self._ringing is None or self._ringing.done()):
            self._ringing = asyncio.create_task(self._ring(self._url, what))

    async def _ring(self, url: str, what: str) -> None:
        await asyncio.sleep(COALESCE_SECONDS)
        self._ringing = None  # whoever rings from here on needs another one
        try:
            async with asyncio.timeout(RING_SECONDS_MAX):
                await (await self._connected(url)).enqueue_job(JOB, what)
        except REDIS_AWAY as away:
            log.info("nudge_lost", error=type(away).__name__)

    async def answers(self) -> bool:
        """Whether Redis is there."""
        if self._url is None:
            return False
        try:
            async with asyncio.timeout(RING_SECONDS_MAX):
                return bool(await (await self._connected(self._url)).ping())
        except REDIS_AWAY:
            return False

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    async def _connected(self, url: str) -> ArqRedis:
        if self._pool is None:
            self._pool = await create_pool(
                redis_settings(url),
                job_serializer=dumps,
                job_deserializer=loads,
                default_queue_name=QUEUE,
            )
        return self._pool
