"""Embedded PostgreSQL and Redis, shared by every process that names the same folder.

``embedded_servers(folder)`` starts them or joins the ones that run. A keeper process owns
both servers. Every user of the servers holds a shared lock on ``users.lock``; the kernel
releases it when that process ends in whatever way, and when nobody holds it any more the
keeper stops the servers and ends. A killed keeper takes the servers along (parent-death
signal). The data stay in the folder for the next time.

Files in the folder: start.lock, users.lock, state.json (ports and passwords, readable by
the owner only), keeper.log, postgres.log, redis.log, postgres-<major>/, redis/.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from ops.binaries import (
    NoServerProgram,
    ServiceUser,
    find_postgres,
    find_redis,
    own_temp_folder,
    readable_postgres,
    readable_redis,
    service_user,
)
from ops.servers import START_SECONDS_MAX, Postgres, Redis, ServerFailed, log_tail

ROOT = Path(__file__).resolve().parent.parent
KEEPER_LOOK_SECONDS = 0.25  # how soon an unused or broken server is noticed
JOIN_SECONDS_MAX = 2 * START_SECONDS_MAX  # both servers, one after the other


@dataclass(frozen=True)
class Servers:
    """Two running servers. Addresses hold passwords: do not print them."""

    postgres_url: str  # the maintenance database `postgres`
    redis_url: str
    postgres_version: str  # for example "18 (wheel)"
    redis_source: str
    data_folder: str
    keeper_pid: int
    postgres_pid: int
    redis_pid: int

    def __repr__(self) -> str:
        return f"Servers(postgres={self.postgres_version}, data_folder={self.data_folder!r})"

    def database_url(self, name: str) -> str:
        """The address of another database on the same server."""
        return self.postgres_url.rpartition("/")[0] + "/" + name


@contextlib.contextmanager
def embedded_servers(folder: Path, *, volatile: bool = False) -> Iterator[Servers]:
    """The servers of ``folder``, running for at least as long as the block.

    ``volatile`` starts PostgreSQL without fsync and remakes data that a power cut broke: for
    tests only. Raises ``NoServerProgram`` or ``ServerFailed``.
    """
    folder = folder.resolve()
    make_folder(folder)
    with contextlib.ExitStack() as held:
        with (folder / "start.lock").open("a") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            users = held.enter_context((folder / "users.lock").open("a"))
            fcntl.flock(users, fcntl.LOCK_SH)
            servers = running(folder) or start_keeper(folder, volatile=volatile)
        yield servers


def running(folder: Path) -> Servers | None:
    """The servers that run for ``folder`` now, or None; does not keep them running."""
    try:
        servers = Servers(**json.loads((folder / "state.json").read_text()))
    except FileNotFoundError:
        return None
    except PermissionError:
        raise ServerFailed(f"the servers in {folder} belong to another user") from None
    # The keeper removes its state when it ends; only a killed one leaves it behind.
    return servers if keeper_holds(folder) else None


def keeper_holds(folder: Path) -> bool:
    """Whether a keeper process holds ``keeper.lock``: process ids are used again, locks not."""
    with (folder / "keeper.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def start_keeper(folder: Path, *, volatile: bool) -> Servers:
    """Start the keeper and wait for its state file. The caller holds ``start.lock``."""
    (folder / "state.json").unlink(missing_ok=True)
    wait_for_end_of_old_keeper(folder)
    command = [sys.executable, "-m", "ops.embedded", str(folder)]
    if volatile:
        command.append("--volatile")
    log = folder / "keeper.log"
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    give_up = time.monotonic() + JOIN_SECONDS_MAX
    while time.monotonic() < give_up:
        if (folder / "state.json").exists():
            servers = running(folder)
            assert servers is not None, "the keeper wrote its state and ended at once"
            return servers
        if keeper.poll() is not None:
            break
        time.sleep(0.01)
    keeper.kill()
    keeper.wait()
    raise ServerFailed(f"the embedded servers did not start:\n{log_tail(log)}")


def wait_for_end_of_old_keeper(folder: Path) -> None:
    """A keeper whose server broke may still be stopping the other one."""
    give_up = time.monotonic() + JOIN_SECONDS_MAX
    while keeper_holds(folder):
        if time.monotonic() > give_up:
            raise ServerFailed(f"an old keeper in {folder} does not end")
        time.sleep(KEEPER_LOOK_SECONDS)


def make_folder(folder: Path) -> None:
    """Make the folder and what is missing above it, enterable for the servers' user; a folder
    that is there keeps its permissions."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        one.chmod(0o711 if os.geteuid() == 0 else 0o700)


def data_folder(folder: Path, user: ServiceUser | None) -> Path:
    """``folder``, or a folder of ours in /var/tmp when ``user`` cannot enter it."""
    if user is None or user.can("-x", folder):
        return folder
    return own_temp_folder(str(folder))


class Keeper:
    """The process that owns both servers of a folder until nobody uses them."""

    def __init__(self, folder: Path, *, volatile: bool) -> None:
        self.folder = folder
        user = service_user()
        self.data = data_folder(folder, user)
        postgres = readable_postgres(find_postgres(), user)
        redis = readable_redis(find_redis(), user)
        self.postgres = Postgres(self.data, postgres, user, volatile=volatile)
        self.redis = Redis(self.data, redis, user)
        self.ending = False

    def run(self) -> None:
        """Start, announce, wait until unused, stop."""
        with (self.folder / "keeper.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(sig, self._end)
            try:
                self._start()
                self._announce()
                with contextlib.ExitStack() as start_lock:
                    self._wait_until_unused(start_lock)
                    self._stop()
            finally:
                self._stop()

    def _end(self, _signal: int, _frame: object) -> None:
        self.ending = True

    def _start(self) -> None:
        try:
            self.postgres.start()
        except ServerFailed:
            if not self.postgres.volatile:
                raise
            # Without fsync a power cut may leave broken files; test data can be made again.
            shutil.rmtree(self.postgres.data, ignore_errors=True)
            self.postgres.start()
        self.redis.start()

    def _announce(self) -> None:
        binaries = self.postgres.binaries
        state = Servers(
            postgres_url=self.postgres.url,
            redis_url=self.redis.url,
            postgres_version=f"{binaries.major} ({binaries.source})",
            redis_source=self.redis.binary.source,
            data_folder=str(self.data),
            keeper_pid=os.getpid(),
            postgres_pid=self.postgres.process.pid,
            redis_pid=self.redis.process.pid,
        )
        partial = self.folder / "state.partial"
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(asdict(state)))
        partial.rename(self.folder / "state.json")  # whole or not there

    def _wait_until_unused(self, start_lock: contextlib.ExitStack) -> None:
        """Return holding ``start.lock``, so that nobody joins while we stop."""
        while not self.ending and self.postgres.running and self.redis.running:
            time.sleep(KEEPER_LOOK_SECONDS)
            start = start_lock.enter_context((self.folder / "start.lock").open("a"))
            with (self.folder / "users.lock").open("a") as users:
                if taken(start) and taken(users):
                    return
            start_lock.close()

    def _stop(self) -> None:
        (self.folder / "state.json").unlink(missing_ok=True)
        self.redis.stop()
        self.postgres.stop()


def taken(file: IO[Any]) -> bool:
    """Take the lock alone if nobody else holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main(arguments: list[str]) -> int:
    """The keeper's entry point: ``python -m ops.embedded FOLDER [--volatile]``."""
    try:
        Keeper(Path(arguments[0]), volatile="--volatile" in arguments).run()
    except (NoServerProgram, ServerFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
