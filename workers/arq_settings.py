"""How arq is set: an alarm clock that forgets nothing, because it is told nothing.

arq reads the `__dict__` of its settings class, so an inherited value would be ignored without a
word: whoever uses these copies the whole `__dict__`. Why each value: the design's reliability notes
on arq's own failure modes.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

from app.wake import QUEUE, dumps, loads, redis_settings

DAY_MS = 24 * 3_600 * 1_000


async def wake(ctx: dict[str, Any], what: str = "") -> None:
    """The only job: look for due work now. It says nothing about what the work is."""
    ctx["on_wake"](str(what)[:40])


async def ignored(ctx: dict[str, Any]) -> None:
    """What was not a job of ours."""


class Tuned:
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
    handle_signals = True
