"""arq's settings, and the worker process: `python -m workers.main`.

Every setting stands on the class itself: arq reads `__dict__`, so an inherited one would be ignored
without a word. Why each value: reliability.md section 2 and parts.md section 3.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any, ClassVar

from app.logs import configure_logs
from app.settings import get_settings
from app.wake import QUEUE, dumps, loads, redis_settings
from workers.worker import Worker, build_tools

DAY_MS = 24 * 3_600 * 1_000
DRAIN_SECONDS = 25.0  # for acts under way when we are asked to end


async def wake(ctx: dict[str, Any], what: str = "") -> None:
    """The only job: look for due work now. It says nothing about what the work is."""
    ctx["on_wake"](str(what)[:40])


async def ignored(ctx: dict[str, Any]) -> None:
    """What was not a job of ours."""


async def start(ctx: dict[str, Any]) -> None:
    """When arq's own command runs us: the loops live beside it."""
    worker = Worker(build_tools(get_settings()))
    ctx["worker"], ctx["on_wake"] = worker, worker.nudge
    ctx["loops"] = asyncio.create_task(worker.run(own_bus=False))


async def stop(ctx: dict[str, Any]) -> None:
    await ctx["worker"].stop(DRAIN_SECONDS)
    ctx["loops"].cancel()


class WorkerSettings:
    """No cron: what is due stands in PostgreSQL and the loops poll for it."""

    functions: ClassVar[list[Any]] = [wake, ignored]
    queue_name = QUEUE
    redis_settings = redis_settings(os.environ.get("RECOURSE_REDIS_URL", "redis://127.0.0.1"))
    job_serializer = dumps  # JSON; pickle would run code for whoever writes to Redis
    job_deserializer = loads
    max_jobs = 50
    poll_delay = 0.02  # 100 jobs per poll: the default of 0.5 s caps a queue at 200 a second
    job_timeout = 5  # a killed worker's job comes back after this + 10 s; ours are instant
    job_completion_wait = 5  # without it SIGTERM cancels running jobs at once
    keep_result = 0  # a kept result would refuse the same id later
    max_tries = 2
    retry_jobs = True
    expires_extra_ms = 7 * DAY_MS  # a hint may be old; it is never lost work
    health_check_interval = 15  # default an hour: a dead worker would look well
    allow_abort_jobs = False  # aborting an unknown id poisons the next job of that id
    log_results = False
    on_startup = start
    on_shutdown = stop
    handle_signals = True


async def run_worker() -> None:
    """The loops and the bus until SIGTERM or SIGINT; acts under way are finished first."""
    settings = get_settings()
    worker = Worker(build_tools(settings))
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    running = asyncio.create_task(worker.run())
    waiting = asyncio.create_task(ended.wait())
    done, _ = await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if waiting in done:
        await worker.stop(DRAIN_SECONDS)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    else:
        running.result()


def main() -> int:
    settings = get_settings()
    configure_logs(level=settings.log_level, release=settings.release)
    asyncio.run(run_worker())
    return 0


if __name__ == "__main__":
    sys.exit(main())
