"""The relay with fake providers: orders a second on one worker, and commit to act.

`python -m bench.relay` prints the rate over a backlog of notices to one consumer each, the delay
from staging to the act with the nudge and with a Redis that was killed under it, and the ratios to
the floors of the same run.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app import outbox
from app.db import Database
from app.domain.effects import NotifyConsumer
from app.ids import new_id
from app.moment import read_moment
from bench.here import Place, place, run
from bench.many import CASE_IDS, multiply, one_case
from bench.queues import CLAIM_BATCH
from bench.sweep import FLOOR_JOBS, ROOT
from ops.binaries import find_redis, readable_redis, service_user
from ops.embedded import data_folder, make_folder
from ops.servers import Redis
from workers.bus import make_bus
from workers.effects import HANDLERS
from workers.providers import Providers
from workers.providers.fakes import FakeBank, FakeMail, FakePost
from workers.providers.smtp import OutgoingMail
from workers.relay import Relay
from workers.worker import SEND_SLOTS, SENDING_LANES, build_tools

EFFECTS = 20_000
RATE_MIN = 500.0  # orders a second
PROBES = 200  # single orders whose delay is measured
NUDGED_P99_MAX, REDIS_DEAD_P99_MAX = 1.0, 16.0  # seconds
SILENT_PROBES = 20


class TimedMail(FakeMail):
    """Notes when each mail was handed over."""

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[str, float] = {}

    async def send(self, mail: OutgoingMail, **values: Any) -> Any:
        self.at[mail.message_id] = time.monotonic()
        return await super().send(mail, **values)


def main(scale: float = 1.0) -> dict[str, float]:
    """`scale` 0.1 drains two thousand orders; returns figures by name."""
    with place("relay") as where:
        figures: dict[str, float] = run(_measure(where, int(EFFECTS * scale), scale))
        for name in ("raw", "procrastinate", "arq"):
            figures[f"{name}_per_s"] = _floor(where, name)
    figures["ratio_procrastinate"] = figures["relay_per_s"] / figures["procrastinate_per_s"]
    figures["ratio_arq"] = figures["relay_per_s"] / figures["arq_per_s"]
    for name, value in figures.items():
        print(f"{name:<28} {value:>12,.3f}")
    return figures


def _floor(where: Place, name: str) -> float:
    url = where.settings.redis_url if name == "arq" else where.settings.database_dsn
    jobs = FLOOR_JOBS * CLAIM_BATCH // 10 if name == "raw" else FLOOR_JOBS
    done = subprocess.run(
        [sys.executable, "-m", "bench.queues", name, str(url), str(jobs)], cwd=ROOT, check=True,
        capture_output=True, text=True, env=where.environment,
    )  # fmt: skip
    return float(done.stdout.splitlines()[-1])


async def _measure(where: Place, count: int, scale: float) -> dict[str, float]:
    mail = TimedMail()
    tools = build_tools(where.settings, providers=Providers(mail, FakePost(), FakeBank()))
    database = tools.database
    case_id = await one_case(database, tools.keyring)
    await multiply(where.settings.database_dsn, case_id, count, later_from=1)
    await _stage_all(database, count)
    figures = await _backlog(tools, mail, count)
    nudged = await _delays(tools, mail, case_id, max(20, int(PROBES * scale)), "nudged")
    with _own_redis() as redis:
        doomed = where.settings.model_copy(update={"redis_url": redis.url})
        dead = await _delays(
            replace(tools, settings=doomed), mail, case_id, SILENT_PROBES, "dead", redis.kill
        )
    await database.close()
    return figures | {
        "nudged_p50_s": _at(nudged, 50), "nudged_p99_s": _at(nudged, 99),
        "redis_dead_p50_s": _at(dead, 50), "redis_dead_p99_s": _at(dead, 99),
    }  # fmt: skip


@contextmanager
def _own_redis() -> Iterator[Redis]:
    """A Redis that may be killed."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        user = service_user()
        make_folder(Path(folder))
        redis = Redis(data_folder(Path(folder), user), readable_redis(find_redis(), user), user)
        redis.start()
        try:
            yield redis
        finally:
            redis.kill()


async def _stage_all(database: Database, count: int) -> None:
    """One order per case, multiplied from one that the journal itself wrote."""
    async with database.transaction() as session:
        now = (await read_moment(session)).now
        order = NotifyConsumer(new_id(), new_id(), "heartbeat", "bench")
        await outbox.stage(session, [order], stream="system", now=now)
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO effects SELECT (jsonb_populate_record(e, jsonb_build_object("
                f"'id', {CASE_IDS}, 'case_id', {CASE_IDS}, 'stream', 'case:' || {CASE_IDS},"
                " 'business_key', 'bench:' || g))).*"
                " FROM effects e, generate_series(1, CAST(:count AS int)) g WHERE e.id = :id"
            ),
            {"count": count, "id": order.id},
        )
        await session.execute(text("DELETE FROM effects WHERE id = :id"), {"id": order.id})


async def _backlog(tools: Any, mail: TimedMail, count: int) -> dict[str, float]:
    relay = Relay(tools, HANDLERS, SENDING_LANES, SEND_SLOTS)
    started, used = time.perf_counter(), time.process_time()
    task = asyncio.create_task(relay.run())
    while relay.counts["done"] < count:  # noqa: ASYNC110  # a relay rings no bell when it is done
        await asyncio.sleep(0.01)
    taken = time.perf_counter() - started
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert set(mail.delivered.values()) == {1}, "an order was carried out twice"
    return {
        "relay_per_s": count / taken,
        "relay_python_share": (time.process_time() - used) / taken,
    }


async def _delays(
    tools: Any,
    mail: TimedMail,
    case_id: Any,
    probes: int,
    name: str,
    kill: Callable[[], None] | None = None,
) -> list[float]:
    """Seconds from the commit to the hand-over, one order at a time, ringing after each commit.
    `kill` ends the alarm clock's server once everybody is connected to it."""
    relay = Relay(tools, HANDLERS, SENDING_LANES, SEND_SLOTS)
    bus = make_bus(tools.settings)
    tasks = [asyncio.create_task(relay.run())]
    tasks.append(asyncio.create_task(bus.run(lambda _: relay.nudge())))
    await asyncio.sleep(1)
    if kill is not None:
        await asyncio.to_thread(kill)
        assert not await bus.health(), "the server still answers"
    delays = []
    for at in range(probes):
        seen = len(mail.at)
        order = NotifyConsumer(new_id(), case_id, "heartbeat", f"{name}{at}")
        async with tools.database.transaction() as session:
            now = (await read_moment(session)).now
            await outbox.stage(session, [order], stream=f"case:{case_id}", now=now)
        committed = time.monotonic()
        await bus.nudge("relay")
        while len(mail.at) == seen:  # noqa: ASYNC110  # the fake keeps to the provider's methods
            await asyncio.sleep(0.002)
        delays.append(max(mail.at.values()) - committed)
        await asyncio.sleep(0.05 if kill is None else 0.3 * (at % 5))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return sorted(delays)


def _at(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


if __name__ == "__main__":
    main(*(float(a) for a in sys.argv[1:2]))
