"""Filing and reading a case over HTTP, each against the barest endpoint that could do it.

`python -m bench.api [--quick]`. Filing is one POST by API key with a fresh Idempotency-Key and a
person nobody has seen: remembered answer, encrypted personal data, case, claimant, lines, timers,
task, hash-chained history and the first order, in one commit. The floor is a bare FastAPI endpoint
with one Core INSERT and a commit; for reading, a bare endpoint with one ORM `get`. Both servers run
uvicorn with uvloop and httptools in one process and share the machine with PostgreSQL and the
client, and take turns, so only the ratios mean something.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import text

from app.db import Database
from bench import here
from bench.filing import filing_bytes
from bench.load import Load, drive, request_bytes

CLIENTS = 32
FILING_TARGET, READING_TARGET = 0.3, 0.5
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Size:
    rounds: int
    seconds: float


FULL, QUICK = Size(rounds=7, seconds=3.0), Size(rounds=3, seconds=1.5)


@dataclass
class Target:
    """One endpoint under load, and what every round of it measured."""

    name: str
    port: int
    make: Callable[[int], bytes]
    good: int
    loads: list[Load] = field(default_factory=list)

    async def round(self, seconds: float) -> None:
        load = await drive(here.HOST, self.port, self.make, clients=CLIENTS, seconds=seconds)
        wrong = {s: n for s, n in load.statuses.items() if s != self.good}
        if wrong:
            raise AssertionError(f"{self.name} answered {wrong}")
        self.loads.append(load)

    def figures(self) -> dict[str, float]:
        return {
            "per_second": here.median([x.per_second for x in self.loads]),
            "p50_ms": here.median([x.p50_ms for x in self.loads]),
            "p99_ms": here.median([x.p99_ms for x in self.loads]),
        }


BARE = orjson.dumps(
    {c: f"text of {c}" for c in "abcdefgh"}
    | {c: 12345 for c in "ijkl"}
    | {c: f"text of {c}" for c in "mno"}
)


def _host(port: int) -> str:
    return f"{here.HOST}:{port}"


def bare_insert(port: int) -> Target:
    request = request_bytes("POST", "/bare", host=_host(port), headers=JSON, body=BARE)
    return Target("bare INSERT", port, lambda _: request, 201)


def bare_get(port: int, ids: list[str]) -> Target:
    requests = [request_bytes("GET", f"/bare/{i}", host=_host(port), headers={}) for i in ids]
    return Target("bare ORM GET", port, lambda n: requests[n % len(requests)], 200)


def file_case(port: int, token: str) -> Target:
    def make(_: int) -> bytes:
        headers = JSON | {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": secrets.token_hex(16),
        }
        return request_bytes(
            "POST",
            "/v1/cases",
            host=_host(port),
            headers=headers,
            body=filing_bytes(f"ORDER-{secrets.token_hex(6)}"),
        )

    return Target("file a case", port, make, 201)


def get_case(port: int, token: str, ids: list[str], name: str = "read a case") -> Target:
    auth = {"Authorization": f"Bearer {token}"}
    requests = [request_bytes("GET", f"/v1/cases/{i}", host=_host(port), headers=auth) for i in ids]
    return Target(name, port, lambda n: requests[n % len(requests)], 200)


async def ids_of(database: Database, table: str, limit: int = 500) -> list[str]:
    async with database.read() as session:
        found = await session.scalars(
            text(f"SELECT id FROM {table} ORDER BY random() LIMIT {limit}")
        )
        return [str(i) for i in found]


async def measure(
    where: here.Place, ports: dict[str, tuple[int, int]], size: Size
) -> dict[str, Any]:
    """Warm both up, then take turns."""
    database = Database(where.database_url, pool_size=2)
    try:
        token = await here.new_api_key(database, where.settings)
        _, senior = await here.new_staff(database, "senior")
        api, floor = ports["api"][0], ports["floor"][0]
        writes = [bare_insert(floor), file_case(api, token)]
        for target in writes:
            await target.round(size.seconds)
        reads = [
            bare_get(floor, await ids_of(database, "bench_bare")),
            get_case(api, token, await ids_of(database, "cases")),
            get_case(api, senior, await ids_of(database, "cases"), "read it as staff"),
        ]
        for target in reads:
            await target.round(size.seconds)
        for target in [*writes, *reads]:
            target.loads.clear()
        for _ in range(size.rounds):
            for target in [*writes, *reads]:
                await target.round(size.seconds)
    finally:
        await database.close()
    return {t.name: t.figures() for t in [*writes, *reads]}


def main(quick: bool = False) -> dict[str, Any]:
    """`figures` by endpoint and the two ratios."""
    size = QUICK if quick else FULL
    with (
        here.place("api") as where,
        here.serving(where, floor="bench.floor_app:app", api="app.main:create_app") as ports,
    ):
        figures = here.run(measure(where, ports, size))
    filing = figures["file a case"]["per_second"] / figures["bare INSERT"]["per_second"]
    reading = figures["read a case"]["per_second"] / figures["bare ORM GET"]["per_second"]
    return {"figures": figures, "filing": filing, "reading": reading, "size": size}


def show(found: dict[str, Any]) -> None:
    size: Size = found["size"]
    print(
        f"HTTP, {CLIENTS} clients, one process, median of {size.rounds} interleaved rounds of"
        f" {size.seconds:.1f} s, {os.cpu_count()} processors shared with database and client"
    )
    for name, f in found["figures"].items():
        print(
            f"  {name:20} {f['per_second']:8.0f}/s   p50 {f['p50_ms']:6.1f} ms"
            f"   p99 {f['p99_ms']:6.1f} ms"
        )
    print(f"  filing against bare INSERT   {found['filing']:.2f}   (at least {FILING_TARGET})")
    print(f"  reading against bare ORM GET {found['reading']:.2f}   (at least {READING_TARGET})")


if __name__ == "__main__":
    show(main(quick="--quick" in sys.argv))
