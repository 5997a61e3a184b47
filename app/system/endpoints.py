"""For machines that watch us: alive, ready, which version, figures."""

from __future__ import annotations

from typing import Literal

from fastapi import Request, Response

from app.deps import NOT_REPLAYED, Held, Router
from app.metrics import CONTENT_TYPE_LATEST, generate_latest
from app.schemas import Out
from app.system.readiness import Check, readiness

router = Router(tags=["system"])


class HealthOut(Out):
    status: Literal["alive"]


class VersionOut(Out):
    release: str
    environment: str


class ReadyOut(Out):
    """`ready` follows from database and migrations; Redis is information, we work without it."""

    ready: bool
    database: Check
    migrations: Check
    redis: Check


@router.get("/health", operation_id="health")
async def health() -> HealthOut:
    """The process answers. Says nothing about what it depends on."""
    return HealthOut(status="alive")


@router.get(
    "/ready",
    operation_id="ready",
    responses={503: {"description": "Not ready: see the fields", "model": ReadyOut}},
)
async def ready(held: Held, response: Response) -> ReadyOut:
    """Whether calls can be served now; 503 when not."""
    found = await readiness(held)
    if not found.ready:
        response.status_code = 503
    return ReadyOut(
        ready=found.ready, database=found.database, migrations=found.migrations, redis=found.redis
    )


@router.get("/version", operation_id="version")
async def version(held: Held) -> VersionOut:
    return VersionOut(release=held.settings.release, environment=held.settings.environment)


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    openapi_extra=NOT_REPLAYED,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    """Prometheus text format. Needs an API key with the scope metrics.read, or an admin."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
