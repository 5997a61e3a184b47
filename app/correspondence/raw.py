"""What makes a mail the same mail, whichever way and however often it comes in."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

MAIL_BYTES_MAX: Final = 25 * 1024 * 1024  # a larger one is refused, or cut and kept unread
_MESSAGE_ID = re.compile(rb"(?im)^message-id:[ \t]*(<[^>\r\n]{1,990}>)")


def external_id(raw: bytes, recipient: str) -> str:
    """The same mail to the same address is the same fact, whatever trace lines a redelivery adds:
    Message-ID and body count, the rest of the header does not."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    found = _MESSAGE_ID.search(head)
    name = found[1] + b"\n" + body if found else raw
    return sha256(recipient.lower().encode() + b"\n" + name).hexdigest()
