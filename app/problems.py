"""Errors over HTTP: one shape (RFC 9457), one place.

`{type, title, status, code, detail, errors: [{in, pointer, message, code}], request_id}`: `code` is
stable and for programs, `detail` is for people, `errors` points at the fields. What was sent is
never repeated, and nothing from inside (SQL, paths, traces) is ever shown.
"""

from __future__ import annotations

import re
from typing import Any

import asyncpg
import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from app.domain.errors import Limited, RecourseError
from app.logs import get_logger
from app.metrics import PROBLEMS_SENT
from app.problem_kinds import DESCRIPTION_OF_KIND, MEDIA_TYPE, STATUS_OF_KIND

ERRORS_MAX = 20  # fields named in one answer
RETRY_AFTER_SECONDS = 5
_FIELD = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_HTTP_CODES = {
    404: ("not_found", "There is nothing at this address"),
    405: ("method_not_allowed", "This address does not take this method"),
    413: ("too_large", "Too large"),
    400: ("bad_request", "The request is malformed"),
}

log = get_logger()


def problem(
    status: int,
    code: str,
    title: str,
    *,
    detail: str = "",
    request_id: str = "",
    errors: list[dict[str, str]] | None = None,
    params: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """One problem document as a response."""
    PROBLEMS_SENT.labels(code).inc()
    content: dict[str, Any] = {
        "type": f"urn:recourse:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail or title,
        "errors": errors or [],
        "request_id": request_id,
    }
    if params:
        content["params"] = params
    return Response(orjson.dumps(content), status, headers, MEDIA_TYPE)


def request_id_of(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


async def on_recourse_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RecourseError), "registered for RecourseError only"
    status = STATUS_OF_KIND[error.kind]
    headers = {}
    if isinstance(error, Limited):
        headers["retry-after"] = str(error.retry_after)
    elif status == 503:
        headers["retry-after"] = str(RETRY_AFTER_SECONDS)
        log.error("unavailable", code=error.code)
    elif status == 401:
        headers["www-authenticate"] = "Bearer"
    elif error.code == "call_running":
        headers["retry-after"] = "1"
    return problem(
        status,
        error.code,
        DESCRIPTION_OF_KIND[error.kind],
        detail=error.message,
        errors=getattr(error, "errors", None),
        params=error.params,
        headers=headers,
        request_id=request_id_of(request),
    )


async def on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for RequestValidationError only"
    errors = [_field_error(e) for e in error.errors()[:ERRORS_MAX]]
    return problem(
        422,
        "validation_failed",
        "Some fields cannot be used",
        errors=errors,
        detail="see errors for each field",
        request_id=request_id_of(request),
    )


def _field_error(error: dict[str, Any]) -> dict[str, str]:
    """Where and why, without the value. Names of unknown fields are shown if they are plain."""
    place, *path = error["loc"] or ("body",)
    steps = [str(p) if _FIELD.fullmatch(str(p)) else "?" for p in path]
    return {
        "in": str(place),
        "pointer": "".join(f"/{s}" for s in steps),
        "message": _message(error),
        "code": str(error["type"]),
    }


def _message(error: dict[str, Any]) -> str:
    """The library's words, but where they quote the value: a kind of body that there is not."""
    if error["type"] == "union_tag_invalid":
        return f"{error['ctx']['discriminator']} is one of {error['ctx']['expected_tags']}"
    return str(error["msg"])[:300]


async def on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for HTTPException only"
    code, title = _HTTP_CODES.get(error.status_code, ("refused", "This cannot be answered"))
    return problem(
        error.status_code,
        code,
        title,
        request_id=request_id_of(request),
        headers=dict(error.headers or {}),
    )


async def on_database_error(request: Request, error: Exception) -> Response:
    """The database is away, busy or out of time: the caller may repeat. Anything else is a bug."""
    state = sqlstate(error)
    if state in ("55P03", "40001", "40P01"):  # lock timeout, serialization failure, deadlock
        return problem(
            409,
            "busy",
            "Somebody else is changing this now",
            headers={"retry-after": "1"},
            request_id=request_id_of(request),
        )
    if state is None or state[:2] in ("08", "53", "57"):
        log.error("database_unavailable", code=state or "no_connection")
        return problem(
            503,
            "database_unavailable",
            DESCRIPTION_OF_KIND["unavailable"],
            headers={"retry-after": str(RETRY_AFTER_SECONDS)},
            request_id=request_id_of(request),
        )
    return unhandled(error, request_id_of(request))


def sqlstate(error: Exception) -> str | None:
    """PostgreSQL's five-letter code; None when no connection was had at all."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        return state
    away = ConnectionError | asyncpg.InterfaceError | OSError
    if (
        isinstance(error, DBAPIError)
        and not error.connection_invalidated
        and not isinstance(getattr(cause, "__cause__", None), away)
    ):
        return "XX000"  # the driver refused, not the network: a bug of ours
    return None


def unhandled(error: BaseException, request_id: str) -> Response:
    """A bug: written to the log with its place, told to the caller without it."""
    log.error(
        "unhandled_error", exc_info=(type(error), error, error.__traceback__), request_id=request_id
    )
    return problem(
        500,
        "internal_error",
        "Something went wrong on our side",
        detail="it was recorded; quote the request id",
        request_id=request_id,
    )


def install(app: FastAPI) -> None:
    """Registers the handlers."""
    app.add_exception_handler(RecourseError, on_recourse_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    for kind in (DBAPIError, PoolTimeout, asyncpg.PostgresError, ConnectionError, TimeoutError):
        app.add_exception_handler(kind, on_database_error)
