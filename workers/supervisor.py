"""Keeps the worker process alive: `python -m workers.supervisor`.

Restarts it with back-off when it ends, kills it when its event loop stands still, passes SIGTERM on
and waits until acts under way are done. Everything the worker had in hand lives in PostgreSQL.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from types import FrameType

import structlog

from app.clock import monotonic
from app.logs import configure_logs
from app.settings import get_settings
from workers.heartbeat import PIPE_VARIABLE

log = structlog.get_logger(__name__)
SILENCE_SECONDS_MAX = 30.0  # an event loop that stands this long is stuck
START_SECONDS_MAX = 60.0  # until the first beat
END_SECONDS_MAX = 35.0  # the worker itself drains for 25
BACKOFF_SECONDS = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)
WELL_SECONDS = 60.0  # a worker that lived this long starts the back-off anew
LOOK_SECONDS = 0.5
CHILD_MODULE = "workers.main"


class Supervisor:
    """One child at a time. `ending` is set by the signal handler."""

    def __init__(self, module: str = CHILD_MODULE) -> None:
        self.module = module
        self.ending = False
        self.starts = 0
        self.child: subprocess.Popen[bytes] | None = None

    def asked_to_end(self, number: int, _frame: FrameType | None) -> None:
        self.ending = True
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self.asked_to_end)
        signal.signal(signal.SIGINT, self.asked_to_end)
        failures = 0
        while not self.ending:
            started = monotonic()
            code = self._one_life()
            if self._asked():
                return 0
            failures = 0 if monotonic() - started > WELL_SECONDS else failures + 1
            pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1] if failures else 0.2
            log.warning("worker_ended", code=code, seconds=pause)
            self._wait(pause)
        return 0

    def _asked(self) -> bool:
        """Read anew: the signal handler sets it at any moment."""
        return self.ending

    def _wait(self, seconds: float) -> None:
        until = monotonic() + seconds
        while not self.ending and monotonic() < until:
            select.select([], [], [], min(LOOK_SECONDS, max(0.0, until - monotonic())))

    def _one_life(self) -> int:
        ours, theirs = os.pipe()
        os.set_blocking(theirs, False)
        self.starts += 1
        try:
            self.child = subprocess.Popen(
                [sys.executable, "-m", self.module], pass_fds=(theirs,),
                env={**os.environ, PIPE_VARIABLE: str(theirs)}, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            os.close(theirs)
            return self._watch(self.child, ours)
        finally:
            os.close(ours)

    def _watch(self, child: subprocess.Popen[bytes], pipe: int) -> int:
        heard, ask_again = monotonic(), False
        patience, give_up = START_SECONDS_MAX, float("inf")
        while child.poll() is None:
            ready, _, _ = select.select([pipe], [], [], LOOK_SECONDS)
            if ready and os.read(pipe, 4096):
                heard, patience = monotonic(), SILENCE_SECONDS_MAX
            if self.ending and not ask_again:
                ask_again, give_up = True, monotonic() + END_SECONDS_MAX
                child.send_signal(signal.SIGTERM)
            if monotonic() - heard > patience or monotonic() > give_up:
                log.error("worker_stuck", pid=child.pid)
                child.kill()
                child.wait()
        return child.returncode


def main() -> int:
    settings = get_settings()
    configure_logs(level=settings.log_level, release=settings.release)
    return Supervisor().run()


if __name__ == "__main__":
    sys.exit(main())
