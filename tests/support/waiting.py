"""Waiting for a condition of another process, instead of sleeping and hoping."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import psutil

LOOK_SECONDS = 0.01


def wait_until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Return when ``condition`` holds; fail when it does not within ``seconds``."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"not so within {seconds} s"
        time.sleep(LOOK_SECONDS)


def process_runs(pid: int) -> bool:
    """Whether this process exists and is no zombie."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False
