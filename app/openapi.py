"""What the OpenAPI document says beyond the models: problem answers, security, headers.

Derived from the authorisation table and the shape of each route, so that no endpoint repeats it and
none forgets it.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext, iter_route_contexts

from app.authorisation.table import Row, Table
from app.deps import Route
from app.problem_kinds import DESCRIPTION_OF_KIND, MEDIA_TYPE, STATUS_OF_KIND

PAGE = "text/html"  # what an operation for people without an account may answer a refusal with
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable, for programs"},
        "detail": {"type": "string", "description": "for people"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "pointer", "message", "code"],
                "properties": {
                    "in": {"type": "string"},
                    "pointer": {"type": "string"},
                    "message": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
        "request_id": {"type": "string"},
        "params": {"type": "object", "description": "facts the detail speaks of"},
    },
}


def operations(app: FastAPI) -> list[RouteContext]:
    """Every route of ours; anything else on the app is a mistake the start refuses."""
    found = []
    for context in iter_route_contexts(app.routes):
        if not isinstance(context.original_route, Route):
            raise TypeError(f"{context.path} is not an app.deps.Route")
        found.append(context)
    return found


def document(app: FastAPI, table: Table) -> dict[str, Any]:
    """The whole document, made once and kept by FastAPI."""
    if app.openapi_schema:
        return app.openapi_schema
    schema = get_openapi(
        title=app.title, version=app.version, routes=app.routes, description=app.description
    )
    components = schema.setdefault("components", {})
    models = components.setdefault("schemas", {})
    models["Problem"] = _PROBLEM
    models.pop("HTTPValidationError", None)
    models.pop("ValidationError", None)
    components["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "a session token or an API key (rk_...)",
        }
    }
    for context in operations(app):
        if context.include_in_schema:
            for method in context.methods or ():
                operation = schema["paths"][context.path_format][method.lower()]
                _complete(operation, method, table[context.operation_id])
    app.openapi_schema = schema
    return schema


def _complete(operation: dict[str, Any], method: str, row: Row) -> None:
    operation["security"] = [] if row.public else [{"token": []}]
    operation["x-allowed"] = sorted(row.allow)
    replayed = not operation.pop("x-not-replayed", False)
    parameters = operation.setdefault("parameters", [])
    if method == "POST" and not row.public and replayed:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 255,
                    "pattern": "^[!-~]+$",
                },
                "description": "the same key gets the same answer for 30 days",
            }
        )
    responses = operation["responses"]
    responses.pop("422", None) if not _takes_input(operation) else None
    for kind in _kinds(operation, method, row):
        responses.setdefault(str(STATUS_OF_KIND[kind]), {"description": DESCRIPTION_OF_KIND[kind]})
    responses.setdefault("431", {"description": "Too many or too long headers"})
    if any(p["in"] in ("path", "query") for p in parameters):
        responses.setdefault("414", {"description": "The address is too long"})
    for status, response in responses.items():
        if status.startswith(("4", "5")) and status != "default":
            pages = {k: v for k, v in response.get("content", {}).items() if k == PAGE}
            problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
            response["content"] = pages | {MEDIA_TYPE: problem}
    if not parameters:
        del operation["parameters"]


def _takes_input(operation: dict[str, Any]) -> bool:
    return bool(operation.get("parameters")) or "requestBody" in operation


def _kinds(operation: dict[str, Any], method: str, row: Row) -> list[str]:
    """The refusals an operation can give by its shape alone."""
    kinds = ["unavailable"]
    parameters = operation.get("parameters", [])
    if not row.public:
        kinds += ["unauthenticated", "forbidden"]
    if any(p["in"] == "path" for p in parameters) or row.denied == 404:
        kinds.append("not_found")
    if _takes_input(operation):
        kinds.append("invalid")
    if "requestBody" in operation:
        kinds += ["too_large", "unsupported"]
    if method not in ("GET", "HEAD"):
        kinds.append("conflict")  # a busy row, or a call with this Idempotency-Key still running
    if any(p["in"] == "header" and p["name"].lower() == "if-match" for p in parameters):
        kinds += ["precondition_required", "stale"]
    if row.limit is not None:
        kinds.append("limited")
    return kinds
