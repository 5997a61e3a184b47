"""How much memory the processes of an installation hold, and which imports bring it.

`python -m bench.memory [--quick]`. Resident memory (RSS) of the API and of the worker after start
and after load, without the children that render letters and take mails apart, which are counted
apart. Then what each import adds, in the order in which the process meets them, each list in a
fresh interpreter: a library that two parts need is counted where it comes first.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from app.db import Database
from bench import api, here
from bench.load import drive
from ops.commands.serve import WORKER_MODULE
from ops.processes import ROOT, Processes

MEGABYTE = 1024.0  # /proc counts in KiB
LIMIT_MB = 150
SETTLE_SECONDS = 3.0
PARTS = {
    "API": (
        "uvloop", "httptools", "uvicorn.config", "pydantic", "pydantic_settings", "sqlalchemy",
        "sqlalchemy.orm", "sqlalchemy.ext.asyncio", "asyncpg", "fastapi", "structlog",
        "redis.asyncio", "limits.aio.storage", "cryptography.hazmat.primitives.ciphers.aead",
        "yaml", "holidays", "obstore", "argon2", "app.tables", "app.engine", "app.routers",
        "app.main",
    ),
    "worker": (
        "pydantic", "pydantic_settings", "sqlalchemy", "sqlalchemy.orm", "sqlalchemy.ext.asyncio",
        "asyncpg", "structlog", "redis.asyncio", "arq",
        "cryptography.hazmat.primitives.ciphers.aead", "yaml", "holidays", "obstore", "aiosmtplib",
        "app.tables", "app.engine", "workers.worker", "workers.main",
    ),
}  # fmt: skip
_STEPS = """
import importlib, sys
def rss():
    with open("/proc/self/status") as status:
        return int(status.read().partition("VmRSS:")[2].split()[0])
print("python", rss())
for name in sys.argv[1:]:
    importlib.import_module(name)
    print(name, rss())
"""


def by_import(modules: tuple[str, ...]) -> list[tuple[str, float, float]]:
    """Module, megabytes it added, megabytes then held."""
    done = subprocess.run(
        [sys.executable, "-c", _STEPS, *modules],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows, before = [], 0.0
    for line in done.stdout.splitlines():
        name, held = line.split()
        now = int(held) / MEGABYTE
        rows.append((name, now - before, now))
        before = now
    return rows


def resident(pid: int) -> float:
    """Megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / MEGABYTE


def family(pid: int) -> list[tuple[int, str]]:
    """The process and everything below it, with the end of each command line."""
    found, below = [], [pid]
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended while we looked
            parents.setdefault(int(stat[1]), []).append(int(entry.name))
    while below:
        one = below.pop()
        words = Path(f"/proc/{one}/cmdline").read_bytes().decode().split("\0")
        found.append((one, " ".join(w for w in words[1:] if w)[-80:]))
        below += parents.get(one, [])
    return found


async def load(where: here.Place, port: int, seconds: float) -> None:
    """What an ordinary day does to the API: filings, then readings. The worker has its orders."""
    database = Database(where.database_url, pool_size=2)
    try:
        token = await here.new_api_key(database, where.settings)
        filing = api.file_case(port, token)
        await drive(here.HOST, port, filing.make, clients=api.CLIENTS, seconds=seconds)
        reading = api.get_case(port, token, await api.ids_of(database, "cases"))
        await drive(here.HOST, port, reading.make, clients=api.CLIENTS, seconds=seconds)
    finally:
        await database.close()


def counts(name: str) -> bool:
    """Whether the limit holds for this process: not for children that render or read mails."""
    return "child" not in name


def processes(pids: dict[str, int]) -> dict[str, float]:
    """Megabytes by process; children under the name of their module."""
    found = {}
    for name, pid in pids.items():
        for one, words in family(pid):
            found[name if one == pid else f"{name}: {words}"] = resident(one)
    return found


def main(quick: bool = False) -> dict[str, Any]:
    """`idle` and `loaded` in megabytes by process, `imports` by process."""
    seconds = 2.0 if quick else 10.0
    with (
        here.place("memory", providers="fake") as where,
        here.serving(where, api="app.main:create_app") as ports,
        Processes(where.environment) as others,
    ):
        log = Path(where.settings.data_dir) / "logs" / "worker.log"
        others.start("worker", WORKER_MODULE, log=log)
        port, pid = ports["api"]
        pids = {"API": pid, "worker": others.children["worker"].pid}
        time.sleep(SETTLE_SECONDS)
        idle = processes(pids)
        here.run(load(where, port, seconds))
        time.sleep(SETTLE_SECONDS)
        loaded = processes(pids)
    return {
        "idle": idle,
        "loaded": loaded,
        "imports": {name: by_import(modules) for name, modules in PARTS.items()},
    }


def show(found: dict[str, Any]) -> None:
    print(f"resident memory in MB after start and after load (at most {LIMIT_MB} each)")
    for name in dict.fromkeys([*found["idle"], *found["loaded"]]):
        figures = [found[when].get(name) for when in ("idle", "loaded")]
        print(f"  {name:60}" + "".join("       -" if f is None else f"{f:8.0f}" for f in figures))
    for name, rows in found["imports"].items():
        print(f"  what the imports of the {name} bring: added, then held")
        for module, added, held in rows:
            print(f"    {module:48} {added:+8.1f} {held:8.1f}")


if __name__ == "__main__":
    show(main(quick="--quick" in sys.argv))
