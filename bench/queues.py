"""Floors for relay and sweep, measured in the same run: what bare queues do with empty jobs.

Each is one worker in one process of its own: the raw SKIP LOCKED claim loop (asyncpg, no work),
procrastinate's and arq's no-op jobs with the settings that suit them best.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import asyncpg
from arq.connections import create_pool
from arq.worker import create_worker

from app.wake import dumps, loads, redis_settings

CLAIM_BATCH = 100
_CLAIM = """
    WITH due AS (SELECT id FROM bench_queue WHERE due_at <= now() ORDER BY due_at, id
                  LIMIT $1 FOR UPDATE SKIP LOCKED)
    UPDATE bench_queue q SET due_at = NULL FROM due WHERE q.id = due.id RETURNING q.id
"""


async def raw_claims(dsn: str, jobs: int) -> float:
    """Rows a second that one connection can merely take."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "DROP TABLE IF EXISTS bench_queue; CREATE TABLE bench_queue (id bigint PRIMARY KEY,"
            " due_at timestamptz); CREATE INDEX ON bench_queue (due_at, id)"
        )
        await connection.execute(
            "INSERT INTO bench_queue SELECT g, now() FROM generate_series(1, $1::int) g", jobs
        )
        await connection.execute("ANALYZE bench_queue")
        started = time.perf_counter()
        while await connection.fetch(_CLAIM, CLAIM_BATCH):
            pass
        return jobs / (time.perf_counter() - started)
    finally:
        await connection.execute("DROP TABLE bench_queue")
        await connection.close()


async def procrastinate_noops(dsn: str, jobs: int) -> float:
    """Empty jobs a second of one procrastinate worker, 20 at a time."""
    import procrastinate  # a floor only; the product does not need it

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=dsn))

    @app.task(name="noop")
    async def noop(n: int) -> None:
        """Nothing."""

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for start in range(0, jobs, 500):
            await noop.batch_defer_async(*_arguments(start))
        started = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=20, install_signal_handlers=False)
        return jobs / (time.perf_counter() - started)


async def arq_noops(redis_url: str, jobs: int) -> float:
    """Empty jobs a second of one arq worker, tuned."""
    queue = "bench:noop"
    pool = await create_pool(
        redis_settings(redis_url), job_serializer=dumps, job_deserializer=loads,
        default_queue_name=queue,
    )  # fmt: skip

    async def noop(_ctx: dict[str, Any]) -> None:
        """Nothing."""

    for _ in range(jobs):
        await pool.enqueue_job("noop")
    settings = {
        "functions": [noop], "redis_settings": redis_settings(redis_url), "queue_name": queue,
        "job_serializer": dumps, "job_deserializer": loads, "burst": True, "max_jobs": 100,
        "poll_delay": 0.02, "keep_result": 0, "handle_signals": False, "log_results": False,
    }  # fmt: skip
    worker = create_worker(type("Settings", (), settings))
    for function in worker.functions.values():
        function.coroutine.__qualname__ = "noop"
    started = time.perf_counter()
    await worker.async_run()
    taken = time.perf_counter() - started
    await worker.close()
    await pool.aclose()
    return jobs / taken


def _arguments(start: int) -> list[Any]:
    return [{"n": n} for n in range(start, start + 500)]


FLOORS = {"raw": raw_claims, "procrastinate": procrastinate_noops, "arq": arq_noops}


def main(arguments: list[str]) -> None:
    """`python -m bench.queues raw|procrastinate|arq URL JOBS`: prints jobs a second."""
    name, url, jobs = arguments
    print(asyncio.run(FLOORS[name](url, int(jobs))))


if __name__ == "__main__":
    main(sys.argv[1:])
