"""How the pool and its children talk: frames of length and JSON, the PDF raw behind its frame."""

import json
from typing import Any, Final

from letters import limits

LENGTH_BYTES: Final = 4


class BadFrame(Exception):
    """The other side does not speak this protocol."""


def frame(message: dict[str, Any], tail: bytes = b"") -> bytes:
    """A message on the wire; `tail` follows it, and the message says its length."""
    body = json.dumps({**message, "tail": len(tail)}, ensure_ascii=True).encode()
    return len(body).to_bytes(LENGTH_BYTES, "big") + body + tail


def frame_length(head: bytes) -> int:
    """The length that a frame's first bytes announce."""
    length = int.from_bytes(head, "big")
    if len(head) != LENGTH_BYTES or not 0 < length <= limits.FRAME_BYTES_MAX:
        raise BadFrame("a frame of impossible length")
    return length


def message_of(body: bytes) -> tuple[dict[str, Any], int]:
    """The message in a frame's body and the length of the bytes that follow it."""
    message = json.loads(body)
    if (
        not isinstance(message, dict)
        or type(message.get("tail")) is not int
        or not 0 <= message["tail"] <= limits.FRAME_BYTES_MAX
    ):
        raise BadFrame("a frame without a message")
    return message, message.pop("tail")
