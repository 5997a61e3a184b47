"""Starts the processes of an installation, watches them, and ends them together."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ops.servers import die_with_parent

ROOT = Path(__file__).resolve().parent.parent
END_SECONDS_MAX = 40.0  # a worker finishes the act it is in (30 s) before it ends
LOOK_SECONDS = 0.05


class ProcessEnded(RuntimeError):
    """A process that should have kept running ended."""


@dataclass
class Processes:
    """Named children. Use as a context manager: leaving it ends them all, in any case."""

    environment: dict[str, str]
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.end_all()

    def start(self, name: str, module: str, *arguments: str, log: Path | None = None) -> None:
        """Run ``python -m module arguments``; output goes to ``log`` or to ours."""
        with contextlib.ExitStack() as files:
            output = files.enter_context(log.open("ab")) if log else None
            self.children[name] = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches us; we end them in order
                preexec_fn=die_with_parent(signal.SIGTERM),
            )

    def check(self) -> None:
        """Raise ``ProcessEnded`` when one has ended."""
        for name, child in self.children.items():
            if child.poll() is not None:
                raise ProcessEnded(f"{name} ended with code {child.returncode}")

    def wait_for(self, what: str, ready: Callable[[], bool], seconds: float) -> None:
        """Return when ``ready``; raise ``ProcessEnded`` or ``TimeoutError``."""
        give_up = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > give_up:
                raise TimeoutError(f"{what} took longer than {seconds:.0f} s")
            time.sleep(LOOK_SECONDS)

    def end_all(self) -> None:
        """Ask all to end, wait, kill what does not."""
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        give_up = time.monotonic() + END_SECONDS_MAX
        for child in self.children.values():
            try:
                child.wait(max(0.1, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def answers_ok(url: str) -> bool:
    """Whether a GET on this http address of ours is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # built by the caller
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


class AskedToEnd(Exception):  # not an error: somebody pressed Ctrl-C
    """SIGINT or SIGTERM arrived."""


@contextlib.contextmanager
def signals_end() -> Iterator[None]:
    """Inside the block SIGINT, SIGTERM and SIGHUP raise ``AskedToEnd`` in the main thread."""

    def end(_signal: int, _frame: object) -> None:
        raise AskedToEnd

    kept = {sig: signal.signal(sig, end) for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for sig, handler in kept.items():
            signal.signal(sig, handler)


def available_port(host: str, wanted: int) -> int:
    """``wanted`` when it is free, else the next free one among the following twenty."""
    for port in range(wanted, wanted + 20):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex((host, port)) != 0:
                return port
    raise OSError(f"no free port from {wanted} on")
