"""POST /v1/check against an endpoint that does nothing behind the same middleware, limiter and body
size.

`python -m bench.check` prints medians of interleaved calls through the whole application in one
process, without a network.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
from limits import RateLimitItemPerMinute

from app.db import Database
from app.deps import Router
from app.limits import LIMITS
from app.main import create_app
from bench.here import place

CASE = Path(__file__).resolve().parent.parent / "ops" / "world" / "cases" / "case-03.json"
ROUNDS = 400
WARM = 20
RATIO_MAX = 3.0


router = Router()


# The name of the operation gives it the same admission and the same limiter.
@router.post("/v1/nothing", operation_id="public_check")
async def nothing(body: dict[str, Any]) -> dict[str, str]:
    """Reads the body and answers."""
    return {"read": str(len(body))}


def main(scale: float = 1.0) -> dict[str, float]:
    """Milliseconds of both, and ours divided by the other."""
    with place("check") as where:
        found = asyncio.run(_measure(where.settings, max(20, int(ROUNDS * scale))))
    for name, value in found.items():
        print(f"{name:<28} {value:>10,.3f}")
    return found


async def _measure(settings: Any, rounds: int) -> dict[str, float]:
    database = Database(settings.database_url, pool_size=2)
    # The limiter is asked as always, but lets a benchmark pass.
    many = RateLimitItemPerMinute(1_000_000)
    LIMITS["check"] = replace(LIMITS["check"], per_principal=many, per_address=many)
    app = create_app(settings.model_copy(update={"redis_url": None}), database)
    app.include_router(router)
    answers = orjson.loads(CASE.read_bytes())["answers"]
    calls = {"check_ms": "/v1/check", "nothing_ms": "/v1/nothing"}
    times: dict[str, list[float]] = {name: [] for name in calls}
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=settings.public_url) as client:
            for at in range(rounds + WARM):
                for name, path in calls.items():
                    started = time.perf_counter()
                    answer = await client.post(path, json={"answers": answers})
                    taken = (time.perf_counter() - started) * 1000
                    assert answer.status_code == 200, answer.text
                    if at >= WARM:
                        times[name].append(taken)
    await database.close()
    found = {name: statistics.median(taken) for name, taken in times.items()}
    return found | {"ratio": found["check_ms"] / found["nothing_ms"]}


if __name__ == "__main__":
    main()
