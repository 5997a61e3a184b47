"""Incoming mail over HTTP, from a mail provider that signs what it posts."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

from fastapi import Query, Request

from app.clock import wall_now
from app.correspondence.filing import store_raw
from app.correspondence.raw import MAIL_BYTES_MAX, external_id
from app.correspondence.schemas import StoredOut
from app.correspondence.webhook import check_signature
from app.deps import Held, Router, limited_stream, problems
from app.domain.errors import NotFound
from app.ids import new_id
from app.schemas import Email

router = Router(prefix="/v1/inbound", tags=["messages"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/mail",
    operation_id="receive_mail",
    status_code=202,
    openapi_extra=_BODY,
    responses=problems("not_found", "too_large", "unauthenticated"),
)
async def receive_mail(
    request: Request,
    held: Held,
    to: Annotated[Email, Query(description="The envelope's recipient.")],
) -> StoredOut:
    """One mail, byte for byte, signed as Standard Webhooks say. Stored before it is read; the same
    mail again changes nothing."""
    secret = held.settings.inbound_webhook_secret
    if secret is None:
        raise NotFound("no mail comes in here", code="webhook_off")
    raw = b"".join([part async for part in limited_stream(request, MAIL_BYTES_MAX)])
    check_signature(request.headers, raw, secret=secret.get_secret_value(), now=wall_now())
    async with held.database.transaction() as session:
        new = await store_raw(
            session, held.keyring, row_id=new_id(), provider="webhook",
            external_id=external_id(raw, to),
            raw=raw, digest=sha256(raw).hexdigest(), envelope_to=to, envelope_from=None,
        )  # fmt: skip
    held.bell.ring()
    return StoredOut(new=new)
