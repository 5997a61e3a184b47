"""The deadline sweep: each due case decided and recorded with history, the next letter's order and
the order to tell its consumer. A case is one that the company let pass its first date.

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

from app.crypto import load_keyring
from app.db import Database
from app.settings import get_settings
from bench.here import Place, place, run
from bench.many import bring_forward, multiply, one_case, onto_the_ladder
from workers.deadlines import Sweeper

CASES = 1_000_000
DUE = 100_000  # for each number of workers
WORKERS = (1, 2, 4)
FLOOR_JOBS = 3_000
DAY_SECONDS = 86_400
WORD_DAYS = 14.1  # by then the consumer had their regular word, so that the sweep finds one thing
AHEAD_DAYS = 24  # by then the company's first date is over, and the next regular word is not due
_OFFSET = text("""
    INSERT INTO clock_offset VALUES (1, :seconds)
    ON CONFLICT (id) DO UPDATE SET seconds = excluded.seconds
""")
# No step against a company is taken blindly: mail and bank count as read until long after.
_ALL_READ = text("""
    UPDATE installation SET mail_read_until = now() + interval '1 year',
           bank_read_until = now() + interval '1 year'
""")
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
    case_id = await one_case(database, load_keyring(where.settings))
    await onto_the_ladder(database, case_id)
    async with database.transaction() as session:
        await session.execute(_ALL_READ)
    await _days_ahead(database, WORD_DAYS)
    while await Sweeper(database).once():
        pass
    await multiply(where.settings.database_dsn, case_id, cases, later_from=due + 1)
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM case_timers WHERE case_id = :id"), {"id": case_id})
        await session.execute(
            text("UPDATE cases SET parked_reason = 'template' WHERE id = :id"), {"id": case_id}
        )
    await _days_ahead(database, AHEAD_DAYS)
    await database.close()


async def _days_ahead(database: Database, days: float) -> None:
    async with database.transaction() as session:
        await session.execute(_OFFSET, {"seconds": int(days * DAY_SECONDS)})


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
    """Every due case moved exactly once, to the reminder, with one order for its letter."""
    database = Database(where.database_url, statement_timeout_ms=120_000)
    async with database.read() as session:
        moved = await session.scalar(
            text("SELECT count(*) FROM cases WHERE stage = 'reminder' AND step = 2")
        )
        letters = await session.execute(
            text(
                "SELECT count(*), count(DISTINCT case_id) FROM effects WHERE kind = 'RenderLetter'"
            )
        )
        versions = await session.execute(
            text("SELECT DISTINCT version FROM cases WHERE stage = 'reminder'")
        )
        one_version = len(versions.all())
        ordered = tuple(letters.one())
    await database.close()
    assert (moved, ordered, one_version) == (due, (due, due), 1), (moved, ordered, one_version)


if __name__ == "__main__":
    if sys.argv[1:] == ["worker"]:
        run(_worker())
    else:
        main(*(float(a) for a in sys.argv[1:2]))
