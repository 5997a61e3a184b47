"""What endpoints are built from: routers, sessions, callers.

An endpoint file looks like this (rules live in the service, ownership in its SQL):

    from app.deps import Caller, Expected, Pages, Router, Session, ReadSession, problems

    router = Router(prefix="/v1", tags=["cases"])

    @router.post("/cases", operation_id="file_case", status_code=201,
                 responses=problems("conflict"))
    async def file_case(body: FileCaseIn, session: Session, caller: Caller,
                        response: Response) -> CaseOut:
        case = await service.file_case(session, body, caller)
        response.headers["Location"] = f"/v1/cases/{case.id}"
        return CaseOut.of(case)

    @router.post("/cases/{case_id}/withdraw", operation_id="withdraw_case",
                 responses=problems("conflict", "stale"))
    async def withdraw(case_id: Id, session: Session, caller: Caller, expected: Expected,
                       response: Response) -> ReceiptOut: ...

and has one row per operation id in app/authorisation/rows/<feature>.yaml and one line in
app/routers.py. What happens before the function runs, in this order: the caller is identified, the
authorisation table is asked, the named limit is counted, the body is read within its bound and
parsed strictly. `Session` commits before the answer is sent (scope="function"); when the call
carries an Idempotency-Key, `Session` also claims the key, and the answer is stored in the same
transaction: nothing to do in the endpoint. Use `NOT_REPLAYED` on operations whose answer holds a
secret.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession

from app import idempotency
from app.authorisation.principal import ANONYMOUS, Principal
from app.authorisation.table import Row, Table, acting, check
from app.bodies import check_upload, upload_header
from app.bodies import limited_body as limited_body
from app.bodies import limited_stream as limited_stream  # endpoints import it from here
from app.clock import wall_now
from app.crypto import LINK_KEY as LINK_KEY
from app.crypto import Keyring, derive
from app.db import Database
from app.domain.errors import (
    Forbidden,
    InvalidInput,
    NotAuthenticated,
    RecourseError,
    Unsupported,
)
from app.etag import expected_version
from app.limits import Limiter
from app.metrics import DENIED, REPLAYS
from app.outbox import STAGED
from app.pagination import CURSOR_LENGTH_MAX, LIMIT_DEFAULT, LIMIT_MAX, Paging
from app.passwords import Passwords
from app.problem_kinds import problems as problems  # endpoints import it from here
from app.sessions import Authenticator, NewSession
from app.settings import Settings
from app.strict_json import parse
from app.wake import Bell

JSON_BYTES_MAX = 1_000_000  # reliability.md section 7, API4
COOKIE = "__Host-recourse"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# On operations whose answer must never be stored (tokens, keys, one-time codes).
NOT_REPLAYED: dict[str, Any] = {"x-not-replayed": True}


# Gives the open work of the first person to the second (None: back to the pool); returns how many
# pieces moved. Runs in the transaction that deactivates the first one. The last is the actor.
HandOver = Callable[[AsyncSession, UUID, UUID | None, str], Awaitable[int]]


@dataclass(frozen=True)
class Parts:
    """What the process holds; built in main's lifespan, found at `app.state.parts`."""

    settings: Settings
    database: Database
    authenticator: Authenticator
    limiter: Limiter
    bell: Bell
    keyring: Keyring
    table: Table
    passwords: Passwords
    hand_over: tuple[HandOver, ...]
    cursor_key: bytes
    link_key: bytes


def make_parts(
    settings: Settings,
    database: Database,
    limiter: Limiter,
    bell: Bell,
    keyring: Keyring,
    table: Table,
    hand_over: tuple[HandOver, ...] = (),
) -> Parts:
    secret = settings.secret_key.get_secret_value()
    return Parts(
        settings,
        database,
        Authenticator(database, environment=settings.environment),
        limiter,
        bell,
        keyring,
        table,
        Passwords(cheap=settings.environment == "test"),
        hand_over,
        derive(secret, "cursor"),
        derive(secret, LINK_KEY),
    )


class Replayed(Exception):
    """Ends a call early with the answer that was given before."""

    def __init__(self, answer: idempotency.Answer) -> None:
        super().__init__("replayed")
        self.answer = answer


class Route(APIRoute):
    """A route that identifies, authorises, limits and bounds before anything else happens."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        operation = self.operation_id or ""
        reads_json = self.body_field is not None
        replayed = not (self.openapi_extra or {}).get("x-not-replayed", False)

        async def handle(request: Request) -> Response:
            request.state.operation = operation
            principal = await admit(request, operation)
            request.state.idempotent = replayed and principal.kind != "anonymous"
            if reads_json:
                await read_json(request)
            try:
                response = await handler(request)
            except Replayed as replay:
                kept = dict(replay.answer.headers)
                await check_upload(request, kept.pop(idempotency.UPLOAD_HEADER, None))
                REPLAYS.inc()
                return Response(
                    replay.answer.body,
                    replay.answer.status,
                    kept | {"idempotency-replayed": "true"},
                )
            claimed = getattr(request.state, "claimed", None)
            if claimed is not None:
                await idempotency.finish(
                    request.state.session,
                    claimed,
                    status=response.status_code,
                    headers=dict(response.headers) | upload_header(request),
                    body=bytes(response.body),
                )
            return response

        return handle


class Router(APIRouter):
    """The only router features use: every route on it is a `Route` with an operation id."""

    def __init__(self, *, prefix: str = "", tags: list[str] | None = None) -> None:
        super().__init__(
            prefix=prefix, tags=list(tags or ()), route_class=Route, redirect_slashes=False
        )


async def admit(request: Request, operation: str) -> Principal:
    """Identifies the caller, asks the table, counts the limit. Raises what the caller is told."""
    found = parts(request)
    row: Row = found.table[operation]
    principal = await identify(request, required=not row.public)
    try:
        check(row, principal, now=wall_now())
    except RecourseError as refusal:
        DENIED.labels(operation, refusal.kind).inc()
        raise
    principal = request.state.principal = acting(row, principal)
    if row.limit is not None:
        who = None if principal.kind == "anonymous" else principal.actor
        await found.limiter.hit(row.limit, principal=who, address=address_of(request))
    return principal


async def identify(request: Request, *, required: bool) -> Principal:
    """The caller by bearer token or cookie.

    A cookie counts on unsafe methods only from our own pages (Origin), and a public operation
    ignores whatever was sent, so that an old cookie never blocks a login.
    """
    if not required:
        return ANONYMOUS
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise NotAuthenticated("send one Authorization header")
    if headers:
        scheme, _, token = headers[0].partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticated("the Authorization header is: Bearer <token>")
        return await parts(request).authenticator.by_token(token.strip())
    cookies = _cookies(request)
    if not cookies:
        return ANONYMOUS
    if len(cookies) > 1:
        raise NotAuthenticated("the session cookie was sent twice")
    if request.method not in SAFE_METHODS:
        _require_own_origin(request)
    if cookies[0].startswith("rk_"):
        raise NotAuthenticated("API keys are sent as a bearer token only")
    return await parts(request).authenticator.by_token(cookies[0])


def _cookies(request: Request) -> list[str]:
    """Every value of the session cookie; a parser into a dict would hide a second one."""
    pairs = [
        p.strip().partition("=") for h in request.headers.getlist("cookie") for p in h.split(";")
    ]
    return [value for name, _, value in pairs if name == COOKIE]


def _require_own_origin(request: Request) -> None:
    origins = request.headers.getlist("origin")
    if origins != [parts(request).settings.public_url]:
        raise Forbidden("this was not sent from our own pages", code="origin_refused")


def address_of(request: Request) -> str | None:
    """The peer's address; forwarded headers count only from proxies the server is told to trust."""
    return request.client.host if request.client else None


async def read_json(request: Request) -> None:
    """Reads the body within its bound and parses it strictly; FastAPI then finds the value."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unsupported("send the body uncompressed", code="content_encoding_unsupported")
    body = await limited_body(request, JSON_BYTES_MAX)
    if not body:
        return
    media, _, options = request.headers.get("content-type", "").lower().partition(";")
    if media.strip() != "application/json":
        raise Unsupported("send the body as application/json")
    if "charset" in options and "utf-8" not in options:
        raise Unsupported("JSON is UTF-8", code="charset_unsupported")
    request._json = parse(body)


def set_cookie(response: Response, opened: NewSession) -> None:
    """The session in a cookie only this host, over https, and no script can read."""
    response.set_cookie(
        COOKIE,
        opened.token,
        secure=True,
        httponly=True,
        samesite="lax",
        path="/",
        expires=opened.expires_at,
    )


def clear_cookie(response: Response) -> None:
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="lax", path="/")


def parts(request: Request) -> Parts:
    found = request.app.state.parts
    assert isinstance(found, Parts), "the lifespan has not run"
    return found


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    held = parts(request)
    async with held.database.transaction() as session:
        request.state.session = session
        await _claim(request, session)
        yield session
    if session.info.get(STAGED):  # after the commit: the workers find what they are woken for
        held.bell.ring()


async def _claim(request: Request, session: AsyncSession) -> None:
    """Claims the Idempotency-Key of this call, if it has one. Raises Replayed."""
    keys = request.headers.getlist("idempotency-key")
    if not keys or request.method in SAFE_METHODS or not request.state.idempotent:
        return
    if len(keys) > 1:
        raise idempotency.KeyInvalid("send one Idempotency-Key")
    body = getattr(request, "_body", None)
    media = request.headers.get("content-type", "")
    if body is None:  # an upload reads its own body later: its declared length stands for it
        media += f" length={request.headers.get('content-length')}"
    found = await idempotency.claim(
        session,
        principal=request.state.principal.actor,
        route=request.state.operation,
        key=idempotency.valid_key(keys[0]),
        now=wall_now(),
        request_hash=idempotency.request_hash(
            request.method, f"{request.url.path}?{request.url.query}", media, body or b""
        ),
    )
    if isinstance(found, idempotency.Answer):
        raise Replayed(found)
    request.state.claimed = found


async def _read_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with parts(request).database.read() as session:
        yield session


# The small ones are coroutines although nothing waits in them: a plain function is run in a thread,
# which costs more than all it does.
async def _principal(request: Request) -> Principal:
    found = request.state.principal
    assert isinstance(found, Principal), "the route is not a Route"
    return found


async def _expected(
    request: Request,
    if_match: Annotated[str | None, Header(description="The ETag you read, exactly one.")] = None,
) -> int:
    if len(request.headers.getlist("if-match")) > 1:
        raise InvalidInput("send one If-Match", code="if_match_invalid")
    return expected_version(if_match)


async def _paging(
    request: Request,
    principal: Annotated[Principal, Depends(_principal)],
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
    cursor: Annotated[str | None, Query(max_length=CURSOR_LENGTH_MAX)] = None,
) -> Paging:
    return Paging(limit, cursor, parts(request).cursor_key, principal.actor)


async def _held(request: Request) -> Parts:
    return parts(request)


Session = Annotated[AsyncSession, Depends(_session, scope="function")]
ReadSession = Annotated[AsyncSession, Depends(_read_session, scope="function")]
Caller = Annotated[Principal, Depends(_principal)]
CurrentConsumer = Caller  # the authorisation table says which kinds reach an operation
Staff = Caller
Expected = Annotated[int, Depends(_expected)]
Pages = Annotated[Paging, Depends(_paging)]
Held = Annotated[Parts, Depends(_held)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=idempotency.KEY_LENGTH_MAX,
        description="Repeat a call safely: the same key gets the same answer for 30 days.",
    ),
]
