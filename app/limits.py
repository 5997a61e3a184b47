"""How often: limits per principal and address, counted in Redis.

Each limit says in writing what happens when Redis cannot be asked:
`closed` answers 503 (guessing passwords must not become free because a cache is down), `open` lets
the call pass and says so in the log and the metrics.

A call without a named limit asks nobody: hot paths pay no round trip.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Literal, cast

import redis.exceptions
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import Redis

from app.domain.errors import Limited, Unavailable
from app.logs import get_logger
from app.metrics import LIMIT_WITHOUT_REDIS

# A hanging Redis must not hang logins: then the written policy applies. Long enough for a machine
# that is merely busy, whose own delays count here too.
ASK_SECONDS_MAX = 2.0

log = get_logger()


@dataclass(frozen=True)
class Limit:
    """Tries per principal (or target) and per address; `without_redis` is the written policy."""

    name: str
    per_principal: RateLimitItem
    per_address: RateLimitItem
    without_redis: Literal["open", "closed"]


# Why these numbers: a person mistypes a few times, an office shares one address, and a six-digit
# code with three valid steps must take years: 10 tries a minute hit it once in 23 days per account.
LIMITS: dict[str, Limit] = {
    limit.name: limit
    for limit in (
        Limit("login", RateLimitItemPerMinute(10), RateLimitItemPerMinute(60), "closed"),
        Limit("link", RateLimitItemPerHour(5), RateLimitItemPerHour(60), "closed"),
        Limit("check", RateLimitItemPerMinute(20), RateLimitItemPerMinute(60), "open"),
        Limit("answer", RateLimitItemPerHour(20), RateLimitItemPerHour(60), "open"),
        Limit("upload", RateLimitItemPerMinute(30), RateLimitItemPerMinute(120), "open"),
        Limit("write", RateLimitItemPerMinute(120), RateLimitItemPerMinute(600), "open"),
    )
}


class Limiter:
    """Counts in Redis; without a Redis address (one process, development) in memory."""

    def __init__(self, redis_url: str | None, *, key: bytes, enabled: bool = True) -> None:
        self._storage: Storage = (
            RedisStorage(
                storage_address(redis_url),
                implementation="redispy",
                key_prefix="recourse:limit",
                socket_timeout=ASK_SECONDS_MAX,
                socket_connect_timeout=ASK_SECONDS_MAX,
            )
            if redis_url
            else MemoryStorage()
        )
        self._strategy = SlidingWindowCounterRateLimiter(self._storage)
        self._key = key
        self.enabled = enabled

    async def hit(
        self, name: str, *, principal: str | None = None, address: str | None = None
    ) -> None:
        """Counts one try. Raises Limited (429), or Unavailable (503) under a closed policy."""
        limit = LIMITS[name]
        if not self.enabled:
            return
        keys = [
            (limit.per_principal, "principal", principal),
            (limit.per_address, "address", address_group(address)),
        ]
        try:
            async with asyncio.timeout(ASK_SECONDS_MAX):
                for item, kind, who in keys:
                    if who is not None and not await self._strategy.hit(
                        item, name, kind, self._blind(who)
                    ):
                        raise Limited(
                            "too many tries; wait a little",
                            retry_after=item.get_expiry(),
                            limit=name,
                        )
        except (redis.exceptions.RedisError, StorageError, TimeoutError, OSError):
            self._without_redis(limit)

    def _without_redis(self, limit: Limit) -> None:
        LIMIT_WITHOUT_REDIS.labels(limit.name, limit.without_redis).inc()
        log.warning("limit_without_redis", limit=limit.name, policy=limit.without_redis)
        if limit.without_redis == "closed":
            raise Unavailable(
                "this cannot be checked right now; try again in a minute", code="limits_unavailable"
            )

    def _blind(self, who: str) -> str:
        """Addresses and accounts are not written to Redis in the clear."""
        return hmac.digest(self._key, who.encode(), "sha256").hex()[:32]

    async def alive(self) -> bool:
        return bool(await self._storage.check())

    async def close(self) -> None:
        if isinstance(self._storage, RedisStorage):
            bridge = self._storage.bridge
            assert isinstance(bridge, RedispyBridge), "built with the redis client"
            await cast(Redis, bridge.get_connection()).aclose()


def address_group(address: str | None) -> str | None:
    """An IPv6 caller owns a whole /64 and may change inside it at will; count the /64 (B270)."""
    if address is None:
        return None
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))


def storage_address(redis_url: str) -> str:
    """The library's spelling of a Redis address (TCP, TLS or socket)."""
    if redis_url.startswith("unix://"):
        return "async+redis+unix://" + redis_url.removeprefix("unix://")
    return "async+" + redis_url


def unknown_limits(names: Iterable[str | None]) -> list[str]:
    """The names that are no limit; the start fails on any."""
    return sorted({n for n in names if n is not None and n not in LIMITS})
