"""Redis emptied and killed, PostgreSQL stopped in mid-flow, a worker that sleeps past its lease."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis_client
from sqlalchemy import text

from ops.binaries import find_postgres, find_redis, readable_postgres, readable_redis, service_user
from ops.embedded import data_folder, make_folder
from ops.servers import Postgres, Redis
from tests.chaos.pipelines import NOTIFICATION, check_notice, stage_notice
from tests.chaos.programme import Lane, counter, doubled, kill, wait_quiet

CASES = 30
SEED = 7


async def stage_many(lane: Lane, count: int) -> list[Any]:
    return [await stage_notice(lane) for _ in range(count)]


async def all_once(lane: Lane, subjects: list[Any]) -> tuple[list[str], int]:
    """Violations over all subjects, and how many orders are unknown."""
    wrong: list[str] = []
    for subject in subjects:
        wrong += await check_notice(lane, subject) + await doubled(lane, subject)
    async with lane.database.read() as session:
        unknown = await session.execute(
            text("SELECT count(*) FROM effects WHERE state = 'unknown'")
        )
        return wrong, int(unknown.scalar_one())


async def settle_all(lane: Lane, subjects: list[Any], child: Any, seconds: float) -> None:
    for subject in subjects:
        assert await wait_quiet(lane, NOTIFICATION, subject, child, seconds), "not settled in time"


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    user = service_user()
    folder = tmp_path / "redis-server"
    make_folder(folder)
    server = Redis(data_folder(folder, user), readable_redis(find_redis(), user), user)
    server.start()
    yield server
    server.kill()


async def test_redis_emptied_and_killed_at_random_costs_nothing_but_time(
    make_lane: Any, own_redis: Redis
) -> None:
    lane = await make_lane(redis_url=own_redis.url, sweep_seconds=0.5)
    child = lane.start(("bus",), 0, counter())
    chance = random.Random(SEED)
    try:
        subjects = []
        for at in range(CASES):
            subjects.append(await stage_notice(lane))
            if at % 5 == 0:
                await _flush(own_redis)
            if at == CASES // 2:
                own_redis.kill()
            await asyncio.sleep(chance.random() * 0.05)
        await settle_all(lane, subjects, child, 16.0)
        own_redis.start()
        subjects.append(await stage_notice(lane))
        await settle_all(lane, subjects[-1:], child, 16.0)
    finally:
        kill(child)
    assert await all_once(lane, subjects) == ([], 0)


async def test_a_worker_that_sleeps_past_its_lease_sends_nothing_twice(make_lane: Any) -> None:
    lane = await make_lane()
    chance = random.Random(SEED)
    sleeper, other = (lane.start(("relay",), 0, counter()) for _ in range(2))
    subjects = []
    try:
        for _ in range(4):
            subjects += await stage_many(lane, 5)
            await asyncio.sleep(chance.random() * 0.05)
            os.kill(sleeper.pid, signal.SIGSTOP)
            await asyncio.sleep(lane.settings.lease_seconds * 1.5)
            os.kill(sleeper.pid, signal.SIGCONT)
        await settle_all(lane, subjects, other, 26.0)
    finally:
        kill(sleeper)
        kill(other)
    wrong, _ = await all_once(lane, subjects)
    assert wrong == []


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    user = service_user()
    folder = tmp_path / "postgres-server"
    make_folder(folder)
    server = Postgres(data_folder(folder, user), readable_postgres(find_postgres(), user), user)
    server.start()
    yield server
    server.stop_immediately()


@pytest.mark.chaos
async def test_postgres_stopped_in_mid_flow_loses_and_doubles_nothing(
    own_postgres: Postgres, make_lane_on: Any
) -> None:
    lane: Lane = await make_lane_on(own_postgres.url)
    child = lane.start(("relay",), 0, counter())
    chance = random.Random(SEED)
    subjects = []
    try:
        for _ in range(3):
            subjects += await stage_many(lane, 10)
            await asyncio.sleep(chance.random() * 0.2)
            own_postgres.stop_immediately()
            await asyncio.sleep(0.5)
            own_postgres.start()
            await lane.database.engine.dispose()
        await settle_all(lane, subjects, child, 26.0)
    finally:
        kill(child)
    wrong, unknown = await all_once(lane, subjects)
    assert wrong == []
    assert unknown <= len(subjects)


async def _flush(server: Redis) -> None:
    if server.running:
        client = redis_client.from_url(server.url)  # type: ignore[no-untyped-call]  # redis-py 5
        await client.flushall()
        await client.aclose()
