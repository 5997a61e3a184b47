"""Bodies of requests, read within a bound whatever Content-Length says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

from fastapi import Request

from app import idempotency
from app.domain.errors import TooLarge

UPLOAD_BYTES_MAX = 300_000_000  # read again under a key; what it was for has its own bound


async def limited_body(request: Request, maximum: int) -> bytes:
    """The whole body, at most `maximum` bytes whatever Content-Length says. Raises TooLarge."""
    request._body = b"".join([chunk async for chunk in limited_stream(request, maximum)])
    return request._body


async def limited_stream(request: Request, maximum: int) -> AsyncIterator[bytes]:
    """The chunks of a body as they come, at most `maximum` bytes together. Raises TooLarge."""
    refusal = TooLarge(f"the body may have {maximum} bytes", maximum=maximum)
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared[:20]) > maximum:
        raise refusal
    size, digest = 0, sha256()
    async for chunk in request.stream():
        size += len(chunk)
        if size > maximum:
            raise refusal
        digest.update(chunk)
        yield chunk
    request.state.uploaded = digest.hexdigest()


def upload_header(request: Request) -> dict[str, str]:
    """What was uploaded, kept beside the answer. The key is claimed before an upload is read, so
    its bytes are not among what the claim compares."""
    uploaded: str | None = getattr(request.state, "uploaded", None)
    if uploaded is None or hasattr(request, "_body"):
        return {}
    return {idempotency.UPLOAD_HEADER: uploaded}


async def check_upload(request: Request, before: str | None) -> None:
    """Raises KeyReused when the answer was given to an upload of other bytes: they would be lost,
    and the caller told that they are kept."""
    if before is None:
        return
    async for _ in limited_stream(request, UPLOAD_BYTES_MAX):
        pass
    if request.state.uploaded != before:
        raise idempotency.KeyReused("this Idempotency-Key was used for another file")
