"""Puts the parts together. No logic.

`uvicorn --factory app.main:create_app`; operators start it with `recourse up`.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import problems
from app.authorisation.table import TableInvalid, compare, load_table
from app.casework.assignment import give_open_work
from app.crypto import derive, load_keyring
from app.db import Database
from app.deps import make_parts
from app.edge import Edge
from app.limits import Limiter, unknown_limits
from app.logs import configure_logs
from app.openapi import document, operations
from app.routers import ROUTERS
from app.settings import Settings, get_settings
from app.system.docs import DOCS_OPERATIONS, reference_router
from app.wake import Bell


def settle_memory() -> None:
    """What lives as long as the process is no longer walked by the garbage collector.

    Looking through the 200,000 objects of the imports again and again would be a pause of a tenth
    of a second in somebody's answer; and a request makes thousands of objects, nearly all of which
    end by themselves, so looking after every 700 is too eager.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def create_app(settings: Settings | None = None, database: Database | None = None) -> FastAPI:
    """The application. Raises TableInvalid when a route has no row in the authorisation table.

    `database` is for callers that already hold one (tests, the demo); it is then theirs to close.
    """
    settings = settings or get_settings()
    table = load_table()
    app = FastAPI(
        title="Recourse",
        version=settings.release,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        description="Refund recovery: file a case, read it, act on it.",
    )
    keyring = load_keyring(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logs(level=settings.log_level, release=settings.release)
        held = database or Database(settings.database_url, pool_size=settings.database_pool_size)
        limiter = Limiter(
            settings.redis_url, key=derive(settings.secret_key.get_secret_value(), "limits")
        )
        bell = Bell(settings.redis_url)
        app.state.parts = make_parts(
            settings, held, limiter, bell, keyring, table, hand_over=(give_open_work,)
        )
        settle_memory()
        try:
            yield
        finally:
            await limiter.close()
            await bell.close()
            if database is None:
                await held.close()

    app.router.lifespan_context = lifespan
    shown = ROUTERS if settings.is_production else (*ROUTERS, reference_router)
    # The routers' own routes. Including a router would work out every route a second time (models,
    # dependencies: 15 MB and a quarter of a second), and our routers leave nothing to the app.
    for router in shown:
        app.router.routes.extend(router.routes)
    problems.install(app)
    app.add_middleware(Edge, https=settings.public_url.startswith("https://"))
    routes = operations(app)
    absent = DOCS_OPERATIONS if settings.is_production else frozenset()
    compare(
        {o: row for o, row in table.items() if o not in absent},
        [str(r.operation_id) for r in routes],
    )
    unknown = unknown_limits(row.limit for row in table.values())
    if unknown:
        raise TableInvalid(f"limits that do not exist: {unknown}")
    app.openapi = lambda: document(app, table)  # type: ignore[method-assign]  # FastAPI's own hook
    return app
