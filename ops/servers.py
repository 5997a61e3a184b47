"""One PostgreSQL and one Redis process, owned by the calling process.

Real servers for trying, testing and developing; production brings its own. Both listen on
127.0.0.1 with a generated password, keep their data in a folder between runs, and end with
the process that started them, also when that process is killed (Linux: parent-death signal).

PostgreSQL refuses to run as root. Started by root, both servers run as ``nobody``: only our
own folders are handed over to it, and no permission of a folder that was there before is
ever changed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ops.binaries import PostgresBinaries, RedisBinary, ServiceUser

START_SECONDS_MAX = 20.0  # a cold start takes 0.5 s; slow disks and crash recovery get room
STOP_SECONDS_MAX = 20.0  # fast shutdown writes a checkpoint
POLL_SECONDS = 0.01
PORT_ATTEMPTS = 5  # somebody else may take a free port between our look and the server's bind
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
POSTGRES_SUPERUSER = "recourse"

# For test servers only: a power cut may destroy the data, a killed process does not.
VOLATILE_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class ServerFailed(RuntimeError):
    """An embedded server did not start; the message holds the end of its log."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def die_with_parent(sig: int) -> Callable[[], None] | None:
    """What the child runs before exec so that it gets ``sig`` when we die; Linux only.

    The library is loaded here, in the parent: between fork and exec only the call is safe.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    return lambda: (libc.prctl(PR_SET_PDEATHSIG, sig), None)[1]


def answers(port: int, greeting: bytes, expected: bytes) -> bool:
    """Whether the server on this port answers ``greeting`` with ``expected``."""
    heard = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
            connection.sendall(greeting)
            while len(heard) < len(expected) and (more := connection.recv(64)):
                heard += more
    except OSError:
        return False
    return heard.startswith(expected)


def log_tail(log: Path) -> str:
    with contextlib.suppress(OSError):
        return log.read_text(errors="replace")[-1500:]
    return "(no log)"


def own_folder(folder: Path, user: ServiceUser | None) -> None:
    """Make ``folder`` for the server alone."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if user is not None:
        os.chown(folder, user.uid, user.gid)


@dataclass
class Process:
    """A child process that is a server: start, stop, ended."""

    name: str
    log: Path
    port: int = 0
    child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.child is not None, f"{self.name} was not started"
        return self.child.pid

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def spawn(
        self,
        command: list[str],
        *,
        cwd: Path,
        user: ServiceUser | None,
        stdin: bytes | None = None,
        death_signal: int,
    ) -> None:
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                command,
                cwd=cwd,
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal is for us, not for the server
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
                preexec_fn=die_with_parent(death_signal),
            )
        if stdin is not None:
            assert self.child.stdin is not None
            self.child.stdin.write(stdin)
            self.child.stdin.close()

    def wait_ready(self, ready: Callable[[], bool]) -> bool:
        """True when ready; False when the process ended or took too long."""
        give_up = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < give_up and self.running:
            if ready():
                return True
            time.sleep(POLL_SECONDS)
        return False

    def signal_and_wait(self, sig: int) -> None:
        if self.child is None or self.child.poll() is not None:
            return
        self.child.send_signal(sig)
        try:
            self.child.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(STOP_SECONDS_MAX)


@dataclass
class Postgres:
    """A PostgreSQL server with its data in ``folder/postgres-<major>``.

    Start it from a thread that lives as long as the server is needed (the parent-death
    signal follows the thread). A ``port`` of 0 takes a free one; after the first start the
    port stays, so that clients find a restarted server again.
    """

    folder: Path
    binaries: PostgresBinaries
    user: ServiceUser | None = None
    volatile: bool = False
    options: tuple[str, ...] = ()
    port: int = 0
    password: str = ""
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = Process("postgres", self.folder / "postgres.log")

    @property
    def data(self) -> Path:
        return self.folder / f"postgres-{self.binaries.major}"

    @property
    def password_file(self) -> Path:
        return self.folder / f"postgres-{self.binaries.major}.password"

    @property
    def url(self) -> str:
        """The maintenance database; replace the last part for another one."""
        return f"postgresql://{POSTGRES_SUPERUSER}:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def running(self) -> bool:
        return self.process.running

    def start(self) -> None:
        """Start and return when the server answers; makes the data folder when new."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._stop_left_over()
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        self.password = self.password_file.read_text().strip()
        ports = [self.port] if self.port else [free_port() for _ in range(PORT_ATTEMPTS)]
        for port in ports:
            if self._start_on(port):
                self.port = port
                return
        raise ServerFailed(f"PostgreSQL did not start:\n{log_tail(self.process.log)}")

    def stop(self) -> None:
        """Fast shutdown: ends sessions, writes a checkpoint."""
        self.process.signal_and_wait(signal.SIGINT)

    def stop_immediately(self) -> None:
        """As ``pg_ctl stop -m immediate``: no checkpoint, the next start recovers."""
        self.process.signal_and_wait(signal.SIGQUIT)

    def _start_on(self, port: int) -> bool:
        settings = (
            "listen_addresses=127.0.0.1",
            f"port={port}",
            "unix_socket_directories=",
            "max_connections=300",
            "shared_buffers=128MB",
            "timezone=UTC",
            "log_timezone=UTC",
            # A refused row stands whole in the detail of its error; names do not belong into a log.
            "log_error_verbosity=terse",
            *(VOLATILE_OPTIONS if self.volatile else ()),
            *self.options,
        )
        command = [str(self.binaries.postgres), "-D", str(self.data)]
        for setting in settings:
            command += ["-c", setting]
        self.process.spawn(command, cwd=self.data, user=self.user, death_signal=signal.SIGINT)
        ready = self.process.wait_ready(self._says_ready)
        if not ready:
            self.process.signal_and_wait(signal.SIGQUIT)
        return ready

    def _says_ready(self) -> bool:
        """PostgreSQL writes its state into the last line of postmaster.pid; an old file of a
        killed server may still be there, so the first line must be our child."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.process.pid) and "ready" in lines[7]

    def _initdb(self) -> None:
        if self.data.exists():
            shutil.rmtree(self.data)  # half made: initdb was interrupted before PG_VERSION
        own_folder(self.data, self.user)
        self.password = secrets.token_urlsafe(24)
        handed = self.data.with_suffix(".pw")  # readable by the server's user for a moment
        handed.touch(mode=0o600)
        handed.write_text(self.password)
        if self.user is not None:
            os.chown(handed, self.user.uid, self.user.gid)
        try:
            self._run_initdb(handed)
        finally:
            handed.unlink(missing_ok=True)
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(self.password)

    def _run_initdb(self, password_file: Path) -> None:
        # macOS before 15 has no C.UTF-8; plain C would not lower-case letters like Ä.
        locale = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        done = subprocess.run(
            [
                str(self.binaries.initdb),
                *("--username", POSTGRES_SUPERUSER, "--auth", "scram-sha-256"),
                *("--pwfile", str(password_file), "--encoding", "UTF8", "--locale", locale),
                *(("--no-sync",) if self.volatile else ()),
                *("--pgdata", str(self.data)),
            ],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            user=self.user.uid if self.user else None,
            group=self.user.gid if self.user else None,
            extra_groups=[] if self.user else None,
        )
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise ServerFailed(f"initdb failed:\n{done.stdout[-500:]}{done.stderr[-1000:]}")

    def _stop_left_over(self) -> None:
        """End a server on our folder whose owner died where no parent-death signal exists."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return
        if self.running or not is_postgres(pid):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        give_up = time.monotonic() + STOP_SECONDS_MAX
        while pid_file.exists() and time.monotonic() < give_up:
            time.sleep(POLL_SECONDS)


def is_postgres(pid: int) -> bool:
    """Whether this process is a PostgreSQL server; process ids are used again after a reboot."""
    process = Path(f"/proc/{pid}")
    if process.parent.is_dir():  # a minimal Linux has no ps, others have no /proc
        with contextlib.suppress(OSError):
            return "postgres" in (process / "comm").read_text()
        return False
    shown = subprocess.run(
        ["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "postgres" in shown.stdout


@dataclass
class Redis:
    """A Redis or Valkey server with its append-only file in ``folder/redis``."""

    folder: Path
    binary: RedisBinary
    user: ServiceUser | None = None
    port: int = 0
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = Process("redis", self.folder / "redis.log")

    @property
    def data(self) -> Path:
        return self.folder / "redis"

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def running(self) -> bool:
        return self.process.running

    def start(self) -> None:
        """Start and return when the server answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        own_folder(self.data, self.user)
        ports = [self.port] if self.port else [free_port() for _ in range(PORT_ATTEMPTS)]
        for port in ports:
            if self._start_on(port):
                self.port = port
                return
        raise ServerFailed(f"Redis did not start:\n{log_tail(self.process.log)}")

    def stop(self) -> None:
        self.process.signal_and_wait(signal.SIGTERM)

    def kill(self) -> None:
        """As a crash: SIGKILL."""
        self.process.signal_and_wait(signal.SIGKILL)

    def _start_on(self, port: int) -> bool:
        # Through standard input, because command lines are visible to everybody.
        config = (
            f"bind 127.0.0.1\nport {port}\nrequirepass {self.password}\n"
            f'dir "{self.data}"\nappendonly yes\nappendfsync everysec\nsave ""\n'
            "maxmemory-policy noeviction\ndaemonize no\n"
        )
        self.process.spawn(
            [str(self.binary.path), "-"],
            cwd=self.data,
            user=self.user,
            stdin=config.encode(),
            death_signal=signal.SIGTERM,
        )
        # AUTH is answered while the append-only file is still read; PING only after it.
        greeting = f"AUTH {self.password}\r\nPING\r\n".encode()
        ready = self.process.wait_ready(lambda: answers(port, greeting, b"+OK\r\n+PONG"))
        if not ready:
            self.process.signal_and_wait(signal.SIGKILL)
        return ready
