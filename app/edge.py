"""The outermost layer: request id, security headers, bounds of the request line, metrics.

Plain ASGI: a middleware that wraps bodies would buffer them and hide cancellation.
"""

from __future__ import annotations

import re
import secrets

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.clock import monotonic
from app.logs import get_logger
from app.metrics import IN_FLIGHT, REQUEST_SECONDS, REQUESTS
from app.problems import problem, unhandled

HEADERS_MAX = 100
HEADER_BYTES_MAX = 32_768
TARGET_BYTES_MAX = 4_096
CLIENT_GONE = 499  # for the figures only
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")

API_POLICY = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# The reference page sets a few styles from its script; scripts are ours alone.
DOCS_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    b" img-src 'self' data:; connect-src 'self'; frame-ancestors 'none';"
    b" base-uri 'none'; form-action 'none'"
)
SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
)
HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
NO_STORE = (b"cache-control", b"no-store")

log = get_logger()


class Edge:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.fixed = SECURITY_HEADERS + ((HSTS,) if https else ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = monotonic(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._headers(scope, message["headers"], request_id)
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=request_id)
        IN_FLIGHT.inc()
        try:
            refusal = _refusal(scope, request_id)
            await (refusal or self.app)(scope, receive, send_with_headers)
        except ClientDisconnect:
            status = (
                status or CLIENT_GONE
            )  # nobody is there to answer; whatever was begun rolled back
        except Exception as error:
            if status:
                raise  # the answer has begun: only the connection can say that it is broken
            await unhandled(error, request_id)(scope, receive, send_with_headers)
        finally:
            IN_FLIGHT.dec()
            structlog.contextvars.unbind_contextvars("request_id")
            _count(scope, status, monotonic() - started)

    def _headers(
        self, scope: Scope, given: list[tuple[bytes, bytes]], request_id: str
    ) -> list[tuple[bytes, bytes]]:
        present = {name.lower() for name, _ in given}
        docs = scope["path"].startswith("/docs")
        added = [
            *self.fixed,
            (b"x-request-id", request_id.encode()),
            (b"content-security-policy", DOCS_POLICY if docs else API_POLICY),
        ]
        if b"cache-control" not in present:
            added.append(NO_STORE)
        return [*given, *((n, v) for n, v in added if n not in present)]


def _request_id(scope: Scope) -> str:
    """The caller's id if it is a plain one, else ours."""
    given = [v for n, v in scope["headers"] if n == b"x-request-id"]
    if len(given) == 1 and _REQUEST_ID.fullmatch(given[0]):
        return str(given[0].decode("ascii"))
    return secrets.token_hex(12)


def _refusal(scope: Scope, request_id: str) -> ASGIApp | None:
    """What no endpoint should have to think about."""
    headers = scope["headers"]
    if len(headers) > HEADERS_MAX or sum(len(n) + len(v) for n, v in headers) > HEADER_BYTES_MAX:
        return problem(
            431, "headers_too_large", "Too many or too long headers", request_id=request_id
        )
    query = scope["query_string"]
    if len(scope.get("raw_path") or b"") + len(query) > TARGET_BYTES_MAX:
        return problem(414, "address_too_long", "The address is too long", request_id=request_id)
    if any(ord(c) < 32 or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in scope["path"]):
        return problem(404, "not_found", "There is nothing at this address", request_id=request_id)
    if b"%00" in query or b"\x00" in query:
        return problem(
            422, "text_not_allowed", "The address holds the character NUL", request_id=request_id
        )
    return None


def _count(scope: Scope, status: int, seconds: float) -> None:
    operation = scope.get("state", {}).get("operation") or "none"
    REQUESTS.labels(operation, str(status)).inc()
    REQUEST_SECONDS.labels(operation).observe(seconds)
