"""The deadline sweep: each due case decided and recorded with history, task and order.

`python -m bench.sweep` prints cases a second for 1, 2 and 4 worker processes, where the processor
time went, and the ratio to procrastinate's and arq's empty jobs measured in the same run.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.db import Database
from app.settings import get_settings
from bench.here import Place, place, run
from bench.many import bring_forward, multiply, one_case
from workers.deadlines import Sweeper

CASES = 1_000_000
DUE = 100_000  # for each number of workers
WORKERS = (1, 2, 4)
FLOOR_JOBS = 3_000
AHEAD_SECONDS = 4 * 86_400  # the template's first dates are within two working days
ROOT = Path(__file__).resolve().parent.parent
RATIO_MIN = 5.0  # cases a second per worker against procrastinate's empty jobs


def main(scale: float = 1.0) -> dict[str, float]:
    """`scale` 0.01 sweeps ten thousand cases; returns figures and ratios by name."""
    cases, due = int(CASES * scale), int(DUE * scale)
    with place("sweep") as where:
        run(_fill(where, cases, due))
        floors = {n: _floor(where, n) for n in ("raw", "procrastinate", "arq")}
        figures = {f"{n}_per_s": rate for n, rate in floors.items()}
        for at, workers in enumerate(WORKERS):
            if at:
                run(bring_forward(where.settings.database_dsn, at * due + 1, (at + 1) * due))
            figures |= _sweep(where, workers, due)
        run(_check(where, due * len(WORKERS)))
    figures["ratio_procrastinate"] = figures["sweep_1_per_s"] / floors["procrastinate"]
    figures["ratio_arq"] = figures["sweep_1_per_s"] / floors["arq"]
    for name, value in figures.items():
        print(f"{name:<28} {value:>12,.2f}")
    return figures


async def _fill(where: Place, cases: int, due: int) -> None:
    database = Database(where.database_url)
    case_id = await one_case(database)
    await multiply(where.settings.database_dsn, case_id, cases, later_from=due + 1)
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM case_timers WHERE case_id = :id"), {"id": case_id})
        await session.execute(
            text("UPDATE cases SET parked_reason = 'template' WHERE id = :id"), {"id": case_id}
        )
        await session.execute(text("INSERT INTO clock_offset VALUES (1, :s)"), {"s": AHEAD_SECONDS})
    await database.close()


def _floor(where: Place, name: str) -> float:
    url = where.settings.redis_url if name == "arq" else where.settings.database_dsn
    jobs = FLOOR_JOBS * 10 if name == "raw" else FLOOR_JOBS
    done = subprocess.run(
        [sys.executable, "-m", "bench.queues", name, str(url), str(jobs)], cwd=ROOT, check=True,
        capture_output=True, text=True, env=where.environment,
    )  # fmt: skip
    return float(done.stdout.splitlines()[-1])


def _sweep(where: Place, workers: int, due: int) -> dict[str, float]:
    children = [
        subprocess.Popen([sys.executable, "-m", "bench.sweep", "worker"], cwd=ROOT,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                         env=where.environment)
        for _ in range(workers)
    ]  # fmt: skip
    for child in children:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
    # All begin together: none sweeps while the others are still being loaded.
    busy, started = _busy_seconds(), time.perf_counter()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    said: list[dict[str, Any]] = [json.loads(c.communicate()[0].splitlines()[-1]) for c in children]
    begun, ended = min(s["begun"] for s in said), max(s["ended"] for s in said)
    swept, processor = sum(s["swept"] for s in said), sum(s["cpu"] for s in said)
    assert swept == due, f"{workers} workers swept {swept} of {due} cases"
    all_busy = _busy_seconds() - busy
    return {
        f"sweep_{workers}_per_s": swept / (ended - begun),
        f"sweep_{workers}_python_s": processor,
        f"sweep_{workers}_database_s": max(0.0, all_busy - processor),
        f"sweep_{workers}_wall_s": time.perf_counter() - started,
    }


def _busy_seconds() -> float:
    """Processor seconds this machine has spent on anything so far (Linux)."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    idle = int(fields[3]) + int(fields[4])
    return (sum(map(int, fields[:8])) - idle) / os.sysconf("SC_CLK_TCK")


async def _worker() -> None:
    database = Database(get_settings().database_url, pool_size=2, statement_timeout_ms=60_000)
    sweeper = Sweeper(database)
    await _warm(database)
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.monotonic()
    while await sweeper.once():
        pass
    ended = time.monotonic()
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "begun": begun,
                "ended": ended,
                "swept": sweeper.swept,
                "cpu": used.ru_utime + used.ru_stime,
            }
        )
    )
    await database.close()


async def _warm(database: Database) -> None:
    async with database.read() as session:
        await session.execute(text("SELECT 1"))


async def _check(where: Place, due: int) -> None:
    """Every due case moved exactly once, with history and without a second order."""
    database = Database(where.database_url, statement_timeout_ms=120_000)
    async with database.read() as session:
        rows = (
            await session.execute(
                text(
                    "SELECT count(*) FILTER (WHERE version = 2),"
                    " count(*) FILTER (WHERE version > 2)"
                    " FROM cases WHERE parked_reason IS NULL"
                )
            )
        ).one()
    await database.close()
    assert tuple(rows) == (due, 0), f"moved once and more than once: {tuple(rows)}"


if __name__ == "__main__":
    if sys.argv[1:] == ["worker"]:
        run(_worker())
    else:
        main(*(float(a) for a in sys.argv[1:2]))
