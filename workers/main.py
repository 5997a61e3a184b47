"""The worker process: `python -m workers.main`, or arq's own command on `WorkerSettings`."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

from app.logs import configure_logs
from app.settings import get_settings
from workers.arq_settings import Tuned
from workers.worker import Worker, build_tools

DRAIN_SECONDS = 25.0  # for acts under way when we are asked to end


async def start(ctx: dict[str, Any]) -> None:
    """When arq's own command runs us: the loops live beside it."""
    worker = Worker(build_tools(get_settings()))
    ctx["worker"], ctx["on_wake"] = worker, worker.nudge
    ctx["loops"] = asyncio.create_task(worker.run(own_bus=False))


async def stop(ctx: dict[str, Any]) -> None:
    await ctx["worker"].stop(DRAIN_SECONDS)
    ctx["loops"].cancel()


# What arq's own command reads (`arq workers.main.WorkerSettings`).
WorkerSettings = type(
    "WorkerSettings", (), dict(Tuned.__dict__) | {"on_startup": start, "on_shutdown": stop}
)


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
