"""Is the process in this container well? For container platforms; standard library mostly.

``python -m ops.healthcheck api`` asks /health of the API on this host.
``python -m ops.healthcheck worker`` looks for a finished sweep in the last minute: a worker that
hangs or lost its database finishes none. Exit code 0 means well.
"""

from __future__ import annotations

import asyncio
import sys
import urllib.error
import urllib.request
from datetime import timedelta

import asyncpg

from app.clock import wall_now
from app.settings import Settings, get_settings

ANSWER_SECONDS_MAX = 3.0
SWEEP_AGE_MAX = timedelta(seconds=60)  # reliability target: no sweep for 60 s is an alarm


def api_is_well(port: int) -> bool:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/health", timeout=ANSWER_SECONDS_MAX
        ) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


async def worker_is_well(settings: Settings) -> bool:
    try:
        connection = await asyncpg.connect(settings.database_dsn, timeout=ANSWER_SECONDS_MAX)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    try:
        swept = await connection.fetchval("SELECT swept_at FROM installation")
    finally:
        await connection.close()
    return swept is not None and wall_now() - swept < SWEEP_AGE_MAX


def main(process: str) -> int:
    settings = get_settings()
    if process == "worker":
        return 0 if asyncio.run(worker_is_well(settings)) else 1
    return 0 if api_is_well(settings.api_port) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "api"))
