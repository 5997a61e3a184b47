"""Consumers: ask for a sign-in link, use it, sign out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Response
from pydantic import Field, SecretStr

from app.clock import wall_now
from app.consumers import login
from app.deps import (
    NOT_REPLAYED,
    Caller,
    Held,
    Router,
    Session,
    clear_cookie,
    problems,
    set_cookie,
)
from app.schemas import Email, In, Out
from app.sessions import revoke_session

router = Router(prefix="/v1/session", tags=["consumer sign in"])


class LinkRequestIn(In):
    email: Email


class LinkRequestedOut(Out):
    """The same for every address: whether it is known is not told."""

    message: str


class UseLinkIn(In):
    """`keep` says where the session lives: in the answer (apps) or in a cookie (pages)."""

    token: Annotated[SecretStr, Field(min_length=20, max_length=200)]
    keep: Literal["token", "cookie"] = "token"


class ConsumerSessionOut(Out):
    token: str | None
    expires_at: datetime


@router.post(
    "/link", operation_id="request_login_link", status_code=202, openapi_extra=NOT_REPLAYED
)
async def request_login_link(body: LinkRequestIn, held: Held) -> LinkRequestedOut:
    """Mails a link to the address if it belongs to somebody we know."""
    await held.limiter.hit("link", principal=f"address:{body.email}")
    await login.request_link(held.database, link_key=held.link_key, email=body.email)
    return LinkRequestedOut(
        message="If we know this address, a link is on its way. It works once, for 15 minutes."
    )


@router.post(
    "",
    operation_id="use_login_link",
    status_code=201,
    openapi_extra=NOT_REPLAYED,
    responses=problems("unauthenticated"),
)
async def use_login_link(
    body: UseLinkIn, session: Session, held: Held, response: Response
) -> ConsumerSessionOut:
    """A session for the link. A POST, so that mail scanners that open links do not use it up."""
    opened = await login.use_link(
        session, token=body.token.get_secret_value(), hours=held.settings.consumer_session_hours
    )
    if body.keep == "cookie":
        set_cookie(response, opened)
    return ConsumerSessionOut(
        token=opened.token if body.keep == "token" else None, expires_at=opened.expires_at
    )


@router.delete("", operation_id="consumer_logout", status_code=204)
async def consumer_logout(session: Session, caller: Caller, response: Response) -> None:
    """Ends this session at once."""
    assert caller.session_id, "only consumers with a session reach this"
    await revoke_session(session, caller.session_id, now=wall_now())
    clear_cookie(response)
