"""Who posts incoming mail to us: the signature of the Standard Webhooks specification (version 1).

`webhook-signature` holds one or more `v1,<base64>`: HMAC-SHA256 under the shared secret over
`<webhook-id>.<webhook-timestamp>.<body>`. Several stand there while a secret is being changed.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

from app.domain.errors import NotAuthenticated

TOLERANCE_SECONDS: Final = 300  # an older signature may be somebody's recording
SIGNATURES_MAX: Final = 5
PREFIX: Final = "whsec_"


class BadSignature(NotAuthenticated):
    """Not signed by who shares the secret with us, or not now."""

    code = "bad_signature"


def check_signature(headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> None:
    """Raises BadSignature. `now`: wall time."""
    name, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not name or len(name) > 200 or not (sent_at.isascii() and sent_at.isdigit()):
        raise BadSignature("webhook-id and webhook-timestamp are needed")
    if len(sent_at) > 12 or abs(now.timestamp() - int(sent_at)) > TOLERANCE_SECONDS:
        raise BadSignature("webhook-timestamp lies too far from now")
    signed = f"{name}.{sent_at}.".encode() + body
    right = hmac.digest(key_of(secret), signed, sha256)
    given = headers.get("webhook-signature", "").split()[:SIGNATURES_MAX]
    if not any(hmac.compare_digest(right, one) for one in map(_signature, given)):
        raise BadSignature("webhook-signature does not fit")


def key_of(secret: str) -> bytes:
    """The bytes behind `whsec_<base64>`. Raises ValueError."""
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


def _signature(given: str) -> bytes:
    version, _, value = given.partition(",")
    try:
        return base64.b64decode(value, validate=True) if version == "v1" else b""
    except (binascii.Error, ValueError):
        return b""
