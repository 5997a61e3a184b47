"""The API reference, outside production only: our own assets, no network."""

from __future__ import annotations

from pathlib import Path

import orjson
from fastapi import Request, Response
from fastapi.responses import FileResponse

from app.deps import Router
from app.domain.errors import NotFound

REFERENCE = Path(__file__).resolve().parents[1] / "static" / "reference"
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "start.js": "text/javascript",
    "page.css": "text/css",
}
DOCS_OPERATIONS = frozenset({"api_document", "api_reference", "api_reference_asset"})

reference_router = Router()


@reference_router.get("/openapi.json", operation_id="api_document", include_in_schema=False)
async def api_document(request: Request) -> Response:
    """Made at the first call and kept as bytes: as objects it holds 12 MB for ever."""
    app = request.app
    if not hasattr(app.state, "api_document"):
        app.state.api_document = orjson.dumps(app.openapi())
        app.openapi_schema = None
    return Response(app.state.api_document, media_type="application/json")


@reference_router.get("/docs", operation_id="api_reference", include_in_schema=False)
async def api_reference() -> Response:
    return FileResponse(REFERENCE / "index.html", media_type="text/html")


@reference_router.get("/docs/{name}", operation_id="api_reference_asset", include_in_schema=False)
async def api_reference_asset(name: str) -> Response:
    """A closed list of names: no path of the caller ever reaches the file system."""
    if name not in ASSETS:
        raise NotFound("there is nothing at this address")
    return FileResponse(
        REFERENCE / name, media_type=ASSETS[name], headers={"cache-control": "public, max-age=3600"}
    )
